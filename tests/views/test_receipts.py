"""What people say of a test message, over HTTP: by the link in it, without an account, and as members on the page."""

import re
import threading
from collections.abc import Callable
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
    """A test of the harbor's that was accepted."""
    with app.app_context():
        return _add_sent(get_destination(seeded))


@pytest.fixture
def link(app_settings: AppSettings, delivery_id: int) -> str:
    """The path of the link that its message carries."""
    return f"/seen/{app_settings.links.sign(delivery_id, REFERENCE)}"


@pytest.fixture
def reader(app: Flask) -> Visitor:
    """A browser that nobody signed in with, and that has no token of ours."""
    return Visitor(app.test_client())


def _receipt(app: Flask, delivery_id: int) -> tuple[Receipt | None, str | None]:
    with app.app_context():
        delivery = db.session.get_one(AlertDelivery, delivery_id)
        return delivery.receipt, delivery.receipt_by


def test_the_links_page_asks_and_tells_nothing_but_the_reference(reader: Visitor, link: str) -> None:
    answer = reader.get(link)

    assert answer.status_code == 200
    assert "Do you see message K7QM4T?" in answer.text
    assert not re.search("harbor|ticket|webhook|127.0.0.1|admin", answer.text, re.IGNORECASE)


def test_the_links_page_shows_a_member_no_more_than_anybody(seeded: SeededIds, visit: Visit, link: str) -> None:
    assert "Harbor" not in visit(seeded.admin).get(link).text


@on_both_databases
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_whatever_opens_the_link_changes_nothing(
    app: Flask, reader: Visitor, link: str, delivery_id: int, method: str
) -> None:
    assert reader.client.open(link, method=method).status_code == 200

    assert _receipt(app, delivery_id) == (None, None)


@on_both_databases
def test_a_press_on_it_is_noted_once_without_an_account_or_a_session(
    app: Flask, reader: Visitor, link: str, delivery_id: int
) -> None:
    first, second = reader.post(link), reader.post(link)

    assert (first.status_code, second.status_code) == (200, 410)
    assert "Thank you" in first.text
    assert "This message is already marked as seen" in second.text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, None)


def test_a_link_that_was_used_says_so(reader: Visitor, link: str) -> None:
    reader.post(link)

    assert (reader.get(link).status_code, reader.client.head(link).status_code) == (410, 410)


@on_both_databases
def test_of_two_presses_at_once_one_is_noted(app: Flask, link: str) -> None:
    answers, start = list[int](), threading.Barrier(2)

    def press() -> None:
        client = app.test_client()
        start.wait()
        answers.append(client.post(link).status_code)

    presses = [threading.Thread(target=press) for _ in range(2)]
    [thread.start() for thread in presses]
    [thread.join() for thread in presses]

    assert sorted(answers) == [200, 410]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["x", "WzEsIks3UU00VCJd.x", "%00", "%E2%98%83", "a" * 5000])
def test_a_forged_link_does_not_work_and_says_what_to_do(reader: Visitor, link: str, method: str, token: str) -> None:
    answer = reader.client.open(f"/seen/{token}", method=method)

    assert answer.status_code == 404
    assert "ask the person who sent the test to send another test" in answer.text


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


def test_a_link_speaks_of_no_delivery_but_its_own(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, reader: Visitor, link: str
) -> None:
    with app.app_context():
        other = _add_sent(get_destination(seeded), payload={"reference": "23456X"})

    reader.post(link)

    assert reader.post(f"/seen/{app_settings.links.sign(other, REFERENCE)}").status_code == 404
    assert _receipt(app, other) == (None, None)


@pytest.mark.parametrize("path", ["", "forged"])
def test_the_address_of_such_a_page_is_passed_on_to_nobody(reader: Visitor, link: str, path: str) -> None:
    headers = reader.get(f"{link}{path}").headers

    assert (headers["Referrer-Policy"], headers["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert headers["Cache-Control"] == "no-store"


def test_who_presses_too_often_waits_and_others_do_not(app: Flask, reader: Visitor, link: str) -> None:
    answers = [reader.post("/seen/forged").status_code for _ in range(21)]

    assert answers == [404] * 20 + [429]
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
    ("seen", "receipt", "told"),
    [("yes", Receipt.SEEN, "Seen by Support."), ("no", Receipt.MISSING, "Not seen by Support.")],
)
def test_a_member_says_on_the_page_whether_it_arrived(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int, seen: str, receipt: Receipt, told: str
) -> None:
    answer = visit(seeded.support).post(OWN, {"seen": seen, "delivery": str(delivery_id)})

    assert answer.status_code == 200
    assert answer.text.startswith('<div class="details" id="details"')
    assert told in answer.text
    assert _receipt(app, delivery_id) == (receipt, "Support")


def test_without_a_script_the_page_comes_back(seeded: SeededIds, visit: Visit, delivery_id: int) -> None:
    visitor, form = visit(seeded.admin), {"seen": "yes", "delivery": str(delivery_id)}

    answer = visitor.post(OWN, form, headers={"Sec-Fetch-Mode": "navigate"})

    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "Seen by Admin." in visitor.get(PAGE).text


def test_the_page_tells_acceptance_and_receipt_as_two_facts(
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


def test_what_a_person_says_moves_no_badge(seeded: SeededIds, visit: Visit, delivery_id: int) -> None:
    visitor = visit(seeded.admin)
    visitor.post(OWN, {"seen": "no", "delivery": str(delivery_id)})

    assert 'data-last-test="sent"' in visitor.get(PAGE).text


@pytest.mark.parametrize(("who", "buttons"), [("admin", 1), ("support", 1), ("viewer", 0)])
def test_who_may_test_is_asked(seeded: SeededIds, visit: Visit, delivery_id: int, who: str, buttons: int) -> None:
    page = visit(getattr(seeded, who)).get(PAGE).text

    assert (page.count("I can see it"), page.count("It did not arrive")) == (buttons, buttons)


def test_nobody_is_asked_about_a_test_that_delivered_nothing(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        failed = _add_sent(get_destination(seeded), status=DeliveryStatus.FAILED, sent_at=None, last_error_code="gone")
    visitor = visit(seeded.admin)

    assert "I can see it" not in visitor.get(PAGE).text
    assert visitor.post(OWN, {"seen": "yes", "delivery": str(failed)}).status_code == 409
    assert _receipt(app, failed) == (None, None)


def test_without_a_script_a_needless_answer_is_refused_in_words(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        waiting = add_delivery(get_destination(seeded), created_at=datetime.now(UTC)).id
    visitor = visit(seeded.admin)
    visitor.post(OWN, {"seen": "yes", "delivery": str(waiting)}, headers={"Sec-Fetch-Mode": "navigate"})

    assert "Not recorded: the test is still pending" in visitor.get(PAGE).text


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404)])
def test_viewers_and_strangers_say_nothing(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int, who: str, status: int
) -> None:
    answer = visit(getattr(seeded, who)).post(OWN, {"seen": "yes", "delivery": str(delivery_id)})

    assert answer.status_code == status
    assert _receipt(app, delivery_id) == (None, None)


def test_an_answer_needs_the_token_of_our_own_page(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int
) -> None:
    answer = visit(seeded.admin).client.post(OWN, data={"seen": "yes", "delivery": str(delivery_id)})

    assert answer.status_code == 400
    assert _receipt(app, delivery_id) == (None, None)


@pytest.mark.parametrize("seen", ["", "seen", "YES", "missing"])
def test_an_answer_is_yes_or_no(seeded: SeededIds, visit: Visit, delivery_id: int, seen: str) -> None:
    assert visit(seeded.admin).post(OWN, {"seen": seen, "delivery": str(delivery_id)}).status_code == 400


def test_a_delivery_of_another_destination_a_real_alert_and_garbage_are_not_there(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int
) -> None:
    with app.app_context():
        foreign = _add_sent(db.session.get_one(AlertDestination, seeded.foreign_destination))
        alert = add_real_alert(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=datetime.now(UTC)).id
    visitor = visit(seeded.admin)

    answers = [
        visitor.post(OWN, {"seen": "yes", "delivery": number}).status_code
        for number in (str(foreign), str(alert), "", "0", "x", "9" * 40, "\u0663")
    ]

    assert answers == [404] * 7
    assert _receipt(app, foreign) == (None, None)


def test_an_answer_on_the_page_is_in_the_audit_trail(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int
) -> None:
    visit(seeded.support).post(OWN, {"seen": "no", "delivery": str(delivery_id)})

    with app.app_context():
        newest = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
        assert (newest.account_name, newest.action) == ("Support", "saw no test arrive")
