"""API_KEY_PEPPER is changed while clients go on: what was made with the old one is good beside the new."""

from __future__ import annotations

import secrets

from cti import App, Stack
from live import Poller, Socket, open_socket, ws_url
from web import request

from test.sim.client import Simulator

ORIGIN = "https://app.example.com"


def restart(stack: Stack, **env: str) -> None:
    assert stack.apid.stop() == 0
    stack.apid.set_env(env)
    stack.start()


def key_by_message(app: App) -> str:
    """What comes first after a key in the first message."""
    with Socket(ws_url(app)) as opened:
        opened.subscribe(api_key=app.api_key)
        return opened.message()["type"]


def test_the_pepper_is_changed_without_a_gap(run_stack, dialpad: Simulator) -> None:
    with run_stack(dialpad=dialpad) as stack:
        app = stack.create_app("peppered")
        for call_id in (1, 2, 3):
            assert app.hook.post({"call_id": call_id, "state": "ringing"}).status == 200
        stack.wait_until_done()
        place = Poller(app)
        place.ask()
        page = app.get_json("/api/calls?limit=1")["next_cursor"]
        token = stack.admin("POST", f"/apps/{app.app_id}/live-token", {"origins": [ORIGIN]})["url"]
        link = stack.admin("POST", f"/apps/{app.app_id}/connect-link")["url"]

        def others() -> dict[str, object]:
            """All but the key in a header."""
            with Socket(token, {"Origin": ORIGIN}) as opened:
                by_token = opened.message()["type"]
            return {"by message": key_by_message(app), "by token": by_token,
                    "link": request("GET", link).status,
                    "page": app.get(f"/api/calls?cursor={page}").status,
                    "feed": app.get(f"/api/events?after={place.cursor}").status}

        good = {"by message": "ready", "by token": "ready", "link": 302, "page": 200, "feed": 200}
        assert others() == good
        new = secrets.token_urlsafe(32)
        restart(stack, API_KEY_PEPPER=new, API_KEY_PEPPER_PREVIOUS=stack.pepper)
        assert app.get("/api/calls").status == 200
        assert others() == good
        with open_socket(app) as opened:
            assert opened.message()["type"] == "ready"

        # What is made now does without the old one, and what was made before does not.
        later = stack.admin("POST", f"/apps/{app.app_id}/api-key", {})["api_key"]
        renewed = App(app.app_id, later, app.hook, app.api_url)
        cursor = Poller(renewed).ask()["next_cursor"]
        restart(stack, API_KEY_PEPPER_PREVIOUS=secrets.token_urlsafe(32))
        assert app.get("/api/calls").status == 401
        assert renewed.get(f"/api/events?after={cursor}").status == 200
        assert renewed.get(f"/api/events?after={place.cursor}").status == 400
        assert renewed.get(f"/api/calls?cursor={page}").status == 400
        assert request("GET", link).status == 403
        with Socket(token, {"Origin": ORIGIN}) as opened:
            assert opened.close_code(3) == 4401
