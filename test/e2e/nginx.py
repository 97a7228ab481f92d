"""nginx with deploy/nginx/cti-server.conf, as it is but for ports, certificate and the place of its log."""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ports
import unprivileged
from certificate import make_certificate
from cti import Stack
from web import eventually

from test.conftest import ROOT

SHIPPED = ROOT / "deploy/nginx/cti-server.conf"
AROUND_IT = """\
daemon off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{
	access_log {dir}/other.log;
	client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/a; uwsgi_temp_path {dir}/b; scgi_temp_path {dir}/c;
	include {dir}/cti-server.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    directory: Path
    port: int  # with TLS
    plain_port: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def plain_url(self) -> str:
        return f"http://localhost:{self.plain_port}"

    @property
    def trusted(self) -> str:
        """The file of the certificate to trust."""
        return str(self.directory / "cert.pem")

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.trusted)

    @property
    def access_log(self) -> Path:
        return self.directory / "access.log"

    def logged(self) -> str:
        """All of its logs."""
        return "".join(log.read_text() for log in self.directory.glob("*.log"))

    def configure(self, stack: Stack) -> None:
        text = SHIPPED.read_text()
        for shipped, here in {
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen [::]:80;": "",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2;",
            "listen [::]:443 ssl http2;": "",
            "/etc/ssl/cti.example.com.pem": self.trusted,
            "/etc/ssl/private/cti.example.com.key": str(self.directory / "key.pem"),
            "/var/log/nginx/cti-server.log": str(self.access_log),
            "server 127.0.0.1:4001 ": f"server 127.0.0.1:{stack.ingestd.port} ",
            "server 127.0.0.1:4000 ": f"server 127.0.0.1:{stack.apid.port} ",
        }.items():
            assert shipped in text, shipped
            text = text.replace(shipped, here)
        (self.directory / SHIPPED.name).write_text(text)
        (self.directory / "nginx.conf").write_text(AROUND_IT.format(dir=self.directory))


@contextlib.contextmanager
def nginx_before(stack: Stack) -> Iterator[Nginx]:
    program = shutil.which("nginx", path=os.defpath + ":/usr/sbin")
    assert program, "nginx is missing: make deps"
    with tempfile.TemporaryDirectory(prefix="cti-nginx-") as name:
        os.chmod(name, 0o755)
        unprivileged.give(Path(name))
        made = Nginx(Path(name), ports.any_free(), ports.any_free())
        make_certificate(made.directory)
        unprivileged.give(made.directory / "key.pem")
        made.configure(stack)
        process = unprivileged.spawn([program, "-c", f"{name}/nginx.conf", "-e", f"{name}/error.log"],
                                     env=unprivileged.base_env())
        try:
            eventually(lambda: not ports.is_free(made.port), 20, "nginx listens")
            yield made
        finally:
            process.terminate()
            process.wait(10)
