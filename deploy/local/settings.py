"""What `make run` can be told, by environment, and what each daemon is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import unprivileged
from private_file import SecretFile

ROOT = Path(__file__).resolve().parents[2]
OPS_OFFSET = 100  # a daemon's health and metrics are at its port plus this

DEFAULT_PORTS = {
    "APID_PORT": 4000,
    "INGESTD_PORT": 4001,
    "WORKERD_PORT": 4002,
    "PG_PORT": 4003,
    "SIM_PORT": 4005,
}
# On one's own machine nobody has to be held back.
NO_LIMITS = {
    "RATE_LIMIT_API_PER_MIN": "0",
    "RATE_LIMIT_AUTH_PER_MIN": "0",
    "RATE_LIMIT_FAILED_AUTH_PER_MIN": "0",
}
# Our OAuth app at the fake Dialpad.
CLIENT_ID = "local"
CLIENT_SECRET = "DIALPAD_SANDBOX_CLIENT_SECRET"
# Each daemon's database role, and the secrets it needs and no others.
ROLES = {"apid": "cti_api", "ingestd": "cti_ingest", "workerd": "cti_worker"}
SECRETS = {
    "apid": (
        "WEBHOOK_MASTER_KEY",
        "TOKEN_ENCRYPTION_KEY",
        "API_KEY_PEPPER",
        "INTERNAL_API_SECRET",
    ),
    "ingestd": ("WEBHOOK_MASTER_KEY", "DIALPAD_WEBHOOK_SECRET"),
    "workerd": ("WEBHOOK_MASTER_KEY", "TOKEN_ENCRYPTION_KEY"),
}


@dataclass(frozen=True)
class Settings:
    run_dir: Path
    bin_dir: Path
    ports: dict[str, int]  # by the variable's name
    demo: bool
    log_level: str

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError with a sentence for the user."""
        ports = {}
        for name, default in DEFAULT_PORTS.items():
            text = env.get(name) or str(default)
            if not text.isascii() or not text.isdigit():
                raise ValueError(f"{name} must be a port number, not {text!r}")
            ports[name] = int(text)
        for daemon in ROLES:
            variable = port_variable(daemon)
            ports[f"{variable} + {OPS_OFFSET}"] = ports[variable] + OPS_OFFSET
        return cls(
            run_dir=(ROOT / (env.get("RUN_DIR") or ".run")).resolve(),
            bin_dir=(ROOT / (env.get("BUILD_DIR") or "build/release/bin")).resolve(),
            ports=ports,
            demo=env.get("DEMO") == "1",
            log_level=env.get("LOG_LEVEL") or "info",
        )

    def url(self, daemon: str) -> str:
        return f"http://127.0.0.1:{self.ports[port_variable(daemon)]}"

    def ops_url(self, daemon: str) -> str:
        return f"http://127.0.0.1:{self.ports[port_variable(daemon)] + OPS_OFFSET}"

    @property
    def redirect_uri(self) -> str:
        return self.url("apid") + "/auth/dialpad/callback"

    def dialpad_env(self, secrets: SecretFile) -> dict[str, str]:
        """The fake Dialpad, as the sandbox that Dialpad has for developers."""
        return {
            "DIALPAD_SANDBOX_CLIENT_ID": CLIENT_ID,
            "DIALPAD_SANDBOX_CLIENT_SECRET": secrets.get_or_make(CLIENT_SECRET),
            "DIALPAD_SANDBOX_REDIRECT_URI": self.redirect_uri,
            "DIALPAD_SANDBOX_BASE_URL": f"http://127.0.0.1:{self.ports['SIM_PORT']}",
        }

    def daemon_env(
        self, daemon: str, database_url: str, secrets: SecretFile
    ) -> dict[str, str]:
        """The whole environment of a daemon."""
        port = self.ports[port_variable(daemon)]
        return (
            unprivileged.base_env()
            | {name: secrets.get_or_make(name) for name in SECRETS[daemon]}
            | {
                "DATABASE_URL": database_url,
                "LISTEN_ADDRESS": "127.0.0.1",
                port_variable(daemon): str(port),
                "OPS_PORT": str(port + OPS_OFFSET),
                "PUBLIC_API_URL": self.url("apid"),
                "PUBLIC_INGEST_URL": self.url("ingestd"),
                "LOG_LEVEL": self.log_level,
            }
            | (self.dialpad_env(secrets) if daemon != "ingestd" else {})
            | (NO_LIMITS if daemon == "apid" else {})
        )


def port_variable(daemon: str) -> str:
    return f"{daemon.upper()}_PORT"
