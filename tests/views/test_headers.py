"""The headers of every response."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.settings import read_settings
from webapp.views.headers import CONTENT_SECURITY_POLICY, HEADERS

Visit = Callable[[int], Visitor]

RESPONSES = {
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


@pytest.fixture(params=RESPONSES)
def headers(seeded: SeededIds, visit: Visit, request: pytest.FixtureRequest) -> dict[str, str]:
    """The headers of one kind of response."""
    method, path, status = RESPONSES[request.param]
    visitor = visit(seeded.admin)
    response = visitor.get(path) if method == "GET" else visitor.post(path)
    assert response.status_code == status
    return dict(response.headers)


def test_every_kind_of_response_carries_every_header(headers: dict[str, str]) -> None:
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_only_static_files_may_be_cached_and_no_html_may_be_changed(headers: dict[str, str]) -> None:
    is_html = headers["Content-Type"].startswith("text/html")

    assert headers["Cache-Control"] == ("no-store, no-transform" if is_html else "no-store")


def test_a_static_file_carries_the_headers_and_may_be_cached(app: Flask) -> None:
    response = app.test_client().get(STATIC)

    assert HEADERS.items() <= dict(response.headers).items()
    assert response.headers["Cache-Control"] == "no-cache"  # tests/views/test_static_files.py has the others


def test_a_broken_page_carries_the_headers(seeded: SeededIds, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = visit(seeded.admin)
    monkeypatch.setattr("webapp.dashboard.list_rows.mask_target", lambda *_: 1 / 0)

    response = visitor.get("/w/harbor/destinations")

    assert response.status_code == 500
    assert HEADERS.items() <= dict(response.headers).items()
    assert response.headers["Cache-Control"] == "no-store, no-transform"


def test_scripts_and_styles_come_only_from_our_own_files() -> None:
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
    response = create_app(read_settings(environment | {"ALERTCHECK_HTTPS": "1"})).test_client().get("/healthz")

    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_browsers_are_not_held_to_https_where_there_is_none(app: Flask) -> None:
    assert "Strict-Transport-Security" not in app.test_client().get("/healthz").headers
