"""Generates load: visitors in separate processes, each of which sends its next request after the previous response."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from urllib.parse import urlsplit

# Processes, and visitors in each: in total more than the cores, and fewer than the threads of the web server.
PROCESSES, EACH = 2, 4


@dataclass(frozen=True)
class Request:
    """A GET request. cookie: the visitor's Cookie header, or empty. version: of the page that is open, or empty."""

    origin: str
    path: str
    cookie: str = ""
    version: str = ""

    def as_bytes(self) -> bytes:
        host = urlsplit(self.origin).netloc
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        version = f'If-None-Match: W/"{self.version}"\r\nHX-Source: div#page\r\n' if self.version else ""
        encoding = "Accept-Encoding: gzip, deflate, br\r\nHX-Request: true\r\n"
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: {host}\r\n{cookie}{version}{encoding}Connection: close\r\n\r\n".encode()
        )


@dataclass(frozen=True)
class LoadGenerator:
    """A pool of processes with visitors."""

    pool: ProcessPoolExecutor

    def measure_rate(self, request: Request, seconds: float) -> float:
        """Return the responses per second of all visitors together."""
        return sum(self.pool.map(_fetch_concurrently, [request] * PROCESSES, [seconds] * PROCESSES))


@contextmanager
def load_generator() -> Iterator[LoadGenerator]:
    """Start the processes, and stop them at the end."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        yield LoadGenerator(pool)


def fetch(request: Request) -> bytes:
    """Send the request over a new connection, as nginx does, and return the whole response."""
    address = urlsplit(request.origin)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request.as_bytes())
        parts = []
        while part := connection.recv(1 << 18):
            parts.append(part)
    response = b"".join(parts)
    status = b"304" if request.version else b"200"
    assert response.startswith(b"HTTP/1.1 %s " % status), f"{request.path}: {response[:60]!r}"
    return response


def _fetch_concurrently(request: Request, seconds: float) -> float:
    with ThreadPoolExecutor(EACH) as visitors:
        return sum(visitors.map(_fetch_repeatedly, [request] * EACH, [seconds] * EACH))


def _fetch_repeatedly(request: Request, seconds: float) -> float:
    started, count = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        fetch(request)
        count += 1
    return count / (time.monotonic() - started)
