"""A genuine body, cut or changed at every single place, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ingest import Ingest, new_claims
from ingest_fixtures import IngestMaker


@pytest.fixture(scope="module")
def ingest(run_ingestd: IngestMaker) -> Iterator[Ingest]:
    with run_ingestd({}) as stack:
        yield stack


def test_a_body_cut_anywhere_is_refused(ingest: Ingest) -> None:
    hook = ingest.my_hook()
    token = hook.sign(new_claims()).encode()
    for length in range(len(token)):
        assert hook.post_body(token[:length]).status == 401, length
    assert ingest.log() == []


def test_a_body_with_any_bit_changed_is_refused(ingest: Ingest) -> None:
    hook = ingest.my_hook()
    token = hook.sign(new_claims()).encode()
    for place in range(len(token)):
        for bit in range(8):
            changed = bytearray(token)
            changed[place] ^= 1 << bit
            assert hook.post_body(bytes(changed)).status == 401, (place, bit)
    assert ingest.log() == []
