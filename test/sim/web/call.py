"""One request on its way to its handler, with all that the handler may need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..world.oauth import Token
from ..world.world import Company, World
from .message import Request

if TYPE_CHECKING:
    from .app import App


@dataclass
class Call:
    """Request values have been checked against the API description where there is one."""

    app: App
    request: Request
    path_values: dict[str, str]
    token: Token | None = None
    given: dict = field(default_factory=dict)  # the body's object

    @property
    def world(self) -> World:
        return self.app.world

    @property
    def company(self) -> Company:
        return self.world.company(self.token.grant.user.company_id)

    @property
    def scopes(self) -> frozenset[str]:
        return self.token.grant.scopes

    @property
    def id(self) -> int:
        return int(self.path_values["id"])
