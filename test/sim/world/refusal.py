"""Why Dialpad says no to an API call."""


class Refusal(Exception):
    """`status` is the HTTP status; the message is for whoever called."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status
        self.message = message
