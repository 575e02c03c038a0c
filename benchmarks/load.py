"""Visitors in processes of their own, each asking again as soon as it is answered."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from urllib.parse import urlsplit

PROCESSES, EACH = 2, 4
"""Processes, and visitors in each: more at once than there are cores, and fewer than there are threads to answer."""


@dataclass(frozen=True)
class Question:
    """What is asked for. cookie: the visitor's session, or an empty text."""

    origin: str
    path: str
    cookie: str = ""

    def as_bytes(self) -> bytes:
        host = urlsplit(self.origin).netloc
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        encoding = "Accept-Encoding: gzip, deflate, br\r\nHX-Request: true\r\n"
        return f"GET {self.path} HTTP/1.1\r\nHost: {host}\r\n{cookie}{encoding}Connection: close\r\n\r\n".encode()


@dataclass(frozen=True)
class Crowd:
    """The visitors."""

    pool: ProcessPoolExecutor

    def measure_rate(self, question: Question, seconds: float) -> float:
        """Return how many answers a second they get together."""
        return sum(self.pool.map(_ask_side_by_side, [question] * PROCESSES, [seconds] * PROCESSES))


@contextmanager
def crowd() -> Iterator[Crowd]:
    """Have them."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        yield Crowd(pool)


def ask(question: Question) -> bytes:
    """Ask once, over a connection of its own as nginx does, and return the whole answer."""
    where = urlsplit(question.origin)
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall(question.as_bytes())
        parts = []
        while part := connection.recv(1 << 18):
            parts.append(part)
    answer = b"".join(parts)
    assert answer.startswith(b"HTTP/1.1 200 "), f"{question.path}: {answer[:60]!r}"
    return answer


def _ask_side_by_side(question: Question, seconds: float) -> float:
    with ThreadPoolExecutor(EACH) as visitors:
        return sum(visitors.map(_ask_on, [question] * EACH, [seconds] * EACH))


def _ask_on(question: Question, seconds: float) -> float:
    began, count = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        ask(question)
        count += 1
    return count / (time.monotonic() - began)
