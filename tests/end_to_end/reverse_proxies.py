"""Runs the proxies of docs/proxies.md with the files of `deploy/`, on ports of their own and with a certificate."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGQUIT, SIGTERM, Signals
from typing import Any

import trustme
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from benchmarks.installation.processes import ROOT, Session, free_port, wait_until
from benchmarks.installation.servers import ServiceMissing
from webapp.demo.supervisor.processes import start

# The host name in the files.
NAME = "alertcheck.example.com"

NGINX = """
daemon off;
{user}
pid nginx.pid;
error_log stderr;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include {folder}/alertcheck*.conf;
}}
"""

# Debian's own configuration loads these modules, and a2enmod those that the file names.
APACHE_MODULES = (
    *("mpm_event", "authz_core", "alias", "reqtimeout"),
    *("ssl", "proxy", "proxy_http", "headers", "buffer"),
)
APACHE = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile apache.pid
ErrorLog /dev/stderr
ServerName localhost
StartServers 1
{modules}
{user}
Listen 127.0.0.1:{http}
Listen 127.0.0.1:{https}
Include {folder}/alertcheck.conf
"""

CADDY = """{{
    admin off
    skip_install_trust
    default_bind 127.0.0.1
    http_port {http}
    https_port {https}
}}
"""


@dataclass(frozen=True)
class Places:
    """Where a proxy runs: its folder, its ports, the web server's port, and the files of its certificate."""

    folder: Path
    web: int
    certificate: Path
    key: Path
    authority: Path
    http: int = field(default_factory=free_port)
    https: int = field(default_factory=free_port)


@dataclass(frozen=True)
class ReverseProxy:
    """A running proxy."""

    places: Places

    def visit(self, address: str = "127.0.0.1") -> Session:
        """Open a session of a visitor with an IP address in 127.0.0.0/8, as a browser would."""
        session = Session(f"https://{NAME}")
        session.http.trust_env = False  # its REQUESTS_CA_BUNDLE would replace the next line
        session.http.verify = str(self.places.authority)
        session.http.headers["Referer"] = f"https://{NAME}/"
        session.http.mount("https://", LoopbackAdapter(self.places.https, address))
        return session


class LoopbackAdapter(HTTPAdapter):
    """Connects to a port of this machine, whatever the host name of the URL, from an address."""

    def __init__(self, port: int, source: str) -> None:
        self.port = port
        self.source = source
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, source_address=(self.source, 0))  # type: ignore[no-untyped-call]

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: bool | str, cert: Any = None
    ) -> tuple[Any, Any]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        named = {"server_hostname": NAME, "assert_hostname": NAME}
        return {**host, "host": "127.0.0.1", "port": self.port}, {**pool, **named}

    def add_headers(self, request: PreparedRequest, **_: Any) -> None:
        request.headers.setdefault("Host", NAME)


def _read(name: str, replacements: Mapping[str, str]) -> str:
    """Read a file of `deploy/`. Every text to replace must be in it."""
    text = (ROOT / "deploy" / name).read_text()
    for old, new in replacements.items():
        assert old in text, f"deploy/{name} does not contain: {old}"
        text = text.replace(old, new)
    return text


def _certificate(places: Places) -> dict[str, str]:
    return {"/etc/ssl/alertcheck.pem": str(places.certificate), "/etc/ssl/alertcheck.key": str(places.key)}


def _configure_nginx(places: Places, changes: Mapping[str, str]) -> list[str]:
    ports = {
        "listen 80;": f"listen 127.0.0.1:{places.http};",
        "listen 443 ssl;": f"listen 127.0.0.1:{places.https} ssl;",
        "listen [::]:80;": "",
        "listen [::]:443 ssl;": "",
        "127.0.0.1:8000": f"127.0.0.1:{places.web}",
    }
    site = _read("nginx/alertcheck.conf", _certificate(places) | ports | changes)
    (places.folder / "alertcheck.conf").write_text(site)
    user = "user root;" if os.geteuid() == 0 else ""
    (places.folder / "nginx.conf").write_text(NGINX.format(folder=places.folder, user=user))
    return ["nginx", "-p", str(places.folder), "-c", "nginx.conf", "-e", "stderr"]


def _configure_apache(places: Places, changes: Mapping[str, str]) -> list[str]:
    ports = {
        "<VirtualHost *:80>": f"<VirtualHost *:{places.http}>",
        "<VirtualHost *:443>": f"<VirtualHost *:{places.https}>",
        "127.0.0.1:8000": f"127.0.0.1:{places.web}",
    }
    (places.folder / "alertcheck.conf").write_text(
        _read("apache/alertcheck.conf", _certificate(places) | ports | changes)
    )
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in APACHE_MODULES)
    user = "User nobody\nGroup nogroup" if os.geteuid() == 0 else ""
    settings = {"folder": places.folder, "http": places.http, "https": places.https}
    (places.folder / "apache.conf").write_text(APACHE.format(**settings, modules=modules, user=user))
    return ["apache2", "-D", "FOREGROUND", "-f", str(places.folder / "apache.conf")]


def _configure_caddy(places: Places, changes: Mapping[str, str]) -> list[str]:
    site = {
        f"\n{NAME} {{\n": f"\n{NAME} {{\n\ttls {places.certificate} {places.key}\n",
        "127.0.0.1:8000": f"127.0.0.1:{places.web}",
        "request_buffers 128KiB": _caddy_buffers(),
    }
    text = CADDY.format(http=places.http, https=places.https) + _read("caddy/Caddyfile", site | changes)
    (places.folder / "Caddyfile").write_text(text)
    return ["caddy", "run", "--config", str(places.folder / "Caddyfile"), "--adapter", "caddyfile"]


def _caddy_buffers() -> str:
    """Return the lines for this version, as the comment in the file says."""
    shown = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    numbers = [int(number) for number in re.findall(r"\d+", shown)[:3]]
    return "request_buffers 128KiB" if numbers >= [2, 6, 3] else "buffer_requests\n\t\tmax_buffer_size 128KiB"


def _configure_haproxy(places: Places, changes: Mapping[str, str]) -> list[str]:
    both = places.folder / "both.pem"
    both.write_text(places.key.read_text() + places.certificate.read_text())
    ports = {
        "    log /dev/log local0\n": "",
        "bind :::80 v4v6": f"bind 127.0.0.1:{places.http}",
        "bind :::443 v4v6": f"bind 127.0.0.1:{places.https}",
        "/etc/haproxy/alertcheck.pem": str(both),
        "127.0.0.1:8000": f"127.0.0.1:{places.web}",
    }
    (places.folder / "haproxy.cfg").write_text(_read("haproxy/haproxy.cfg", ports | changes))
    return ["haproxy", "-db", "-f", str(places.folder / "haproxy.cfg")]


def add_cloudflare(places: Places, address: str) -> None:
    """Let nginx take this address for one of Cloudflare's."""
    text = _read("nginx/cloudflare.conf", {"set_real_ip_from 173.245.48.0/20;": f"set_real_ip_from {address};"})
    (places.folder / "alertcheck-cloudflare.conf").write_text(text)


# Changes to the files that shorten the time for which an idle connection to the web server is kept, to about 1 s.
SHORT_IDLE = {
    "nginx": {"    keepalive 16;": "    keepalive 16; keepalive_timeout 1s;"},
    "apache2": {"ttl=60": "ttl=1"},
    "caddy": {"\t\tlb_try_duration 10s\n": "\t\ttransport http {\n\t\t\tkeepalive 1s\n\t\t}\n"},
    "haproxy": {"pool-purge-delay 60s": "pool-purge-delay 1s"},
}

# How each proxy is configured, and the signal that stops it.
PROXIES: dict[str, tuple[Callable[[Places, Mapping[str, str]], list[str]], Signals]] = {
    "nginx": (_configure_nginx, SIGQUIT),
    "apache2": (_configure_apache, SIGTERM),
    "caddy": (_configure_caddy, SIGTERM),
    "haproxy": (_configure_haproxy, SIGTERM),
}


def make_places(folder: Path, web: int) -> Places:
    """Choose ports and issue a certificate. web: the port of the web server."""
    folder.mkdir()
    authority, certificate, key = folder / "authority.pem", folder / "alertcheck.pem", folder / "alertcheck.key"
    issuer = trustme.CA()
    issued = issuer.issue_cert(NAME)
    issuer.cert_pem.write_to_path(str(authority))
    issued.private_key_pem.write_to_path(str(key))
    certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    return Places(folder, web, certificate, key, authority)


@contextmanager
def running(name: str, places: Places, changes: Mapping[str, str] | None = None) -> Iterator[ReverseProxy]:
    """Run a proxy. changes: texts of its file to replace. Raises `ServiceMissing` if it is not installed."""
    configure, signal = PROXIES[name]
    program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise ServiceMissing(f"{name} is not installed")
    words = configure(places, changes or {})
    home = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(places.folder))
    log = places.folder / "log"
    child = start(name, [program, *words[1:]], log=log, environment=os.environ | home, directory=places.folder)
    try:
        wait_until(lambda: child.exit_code() is not None or _listens(places.https))
        assert child.exit_code() is None, child.describe_end()
        yield ReverseProxy(places)
    finally:
        child.stop(signal=signal)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True
