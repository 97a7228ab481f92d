"""The three daemons as processes, on a database of their own, and the apps they serve."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import contract
import ports
import unprivileged
from hook import Hook, derived_secret
from web import PATIENCE_S, Answer, eventually, request

from test.conftest import ROOT, Database
from test.sim.client import Simulator

BIN = ROOT / "build" / os.environ.get("CTI_BUILD", "asan") / "bin"
READY_SECONDS = 30
STOP_SECONDS = 30
LOG_TAIL_LINES = 40
# Tests ask more often than clients may; the tests of limits set their own.
NO_LIMITS = {
    "RATE_LIMIT_API_PER_MIN": "0",
    "RATE_LIMIT_AUTH_PER_MIN": "0",
    "RATE_LIMIT_FAILED_AUTH_PER_MIN": "0",
}
# What a sanitizer writes when it has found something.
SANITIZER_WORDS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                   "WARNING: ThreadSanitizer")
CRASHES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}


class Daemon:
    """One daemon, started and ended as often as a test likes, on the same ports."""

    def __init__(self, name: str, env: Mapping[str, str], directory: Path):
        self.name = name
        self.port = ports.any_free()
        self.ops_port = ports.any_free()
        self.log = directory / f"{name}.log"
        self.cwd = Path("/")
        self.programs = BIN
        self._env = unprivileged.base_env() | {
            "LISTEN_ADDRESS": "127.0.0.1",
            f"{name.upper()}_PORT": str(self.port),
            "OPS_PORT": str(self.ops_port),
            **env,
        }
        self._process: subprocess.Popen | None = None
        if name == "apid":
            contract.APID_URLS.add(self.url)

    @property
    def env(self) -> dict[str, str]:
        return dict(self._env)

    def set_env(self, values: Mapping[str, str]) -> None:
        """From the next start on."""
        self._env |= values

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ops_url(self) -> str:
        return f"http://127.0.0.1:{self.ops_port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def twin(self, directory: Path) -> Daemon:
        """A daemon with this one's environment, on ports of its own."""
        own = (f"{self.name.upper()}_PORT", "OPS_PORT")
        return Daemon(self.name, {k: v for k, v in self._env.items() if k not in own}, directory)

    def start(self) -> None:
        binary = self.programs / self.name
        assert binary.is_file(), f"{binary} is missing: make BUILD={self.programs.parent.name}"
        with open(self.log, "ab") as log:
            self._process = unprivileged.spawn(
                [str(binary)], env=self.env, cwd=self.cwd, stdout=log,
                dies_with_us=signal.SIGKILL,
            )

    def wait_ready(self) -> None:
        eventually(self._is_ready, READY_SECONDS, f"{self.name} ready\n{self.tail()}")

    def _is_ready(self) -> bool:
        assert self.is_running, f"{self.name} has ended:\n{self.tail()}"
        try:
            return self.ready().status == 200
        except OSError:
            return False

    def ready(self) -> Answer:
        return request("GET", f"{self.ops_url}/readyz")

    def stop(self) -> int:
        """Asks it to end as an operator would; returns its exit status."""
        self.terminate()
        return self.wait()

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} does not end:\n{self.tail()}") from None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    # What it said

    def lines(self) -> list[dict]:
        """The log's lines that are JSON; a sanitizer's report is not."""
        found = []
        for line in self._text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def log_contains(self, text: str) -> bool:
        return text in self._text()

    def wait_for_log(self, text: str) -> None:
        """A line may come after what it tells of can be seen elsewhere."""
        eventually(lambda: self.log_contains(text), PATIENCE_S, f"{text} in the log of {self.name}")

    def tail(self) -> str:
        return "\n".join(self._text().splitlines()[-LOG_TAIL_LINES:])

    def complaints(self) -> list[str]:
        """What a sanitizer found, and a crash."""
        found = [
            f"{self.name}: {word}\n{self._text()[self._text().index(word) :][:4000]}"
            for word in SANITIZER_WORDS
            if self.log_contains(word)
        ]
        code = self._process.poll() if self._process else None
        if code in CRASHES:
            found.append(f"{self.name} crashed: {signal.Signals(-code).name}\n{self.tail()}")
        return found

    def _text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass(frozen=True)
class App:
    """A tenant as its own people see it: an id, a key, a hook."""

    app_id: str
    api_key: str
    hook: Hook
    api_url: str

    def get(self, path: str) -> Answer:
        key = {"x-app-api-key": self.api_key}
        return request("GET", self.api_url + path, headers=key)

    def get_json(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.json()

    def wait_for(self, path: str, seconds: float = PATIENCE_S) -> Any:
        """The object under `path`, as soon as there is one."""

        def look() -> Answer | None:
            answer = self.get(path)
            return answer if answer.status == 200 else None

        return eventually(look, seconds, f"GET {path}").json()


class Stack:
    """Database and daemons. `env` adds to a daemon's environment; None takes away."""

    def __init__(
        self,
        database: Database,
        directory: Path,
        env: Mapping[str, Mapping[str, str | None]] | None = None,
    ):
        self.database = database
        self.master_key = secrets.token_urlsafe(32)
        self.bare_secret = secrets.token_urlsafe(32)
        self.admin_secret = secrets.token_urlsafe(32)
        self.pepper = secrets.token_urlsafe(32)
        self._token_key = secrets.token_urlsafe(32)
        self._shown: list[str] = []  # secrets that the API has handed out
        self.ingestd = self._daemon("ingestd", env, directory)
        self.workerd = self._daemon("workerd", env, directory)
        self.apid = self._daemon("apid", env, directory)
        self.daemons = [self.ingestd, self.workerd, self.apid]
        self._directory = directory

    def _daemon(self, name: str, env: Mapping | None, directory: Path) -> Daemon:
        own = {
            "ingestd": {
                "DATABASE_URL": self.database.url("cti_ingest"),
                "WEBHOOK_MASTER_KEY": self.master_key,
                "DIALPAD_WEBHOOK_SECRET": self.bare_secret,
            },
            "workerd": {
                "DATABASE_URL": self.database.url("cti_worker"),
                "WEBHOOK_MASTER_KEY": self.master_key,
                "TOKEN_ENCRYPTION_KEY": self._token_key,
            },
            "apid": {
                "DATABASE_URL": self.database.url("cti_api"),
                "WEBHOOK_MASTER_KEY": self.master_key,
                "TOKEN_ENCRYPTION_KEY": self._token_key,
                "API_KEY_PEPPER": self.pepper,
                "INTERNAL_API_SECRET": self.admin_secret,
                **NO_LIMITS,
            },
        }[name]
        if name != "ingestd":
            own["PUBLIC_INGEST_URL"] = self.ingestd.url
        merged = own | dict((env or {}).get(name, {}))
        return Daemon(name, {k: v for k, v in merged.items() if v is not None}, directory)

    def _several(self, name: str, envs: Sequence[Mapping], directory: Path) -> list[Daemon]:
        """One daemon for each env, each with a directory of its own."""
        daemons = []
        for number, env in enumerate(envs, 1):
            own = directory / f"{name}-{number}"
            own.mkdir()
            daemons.append(self._daemon(name, {name: env}, own))
        return daemons

    def another_apid(self, **env: str) -> Daemon:
        """One more process beside the first, ready, with the same environment but for `env`."""
        directory = self._directory / f"apid_{len(self.daemons)}"
        directory.mkdir()
        own = {"LISTEN_ADDRESS", "APID_PORT", "OPS_PORT"}
        same = {name: value for name, value in self.apid.env.items() if name not in own}
        daemon = Daemon("apid", same | env, directory)
        self.daemons.append(daemon)
        daemon.start()
        daemon.wait_ready()
        return daemon

    def start(self) -> None:
        """Starts whichever daemon does not run."""
        for daemon in self.daemons:
            if not daemon.is_running:
                daemon.start()
        for daemon in self.daemons:
            daemon.wait_ready()

    def close(self) -> list[str]:
        """Ends what still runs; returns everything that a test must not let pass."""
        running = [daemon for daemon in self.daemons if daemon.is_running]
        for daemon in running:
            daemon.terminate()
        faults = []
        for daemon in running:
            code = daemon.wait()
            if code != 0:
                faults.append(f"{daemon.name} ended with {code}:\n{daemon.tail()}")
        for daemon in self.daemons:
            faults += daemon.complaints() + self._leaks(daemon)
        return faults

    @property
    def secrets(self) -> list[str]:
        """All that the daemons were given, and that the API has handed out."""
        passwords = (self.database.cluster.passwords.get(role)
                     for role in ("cti_ingest", "cti_worker", "cti_api"))
        return [self.master_key, self.bare_secret, self.admin_secret, self.pepper,
                self._token_key, *self._shown, *passwords]

    def _leaks(self, daemon: Daemon) -> list[str]:
        leaked = sum(daemon.log_contains(secret) for secret in self.secrets)
        return [f"{leaked} secrets stand in the log of {daemon.name}"] if leaked else []

    # Dialpad

    def use_dialpad(self, dialpad: Simulator, redirect_uri: str | None = None) -> None:
        """From the next start of the daemons on. The URI is apid's own unless one is given."""
        uri = redirect_uri or f"{self.apid.url}/auth/dialpad/callback"
        secret = secrets.token_urlsafe(32)
        self.dialpad_client = {"client_id": f"cti-{self.apid.port}", "secret": secret,
                               "redirect_uris": [uri]}
        dialpad.register_client(**self.dialpad_client)
        self._shown.append(secret)
        client = {
            "DIALPAD_SANDBOX_CLIENT_ID": self.dialpad_client["client_id"],
            "DIALPAD_SANDBOX_CLIENT_SECRET": secret,
            "DIALPAD_SANDBOX_BASE_URL": dialpad.url,
        }
        self.workerd.set_env(client)
        self.apid.set_env(client | {"DIALPAD_SANDBOX_REDIRECT_URI": uri})

    # Apps

    def admin(self, method: str, path: str, body: dict | None = None) -> Any:
        answer = request(
            method,
            f"{self.apid.url}/internal{path}",
            json.dumps(body).encode() if body is not None else None,
            {
                "Authorization": f"Bearer {self.admin_secret}",
                "Content-Type": "application/json",
            },
        )
        assert 200 <= answer.status < 300, (method, path, answer.status, answer.body)
        return answer.json()

    def create_app(self, name: str) -> App:
        """A new tenant with a key, made as an admin makes one."""
        app_id = self.admin("POST", "/apps", {"name": name})["app_id"]
        api_key = self.admin("POST", f"/apps/{app_id}/api-key", {})["api_key"]
        hook = self.hook(app_id)
        self._shown += [api_key, hook.secret]
        return App(app_id, api_key, hook, self.apid.url)

    def hook(self, app_id: str, number: int = 1) -> Hook:
        """Any hook, whether or not somebody made it: its secret is derived."""
        return Hook(
            f"{self.ingestd.url}/webhooks/dialpad/{app_id}/{number}",
            derived_secret(self.master_key, app_id, number),
        )

    @property
    def bare_hook(self) -> Hook:
        return Hook(f"{self.ingestd.url}/webhooks/dialpad", self.bare_secret)

    # The database

    def sql(self, query: str, *values: Any) -> list[tuple]:
        """As the owner; the rows, if there are any to have."""
        with self.database.connect(autocommit=True) as conn:
            cursor = conn.execute(query, values)
            return cursor.fetchall() if cursor.description is not None else []

    def wait_until_done(self, seconds: float = PATIENCE_S) -> None:
        """Until the queue is empty."""
        eventually(
            lambda: self.sql("SELECT 1 WHERE NOT EXISTS (SELECT FROM event_queue)"),
            seconds,
            "an empty event_queue",
        )
