"""Runs the proxies of docs/proxies.md, and visits the pages through them."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from benchmarks.installation.processes import Session, wait_until
from benchmarks.installation.servers import ServiceMissing
from tests.end_to_end.proxy_files import NAME, PROXIES, Places
from webapp.demo.supervisor.processes import start


@dataclass(frozen=True)
class ReverseProxy:
    """A running proxy."""

    places: Places

    def read_logs(self) -> str:
        """Return what it has logged, of requests and of errors."""
        files = [file for file in self.places.folder.iterdir() if file.name.endswith("log") and file.is_file()]
        return "".join(file.read_text(errors="replace") for file in files)

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
        super().init_poolmanager(*args, **kwargs, source_address=(self.source, 0))

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: bool | str, cert: Any = None
    ) -> tuple[Any, Any]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        named = {"server_hostname": NAME, "assert_hostname": NAME}
        return {**host, "host": "127.0.0.1", "port": self.port}, {**pool, **named}

    def add_headers(self, request: PreparedRequest, **_: Any) -> None:
        request.headers.setdefault("Host", NAME)


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
def running(name: str, places: Places, changes: dict[str, str] | None = None) -> Iterator[ReverseProxy]:
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
