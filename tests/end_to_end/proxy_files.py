"""The files of `deploy/` for proxies, with ports and certificates of a test."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGQUIT, SIGTERM, Signals

from benchmarks.installation.processes import ROOT, free_port

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
    access_log access.log;
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
    *("mpm_event", "authz_core", "alias", "reqtimeout", "setenvif"),
    *("ssl", "proxy", "proxy_http", "headers", "buffer"),
)
APACHE = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile apache.pid
ErrorLog /dev/stderr
# As Debian's other-vhosts-access-log.conf: for sites without a log of their own.
CustomLog other_vhosts_access.log "%h %r %{{Referer}}i"
LogFormat "%h %r %{{Referer}}i" combined
Define APACHE_LOG_DIR {folder}
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


def _read(name: str, replacements: dict[str, str]) -> str:
    """Read a file of `deploy/`. Every text to replace must be in it."""
    text = (ROOT / "deploy" / name).read_text()
    for old, new in replacements.items():
        assert old in text, f"deploy/{name} does not contain: {old}"
        text = text.replace(old, new)
    return text


def _certificate(places: Places) -> dict[str, str]:
    return {"/etc/ssl/alertcheck.pem": str(places.certificate), "/etc/ssl/alertcheck.key": str(places.key)}


def _configure_nginx(places: Places, changes: dict[str, str]) -> list[str]:
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


def _configure_apache(places: Places, changes: dict[str, str]) -> list[str]:
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


def _configure_caddy(places: Places, changes: dict[str, str]) -> list[str]:
    site = {
        f"\n{NAME} {{\n": f"\n{NAME} {{\n\ttls {places.certificate} {places.key}\n",
        "127.0.0.1:8000": f"127.0.0.1:{places.web}",
        "request_buffers 128KiB": _caddy_buffers(),
        "\n{\n": f"\n{CADDY.format(http=places.http, https=places.https)}",
    }
    (places.folder / "Caddyfile").write_text(_read("caddy/Caddyfile", site | changes))
    return ["caddy", "run", "--config", str(places.folder / "Caddyfile"), "--adapter", "caddyfile"]


def _caddy_buffers() -> str:
    """Return the lines for this version, as the comment in the file says."""
    shown = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    numbers = [int(number) for number in re.findall(r"\d+", shown)[:3]]
    return "request_buffers 128KiB" if numbers >= [2, 6, 3] else "buffer_requests\n\t\tmax_buffer_size 128KiB"


def _configure_haproxy(places: Places, changes: dict[str, str]) -> list[str]:
    both = places.folder / "both.pem"
    both.write_text(places.key.read_text() + places.certificate.read_text())
    ports = {
        "log /dev/log local0": "log stderr format raw local0",
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
PROXIES: dict[str, tuple[Callable[[Places, dict[str, str]], list[str]], Signals]] = {
    "nginx": (_configure_nginx, SIGQUIT),
    "apache2": (_configure_apache, SIGTERM),
    "caddy": (_configure_caddy, SIGTERM),
    "haproxy": (_configure_haproxy, SIGTERM),
}
