"""Receipts over HTTP: from the link in a message without an account, and from members on the page."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, select, text
from werkzeug.test import TestResponse

from tests.factories import SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, AuditEvent, DeliveryStatus, Receipt
from webapp.models.database_clock import DatabaseClock
from webapp.receipt_links import READING_TIME, ReceiptLinks
from webapp.settings import AppSettings

Visit = Callable[[int], Visitor]

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)

REFERENCE = "K7QM4T"
OWN = "/w/harbor/destinations/1/receipt"
PAGE = "/w/harbor/destinations/1"
SECONDS_AGO = seconds(90)


HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)
TOO_SOON = [timedelta(), seconds(1.9), READING_TIME - MOMENT]
LATE_ENOUGH = [READING_TIME, timedelta(days=6)]


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


@dataclass
class SetClock:
    """A clock of the database that a test sets."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.time

    def estimate(self) -> datetime:
        return self.time


@pytest.fixture
def clock(app: Flask) -> SetClock:
    """The clock of the application's database, which stands still."""
    app_state(app).clock = clock = SetClock()
    return clock


@dataclass
class Reader(Visitor):
    """A browser without a session and without a CSRF token, whose user can wait."""

    clock: SetClock = field(default_factory=SetClock)

    def press(self, link: str, wait: timedelta = READING_TIME, **arguments: Any) -> TestResponse:
        """Open the link, wait, and press the button of its page."""
        form = _read_form(self.get(link, **arguments))
        self.clock.time += wait
        return self.post(link, form, **arguments)


@pytest.fixture
def reader(app: Flask, clock: SetClock) -> Reader:
    return Reader(app.test_client(), clock=clock)


def _read_form(page: TestResponse) -> dict[str, str]:
    """Return what a browser would submit: every hidden field of the page's form."""
    assert page.text.count("<form") == 1
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))


def _read_page(member: Visitor, path: str) -> str:
    """Return a page without its CSRF token, which differs each time."""
    page = member.get(path).text
    return page.replace(member.token, "")


def _rename(app: Flask, table: str, name: str) -> None:
    with app.app_context():
        db.session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))
        db.session.commit()


def _dump(app: Flask) -> list[Any]:
    """Return every delivery and every event of the audit trail, with all columns."""
    with app.app_context():
        tables = ("alert_deliveries", "audit_events")
        return [db.session.execute(text(f"SELECT * FROM {table} ORDER BY id")).all() for table in tables]


def _receipt(app: Flask, delivery_id: int) -> tuple[Receipt | None, str | None]:
    with app.app_context():
        delivery = db.session.get_one(AlertDelivery, delivery_id)
        return delivery.receipt, delivery.receipt_by


def test_the_links_page_shows_nothing_but_the_reference(reader: Reader, link: str) -> None:
    response = reader.get(link)

    assert response.status_code == 200
    assert "Do you see message K7QM4T?" in response.text
    assert not re.search("harbor|ticket|webhook|127.0.0.1|admin", response.text, re.IGNORECASE)


def test_the_links_page_shows_a_member_no_more_than_anybody_else(seeded: SeededIds, visit: Visit, link: str) -> None:
    assert "Harbor" not in visit(seeded.admin).get(link).text


@on_both_databases
@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {}), ("HEAD", {}), ("OPTIONS", {}), ("GET", {"Sec-Purpose": "prefetch;prerender"})],
)
def test_opening_the_link_writes_nothing(
    app: Flask, reader: Reader, link: str, method: str, headers: dict[str, str]
) -> None:
    before, statements = _dump(app), []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *sent: statements.append(sent[2]))

    assert reader.client.open(link, method=method, headers=headers).status_code == 200

    assert [sent for sent in statements if not sent.startswith(("SELECT", "SET LOCAL"))] == []
    assert _dump(app) == before


@on_both_databases
def test_a_press_on_the_links_page_is_recorded_once_without_an_account_or_a_session(
    app: Flask, reader: Reader, link: str, delivery_id: int
) -> None:
    form = _read_form(reader.get(link))
    reader.clock.time += READING_TIME
    first, second = reader.post(link, form), reader.post(link, form)

    assert (first.status_code, second.status_code) == (200, 410)
    assert "Thank you" in first.text
    assert "This message is already marked as seen" in second.text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, None)


def test_a_used_link_shows_that_it_was_used(reader: Reader, link: str) -> None:
    reader.press(link)

    assert (reader.get(link).status_code, reader.client.head(link).status_code) == (410, 410)
    assert reader.post(link).status_code == 410


@on_both_databases
def test_two_simultaneous_presses_record_one_receipt(app: Flask, reader: Reader, link: str) -> None:
    form, start = _read_form(reader.get(link)), threading.Barrier(2)
    reader.clock.time += READING_TIME

    def press(_: int) -> int:
        client = app.test_client()
        start.wait()
        return client.post(link, data=form).status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(press, range(2)))

    assert sorted(statuses) == [200, 410]


@on_both_databases
@pytest.mark.parametrize("wait", LATE_ENOUGH)
def test_a_press_two_seconds_after_its_page_or_later_is_recorded(
    app: Flask, reader: Reader, link: str, delivery_id: int, wait: timedelta
) -> None:
    assert "Thank you" in reader.press(link, wait).text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, None)


@on_both_databases
@pytest.mark.parametrize("wait", TOO_SOON)
def test_an_earlier_press_shows_the_page_again_and_changes_nothing(
    app: Flask, reader: Reader, link: str, wait: timedelta
) -> None:
    before = _dump(app)

    response = reader.press(link, wait)

    assert response.status_code == 200
    assert "Press the button again if you see message K7QM4T" in response.text
    assert "Wait two seconds, then press the button again." in response.text
    assert _dump(app) == before


def test_a_page_that_is_shown_again_takes_the_next_press(
    app: Flask, reader: Reader, link: str, delivery_id: int
) -> None:
    again = reader.press(link, seconds(1.5))
    reader.clock.time += READING_TIME

    assert "Thank you" in reader.post(link, _read_form(again)).text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, None)


def test_the_first_of_two_presses_on_one_page_may_come_too_soon(
    app: Flask, reader: Reader, link: str, delivery_id: int
) -> None:
    form = _read_form(reader.get(link))
    reader.clock.time += seconds(1.9)
    first = reader.post(link, form)
    reader.clock.time += seconds(0.2)

    assert "Press the button again" in first.text
    assert "Thank you" in reader.post(link, form).text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, None)


@on_both_databases
@pytest.mark.parametrize("wait", TOO_SOON)
def test_a_scanner_that_submits_every_page_it_gets_changes_nothing_and_spares_the_link(
    app: Flask, reader: Reader, link: str, delivery_id: int, wait: timedelta
) -> None:
    before, page = _dump(app), reader.get(link)

    for _ in range(18):
        reader.clock.time += wait
        page = reader.post(link, _read_form(page))

    assert _dump(app) == before
    assert "Thank you" in reader.press(link, environ_base={"REMOTE_ADDR": "192.0.2.7"}).text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, None)


def test_a_scanners_post_shows_in_no_list_history_or_file(
    seeded: SeededIds, visit: Visit, reader: Reader, link: str
) -> None:
    member, paths = visit(seeded.viewer), [PAGE, "/w/harbor/destinations", "/w/harbor/history", "/w/harbor/history.csv"]
    before = [_read_page(member, path) for path in paths]

    reader.press(link, seconds(1))
    reader.post(link)

    reader.clock.time -= seconds(1)
    assert [_read_page(member, path) for path in paths] == before


FORGED_PAGES = ["", "x", ".", "\x00", "☃", "WzEsIks3UU00VCIsIjIwMjAtMDEtMDFUMDA6MDA6MDArMDA6MDAiXQ.x", "a" * 5000]


@pytest.mark.parametrize("form", [{}, *({"page": page} for page in FORGED_PAGES)])
def test_a_post_without_the_proof_of_a_page_changes_nothing(
    app: Flask, reader: Reader, link: str, form: dict[str, str]
) -> None:
    before = _dump(app)

    response = reader.post(link, form)

    assert (response.status_code, "Press the button again" in response.text) == (200, True)
    assert _dump(app) == before


@pytest.mark.parametrize("body", [{"json": {"page": "x"}}, {"data": b"page=x", "content_type": "text/plain"}])
def test_a_post_that_is_no_form_changes_nothing(app: Flask, reader: Reader, link: str, body: dict[str, Any]) -> None:
    before = _dump(app)

    assert reader.client.post(link, **body).status_code == 200
    assert _dump(app) == before


def test_the_link_itself_is_no_proof_of_its_page(app: Flask, reader: Reader, link: str) -> None:
    before = _dump(app)

    assert "Press the button again" in reader.post(link, {"page": link.removeprefix("/seen/")}).text
    assert _dump(app) == before


def test_the_proof_of_another_links_page_is_none(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, reader: Reader, link: str
) -> None:
    with app.app_context():
        other = _add_sent(get_destination(seeded), payload={"reference": "23456X"})
    form = _read_form(reader.get(link))
    reader.clock.time += READING_TIME

    response = reader.post(f"/seen/{app_settings.links.sign(other, '23456X')}", form)

    assert "Press the button again" in response.text
    assert _receipt(app, other) == (None, None)


@on_both_databases
def test_after_the_databases_clock_was_set_back_the_page_is_shown_again_and_then_works(
    app: Flask, reader: Reader, link: str, delivery_id: int
) -> None:
    again = reader.press(link, -HOUR)
    reader.clock.time += READING_TIME

    assert "Press the button again" in again.text
    assert "Thank you" in reader.post(link, _read_form(again)).text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, None)


@on_postgres
@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_hosts_wrong_clock_neither_speeds_up_nor_delays_a_press(
    app: Flask, app_settings: AppSettings, link: str, delivery_id: int, ahead: timedelta
) -> None:
    reader, now = Visitor(app.test_client()), datetime.now(UTC)
    read = {"page": app_settings.links.sign_page(delivery_id, REFERENCE, now - READING_TIME - seconds(1))}
    with time_machine.travel(now + ahead):
        unread = _read_form(reader.get(link))
    early = reader.post(link, unread)
    with time_machine.travel(now - ahead):
        also_early = reader.post(link, unread)
        counted = reader.post(link, read)

    assert ("Press the button again" in early.text, "Press the button again" in also_early.text) == (True, True)
    assert "Thank you" in counted.text


@on_postgres
def test_a_page_is_stamped_by_what_the_databases_clock_shows_now_although_it_was_set_meanwhile(
    app: Flask, app_settings: AppSettings, link: str, delivery_id: int
) -> None:
    elapsed, visitor = 0.0, Visitor(app.test_client())
    app_state(app).clock = clock = DatabaseClock(lambda: elapsed)
    with app.app_context():
        clock.follow(db.engine)
    visitor.get(link)
    elapsed = 3600.0  # as if the server's clock had been set back by an hour since then

    proof = _read_form(visitor.get(link))["page"]

    in_two_seconds = datetime.now(UTC) + READING_TIME
    assert app_settings.links.was_page_read(proof, delivery_id, REFERENCE, in_two_seconds)


@on_both_databases
def test_without_the_database_the_page_says_so_and_the_open_page_works_afterwards(
    app: Flask, reader: Reader, link: str, delivery_id: int
) -> None:
    form = _read_form(reader.get(link))
    reader.clock.time += READING_TIME
    _rename(app, "alert_deliveries", "out_of_reach")
    answers = [reader.get(link), reader.post(link, form)]
    _rename(app, "out_of_reach", "alert_deliveries")

    assert [answer.status_code for answer in answers] == [503, 503]
    assert ["The database is not up to date" in answer.text for answer in answers] == [True, True]
    assert [answer.headers["X-Robots-Tag"] for answer in answers] == ["noindex, nofollow"] * 2
    assert "Thank you" in reader.post(link, form).text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, None)


def test_the_page_needs_no_script_and_explains_its_button_to_a_screen_reader(reader: Reader, link: str) -> None:
    first, again = reader.get(link).text, reader.press(link, seconds(1)).text

    assert '<form method="post">' in first
    assert '<button aria-describedby="advice">I see it</button>' in first
    assert '<button aria-describedby="advice" autofocus>I see it</button>' in again
    assert "<title>Press the button again: Message K7QM4T · Alertcheck</title>" in again


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["x", "WzEsIks3UU00VCJd.x", "%00", "%E2%98%83", "a" * 5000])
def test_a_forged_link_is_refused_with_the_next_step(reader: Reader, link: str, method: str, token: str) -> None:
    response = reader.client.open(f"/seen/{token}", method=method)

    assert response.status_code == 404
    assert "ask the person who sent the test to send another test" in response.text


@pytest.mark.parametrize("key", ["another key"])
def test_a_link_of_another_installation_does_not_work(reader: Reader, link: str, key: str) -> None:
    assert reader.post(f"/seen/{ReceiptLinks(key, None).sign(1, REFERENCE)}").status_code == 404


@pytest.mark.parametrize(("days", "status"), [(7.04, 200), (7.05, 404)])
def test_a_link_works_for_seven_days_and_an_hour(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, reader: Reader, days: float, status: int
) -> None:
    with app.app_context():
        delivery_id = _add_sent(get_destination(seeded))
        reader.clock.time = db.session.get_one(AlertDelivery, delivery_id).created_at + timedelta(days=days)

    link = f"/seen/{app_settings.links.sign(delivery_id, REFERENCE)}"
    assert (reader.get(link).status_code, reader.post(link).status_code) == (status, status)


def test_a_link_works_for_its_own_delivery_only(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, reader: Reader, link: str
) -> None:
    with app.app_context():
        other = _add_sent(get_destination(seeded), payload={"reference": "23456X"})

    reader.press(link)

    assert reader.post(f"/seen/{app_settings.links.sign(other, REFERENCE)}").status_code == 404
    assert _receipt(app, other) == (None, None)


@pytest.mark.parametrize("path", ["", "forged"])
def test_the_links_page_sends_no_referrer(reader: Reader, link: str, path: str) -> None:
    headers = reader.get(f"{link}{path}").headers

    assert (headers["Referrer-Policy"], headers["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert headers["Cache-Control"] == "no-store, no-transform"


def test_too_many_presses_throttle_one_visitor_only(app: Flask, reader: Reader, link: str) -> None:
    responses = [reader.post("/seen/forged").status_code for _ in range(21)]

    assert responses == [404] * 20 + [429]
    assert reader.post(link).status_code == 429
    assert reader.post(link, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_the_token_is_not_logged(reader: Reader, link: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    proof = _read_form(reader.press(link, seconds(1)))["page"]
    reader.press(link)

    assert ("receipt link opened" in caplog.text, "receipt recorded" in caplog.text) == (True, True)
    assert link.removeprefix("/seen/") not in caplog.text
    assert proof not in caplog.text


@on_both_databases
@pytest.mark.parametrize(
    ("seen", "receipt", "sentence"),
    [("yes", Receipt.SEEN, "Seen by Support."), ("no", Receipt.MISSING, "Sent, but reported missing by Support.")],
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
    seeded: SeededIds, visit: Visit, reader: Reader, link: str
) -> None:
    visitor = visit(seeded.viewer)
    before = visitor.get(PAGE).text
    reader.press(link)
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

    assert (page.count(">I see it<"), page.count("It did not arrive")) == (buttons, buttons)


def test_a_test_that_delivered_nothing_asks_for_no_receipt(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        failed = _add_sent(get_destination(seeded), status=DeliveryStatus.FAILED, sent_at=None, last_error_code="gone")
    visitor = visit(seeded.admin)

    assert ">I see it<" not in visitor.get(PAGE).text
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


WATCH = f"{PAGE}/watch"


def test_the_page_of_a_sent_test_polls_for_its_receipt_and_no_list_does(
    seeded: SeededIds, visit: Visit, delivery_id: int
) -> None:
    visitor = visit(seeded.viewer)
    hx_get, hx_trigger = f'hx-get="{WATCH}?shown="', 'hx-trigger="every 1000ms, tested from:body delay:300ms'
    fragment = f'<div id="receipt-watch" hidden\n     {hx_get}\n     {hx_trigger}'

    assert fragment in visitor.get(PAGE).text
    assert visitor.get(f"{WATCH}?shown=").text.startswith(fragment)
    assert 'hx-trigger="every' not in visitor.get("/w/harbor/destinations").text
    assert 'hx-trigger="every' not in visitor.get(f"{PAGE}/status").text


def test_a_poll_reports_a_receipt_once_and_then_ends(
    seeded: SeededIds, visit: Visit, reader: Reader, link: str
) -> None:
    visitor = visit(seeded.viewer)
    before = visitor.get(f"{WATCH}?shown=")
    reader.press(link)
    after = visitor.get(f"{WATCH}?shown=")
    (shown,) = re.findall(r'hx-get="([^"]+)"', after.text)

    assert [before.headers.get("HX-Trigger"), after.headers.get("HX-Trigger")] == [None, "receipt"]
    assert "every" not in after.text
    assert visitor.get(shown).headers.get("HX-Trigger") is None


def test_a_poll_goes_on_after_a_message_was_reported_missing(seeded: SeededIds, visit: Visit, delivery_id: int) -> None:
    visitor = visit(seeded.support)
    response = visitor.post(OWN, {"seen": "no", "delivery": str(delivery_id)})

    assert response.headers["HX-Trigger"] == "receipt"
    assert "every 1000ms" in visitor.get(f"{WATCH}?shown=").text


def test_a_page_asks_for_what_the_customer_does_while_there_is_a_link(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    visitor = visit(seeded.support)
    assert "every" not in visitor.get(PAGE).text
    made = visitor.post(f"{PAGE}/links", {"hours": "1"}, headers={"HX-Request": "true"})
    assert made.headers["HX-Trigger"] == "link-made"
    assert "every 3000ms" in visitor.get(PAGE).text
    assert "every 3000ms" in visitor.get(f"{WATCH}?shown=").text

    with app.app_context():
        _add_sent(get_destination(seeded), ago=timedelta(hours=1), by_customer_link=True)
    news = visitor.get(f"{WATCH}?shown=")
    (shown,) = re.findall(r'hx-get="([^"]+)"', news.text)

    assert news.headers["HX-Trigger"] == "receipt"
    assert visitor.get(shown).headers.get("HX-Trigger") is None
    assert f'hx-get="{shown}"' in visitor.get(PAGE).text


def test_the_test_of_a_member_is_no_news(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        _add_sent(get_destination(seeded))

    assert visit(seeded.support).get(f"{WATCH}?shown=").headers.get("HX-Trigger") is None


def test_a_poll_ends_ten_minutes_after_the_send(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        _add_sent(get_destination(seeded), ago=timedelta(minutes=10))

    assert "every" not in visit(seeded.viewer).get(f"{WATCH}?shown=").text


def test_a_poll_without_a_session_sends_the_page_to_the_sign_in(app: Flask, seeded: SeededIds) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{PAGE}"}
    response = app.test_client().get(WATCH, headers=headers)

    assert (response.status_code, response.headers["HX-Redirect"]) == (401, f"/sign-in?next={PAGE}")


@on_both_databases
@pytest.mark.parametrize(("who", "queries"), [("viewer", 2), ("support", 3)])
def test_a_poll_takes_few_queries_and_writes_nothing(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int, who: str, queries: int
) -> None:
    visitor, statements = visit(getattr(seeded, who)), []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *sent: statements.append(sent[2]))
    visitor.get(f"{WATCH}?shown=")

    executed = [sent for sent in statements if not sent.startswith("SET LOCAL")]
    assert (len(executed), {sent[:6] for sent in executed}) == (queries, {"SELECT"})


@on_both_databases
def test_a_member_records_what_a_customer_said(app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int) -> None:
    visitor = visit(seeded.support)
    response = visitor.post(OWN, {"seen": "customer", "customer": " Ann\u202e Example ", "delivery": str(delivery_id)})

    assert response.status_code == 200
    assert "Confirmed by the customer Ann Example, recorded by Support." in response.text
    assert _receipt(app, delivery_id) == (Receipt.SEEN, "Ann Example")


@pytest.mark.parametrize(
    ("customer", "error"), [("", "Enter a name."), ("\u200b ", "Enter a name."), ("x" * 201, "at most 200 characters.")]
)
def test_a_customers_name_follows_the_rule_for_names(
    app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int, customer: str, error: str
) -> None:
    form = {"seen": "customer", "customer": customer, "delivery": str(delivery_id)}
    visitor = visit(seeded.support)
    response = visitor.post(OWN, form)
    redirect = visitor.post(OWN, form, headers={"Sec-Fetch-Mode": "navigate"})

    assert (response.status_code, redirect.status_code) == (400, 303)
    assert error in response.text.partition('id="customer-check"')[2]
    assert error in visitor.get(PAGE).text.partition('<p class="flash" role="status">')[2]
    assert _receipt(app, delivery_id) == (None, None)


def test_a_viewer_cannot_confirm_for_a_customer(app: Flask, seeded: SeededIds, visit: Visit, delivery_id: int) -> None:
    form = {"seen": "customer", "customer": "Ann", "delivery": str(delivery_id)}

    assert visit(seeded.viewer).post(OWN, form).status_code == 403
    assert _receipt(app, delivery_id) == (None, None)


@on_both_databases
def test_a_message_reported_missing_shows_on_every_page(seeded: SeededIds, visit: Visit, delivery_id: int) -> None:
    visitor, words = visit(seeded.support), "Sent, but reported missing by Support."
    visitor.post(OWN, {"seen": "no", "delivery": str(delivery_id)})
    listed = visitor.get("/w/harbor/destinations").text

    assert 'data-last-test="sent" data-receipt="missing"' in listed
    assert "0 of 1 destination accepted its last test; 1 message was reported missing." in listed
    assert [
        words in visitor.get(path).text for path in ("/w/harbor/destinations", PAGE, "/broken", "/w/harbor/history")
    ] == [True] * 4
    assert "Ticket system" in visitor.get("/w/harbor/destinations?state=missing").text


@on_both_databases
def test_a_message_that_was_seen_shows_on_every_page_and_needs_no_advice(
    seeded: SeededIds, visit: Visit, delivery_id: int
) -> None:
    visitor = visit(seeded.support)
    before = visitor.get(PAGE).text
    visitor.post(OWN, {"seen": "no", "delivery": str(delivery_id)})
    visitor.post(OWN, {"seen": "yes", "delivery": str(delivery_id)})
    listed, after = visitor.get("/w/harbor/destinations").text, visitor.get(PAGE).text

    assert 'data-last-test="sent" data-receipt="seen"' in listed
    assert "The destination accepted its last test." in listed
    assert ("No message at the receiver?" in before, "No message at the receiver?" in after) == (True, False)
    assert [
        "Seen by Support." in visitor.get(path).text for path in ("/w/harbor/destinations", "/w/harbor/history")
    ] == [True] * 2
    assert "Ticket system" not in visitor.get("/broken").text
    assert "seen" in visitor.get("/w/harbor/history.csv").text.splitlines()[1].split(",")


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
