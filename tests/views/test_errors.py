"""Error pages: each says what happened and what to do, and none says more."""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.extensions import db
from webapp.settings import read_settings
from webapp.views.errors import ERROR_PAGES

Visit = Callable[[int], Visitor]

LIST = "/w/harbor/destinations"
BREAKS = "webapp.views.workspaces.mask_target"
CANARY = "canary-in-the-message"


@pytest.fixture
def admin(seeded: SeededIds, visit: Visit) -> Visitor:
    return visit(seeded.admin)


@pytest.fixture
def broken(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """A visitor whose list breaks with a secret in the exception's message."""

    def break_down(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(BREAKS, break_down)
    return admin


def _page(html: str) -> tuple[str, str]:
    """Read the title and the advice of an error page."""
    ((title, advice),) = re.findall(r"<h1>([^<]+)</h1>\s*<p>([^<]+)</p>", html)
    return title, advice


def test_a_request_without_a_token_says_to_load_the_page_again(admin: Visitor) -> None:
    admin.token = ""

    answer = admin.post(f"{LIST}/1/disable")

    assert (answer.status_code, _page(answer.text)) == (400, ERROR_PAGES[400])


@pytest.mark.parametrize(
    ("host", "status"), [("alertcheck.example.com", 200), ("127.0.0.1", 200), ("evil.example", 400)]
)
def test_pages_are_answered_under_the_names_of_the_installation_alone(
    environment: dict[str, str], host: str, status: int
) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_ALLOWED_HOSTS": "alertcheck.example.com"}))

    assert app.test_client().get("/sign-in", headers={"Host": host}).status_code == status


def test_who_may_not_do_it_is_told_whom_to_ask(seeded: SeededIds, visit: Visit) -> None:
    answer = visit(seeded.viewer).get(f"{LIST}/new")

    assert (answer.status_code, _page(answer.text)) == (403, ERROR_PAGES[403])


@pytest.mark.parametrize("path", ["/w/clinic/destinations", f"{LIST}/999", "/no/such/page", "/static/none.css"])
def test_what_is_not_there_says_so(admin: Visitor, path: str) -> None:
    answer = admin.get(path)

    assert (answer.status_code, _page(answer.text)) == (404, ERROR_PAGES[404])


def test_an_unknown_address_says_so_to_nobody_too(app: Flask) -> None:
    answer = Visitor.anonymous(app).get("/no/such/page")

    assert (answer.status_code, _page(answer.text)) == (404, ERROR_PAGES[404])


def test_a_wrong_method_says_so(admin: Visitor) -> None:
    answer = admin.get("/sign-out")

    assert (answer.status_code, _page(answer.text)) == (405, ERROR_PAGES[405])


def test_more_than_64_kib_is_refused_as_too_large(admin: Visitor) -> None:
    answer = admin.post(f"{LIST}/1/edit", {"name": "n" * 64 * 1024})

    assert (answer.status_code, _page(answer.text)) == (413, ERROR_PAGES[413])


def test_too_many_tries_are_told_to_wait(app: Flask) -> None:
    visitor = Visitor.anonymous(app)

    answer = [visitor.post("/sign-in") for _ in range(21)][-1]

    assert (answer.status_code, _page(answer.text)) == (429, ERROR_PAGES[429])
    assert answer.headers["Retry-After"] == "60"


def test_a_database_that_does_not_answer_is_told_from_a_mistake_of_ours(
    environment: dict[str, str], tmp_path: Path
) -> None:
    empty = create_app(read_settings(environment | {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite'}"}))

    answer = Visitor.anonymous(empty).post("/sign-in", {"email": "ann@example.com", "password": "any"})

    assert (answer.status_code, _page(answer.text)) == (503, ERROR_PAGES[503])
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("table", ["sign_ins", "members", "alert_destinations"])
def test_a_database_that_stops_answering_is_told_to_who_is_signed_in_too(
    app: Flask, admin: Visitor, table: str
) -> None:
    with app.app_context():
        db.session.execute(text(f"ALTER TABLE {table} RENAME TO out_of_reach"))
        db.session.commit()

    answer = admin.get(LIST)

    assert answer.status_code == 503
    assert ERROR_PAGES[503][0] in answer.text


@pytest.mark.parametrize("path", ["/w/clinic/destinations/2/status", f"{LIST}/999/status", "/no/such/page"])
def test_a_fragments_error_makes_the_whole_page_load_again(admin: Visitor, path: str) -> None:
    assert admin.get(path, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"


def test_a_fragments_token_that_has_run_out_makes_the_whole_page_load_again(admin: Visitor) -> None:
    admin.token = ""

    answer = admin.post(f"{LIST}/1/test", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Refresh"]) == (400, "true")


def test_a_pages_error_does_not_load_itself_again(admin: Visitor) -> None:
    assert "HX-Refresh" not in admin.get(f"{LIST}/999").headers


def test_a_fragment_that_broke_is_asked_for_again_and_not_with_the_whole_page(broken: Visitor) -> None:
    answer = broken.get(LIST, headers={"HX-Request": "true"})

    assert answer.status_code == 500
    assert "HX-Refresh" not in answer.headers


def test_a_surprise_gives_a_reference_that_stands_in_the_log(broken: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    answer = broken.get(LIST)

    title, advice = _page(answer.text)
    assert (answer.status_code, title) == (500, "Something went wrong")
    reference = re.fullmatch(
        r"This is an error in Alertcheck. Give your Alertcheck administrator this reference: ([0-9a-f]{8})\.", advice
    )
    assert reference is not None
    assert f'"reference": "{reference[1]}", "error": "RuntimeError"' in caplog.text


def test_a_surprise_leaves_its_message_neither_in_the_log_nor_on_the_page(
    broken: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    answer = broken.get(LIST)

    assert CANARY not in answer.text
    assert CANARY not in caplog.text
    assert "Traceback" not in caplog.text


def test_two_surprises_have_two_references(broken: Visitor) -> None:
    assert _page(broken.get(LIST).text) != _page(broken.get(LIST).text)


def test_after_a_surprise_the_next_page_is_fine(broken: Visitor) -> None:
    broken.get(LIST)

    assert broken.get(f"{LIST}/1").status_code == 200
