"""The whole world of one fake Dialpad: its companies, its people, its tokens."""

import threading
import time

from ..cast import Cast, draw_cast
from .archive import Archive
from .hooks import Hooks
from .oauth import AuthorizationServer
from .people import User, users_of
from .refusal import Refusal
from .settings import Settings


class Company:
    def __init__(self, cast: Cast):
        self.cast = cast
        self.users = users_of(cast)
        self.hooks = Hooks(cast)
        self.archive = Archive()
        self.truths: list[dict] = []  # of everything that was played here

    @property
    def id(self) -> int:
        return self.cast.company_id


class World:
    """Whoever reads or changes anything in here holds `lock`."""

    def __init__(self, companies: int = 2, settings: Settings | None = None):
        self.lock = threading.RLock()
        self.settings = settings or Settings()
        self.oauth = AuthorizationServer(self.settings)
        found = (Company(draw_cast(number)) for number in range(companies))
        self.companies = {company.id: company for company in found}

    def company(self, company_id: str | int | None = None) -> Company:
        """The first one if none is named."""
        if company_id is None:
            return next(iter(self.companies.values()))
        try:
            return self.companies[int(company_id)]
        except (ValueError, KeyError):
            raise Refusal(404, f"no company {company_id}") from None

    def users(self) -> list[User]:
        return [user for company in self.companies.values() for user in company.users]

    def user_by_email(self, email: str) -> User | None:
        return next((user for user in self.users() if user.email == email), None)

    @staticmethod
    def now_ms() -> int:
        return time.time_ns() // 1_000_000
