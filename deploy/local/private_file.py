"""Files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replaces `path` by a file of mode 0600; a reader sees the old text or the new."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(draft, path)


class SecretFile:
    """Named secrets, each made when first asked for and the same ever after."""

    def __init__(self, path: Path):
        self.path = path
        self._known: dict[str, str] = {}
        if path.exists():
            self._known = json.loads(path.read_text())

    def get(self, name: str) -> str | None:
        return self._known.get(name)

    def get_or_make(self, name: str) -> str:
        if name not in self._known:
            # 32 random bytes, in characters that need no quoting in URLs, SQL or shells.
            self.set(name, secrets.token_urlsafe(32))
        return self._known[name]

    def set(self, name: str, value: str) -> None:
        self._known[name] = value
        write_private(self.path, json.dumps(self._known, indent=1) + "\n")
