"""GET /oauth2/authorize and the page's form: a person logs in and allows, or does not.

Tests that have no browser say in the header X-Sim-Login who logs in: a user's e-mail
address, `admin` or `member` (of the first company), or `deny`. The answer is then what the
browser would have come to in the end.
"""

from collections.abc import Callable
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ..world.oauth import Client, OAuthError
from ..world.people import User
from .call import Call
from .message import Answer, answer_page, send_on

LOGIN_HEADER = "X-Sim-Login"
ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge",
         "code_challenge_method")

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in – Dialpad simulator</title>
<style>body {{ font: 16px sans-serif; max-width: 34em; margin: 4em auto; padding: 0 1em }}
select, button {{ font: inherit; padding: .4em .8em }}</style></head>
<body><h1>Dialpad simulator</h1>
<p><b>{client}</b> asks for access to Dialpad{scopes}.</p>
<form method="post" action="/oauth2/authorize">{hidden}
<p><label for="user">Log in as</label> <select id="user" name="user">{users}</select></p>
<p><button id="allow" name="decision" value="allow">Allow</button>
<button id="deny" name="decision" value="deny">Deny</button></p>
</form></body></html>
"""
ERROR_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Dialpad simulator</title></head>
<body><h1>This request cannot be served</h1><p>{what}</p></body></html>
"""


def show(call: Call) -> Answer:
    login = call.request.headers.get(LOGIN_HEADER)
    if login is not None:
        return decide(call, call.request.query, login)
    return guarded(call, call.request.query, lambda client: login_page(call, client))


def submit(call: Call) -> Answer:
    form = call.request.form()
    login = form.get("user", "") if form.get("decision") == "allow" else "deny"
    return decide(call, form, login)


def decide(call: Call, asked: dict, login: str) -> Answer:
    return guarded(call, asked, lambda client: outcome(call, client, asked, login))


def guarded(call: Call, asked: dict, go_on: Callable[[Client], Answer]) -> Answer:
    """Errors before client and redirect URI are known are shown, later ones sent back."""
    oauth = call.world.oauth
    try:
        client = oauth.client_for(asked.get("client_id"), asked.get("redirect_uri"))
    except OAuthError as error:
        return answer_page(400, ERROR_PAGE.format(what=escape(error.description)))
    try:
        if asked.get("response_type", "code") != "code":
            raise OAuthError("unsupported_response_type", "response_type must be code")
        oauth.scopes_for(client, asked.get("scope"))
        return go_on(client)
    except OAuthError as error:
        return back(asked, {"error": error.code, "error_description": error.description})


def outcome(call: Call, client: Client, asked: dict, login: str) -> Answer:
    if login == "deny":
        raise OAuthError("access_denied", "the user said no")
    user = user_named(call, login)
    if user is None:
        return answer_page(400, ERROR_PAGE.format(what="There is no such user."))
    code = call.world.oauth.consent(
        client, user, call.world.oauth.scopes_for(client, asked.get("scope")),
        asked["redirect_uri"], asked.get("code_challenge"),
        asked.get("code_challenge_method"))
    return back(asked, {"code": code})


def user_named(call: Call, login: str) -> User | None:
    if login in ("admin", "member"):
        return call.world.company().users[0 if login == "admin" else 1]
    return call.world.user_by_email(login)


def back(asked: dict, result: dict[str, str]) -> Answer:
    """To the client, with what its redirect URI had in its query already."""
    if "state" in asked:
        result = result | {"state": asked["state"]}
    parts = urlsplit(asked["redirect_uri"])
    query = parse_qsl(parts.query, keep_blank_values=True) + list(result.items())
    return send_on(urlunsplit(parts._replace(query=urlencode(query))))


def login_page(call: Call, client: Client) -> Answer:
    asked = call.request.query
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(asked[name])}">'
                     for name in ASKED if name in asked)
    users = "".join(f'<option value="{escape(user.email)}">{escape(label(user))}</option>'
                    for user in call.world.users())
    scopes = f": {escape(asked['scope'])}" if asked.get("scope") else ""
    return answer_page(200, PAGE.format(client=escape(client.id), scopes=scopes,
                                        hidden=hidden, users=users))


def label(user: User) -> str:
    role = "admin" if user.is_admin else "member"
    return f"{user.target.name}, {role} of {user.cast.company_name}"
