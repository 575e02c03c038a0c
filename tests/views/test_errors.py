"""Error pages: each states what happened and what to do, and nothing more."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import TooManyRequests

from benchmarks.installation.servers import execute
from tests.factories import NOW, SeededIds, on_both_databases
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.auth.accounts import add_account
from webapp.auth.sessions import public
from webapp.database.outages import Outage, Reason
from webapp.extensions import db
from webapp.logs import JsonLines
from webapp.models import AlertDelivery
from webapp.settings import read_settings
from webapp.views.errors import ERROR_PAGES, OUTAGE_PAGES, RELOAD

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)

Visit = Callable[[int], Visitor]

LIST = "/w/harbor/destinations"
BREAKS = "webapp.dashboard.list_rows.mask_target"
CANARY = "canary-in-the-message"


@pytest.fixture
def admin(seeded: SeededIds, visit: Visit) -> Visitor:
    return visit(seeded.admin)


@pytest.fixture
def broken(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """A visitor whose list raises an exception with a secret in its message."""

    def break_down(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(BREAKS, break_down)
    return admin


def _page(html: str) -> tuple[str, str]:
    """Return the title and the advice of an error page."""
    ((title, advice),) = re.findall(r"<h1>([^<]+)</h1>\s*<p>([^<]+)</p>", html)
    return title, advice


@pytest.mark.parametrize(
    ("host", "status"), [("alertcheck.example.com", 200), ("127.0.0.1", 200), ("evil.example", 400)]
)
def test_pages_are_served_only_under_the_installations_names(
    environment: dict[str, str], host: str, status: int
) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_ALLOWED_HOSTS": "alertcheck.example.com"}))

    assert app.test_client().get("/sign-in", headers={"Host": host}).status_code == status


def test_a_forbidden_action_names_whom_to_ask(seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.viewer).get(f"{LIST}/new")

    assert (response.status_code, _page(response.text)) == (403, ERROR_PAGES[403])


@pytest.mark.parametrize("path", ["/w/clinic/destinations", f"{LIST}/999", "/no/such/page", "/static/none.css"])
def test_an_unknown_page_returns_404(admin: Visitor, path: str) -> None:
    response = admin.get(path)

    assert (response.status_code, _page(response.text)) == (404, ERROR_PAGES[404])


def test_an_unknown_url_returns_404_without_a_session(app: Flask) -> None:
    response = Visitor.anonymous(app).get("/no/such/page")

    assert (response.status_code, _page(response.text)) == (404, ERROR_PAGES[404])


def test_a_wrong_method_returns_405(admin: Visitor) -> None:
    response = admin.get("/sign-out")

    assert (response.status_code, _page(response.text)) == (405, ERROR_PAGES[405])


def test_more_than_64_kib_is_refused_as_too_large(admin: Visitor) -> None:
    response = admin.post(f"{LIST}/1/edit", {"name": "n" * 64 * 1024})

    assert (response.status_code, _page(response.text)) == (413, ERROR_PAGES[413])


def test_too_many_tries_are_asked_to_wait(app: Flask) -> None:
    visitor = Visitor.anonymous(app)

    response = [visitor.post("/sign-in") for _ in range(21)][-1]

    seconds = int(response.headers["Retry-After"])
    assert 50 <= seconds <= 60
    assert _page(response.text) == ("Too many attempts", f"Wait {seconds} seconds, then try again.")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 second"), (1, "1 second"), (99, "99 seconds"), (100, "2 minutes"), (120, "2 minutes"), (121, "3 minutes")],
)
def test_the_time_to_wait_is_never_too_short(app: Flask, seconds: int, words: str) -> None:
    @app.get("/limited")
    @public
    def limited() -> str:
        raise TooManyRequests(retry_after=seconds)

    response = app.test_client().get("/limited")

    assert f"Wait {words}, then try again." in response.text
    assert response.headers["Retry-After"] == str(max(seconds, 1))


def test_the_time_to_wait_is_known_without_redis(environment: dict[str, str], seeded: SeededIds) -> None:
    server = create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"}))
    visitor = Visitor.anonymous(server)

    response = [visitor.post("/sign-in") for _ in range(21)][-1]

    assert 50 <= int(response.headers["Retry-After"]) <= 60


def test_an_unavailable_database_is_distinguished_from_an_unexpected_error(
    environment: dict[str, str], tmp_path: Path
) -> None:
    empty = create_app(read_settings(environment | {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite'}"}))

    response = Visitor.anonymous(empty).post("/sign-in", {"email": "ann@example.com", "password": "any"})

    assert (response.status_code, _page(response.text)) == (503, OUTAGE_PAGES[Outage.NOT_MIGRATED])
    assert response.headers["Retry-After"] == "5"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://ann:canary-password@127.0.0.1:1/alerts", Reason.REFUSED),
        ("postgresql://ann:canary-password@nowhere.invalid/alerts", Reason.UNKNOWN_HOST),
        ("postgresql://ann:canary-password@127.0.0.1:1/alerts?sslmode=always", Reason.BAD_OPTIONS),
    ],
)
def test_the_log_tells_the_cure_of_an_unavailable_database_and_quotes_no_address(
    environment: dict[str, str], url: str, reason: Reason, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(replace(read_settings(environment), database_url=url))

    Visitor.anonymous(app).post("/sign-in", {"email": "ann@example.com", "password": "any"})

    (line,) = [json.loads(JsonLines().format(record)) for record in caplog.records if record.levelname == "ERROR"]
    assert (line["event"], line["outage"]) == ("database unavailable", reason.sentence)
    assert "canary" not in caplog.text


def _hide(app: Flask, table: str) -> None:
    """Put a table out of reach, as a missing migration does."""
    with app.app_context():
        db.session.execute(text(f"ALTER TABLE {table} RENAME TO out_of_reach"))
        db.session.commit()


@on_both_databases
@pytest.mark.parametrize("table", ["sign_ins", "members", "alert_destinations"])
def test_an_unavailable_database_is_reported_to_a_signed_in_member(app: Flask, admin: Visitor, table: str) -> None:
    _hide(app, table)

    response = admin.get(LIST)

    assert (response.status_code, _page(response.text)) == (503, OUTAGE_PAGES[Outage.NOT_MIGRATED])


def test_an_unknown_page_is_not_found_without_the_database_too(app: Flask, admin: Visitor) -> None:
    _hide(app, "sign_ins")

    response = admin.get("/no/such/page")

    assert (response.status_code, _page(response.text)) == (404, ERROR_PAGES[404])


@pytest.fixture
def read_only(app: Flask, database_url: str) -> Iterator[Callable[[bool], None]]:
    """Make PostgreSQL refuse all changes, as a standby does after a failover, or allow them again."""
    name = make_url(database_url).database

    def switch(is_on: bool) -> None:
        change = "SET default_transaction_read_only = on" if is_on else "RESET default_transaction_read_only"
        execute(database_url, "SET default_transaction_read_only = off", f'ALTER DATABASE "{name}" {change}')
        with app.app_context():
            db.engine.dispose()

    yield switch
    switch(False)


@on_postgres
def test_a_press_while_the_database_is_read_only_sends_nothing_and_costs_no_cooldown(
    admin: Visitor, seeded: SeededIds, read_only: Callable[[bool], None], app: Flask
) -> None:
    read_only(True)
    refused = admin.post(f"{LIST}/{seeded.destination}/test", headers={"HX-Request": "true"})
    with app.app_context():
        deliveries = db.session.scalar(select(func.count()).select_from(AlertDelivery))
    read_only(False)
    accepted = admin.post(f"{LIST}/{seeded.destination}/test", headers={"HX-Request": "true"})

    assert (refused.status_code, _page(refused.text)) == (503, OUTAGE_PAGES[Outage.READ_ONLY])
    assert (deliveries, accepted.status_code) == (0, 200)


@on_postgres
@pytest.mark.parametrize("path", [LIST, f"{LIST}/1", "/w/harbor/history", "/w/harbor/audit"])
def test_a_page_can_be_read_while_the_database_is_read_only(
    admin: Visitor, read_only: Callable[[bool], None], path: str
) -> None:
    read_only(True)

    assert admin.get(path).status_code == 200


@on_postgres
def test_a_sign_in_while_the_database_is_read_only_is_explained(
    app: Flask, seeded: SeededIds, read_only: Callable[[bool], None]
) -> None:
    with app.app_context():
        add_account("ann@example.com", "Ann", "correct horse battery", NOW)
        db.session.commit()
    visitor = Visitor.anonymous(app)
    read_only(True)

    response = visitor.post("/sign-in", {"email": "ann@example.com", "password": "correct horse battery"})

    assert (response.status_code, _page(response.text)) == (503, OUTAGE_PAGES[Outage.READ_ONLY])


@on_postgres
def test_a_database_error_that_is_our_mistake_is_not_called_an_outage(
    admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BREAKS, lambda *_: db.session.execute(text("SELEKT")))

    response = admin.get(LIST)

    assert (response.status_code, _page(response.text)[0]) == (500, "Something went wrong")


def test_whoever_only_opens_a_page_during_an_outage_is_not_told_to_check_a_result(
    admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_connection(*_: object) -> None:
        raise OperationalError("SELECT", None, ConnectionError())

    monkeypatch.setattr(BREAKS, lose_connection)

    response = admin.get(LIST)

    assert (response.status_code, _page(response.text)) == (503, (OUTAGE_PAGES[Outage.UNREACHABLE][0], RELOAD))


@pytest.mark.parametrize("outage", Outage)
def test_every_outage_has_a_page_that_says_what_to_do(outage: Outage) -> None:
    assert re.search("try again if needed|Tell your Alertcheck administrator", OUTAGE_PAGES[outage][1])


@pytest.mark.parametrize("path", ["/w/clinic/destinations/2/status", f"{LIST}/999/status", "/no/such/page"])
def test_a_fragments_error_reloads_the_whole_page(admin: Visitor, path: str) -> None:
    assert admin.get(path, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_a_fragments_expired_csrf_token_reloads_the_whole_page(admin: Visitor) -> None:
    admin.token = ""

    response = admin.post(f"{LIST}/1/test", headers={"HX-Request": "true"})

    assert (response.status_code, response.headers["HX-Refresh"]) == (400, "true")


def test_a_pages_error_does_not_reload_itself(admin: Visitor) -> None:
    assert "HX-Refresh" not in admin.get(f"{LIST}/999").headers


def test_a_broken_fragment_is_polled_again_without_reloading_the_page(broken: Visitor) -> None:
    response = broken.get(LIST, headers={"HX-Request": "true"})

    assert response.status_code == 500
    assert "HX-Refresh" not in response.headers


def test_an_unexpected_error_shows_a_reference_that_is_in_the_log(
    broken: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    response = broken.get(LIST)

    title, advice = _page(response.text)
    assert (response.status_code, title) == (500, "Something went wrong")
    reference = re.fullmatch(
        r"This is an error in Alertcheck. Give your Alertcheck administrator this reference: ([0-9a-f]{8})\.", advice
    )
    assert reference is not None
    assert f'"reference": "{reference[1]}", "error": "RuntimeError"' in caplog.text


def test_an_unexpected_errors_message_is_neither_in_the_log_nor_on_the_page(
    broken: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    response = broken.get(LIST)

    assert CANARY not in response.text
    assert CANARY not in caplog.text
    assert "Traceback" not in caplog.text


def test_two_unexpected_errors_have_two_references(broken: Visitor) -> None:
    assert _page(broken.get(LIST).text) != _page(broken.get(LIST).text)


def test_after_an_unexpected_error_the_next_page_works(broken: Visitor) -> None:
    broken.get(LIST)

    assert broken.get(f"{LIST}/1").status_code == 200
