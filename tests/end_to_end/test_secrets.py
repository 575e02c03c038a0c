"""A destination's secret stands in the encrypted column and nowhere else."""

import base64
import logging
import zlib
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from redis import Redis
from sqlalchemy import text

from tests.cast import SECRET_PATH, SIGNING_SECRET, Cast, get_account, get_destination
from tests.services import QueueServer
from tests.stack import Session, Stack, wait_until
from webapp import jobs
from webapp.config import Config
from webapp.deliveries import request_test, send
from webapp.extensions import db

CANARY = SECRET_PATH.rpartition("/")[2]
PAGES = ("", "/1", "/1/edit", "/1/delete", "/1/status", "/new", "/new/webhook")


def _spellings(secret: str) -> list[bytes]:
    """Write a secret as it may turn up somewhere."""
    raw = secret.encode()
    plain = [secret, secret.upper(), secret[::-1], quote(secret, safe=""), secret[: len(secret) // 2 + 4]]
    return [word.encode() for word in plain] + [raw.hex().encode(), base64.b64encode(raw)[:-4]]


def _find_secrets(haystack: bytes) -> list[bytes]:
    return [word for secret in (CANARY, SIGNING_SECRET) for word in _spellings(secret) if word in haystack]


@pytest.mark.slow
def test_no_secret_stands_in_database_queue_logs_or_pages(
    app: Flask,
    cast: Cast,
    owner: tuple[str, str],
    stack: Stack,
    httpserver: HTTPServer,
    queue_server: QueueServer,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data(status=503)
    httpserver.expect_ordered_request(SECRET_PATH).respond_with_data(status=404)
    session = stack.start_web().sign_in(*owner)
    pages = [session.post("/w/harbor/destinations/1/test").text]
    in_queue = _dump_queue(queue_server)
    stack.start_worker()
    wait_until(lambda: 'data-last-test="failed"' in session.get("/w/harbor/destinations/1/status").text, 30)
    pages += [session.get(f"/w/harbor/destinations{page}").text for page in PAGES]
    pages.append(_mistype(session))

    assert _find_secrets("".join(pages).encode()) == []
    assert b"send_delivery" in in_queue
    assert _find_secrets(in_queue + _dump_queue(queue_server)) == []
    assert _find_secrets(b"".join(child.log.read_bytes() for child in stack.children)) == []
    assert _find_secrets(_dump_database(app)) == []
    assert _find_secrets(Path(database_url.removeprefix("sqlite:///")).read_bytes()) == []


def _mistype(session: Session) -> str:
    """Save the form with a good secret and a bad address: it comes back with neither."""
    typed = {"name": "Typed name", "address": f"http://bad{SECRET_PATH}", "signing_secret": SIGNING_SECRET}
    page = session.post("/w/harbor/destinations/1/edit", typed).text
    assert "Typed name" in page
    assert "does not begin with https://" in page
    return page


def _dump_queue(server: QueueServer) -> bytes:
    client = jobs.connect(server.url)
    return b"".join(key + (client.dump(key) or b"") + _read_hash(client, key) for key in client.scan_iter())


def _read_hash(client: Redis, key: bytes) -> bytes:
    if client.type(key) != b"hash":
        return b""
    values = client.hgetall(key)
    return b"".join(name + _inflate(value) for name, value in values.items())


def _inflate(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def _dump_database(app: Flask) -> bytes:
    with app.app_context():
        tables = [name for (name,) in db.session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
        rows = [str(tuple(row)) for table in tables for row in db.session.execute(text(f"SELECT * FROM {table}"))]
        assert any("gAAAA" in row for row in rows), "the encrypted column was not among what was searched"
        return "\n".join(rows).encode()


def test_a_send_at_debug_level_logs_no_secret(
    app: Flask, cast: Cast, httpserver: HTTPServer, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request(SECRET_PATH).respond_with_data(status=500)
    with app.app_context(), caplog.at_level(logging.DEBUG):
        send(request_test(get_destination(cast), get_account(cast), datetime.now(UTC)).id, config)

    far_ends_own = "werkzeug"
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != far_ends_own)
    assert "attempt ended: delivery=1" in ours
    assert _find_secrets(ours.encode()) == []
