"""Health: the process alone, and readiness for a press."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from benchmarks.installation.servers import QueueServer
from tests.factories import on_both_databases
from webapp import queue
from webapp.application import create_app
from webapp.settings import read_settings

NOWHERE = "redis://:canary-password@127.0.0.1:1"
NOT_SEEN = "no heartbeat for 10 s: start alertcheck worker"


def _client(environment: dict[str, str], **settings: str) -> FlaskClient:
    return create_app(read_settings(environment | settings)).test_client()


@pytest.fixture
def alive(app: Flask) -> None:
    """A worker has just sent a heartbeat."""
    with app.app_context():
        queue.record_heartbeat("host:1")


@pytest.fixture
def silent_address() -> Iterator[str]:
    """A host and port that accept connections and never send anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_process_is_alive_without_the_database_and_the_queue(environment: dict[str, str]) -> None:
    response = _client(environment, REDIS_URL=NOWHERE, DATABASE_URL="sqlite:////nowhere/at/all.sqlite").get("/healthz")

    assert (response.status_code, response.json) == (200, {"status": "ok"})


@on_both_databases
@pytest.mark.usefixtures("alive")
def test_an_installation_is_ready_when_a_press_has_everything_it_needs(app: Flask) -> None:
    response = app.test_client().get("/readyz")

    assert (response.status_code, response.json) == (
        200,
        {"status": "ok", "database": "ok", "queue": "ok", "worker": "ok"},
    )


def test_without_a_worker_the_report_asks_to_start_one(app: Flask) -> None:
    response = app.test_client().get("/readyz")

    assert response.status_code == 503
    assert response.json == {"status": "unavailable", "database": "ok", "queue": "ok", "worker": NOT_SEEN}


@pytest.mark.usefixtures("alive")
def test_a_worker_without_a_recent_heartbeat_is_reported_missing(app: Flask, queue_server: QueueServer) -> None:
    queue.connect(queue_server.url).zincrby(queue.HEARTBEATS, -11, "host:1")

    response = app.test_client().get("/readyz")

    assert (response.status_code, response.json and response.json["worker"]) == (503, NOT_SEEN)


def test_a_missing_queue_is_reported(environment: dict[str, str]) -> None:
    response = _client(environment, REDIS_URL=NOWHERE).get("/readyz")

    assert response.status_code == 503
    assert response.json == {
        "status": "unavailable",
        "database": "ok",
        "queue": "does not respond",
        "worker": "unknown, because the queue does not respond",
    }


def test_a_queue_that_accepts_the_connection_and_stays_silent_is_reported(
    environment: dict[str, str], silent_address: str
) -> None:
    response = _client(environment, REDIS_URL=f"redis://{silent_address}").get("/readyz")

    assert (response.status_code, response.json and response.json["queue"]) == (503, "does not respond")


@pytest.mark.usefixtures("alive")
def test_an_unmigrated_database_is_reported_with_its_reason(environment: dict[str, str], tmp_path: Path) -> None:
    response = _client(environment, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite'}").get("/readyz")

    assert response.status_code == 503
    assert response.json == {
        "status": "unavailable",
        "database": "does not respond, or is not migrated (OperationalError)",
        "queue": "ok",
        "worker": "ok",
    }


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all.sqlite", "postgresql+psycopg://ann:canary-password@127.0.0.1:1/alerts"]
)
def test_an_unreachable_database_is_reported_without_its_address(environment: dict[str, str], url: str) -> None:
    response = _client(environment, DATABASE_URL=url).get("/readyz")

    assert response.status_code == 503
    assert (response.json or {})["database"] == "does not respond, or is not migrated (OperationalError)"


def test_no_reason_holds_a_password_or_an_address(environment: dict[str, str], tmp_path: Path) -> None:
    response = _client(environment, REDIS_URL=NOWHERE, DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite").get("/readyz")

    assert "canary" not in response.text
    assert "127.0.0.1" not in response.text
    assert str(tmp_path) not in response.text


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_starts_no_session(app: Flask, path: str) -> None:
    assert "Set-Cookie" not in app.test_client().get(path).headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_never_throttled(app: Flask, path: str) -> None:
    client = app.test_client()

    assert 429 not in {client.get(path).status_code for _ in range(50)}
