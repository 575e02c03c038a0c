"""What a web process logs about the set-up link when it starts."""

import socket
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, update

from benchmarks.installation.processes import wait_until
from tests.factories import SeededIds
from webapp.application import create_app
from webapp.auth.set_up_links import find_link
from webapp.extensions import db
from webapp.models import Account, SetUp, database_clock
from webapp.settings import read_settings
from webapp.startup.set_up_announcement import START_DELAY, announce_set_up_link

URL = "https://alertcheck.example.com"


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"ALERTCHECK_PUBLIC_URL": URL}


def _announce(app: Flask, caplog: pytest.LogCaptureFixture, patience: float = 60) -> list[dict[str, str]]:
    """Return what one start logs, also on a busy machine, where it does not wait for its thread."""
    caplog.clear()
    known = set(threading.enumerate())
    announce_set_up_link(app)
    for thread in set(threading.enumerate()) - known:
        thread.join(patience)
    return [record.__dict__ for record in caplog.records if record.name == "webapp.startup.set_up_announcement"]


def test_a_new_installation_logs_a_link_that_works(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    (line,) = _announce(app, caplog)

    origin, _, token = line["link"].partition("/set-up/")
    with app.app_context():
        link = find_link(token, database_clock.now())
    assert link is not None
    assert (origin, link.is_first) == (URL, True)
    assert datetime.fromisoformat(line["until"]) == link.expires_at.replace(microsecond=0)


def test_a_second_start_says_that_a_link_works_and_logs_no_other(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    (first,) = _announce(app, caplog)
    (second,) = _announce(app, caplog)

    assert ("link" in first, "link" in second, second["until"]) == (True, False, first["until"])
    assert "works already" in second["msg"]


def test_a_start_after_the_hour_logs_another_link(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    (first,) = _announce(app, caplog)
    with app.app_context():
        db.session.execute(update(SetUp).values(expires_at=database_clock.now()))
        db.session.commit()
    (second,) = _announce(app, caplog)

    assert second["link"] != first["link"]


def test_an_installation_with_accounts_logs_nothing(
    app: Flask, seeded: SeededIds, caplog: pytest.LogCaptureFixture
) -> None:
    assert _announce(app, caplog) == []


def test_an_installation_whose_accounts_were_all_deleted_logs_nothing(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    typed = "velvet anchor quince 7\n" * 2
    app.test_cli_runner().invoke(args=["add-workspace", "dock", "Dock"])
    app.test_cli_runner().invoke(args=["add-member", "dock", "ann@example.com", "admin"], input=typed)
    with app.app_context():
        assert db.session.execute(delete(Account)).rowcount == 1  # type: ignore[attr-defined]
        db.session.commit()

    assert _announce(app, caplog) == []


def test_without_the_address_of_the_pages_no_link_is_made(
    environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_PUBLIC_URL": ""}))
    (line,) = _announce(app, caplog)

    assert ("link" in line, "ALERTCHECK_PUBLIC_URL" in line["advice"]) == (False, True)
    with app.app_context():
        assert db.session.query(SetUp).all() == []


def test_a_demo_logs_nothing(environment: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inbox, receiver = str(tmp_path / "inbox.sqlite"), "http://127.0.0.1:1"
    demo = {"ALERTCHECK_DEMO": "1", "ALERTCHECK_DEMO_INBOX": inbox, "ALERTCHECK_DEMO_RECEIVER_HTTP": receiver}

    assert _announce(create_app(read_settings(environment | demo)), caplog) == []


def test_a_start_tries_again_until_the_database_can_be_used(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.startup.set_up_announcement.RETRY_DELAY", 0.05)
    with app.app_context():
        db.session.execute(db.text("ALTER TABLE alembic_version RENAME TO out_of_reach"))
        db.session.commit()
        assert _announce(app, caplog, patience=0) == []
        db.session.execute(db.text("ALTER TABLE out_of_reach RENAME TO alembic_version"))
        db.session.commit()

    wait_until(lambda: any("link" in record.__dict__ for record in caplog.records))


def test_a_database_that_never_responds_delays_the_start_by_a_second(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://ann:canary@127.0.0.1:{silent.getsockname()[1]}/alerts"
        started = time.monotonic()
        announce_set_up_link(create_app(read_settings(environment | {"DATABASE_URL": url})))

    assert time.monotonic() - started < START_DELAY + 5
