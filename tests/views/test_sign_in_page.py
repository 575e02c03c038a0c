"""Where a sign-in leads, and what happens to a sign-in form that another tab, or time, has made useless."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.auth.test_own_paths import HOSTILE
from tests.factories import NOW, OWNER, PASSWORD, SeededIds, add_owner, get_workspace
from tests.visitor import Visitor
from webapp.auth.accounts import add_account
from webapp.models import Role
from webapp.views.refused_form_texts import NOTICES, FormNotice
from webapp.workspaces.membership_changes import set_role

Visit = Callable[[int], Visitor]

PAGE = "/w/harbor/destinations/1"
CREDENTIALS = {"email": OWNER, "password": PASSWORD}
OURS = {"Origin": "http://localhost"}
DEMO_SIGN_IN = "/demo/sign-in/viewer"


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The settings, with the demo's routes, which are sign-in forms too."""
    return environment | {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
    }


@pytest.fixture
def owner(app: Flask, seeded: SeededIds) -> int:
    """An admin who signs in by password, beside a viewer of the demo."""
    with app.app_context():
        viewer = add_account("viewer@demo.invalid", "Demo viewer", None, NOW)
        set_role(get_workspace(seeded), viewer, Role.VIEWER)
        return add_owner(seeded)


@pytest.fixture
def signed_in_elsewhere(app: Flask, owner: int) -> Visitor:
    """A browser with a sign-in page from before its other tab signed in."""
    form_token = Visitor.anonymous(app).token
    visitor = Visitor.signed_in(app, owner)
    visitor.token = form_token
    return visitor


def _arrive(path: str, method: str, visitor: Visitor, wanted: str) -> TestResponse:
    return visitor.client.open(
        path, method=method, query_string={"next": wanted}, headers=OURS | {"X-CSRFToken": visitor.token}
    )


@pytest.mark.parametrize(("path", "method"), [("/sign-in", "GET"), ("/sign-in", "POST"), (DEMO_SIGN_IN, "POST")])
def test_who_signed_in_in_another_tab_goes_on_to_the_requested_page(
    signed_in_elsewhere: Visitor, path: str, method: str
) -> None:
    response = _arrive(path, method, signed_in_elsewhere, f"{PAGE}?from=mail")

    assert (response.status_code, response.location) == (302, f"{PAGE}?from=mail")


@pytest.mark.parametrize("path", ["/sign-in", DEMO_SIGN_IN])
def test_who_signed_in_in_another_tab_reads_with_which_account(signed_in_elsewhere: Visitor, path: str) -> None:
    _arrive(path, "POST", signed_in_elsewhere, PAGE)

    assert "You were already signed in as <bdi>Owner</bdi>, in another tab." in signed_in_elsewhere.get(PAGE).text


@pytest.mark.parametrize(("path", "method"), [("/sign-in", "GET"), ("/sign-in", "POST"), (DEMO_SIGN_IN, "POST")])
def test_who_signed_in_in_another_tab_stays_on_our_site(signed_in_elsewhere: Visitor, path: str, method: str) -> None:
    locations = {_arrive(path, method, signed_in_elsewhere, hostile).location for hostile in HOSTILE}

    assert locations == {"/"}


def test_the_sign_in_page_passes_on_no_address_of_another_site(app: Flask) -> None:
    visitor = Visitor.anonymous(app)
    pages = [visitor.client.get("/sign-in", query_string={"next": hostile}).text for hostile in HOSTILE]

    actions = {action for page in pages for action in re.findall(r'<form[^>]*action="([^"]*)"', page)}

    assert actions == {"/sign-in", *(f"/demo/sign-in/{role}" for role in ("admin", "support", "viewer"))}


def test_a_demo_sign_in_leads_to_the_requested_page(app: Flask, owner: int) -> None:
    visitor = Visitor.anonymous(app)

    assert visitor.post(f"{DEMO_SIGN_IN}?next={PAGE}").location == PAGE


def _open_outdated_form(app: Flask) -> Visitor:
    """Return a browser whose sign-in page is from before its session was replaced."""
    visitor, form_token = Visitor.anonymous(app), Visitor.anonymous(app).token
    visitor.token = form_token
    return visitor


def test_a_sign_in_page_that_is_too_old_is_shown_again_with_the_address(app: Flask, owner: int) -> None:
    visitor = _open_outdated_form(app)

    refused = visitor.post(f"/sign-in?next={PAGE}", CREDENTIALS, headers=OURS)
    visitor.token = re.findall(r'"X-CSRFToken": "([^"]+)"', refused.text)[0]
    signed_in = visitor.post(f"/sign-in?next={PAGE}", CREDENTIALS)

    assert (refused.status_code, NOTICES[FormNotice.SIGN_IN_AGAIN] in unescape(refused.text)) == (400, True)
    assert (f'value="{OWNER}"' in refused.text, PASSWORD in refused.text) == (True, False)
    assert (f'action="/sign-in?next={PAGE}"' in refused.text, signed_in.location) == (True, PAGE)


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Referer": "https://evil.example/"}])
def test_a_sign_in_form_from_anywhere_else_keeps_no_address(app: Flask, owner: int, headers: dict[str, str]) -> None:
    refused = _open_outdated_form(app).post("/sign-in", CREDENTIALS, headers=headers)

    assert (refused.status_code, OWNER in refused.text) == (400, False)


def test_a_demo_button_of_a_page_that_is_too_old_shows_the_sign_in_page_again(app: Flask, owner: int) -> None:
    refused = _open_outdated_form(app).post(DEMO_SIGN_IN, headers=OURS)

    assert (refused.status_code, "Try the demo as viewer" in refused.text) == (400, True)
