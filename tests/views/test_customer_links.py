"""Links for the customer on the page of a destination: who may make and revoke them, and that one is shown once."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import SeededIds, add_customer_link, on_both_databases, sign_customer_token
from tests.queue_keys import SECRET_KEY
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.auth.customer_links import LIFETIMES, MAX_LINKS
from webapp.channels import CHANNELS
from webapp.extensions import db
from webapp.models import CustomerLink
from webapp.settings import read_settings

Visit = Callable[[int], Visitor]

PAGE = "/w/harbor/destinations/1"
LINKS = f"{PAGE}/links"
HTMX = {"HX-Request": "true"}
SECTION = 'id="customer-links"'


def _find_link(text: str) -> str:
    found = re.search(r'<input id="new-link" type="text" readonly value="([^"]+)">', text)
    return found[1] if found else ""


def _links(app: Flask) -> list[CustomerLink]:
    with app.app_context():
        return list(db.session.scalars(select(CustomerLink)))


@on_both_databases
def test_a_member_makes_a_link_that_works_without_an_account(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.support).post(LINKS, {"hours": "4"}, headers=HTMX)
    address = _find_link(response.text)

    assert response.status_code == 200
    assert response.text.lstrip().startswith("<section")
    assert address.startswith("http://localhost/c/")
    assert app.test_client().get(address.removeprefix("http://localhost")).status_code == 200


def test_a_link_begins_with_the_public_address(environment: dict[str, str], seeded: SeededIds) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_PUBLIC_URL": "https://alertcheck.example.com"}))

    response = Visitor.signed_in(app, seeded.support).post(LINKS, {"hours": "1"}, headers=HTMX)

    assert _find_link(response.text).startswith("https://alertcheck.example.com/c/")


@pytest.mark.parametrize("hours", LIFETIMES)
def test_the_member_chooses_how_long_a_link_works(app: Flask, seeded: SeededIds, visit: Visit, hours: int) -> None:
    visit(seeded.support).post(LINKS, {"hours": str(hours)})

    [link] = _links(app)
    assert link.expires_at - link.created_at == timedelta(hours=hours)


@pytest.mark.parametrize("hours", ["", "0", "2", "25", "-1", "1.0", "9" * 30, "x"])
def test_another_length_is_refused(app: Flask, seeded: SeededIds, visit: Visit, hours: str) -> None:
    assert (visit(seeded.support).post(LINKS, {"hours": hours}).status_code, _links(app)) == (400, [])


def test_a_link_is_shown_once(seeded: SeededIds, visit: Visit) -> None:
    support = visit(seeded.support)
    address = _find_link(support.post(LINKS, {"hours": "1"}, headers=HTMX).text)

    pages = [support.get(path).text for path in (PAGE, "/w/harbor/history")] + [visit(seeded.admin).get(PAGE).text]
    assert address
    assert [page for page in pages if address.rpartition("/")[2] in page] == []


def test_without_javascript_a_new_link_has_a_page(seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.support).post(LINKS, {"hours": "1"})

    assert "<h1>Link for the customer</h1>" in response.text
    assert _find_link(response.text)


@pytest.mark.parametrize(("who", "is_shown"), [("admin", True), ("support", True), ("viewer", False)])
def test_members_who_may_test_see_the_links(seeded: SeededIds, visit: Visit, who: str, is_shown: bool) -> None:
    assert (SECTION in visit(getattr(seeded, who)).get(PAGE).text) is is_shown


def test_the_page_says_who_made_a_link_and_until_when_it_works(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        add_customer_link(seeded, sign_customer_token(SECRET_KEY), seeded.support, datetime.now(UTC))

    page = visit(seeded.admin).get(PAGE).text

    assert "1 in use" in page
    assert "Made by <bdi>Support</bdi>" in page
    assert re.search(
        r"Ends <time [^>]+><span data-local=\"moment\">[\d-]*\s?[\d:]+</span>.+?<small>in (59 min|1 h)</small>", page
    )


@pytest.mark.parametrize(("maker", "who", "may"), [("admin", "support", False), ("support", "admin", True)])
def test_only_who_may_revoke_a_link_has_the_button(
    app: Flask, seeded: SeededIds, visit: Visit, maker: str, who: str, may: bool
) -> None:
    with app.app_context():
        token = sign_customer_token(SECRET_KEY)
        link_id = add_customer_link(seeded, token, getattr(seeded, maker), datetime.now(UTC)).id
    visitor = visit(getattr(seeded, who))

    shown = f"{PAGE}/revoke/{link_id}" in visitor.get(PAGE).text
    status = visitor.post(f"{PAGE}/revoke/{link_id}", headers=HTMX).status_code

    assert (shown, status, len(_links(app))) == (may, 200 if may else 403, 0 if may else 1)


def test_a_revoked_link_stops_working_at_once(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    support = visit(seeded.support)
    path = _find_link(support.post(LINKS, {"hours": "1"}, headers=HTMX).text).removeprefix("http://localhost")
    before = app.test_client().get(path).status_code
    support.post(f"{PAGE}/revoke/1")

    assert (before, app.test_client().get(path).status_code) == (200, 404)
    assert "The link was revoked." in support.get(PAGE).text


@pytest.mark.parametrize("link", ["2", "999", "0", "x", "9" * 40])
def test_an_unknown_link_cannot_be_revoked(seeded: SeededIds, visit: Visit, link: str) -> None:
    assert visit(seeded.admin).post(f"{PAGE}/revoke/{link}").status_code == 404


def test_more_links_than_a_destination_may_have_are_refused_with_the_reason(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    support = visit(seeded.support)
    made = [support.post(LINKS, {"hours": "1"}, headers=HTMX).status_code for _ in range(MAX_LINKS)]
    refused = support.post(LINKS, {"hours": "1"}, headers=HTMX)

    assert (made, refused.status_code, len(_links(app))) == ([200] * MAX_LINKS, 409, MAX_LINKS)
    assert "this destination already has 10 links" in refused.text


def test_a_channel_that_pages_people_is_offered_no_link(
    app: Flask, seeded: SeededIds, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHANNELS, "webhook", replace(CHANNELS["webhook"], pages_people=True))
    support = visit(seeded.support)

    assert SECTION not in support.get(PAGE).text
    assert support.post(LINKS, {"hours": "1"}, headers=HTMX).status_code == 409
    assert _links(app) == []
