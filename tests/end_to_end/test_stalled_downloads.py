"""Downloads that nobody reads on hold a few threads of a web process, and never all of them."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import insert, update

from benchmarks.installation.processes import Session, Stack, wait_until
from tests.factories import NOW, SeededIds, add_delivery, get_destination
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination

THREADS = 8

# With names this long, much more than the buffers between two sockets hold.
DELIVERIES = 20_000


@pytest.fixture
def long_history(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        first = add_delivery(get_destination(seeded), status="sent", sent_at=NOW)
        db.session.execute(update(AlertDestination).values(name="x" * 120))
        columns = [column for column in AlertDelivery.__table__.columns if column.name not in ("id", "reference")]
        row = {column.name: getattr(first, column.key) for column in columns}
        db.session.execute(insert(AlertDelivery), [row] * DELIVERIES)
        db.session.commit()
        db.engine.dispose()


@pytest.fixture
def stalled() -> Iterator[ExitStack]:
    with ExitStack() as connections:
        yield connections


def _begin(session: Session, path: str) -> socket.socket:
    """Ask for a download, and read its beginning alone."""
    url = urlsplit(session.origin)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect((url.hostname, url.port))
    cookies = "; ".join(f"{name}={value}" for name, value in session.http.cookies.items())
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nCookie: {cookies}\r\n\r\n".encode())
    return connection


@pytest.mark.slow
def test_stalled_downloads_leave_threads_for_other_pages(
    seeded: SeededIds, long_history: None, owner: tuple[str, str], stack: Stack, stalled: ExitStack
) -> None:
    session = stack.start_web(THREADS).sign_in(*owner)

    begun = [stalled.enter_context(_begin(session, "/w/harbor/history.csv")) for _ in range(THREADS)]
    answers = [connection.recv(12) for connection in begun]

    assert requests.get(f"{session.origin}/healthz", timeout=20).status_code == 200
    assert session.get("/w/harbor/history").status_code == 200
    assert {b"HTTP/1.1 200", b"HTTP/1.1 429"} == set(answers)
    stalled.close()
    wait_until(lambda: session.get("/w/harbor/history.csv").status_code == 200)
