"""Receipts over HTTP: from the link in a message without an account, and from members on the page."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, AuditEvent, DeliveryStatus, Receipt
from webapp.receipt_links import ReceiptLinks
from webapp.settings import AppSettings

Visit = Callable[[int], Visitor]

REFERENCE = "K7QM4T"
OWN = "/w/harbor/destinations/1/receipt"
PAGE = "/w/harbor/destinations/1"
SECONDS_AGO = seconds(90)


def _add_sent(destination: AlertDestination, ago: timedelta = SECONDS_AGO, **facts: Any) -> int:
    at = datetime.now(UTC) - ago
    sent = {"status": DeliveryStatus.SENT, "sent_at": at, "attempt_count": 1, "payload": {"reference": REFERENCE}}
    return add_delivery(destination, created_at=at, **(sent | facts)).id


@pytest.fixture
def delivery_id(app: Flask, seeded: SeededIds) -> int:
    """The id of an accepted test of the harbor workspace."""
    with app.app_context():
        return _add_sent(get_destination(seeded))


@pytest.fixture
def link(app_settings: AppSettings, delivery_id: int) -> str:
    """The path of the link in the test's message."""
    return f"/seen/{app_settings.links.sign(delivery_id, REFERENCE)}"


@pytest.fixture
def reader(app: Flask) -> Visitor:
    """A browser without a session and without a CSRF token."""
    return Visitor(app.test_client())


def _receipt(app: Flask, delivery_id: int) -> tuple[Receipt | None, str | None]:
    with app.app_context():
        delivery = db.session.get_one(AlertDelivery, delivery_id)
        return delivery.receipt, delivery.receipt_by


def test_the_links_page_shows_nothing_but_the_reference(reader: Visitor, link: str) -> None:
    response = reader.get(link)

    assert response.status_code == 200
    assert "Do you see message K7QM4T?" in response.text
    assert not re.search("harbor|ticket|webhook|127.0.0.1|admin", response.text, re.IGNORECASE)


def test_the_links_page_shows_a_member_no_more_than_anybody_else(seeded: SeededIds, visit: Visit, link: str) -> None:
    assert "Harbor" not in visit(seeded.admin).get(link).text


@on_both_databases
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_opening_the_link_changes_nothing(
    app: Flask, reader: Visitor, link: str, delivery_id: int, method: str
) -> None:
    assert reader.client.open(link, method=method).status_code == 200

    assert _receipt(app, delivery_id) == (None, None)


@on_both_databases
def test_a_press_on_the_links_page_is_recorded_once_without_an_account_or_a_session(
    app: Flask, reader: Visitor, link: str, delivery_id: int
) -> None:
    first, second = reader.post(link), reader.post(link)

    assert (first.status_code, second.status_code) == (200, 410)
    assert "Thank you" in first.text
    assert "This message is already marked as seen" in second.text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, None)


def test_a_used_link_shows_that_it_was_used(reader: Visitor, link: str) -> None:
    reader.post(link)

    assert (reader.get(link).status_code, reader.client.head(link).status_code) == (410, 410)


@on_both_databases
def test_two_simultaneous_presses_record_one_receipt(app: Flask, link: str) -> None:
    start = threading.Barrier(2)

    def press(_: int) -> int:
        client = app.test_client()
        start.wait()
        return client.post(link).status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(press, range(2)))

    assert sorted(statuses) == [200, 410]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["x", "WzEsIks3UU00VCJd.x", "%00", "%E2%98%83", "a" * 5000])
def test_a_forged_link_is_refused_with_the_next_step(reader: Visitor, link: str, method: str, token: str) -> None:
    response = reader.client.open(f"/seen/{token}", method=method)

    assert response.status_code == 404
    assert "ask the person who sent the test to send another test" in response.text


@pytest.mark.parametrize("key", ["another key"])
def test_a_link_of_another_installation_does_not_work(reader: Visitor, link: str, key: str) -> None:
    assert reader.post(f"/seen/{ReceiptLinks(key, None).sign(1, REFERENCE)}").status_code == 404


@pytest.mark.parametrize(("days", "status"), [(6.99, 200), (7, 404)])
def test_a_link_works_for_seven_days(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, reader: Visitor, days: float, status: int
) -> None:
    with app.app_context():
        delivery_id = _add_sent(get_destination(seeded), timedelta(days=days))

    assert reader.post(f"/seen/{app_settings.links.sign(delivery_id, REFERENCE)}").status_code == status


def test_a_link_works_for_its_own_delivery_only(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, reader: Visitor, link: str
) -> None:
    with app.app_context():
        other = _add_sent(get_destination(seeded), payload={"reference": "23456X"})

    reader.post(link)

    assert reader.post(f"/seen/{app_settings.links.sign(other, REFERENCE)}").status_code == 404
    assert _receipt(app, other) == (None, None)


@pytest.mark.parametrize("path", ["", "forged"])
def test_the_links_page_sends_no_referrer(reader: Visitor, link: str, path: str) -> None:
    headers = reader.get(f"{link}{path}").headers

    assert (headers["Referrer-Policy"], headers["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert headers["Cache-Control"] == "no-store, no-transform"


def test_too_many_presses_throttle_one_visitor_only(app: Flask, reader: Visitor, link: str) -> None:
    responses = [reader.post("/seen/forged").status_code for _ in range(21)]

    assert responses == [404] * 20 + [429]
    assert reader.post(link).status_code == 429
    assert reader.post(link, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_the_token_is_not_logged(reader: Visitor, link: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    reader.get(link)
    reader.post(link)

    assert "receipt recorded" in caplog.text
    assert link.removeprefix("/seen/") not in caplog.text


@on_both_databases
@pytest.mark.parametrize(
    ("seen", "receipt", "sentence"),
    [("yes", Receipt.SEEN, "Seen by Support."), ("no", Receipt.MISSING, "Not seen by Support.")],
)
def test_a_member_records_on_the_page_whether_the_message_arrived(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int, seen: str, receipt: Receipt, sentence: str
) -> None:
    response = visit(seeded.support).post(OWN, {"seen": seen, "delivery": str(delivery_id)})

    assert response.status_code == 200
    assert response.text.startswith('<div class="details" id="details"')
    assert sentence in response.text
    assert _receipt(app, delivery_id) == (receipt, "Support")


def test_without_javascript_a_receipt_leads_back_to_the_page(seeded: SeededIds, visit: Visit, delivery_id: int) -> None:
    visitor, form = visit(seeded.admin), {"seen": "yes", "delivery": str(delivery_id)}

    response = visitor.post(OWN, form, headers={"Sec-Fetch-Mode": "navigate"})

    assert (response.status_code, response.location) == (303, PAGE)
    assert "Seen by Admin." in visitor.get(PAGE).text


def test_the_page_shows_acceptance_and_receipt_separately(
    seeded: SeededIds, visit: Visit, reader: Visitor, link: str
) -> None:
    visitor = visit(seeded.viewer)
    before = visitor.get(PAGE).text
    reader.post(link)
    after = visitor.get(PAGE).text

    assert (
        "Accepted by the receiver." in before,
        "Nobody has confirmed yet whether the message arrived." in before,
    ) == (
        True,
        True,
    )
    assert "Accepted by the receiver." in after
    assert "Seen by someone with the link in the message." in after
    assert "<small>seen</small>" in after


def test_a_receipt_does_not_change_the_badge(seeded: SeededIds, visit: Visit, delivery_id: int) -> None:
    visitor = visit(seeded.admin)
    visitor.post(OWN, {"seen": "no", "delivery": str(delivery_id)})

    assert 'data-last-test="sent"' in visitor.get(PAGE).text


@pytest.mark.parametrize(("who", "buttons"), [("admin", 1), ("support", 1), ("viewer", 0)])
def test_members_who_may_test_are_asked_for_a_receipt(
    seeded: SeededIds, visit: Visit, delivery_id: int, who: str, buttons: int
) -> None:
    page = visit(getattr(seeded, who)).get(PAGE).text

    assert (page.count("I can see it"), page.count("It did not arrive")) == (buttons, buttons)


def test_a_test_that_delivered_nothing_asks_for_no_receipt(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        failed = _add_sent(get_destination(seeded), status=DeliveryStatus.FAILED, sent_at=None, last_error_code="gone")
    visitor = visit(seeded.admin)

    assert "I can see it" not in visitor.get(PAGE).text
    assert visitor.post(OWN, {"seen": "yes", "delivery": str(failed)}).status_code == 409
    assert _receipt(app, failed) == (None, None)


def test_without_javascript_a_needless_receipt_is_refused_with_the_reason(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    with app.app_context():
        waiting = add_delivery(get_destination(seeded), created_at=datetime.now(UTC)).id
    visitor = visit(seeded.admin)
    visitor.post(OWN, {"seen": "yes", "delivery": str(waiting)}, headers={"Sec-Fetch-Mode": "navigate"})

    assert "Not recorded: the test is still pending" in visitor.get(PAGE).text


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404)])
def test_viewers_and_strangers_cannot_record_a_receipt(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int, who: str, status: int
) -> None:
    response = visit(getattr(seeded, who)).post(OWN, {"seen": "yes", "delivery": str(delivery_id)})

    assert response.status_code == status
    assert _receipt(app, delivery_id) == (None, None)


def test_a_receipt_needs_the_csrf_token_of_our_page(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int
) -> None:
    response = visit(seeded.admin).client.post(OWN, data={"seen": "yes", "delivery": str(delivery_id)})

    assert response.status_code == 400
    assert _receipt(app, delivery_id) == (None, None)


@pytest.mark.parametrize("seen", ["", "seen", "YES", "missing"])
def test_a_receipt_is_yes_or_no(seeded: SeededIds, visit: Visit, delivery_id: int, seen: str) -> None:
    assert visit(seeded.admin).post(OWN, {"seen": seen, "delivery": str(delivery_id)}).status_code == 400


def test_a_receipt_for_another_destination_a_real_alert_or_garbage_returns_404(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int
) -> None:
    with app.app_context():
        foreign = _add_sent(db.session.get_one(AlertDestination, seeded.foreign_destination))
        alert = add_real_alert(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=datetime.now(UTC)).id
    visitor = visit(seeded.admin)

    responses = [
        visitor.post(OWN, {"seen": "yes", "delivery": number}).status_code
        for number in (str(foreign), str(alert), "", "0", "x", "9" * 40, "\u0663")
    ]

    assert responses == [404] * 7
    assert _receipt(app, foreign) == (None, None)


def test_a_receipt_from_the_page_is_in_the_audit_trail(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int
) -> None:
    visit(seeded.support).post(OWN, {"seen": "no", "delivery": str(delivery_id)})

    with app.app_context():
        newest = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
        assert (newest.account_name, newest.action) == ("Support", "saw no test arrive")
