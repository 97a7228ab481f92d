"""Companies and their users as the API shows them."""

from dataclasses import dataclass

from ..cast import Cast, Target


@dataclass(frozen=True)
class User:
    """Somebody who can log in. `email` is the login."""

    cast: Cast
    target: Target
    is_admin: bool

    @property
    def id(self) -> int:
        return self.target.id

    @property
    def email(self) -> str:
        return self.target.email

    @property
    def company_id(self) -> int:
        return self.cast.company_id

    def as_json(self) -> dict:
        first, last = self.target.name.split(" ", 1)
        office = str(self.cast.office.id)
        return {
            "id": str(self.id), "company_id": str(self.company_id), "office_id": office,
            "display_name": self.target.name, "first_name": first, "last_name": last,
            "emails": [self.email], "phone_numbers": [self.target.phone],
            "is_admin": self.is_admin, "is_super_admin": self.is_admin,
            "admin_office_ids": [office] if self.is_admin else [],
            "state": "active", "country": "us", "timezone": "US/Pacific",
        }


def users_of(cast: Cast) -> list[User]:
    """The first agent is an admin, the others are not."""
    return [User(cast, agent, place == 0) for place, agent in enumerate(cast.agents)]


def company_json(cast: Cast) -> dict:
    admin = cast.agents[0]
    return {
        "id": str(cast.company_id), "name": cast.company_name, "office_count": "1",
        "domain": admin.email.split("@")[1], "admin_email": admin.email,
        "account_type": "pro", "country": "us", "state": "active",
    }


def office_json(cast: Cast) -> dict:
    office = cast.office
    return {
        "id": str(office.id), "office_id": str(office.id), "name": office.name,
        "phone_numbers": [office.phone], "is_primary_office": True, "country": "us",
        "state": "active", "timezone": "US/Pacific",
    }
