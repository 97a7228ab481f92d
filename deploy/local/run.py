#!/usr/bin/python3
"""`make run`: PostgreSQL, the three daemons, a fake Dialpad and a demo app, in front.

Prints each step as it happens, then a line that starts with `ready`. Ctrl-C stops all
that was started and nothing else. settings.py has the variables that change ports and
places; DEMO=1 has the fake Dialpad play some calls.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import ports
import unprivileged
from cluster import Cluster
from demo_app import Api, DemoApp
from demo_dialpad import DemoDialpad
from migrate import migrate
from private_file import SecretFile, write_private
from services import Service, Services, http_obstacle, port_obstacle
from settings import CLIENT_ID, CLIENT_SECRET, ROLES, ROOT, Settings

DATABASE = "cti"
SIMULATOR = ROOT / "test" / "sim" / "dialpad_sim.py"


def say(text: str) -> None:
    print(text, flush=True)


class Run:
    """One run, step by step; `undo` takes it down again."""

    def __init__(self, settings: Settings, undo: contextlib.ExitStack):
        self.settings = settings
        self.undo = undo
        self.services = Services()
        self.secrets = SecretFile(settings.run_dir / "secrets")
        self.cluster = Cluster(settings.run_dir / "postgres", settings.ports["PG_PORT"])
        self.dialpad = DemoDialpad(settings.dialpad_url)
        self.api = Api(
            settings.url("apid"), self.secrets.get_or_make("INTERNAL_API_SECRET")
        )

    def up(self) -> None:
        self.check_before_starting()
        self.start_database()
        self.start_daemons()
        app = self.api.demo_app(self.secrets)
        say(f"app Demo: {app.app_id}")
        self.connect_dialpad(app)
        if self.settings.demo:
            self.play_demo(app)
        self.write_env(app)
        self.tell(app)

    def check_before_starting(self) -> None:
        self.remove_env()
        say("checking binaries and ports")
        missing = [d for d in ROLES if not (self.settings.bin_dir / d).is_file()]
        if missing:
            raise RuntimeError(f"{self.settings.bin_dir} lacks {', '.join(missing)}")
        wanted = dict(self.settings.ports)
        if self.cluster.pid() and self.cluster.port == wanted["PG_PORT"]:
            del wanted["PG_PORT"]  # taken by our own server, which we go on using
        complaints = ports.complaints(wanted)
        if complaints:
            raise RuntimeError("nothing was started:\n  " + "\n  ".join(complaints))

    def start_database(self) -> None:
        say(f"PostgreSQL on port {self.settings.ports['PG_PORT']}")
        if self.cluster.start(dies_with_us=True):
            self.undo.callback(self.cluster.stop)
        if not self.cluster.has_database(DATABASE):
            self.cluster.create_database(DATABASE)
        say("schema: sqitch deploy")
        migrate(self.cluster.url(db=DATABASE))

    def start_daemons(self) -> None:
        self.undo.callback(self.stop_services)
        (self.settings.run_dir / "logs").mkdir(exist_ok=True)
        for name, role in ROLES.items():
            say(f"{name} on {self.settings.url(name)}")
            self.services.start(self.daemon(name, self.cluster.set_login(role, DATABASE)))
        say(f"fake Dialpad on port {self.settings.ports['SIM_PORT']}")
        self.services.start(self.simulator())
        say("waiting until all are ready")
        self.services.wait_until_ready()

    def daemon(self, name: str, database_url: str) -> Service:
        return Service(
            name=name,
            argv=[str(self.settings.bin_dir / name)],
            env=self.settings.daemon_env(name, database_url, self.secrets),
            log=self.log(name),
            obstacle=http_obstacle(self.settings.ops_url(name) + "/readyz"),
        )

    def simulator(self) -> Service:
        port = self.settings.ports["SIM_PORT"]
        return Service(
            name="fake Dialpad",
            argv=[sys.executable, str(SIMULATOR), "serve", "--port", str(port)]
            + ["--client-id", CLIENT_ID, "--redirect-uri", self.settings.redirect_uri],
            env=unprivileged.base_env()
            | {"SIM_CLIENT_SECRET": self.secrets.get_or_make(CLIENT_SECRET)},
            log=self.log("sim"),
            obstacle=port_obstacle(port),
            keep_user=True,
        )

    def connect_dialpad(self, app: DemoApp) -> None:
        """Each time: the fake Dialpad forgets its tokens and webhooks when it ends."""
        say("connecting app Demo with the fake Dialpad")
        before = self.api.webhook(app.app_id)
        self.dialpad.connect(self.api, app)
        self.api.wait_for_webhook(app.app_id, before)

    def play_demo(self, app: DemoApp) -> None:
        say("the fake Dialpad plays some calls, texts and voicemails")
        self.dialpad.play("demo")
        say(f"calls to see: {self.api.wait_for_calls(app.api_key)}")

    def remove_env(self) -> None:
        """Whoever waits for this file must not read that of an earlier run."""
        self.env_file.unlink(missing_ok=True)

    def write_env(self, app: DemoApp) -> None:
        self.undo.callback(self.remove_env)
        values = {
            "CTI_URL": self.settings.url("apid"),
            "CTI_INGEST_URL": self.settings.url("ingestd"),
            "CTI_ADMIN": self.secrets.get_or_make("INTERNAL_API_SECRET"),
            "CTI_APP_ID": app.app_id,
            "CTI_API_KEY": app.api_key,
            "CTI_HOOK_URL": app.hook_url,
            "CTI_HOOK_SECRET": app.hook_secret,
            "DIALPAD_WEBHOOK_SECRET": self.secrets.get_or_make("DIALPAD_WEBHOOK_SECRET"),
            "CTI_METRICS_URLS": " ".join(
                self.settings.ops_url(name) + "/metrics" for name in ROLES
            ),
            "DATABASE_URL": self.cluster.url(db=DATABASE),
        }
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in values.items()]
        write_private(self.env_file, "".join(lines))

    def tell(self, app: DemoApp) -> None:
        s = self.settings
        say("")
        say(f"API            {s.url('apid')}")
        say(f"webhooks       {app.hook_url}")
        say(f"fake Dialpad   {s.dialpad_url}")
        say(f"PostgreSQL     127.0.0.1:{s.ports['PG_PORT']}, database {DATABASE}")
        say(f"logs           {s.run_dir / 'logs'}")
        say(f"API key        {app.api_key}")
        say(f"all of it      . {shlex.quote(str(self.env_file))}")
        say("")
        say(f"curl -H 'x-app-api-key: {app.api_key}' '{s.url('apid')}/api/calls?limit=5'")
        say("")
        say("rate limits are off; a server of your own has them: docs/limits.md")
        say("ready: Ctrl-C stops everything")

    def stay(self) -> None:
        while True:
            time.sleep(0.5)
            self.services.check()
            if self.cluster.pid() is None:
                raise RuntimeError(f"PostgreSQL has stopped: see {self.cluster.log}")

    def stop_services(self) -> None:
        say("stopping")
        for name in self.services.stop():
            say(f"{name} did not stop when asked and was killed")

    def log(self, name: str) -> Path:
        return self.settings.run_dir / "logs" / f"{name}.log"

    @property
    def env_file(self) -> Path:
        return self.settings.run_dir / "env"


@contextlib.contextmanager
def alone_in(run_dir: Path) -> Iterator[None]:
    """Two runs in one directory would share a database: refuse the second."""
    run_dir.mkdir(parents=True, exist_ok=True)
    with open(run_dir / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(
                f"another run uses {run_dir}: stop it, or set RUN_DIR and the ports"
            ) from None
        yield


def interrupt_once(*_: object) -> None:
    """The first signal takes everything down; later ones must not interrupt that."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupt_once)
    try:
        settings = Settings.read(os.environ)
        with alone_in(settings.run_dir), contextlib.ExitStack() as undo:
            run = Run(settings, undo)
            run.up()
            run.stay()
    except KeyboardInterrupt:
        say("stopped")
        return 0
    except Exception as e:  # every fault ends here, after all has been stopped
        print(f"run: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
