"""What can be set about the fake Dialpad, at start and while it runs."""

from dataclasses import dataclass, fields

from .refusal import Refusal

EXPIRES_IN_FORMS = ("number", "string", "absent")


@dataclass
class Settings:
    token_seconds: int = 3600  # how long an access token lives
    code_seconds: int = 60
    expires_in: str = "number"  # how the token answer says it; absent: tokens never expire
    rotate_refresh: bool = True  # False: a refresh gives no new refresh token
    company_per_second: int = 20  # API requests of one company, 0 for no limit
    list_page: int = 50  # webhooks or subscriptions a page

    def change(self, changes: dict) -> None:
        """All or none; a wrong name or kind of value is refused."""
        for name, value in changes.items():
            self._check(name, value)
        for name, value in changes.items():
            setattr(self, name, value)

    def _check(self, name: str, value: object) -> None:
        kinds = {field.name: field.type for field in fields(self)}
        if name not in kinds:
            raise Refusal(400, f"no setting {name}; there are {', '.join(kinds)}")
        if type(value) is not kinds[name]:
            raise Refusal(400, f"{name} is of type {kinds[name].__name__}")
        if name == "expires_in" and value not in EXPIRES_IN_FORMS:
            raise Refusal(400, f"expires_in is one of {', '.join(EXPIRES_IN_FORMS)}")
        if isinstance(value, int) and value < 0:
            raise Refusal(400, f"{name} must not be negative")
