"""The search page: a POST whose text appears nowhere, and that leads to what was found."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.factories import NOW, SECRET_PATH, SeededIds, add_delivery, get_account, get_destination, get_workspace
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import DeliveryStatus
from webapp.settings import AppSettings, read_settings
from webapp.views.search import LIMIT

Visit = Callable[[int], Visitor]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def test_send(app: Flask, seeded: SeededIds) -> None:
    """A failed test send of the harbor's destination."""
    with app.app_context():
        add_delivery(
            get_destination(seeded),
            status=DeliveryStatus.FAILED,
            last_error_code="not_found",
            last_error_message="It answered 404.",
            payload={"reference": "K7QM4T"},
        )


def test_a_result_says_its_state_and_leads_there(seeded: SeededIds, test_send: None, visit: Visit) -> None:
    page = visit(seeded.support).post("/search", {"q": "ticket"}).text

    assert f'href="/w/harbor/destinations/{seeded.destination}"' in page
    assert 'data-last-test="failed"' in page
    assert "It answered 404." in page


def test_whoever_finds_nothing_is_told_what_can_be_found(seeded: SeededIds, test_send: None, visit: Visit) -> None:
    support = visit(seeded.support)
    hint = "the complete host of a webhook"

    assert hint in support.post("/search", {"q": "no such name"}).text
    assert hint not in support.post("/search", {"q": "ticket"}).text


@pytest.mark.parametrize("nothing", ["", " ", "\u200b"])
def test_whoever_types_nothing_is_not_told_that_nothing_was_found(
    seeded: SeededIds, visit: Visit, nothing: str
) -> None:
    page = visit(seeded.support).post("/search", {"q": nothing}).text

    assert "type what you know" in page
    assert "Nothing was found" not in page


def test_a_reference_leads_to_its_page(seeded: SeededIds, test_send: None, visit: Visit) -> None:
    support = visit(seeded.support)

    plain, htmx = support.post("/search", {"q": "k7q-m4t"}), support.post("/search", {"q": "k7qm4t"}, headers=HTMX)

    assert (plain.status_code, plain.headers["Location"]) == (303, "/r/K7QM4T")
    assert (htmx.status_code, htmx.headers["HX-Redirect"]) == (204, "/r/K7QM4T")


@pytest.mark.parametrize(
    "typed",
    [
        "https://canary.example.com/services/canary?sig=canary",
        "canary@example.com",
        "canary.canary.canary",
        "whsec_canary",
        "canary",
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_was_typed_is_not_shown_again(
    seeded: SeededIds, visit: Visit, caplog: pytest.LogCaptureFixture, typed: str, headers: dict[str, str]
) -> None:
    caplog.set_level("DEBUG")
    response = visit(seeded.support).post("/search", {"q": typed}, headers=headers)

    assert response.status_code == 200
    assert "canary" not in response.text
    assert "canary" not in str(response.headers)
    assert "canary" not in caplog.text


def test_a_pasted_webhook_address_finds_its_destination_and_shows_its_host_alone(
    app: Flask, seeded: SeededIds, visit: Visit, app_settings: AppSettings
) -> None:
    address = "https://hooks.example.org/services/canary?sig=canary"
    with app.app_context():
        settings = {"address": address, "signing_secret": "whsec_canary"}
        add_destination(
            get_workspace(seeded), get_account(seeded), "webhook", "Pager", settings, app_settings.cipher, NOW
        )

    page = visit(seeded.support).post("/search", {"q": address}).text

    assert "Pager" in page
    assert "Found by host hooks.example.org" in page
    assert "canary" not in page


def test_the_address_of_the_page_takes_no_query(seeded: SeededIds, visit: Visit) -> None:
    assert "Ticket system" not in visit(seeded.support).get("/search?q=ticket").text


def test_a_viewer_learns_nothing_about_recipients(
    app: Flask, seeded: SeededIds, visit: Visit, app_settings: AppSettings
) -> None:
    with app.app_context():
        settings = {"recipients": "ann@example.com"}
        add_destination(get_workspace(seeded), get_account(seeded), "email", "Desk", settings, app_settings.cipher, NOW)
    viewer = visit(seeded.viewer)

    there, nowhere = (viewer.post("/search", {"q": typed}) for typed in ("ann@example.com", "bob@example.com"))

    assert _main(there.text) == _main(nowhere.text)
    assert "Viewers cannot search for email addresses" in there.text


def _main(page: str) -> str:
    return page[page.index("<main") :]  # the CSRF tokens before it differ from second to second


def test_a_search_that_nobody_makes_by_hand_is_refused(seeded: SeededIds, visit: Visit) -> None:
    support = visit(seeded.support)
    responses = [support.post("/search", {"q": "ticket"}) for _ in range(LIMIT.amount + 1)]

    assert [response.status_code for response in responses[-2:]] == [200, 429]
    assert "Wait a minute" in responses[-1].text
    assert visit(seeded.viewer).post("/search", {"q": "ticket"}).status_code == 200  # another account


def test_without_the_queue_server_the_search_still_finds(environment: dict[str, str], seeded: SeededIds) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"}))

    assert "Ticket system" in Visitor.signed_in(app, seeded.support).post("/search", {"q": "ticket"}).text
    with app.app_context():
        db.engine.dispose()


def test_a_search_after_the_session_ended_keeps_nothing_of_it(app: Flask, seeded: SeededIds) -> None:
    stranger = Visitor.anonymous(app)

    response = stranger.post("/search", {"q": f"https://example.com{SECRET_PATH}"})

    assert response.status_code == 302
    assert "canary" not in response.text + str(response.headers)


@pytest.mark.parametrize("path", ["/search", "/w/harbor/destinations", "/w/harbor/history"])
def test_every_page_has_the_box(seeded: SeededIds, visit: Visit, path: str) -> None:
    assert 'id="search-box"' in visit(seeded.viewer).get(path).text
