"""The headers of every answer."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.settings import read_settings
from webapp.views.headers import CONTENT_SECURITY_POLICY, HEADERS

Visit = Callable[[int], Visitor]

ANSWERS = {
    "a page": ("GET", "/w/harbor/destinations", 200),
    "a fragment": ("GET", "/w/harbor/destinations/1/status", 200),
    "a press": ("POST", "/w/harbor/destinations/1/test", 200),
    "a form that came back": ("POST", "/w/harbor/destinations/new/email", 400),
    "a redirect": ("GET", "/", 302),
    "a refusal": ("GET", "/w/clinic/destinations", 404),
    "an unknown address": ("GET", "/no/such/page", 404),
    "a wrong method": ("GET", "/sign-out", 405),
    "JSON": ("GET", "/healthz", 200),
}
STATIC = "/static/app.css"


@pytest.fixture(params=ANSWERS)
def headers(seeded: SeededIds, visit: Visit, request: pytest.FixtureRequest) -> dict[str, str]:
    """The headers of one kind of answer."""
    method, path, status = ANSWERS[request.param]
    visitor = visit(seeded.admin)
    answer = visitor.get(path) if method == "GET" else visitor.post(path)
    assert answer.status_code == status
    return dict(answer.headers)


def test_every_kind_of_answer_carries_every_header(headers: dict[str, str]) -> None:
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_no_answer_but_a_static_file_is_kept_by_a_cache(headers: dict[str, str]) -> None:
    assert headers["Cache-Control"] == "no-store"


def test_a_static_file_carries_the_headers_too_and_may_be_kept_for_a_week(app: Flask) -> None:
    with app.test_client().get(STATIC) as answer:
        assert HEADERS.items() <= dict(answer.headers).items()
        assert answer.cache_control.max_age == 7 * 24 * 3600
        assert not answer.cache_control.no_store


def test_a_page_that_broke_carries_the_headers_too(
    seeded: SeededIds, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visit(seeded.admin)
    monkeypatch.setattr("webapp.views.workspaces.mask_target", lambda *_: 1 / 0)

    answer = visitor.get("/w/harbor/destinations")

    assert answer.status_code == 500
    assert HEADERS.items() <= dict(answer.headers).items()
    assert answer.headers["Cache-Control"] == "no-store"


def test_scripts_and_styles_come_from_our_own_files_alone() -> None:
    policy = dict(directive.split(" ", 1) for directive in CONTENT_SECURITY_POLICY.split("; "))

    assert policy == {
        "default-src": "'self'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


def test_browsers_are_held_to_https_where_there_is_https(environment: dict[str, str]) -> None:
    answer = create_app(read_settings(environment | {"ALERTCHECK_HTTPS": "1"})).test_client().get("/healthz")

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_browsers_are_not_held_to_https_where_there_is_none(app: Flask) -> None:
    assert "Strict-Transport-Security" not in app.test_client().get("/healthz").headers
