"""Work that an admin asks workerd for, until it is done."""

from __future__ import annotations

from cti import Stack
from web import eventually


def finished(stack: Stack, path: str, name: str, task_id: str, seconds: float = 20) -> dict:
    """The task of the list `name` under `path`, once it has come to an end."""

    def look() -> dict | None:
        [task] = [t for t in stack.admin("GET", path)[name] if t["id"] == task_id]
        return task if task["state"] in ("done", "failed") else None

    return eventually(look, seconds, f"the end of {name} {task_id}")
