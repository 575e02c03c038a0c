"""The page of a customer's link: what it shows and hides, what a press does, and that opening it does nothing."""

import html
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from werkzeug.test import TestResponse

from tests.factories import (
    NOW,
    SeededIds,
    add_customer_link,
    add_delivery,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
    sign_customer_token,
)
from tests.presses.one_press import count_one
from tests.queue_keys import SECRET_KEY
from tests.views.test_receipts import SetClock
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.auth.customer_tokens import sign_page
from webapp.channels import CHANNELS
from webapp.destinations.editing import add_destination, set_enabled
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, AuditEvent, CustomerLink, DeliveryStatus, Receipt
from webapp.receipt_links import READING_TIME
from webapp.settings import AppSettings

Visit = Callable[[int], Visitor]

TOKEN = sign_customer_token(SECRET_KEY)
LINK = f"/c/{TOKEN}"
DESTINATION = "/w/harbor/destinations/1"
HTMX = {"HX-Request": "true"}
MOMENT = timedelta(microseconds=1)
REFERENCE = "K7QM4T"
SEND = {"test": "yes"}


@pytest.fixture
def clock(app: Flask) -> SetClock:
    """The clock of the application's database, which stands still."""
    app_state(app).clock = clock = SetClock()
    return clock


@pytest.fixture
def seeded(app: Flask, seeded: SeededIds, clock: SetClock) -> SeededIds:
    """The seeded data and a link that support made now, for an hour."""
    with app.app_context():
        add_customer_link(seeded, TOKEN, seeded.support, clock.time)
    return seeded


@dataclass
class Customer(Visitor):
    """A browser without a session, whose user can wait."""

    clock: SetClock = field(default_factory=SetClock)

    def press(self, form: dict[str, str], wait: timedelta = READING_TIME) -> TestResponse:
        """Open the link, wait, and press a button of its page."""
        page = self.read_proof()
        self.clock.time += wait
        return self.post(LINK, {"page": page} | form, headers=HTMX)

    def read_proof(self) -> str:
        found = re.search(r'name="page" value="([^"]+)"', self.get(LINK).text)
        assert found
        return found[1]


@pytest.fixture
def customer(app: Flask, seeded: SeededIds, clock: SetClock) -> Customer:
    return Customer(app.test_client(), clock=clock)


def _add_sent(app: Flask, seeded: SeededIds, at: datetime, **facts: Any) -> int:
    sent = {"status": DeliveryStatus.SENT, "sent_at": at, "attempt_count": 1, "payload": {"reference": REFERENCE}}
    with app.app_context():
        values = sent | {"created_at": at, "requested_by_id": seeded.admin} | facts
        return add_delivery(get_destination(seeded), **values).id


def _deliveries(app: Flask) -> list[AlertDelivery]:
    with app.app_context():
        return list(db.session.scalars(select(AlertDelivery).order_by(AlertDelivery.id)))


def _trail(app: Flask) -> list[tuple[str, str, list[str]]]:
    with app.app_context():
        events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        return [(event.account_name, event.action, event.changed) for event in events if event.happened_at != NOW]


def _dump(app: Flask) -> list[Any]:
    with app.app_context():
        tables = ("alert_deliveries", "audit_events", "customer_links")
        return [db.session.execute(text(f"SELECT * FROM {table} ORDER BY id")).all() for table in tables]


def _words(response: TestResponse) -> str:
    found = re.search(r'class="refusal" role="alert">([^<]+)<', response.text)
    return html.unescape(found[1]) if found else ""


def _badge(response: TestResponse) -> str:
    found = re.search(r'data-last-test="(\w+)"', response.text)
    return found[1] if found else ""


# What it shows


def test_the_page_shows_the_name_the_host_the_badge_and_a_button(customer: Customer) -> None:
    response = customer.get(LINK)

    assert (response.status_code, _badge(response)) == (200, "never")
    assert "<bdi>Ticket system</bdi>" in response.text
    assert "Messages go to 127.0.0.1:" in response.text
    assert 'name="test"' in response.text


def test_the_page_shows_cause_and_next_step_and_when(app: Flask, seeded: SeededIds, customer: Customer) -> None:
    sentence = "hooks.example.com answered 404."
    facts = {"status": DeliveryStatus.FAILED, "sent_at": None, "last_error_code": "not_found"}
    _add_sent(app, seeded, customer.clock.time - seconds(300), last_error_message=sentence, **facts)

    response = customer.get(LINK)

    assert _badge(response) == "failed"
    assert sentence in response.text
    assert "<b>Next:</b>" in response.text
    assert "5 min ago" in response.text


SECRETS = (
    "harbor",
    "admin",
    "support",
    "viewer",
    "stranger",
    "example.com",
    "7f3a9c",
    "whsec",
    "fingerprint",
    "Old one",
)


@pytest.mark.parametrize("path", [LINK, f"{LINK}/status"])
@pytest.mark.parametrize("receipt", [None, Receipt.SEEN, Receipt.MISSING])
def test_the_page_shows_nothing_else_of_the_workspace(
    app: Flask, seeded: SeededIds, customer: Customer, path: str, receipt: Receipt | None, app_settings: AppSettings
) -> None:
    with app.app_context():
        workspace, admin = get_workspace(seeded), get_account(seeded)
        settings = {"address": "https://x.test/"}
        add_destination(workspace, admin, "webhook", "Old one", settings, app_settings.cipher, NOW)
    said = {"receipt": receipt, "receipt_by": "Admin", "receipt_at": NOW} if receipt else {}
    _add_sent(app, seeded, customer.clock.time - seconds(90), **said)

    page = customer.get(path).text

    assert "Ticket system" in page or path != LINK
    assert [secret for secret in SECRETS if secret.lower() in page.lower()] == []


def test_a_member_sees_no_more_than_the_customer(seeded: SeededIds, visit: Visit) -> None:
    assert "harbor" not in visit(seeded.admin).get(LINK).text.lower()


@pytest.mark.parametrize(
    ("recipients", "shown"), [("ann@one.test\nbob@one.test", "one.test"), ("ann@one.test\nbob@two.test", None)]
)
def test_an_email_destination_shows_its_domain_and_no_recipient(
    app: Flask, seeded: SeededIds, customer: Customer, app_settings: AppSettings, recipients: str, shown: str | None
) -> None:
    with app.app_context():
        destination, link = get_destination(seeded), db.session.scalars(select(CustomerLink)).one()
        destination.type = link.destination_type = "email"
        context = destination.encryption_context
        destination.config = app_settings.cipher.encrypt({"recipients": recipients}, context=context)
        db.session.commit()

    page = customer.get(LINK).text

    assert ("Messages go to one.test" in page) is (shown is not None)
    assert [part for part in ("ann", "bob", "two.test", "2 recipients") if re.search(rf"\b{part}\b", page)] == []


def test_a_disabled_destination_says_so_and_sends_nothing(app: Flask, seeded: SeededIds, customer: Customer) -> None:
    with app.app_context():
        set_enabled(get_destination(seeded), get_account(seeded), False, NOW)

    page, pressed = customer.get(LINK), customer.press(SEND)

    assert "This destination is disabled, so no test can be sent." in page.text
    assert (pressed.status_code, _deliveries(app)) == (409, [])


# Privacy of the address


@pytest.mark.parametrize("path", [LINK, f"{LINK}/status", "/c/wrong", "/c/wrong/status"])
def test_every_page_is_private_and_sets_no_cookie(customer: Customer, path: str) -> None:
    headers = customer.get(path).headers

    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["Cache-Control"].startswith("no-store")
    assert "Set-Cookie" not in headers


def test_the_page_links_to_no_other_page(customer: Customer) -> None:
    links = re.findall(r'\s(?:href|action|src|hx-\w+)="([^"#]+)"', customer.get(LINK).text)

    assert [link for link in links if not link.startswith(("/static/", LINK)) and link != "outerMorph"] == []


def test_no_log_line_contains_the_token(
    app: Flask, customer: Customer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    customer.press(SEND, timedelta())
    customer.press(SEND)
    customer.post(LINK, {}, headers={"Origin": "https://evil.example"}, base_url="https://localhost")
    customer.get(f"{LINK}x")
    monkeypatch.setattr("webapp.views.customer_page.find_host", lambda *_: 1 / 0)
    assert customer.get(LINK).status_code == 500

    assert "request failed" in caplog.text
    assert [part for part in TOKEN.split(".") if part in caplog.text] == []


def test_neither_the_queue_nor_the_limits_contain_the_token(app: Flask, customer: Customer) -> None:
    customer.press(SEND)
    redis = app_state(app).redis
    stored = repr([(key, redis.dump(key)) for key in redis.keys("*")])

    assert "customer_page" in stored
    assert [part for part in TOKEN.split(".") if part in stored] == []


# Opening


@on_both_databases
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", LINK, {}),
        ("HEAD", LINK, {}),
        ("OPTIONS", LINK, {}),
        ("GET", LINK, {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", LINK, {"User-Agent": "SkypeUriPreview Preview/0.5"}),
        ("GET", f"{LINK}?test=yes&seen={REFERENCE}", {}),
        ("GET", f"{LINK}/status", HTMX),
    ],
)
def test_opening_the_link_writes_and_sends_nothing(
    app: Flask, seeded: SeededIds, customer: Customer, method: str, path: str, headers: dict[str, str]
) -> None:
    _add_sent(app, seeded, customer.clock.time - seconds(90))
    before, statements = _dump(app), []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    response = customer.client.open(path, method=method, headers=headers)

    assert response.status_code == 200
    assert [text for text in statements if not text.startswith("SELECT")] == []
    assert _dump(app) == before


def _wrong_proof(app: Flask, seeded: SeededIds, customer: Customer) -> str:
    with app.app_context():
        return sign_page(99, customer.clock.time - seconds(60))


@pytest.mark.parametrize("form", [{"test": "yes"}, {"seen": REFERENCE}, {"missing": REFERENCE}])
@pytest.mark.parametrize("find_proof", [lambda *_: "", lambda *_: "forged", _wrong_proof])
def test_a_press_from_no_page_of_the_link_only_opens_it(
    app: Flask, seeded: SeededIds, customer: Customer, form: dict[str, str], find_proof: Callable[..., str]
) -> None:
    _add_sent(app, seeded, customer.clock.time - seconds(90))
    before = _dump(app)

    response = customer.post(LINK, form | {"page": find_proof(app, seeded, customer)})

    assert (response.status_code, _dump(app)) == (200, before)
    assert "Your press was not counted." in response.text


@pytest.mark.parametrize(("wait", "sent"), [(READING_TIME - MOMENT, 0), (READING_TIME, 1), (seconds(3000), 1)])
def test_a_press_counts_from_two_seconds_after_its_page(
    app: Flask, customer: Customer, wait: timedelta, sent: int
) -> None:
    customer.press(SEND, wait)

    assert len(_deliveries(app)) == sent


def test_a_press_that_came_too_soon_counts_when_it_is_repeated(app: Flask, customer: Customer) -> None:
    proof = customer.read_proof()
    customer.clock.time += READING_TIME - MOMENT
    early = customer.post(LINK, {"page": proof, "test": "yes"})
    customer.clock.time += MOMENT

    again = re.search(r'name="page" value="([^"]+)"', early.text)
    assert again
    customer.post(LINK, {"page": again[1], "test": "yes"})
    assert len(_deliveries(app)) == 1


# Forms of other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "https://evil.example/"},
    ],
)
def test_a_form_of_another_site_is_refused(app: Flask, customer: Customer, headers: dict[str, str]) -> None:
    form = {"page": customer.read_proof(), "test": "yes"}
    customer.clock.time += READING_TIME

    response = customer.post(LINK, form, headers=headers, base_url="https://localhost")

    assert (response.status_code, _deliveries(app)) == (400, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},  # Chromium, Firefox: a page without a referrer
        {"Origin": "null"},
        {"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"},
        {},
    ],
)
def test_a_form_of_the_page_is_accepted_with_what_browsers_send(
    app: Flask, customer: Customer, headers: dict[str, str]
) -> None:
    form = {"page": customer.read_proof(), "test": "yes"}
    customer.clock.time += READING_TIME

    response = customer.post(LINK, form, headers=headers, base_url="https://localhost")

    assert (response.status_code, len(_deliveries(app))) == (303, 1)


def test_a_press_with_no_known_button_is_refused(customer: Customer) -> None:
    assert customer.press({}).status_code == 400


# Sending


@on_both_databases
def test_a_press_sends_a_test_for_who_made_the_link(app: Flask, seeded: SeededIds, customer: Customer) -> None:
    response = customer.press(SEND)

    [delivery] = _deliveries(app)
    assert (response.status_code, _badge(response)) == (200, "pending")
    assert response.text.startswith('<div class="status" id="customer-status"')
    assert (delivery.requested_by_id, delivery.by_customer_link) == (seeded.support, True)
    assert ("Support", "sent a test", ["by the customer's link"]) in _trail(app)


def test_a_members_own_press_is_not_by_the_customers_link(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.support).post(f"{DESTINATION}/test")

    assert [delivery.by_customer_link for delivery in _deliveries(app)] == [False]


def test_without_javascript_a_press_leads_back_to_the_page(app: Flask, customer: Customer) -> None:
    form = {"page": customer.read_proof(), "test": "yes"}
    customer.clock.time += READING_TIME

    response = customer.post(LINK, form)

    assert (response.status_code, response.headers["Location"]) == (303, LINK)
    assert f'<noscript><p><a href="{LINK}">Load the page again</a>' in customer.get(LINK).text


def test_a_press_within_the_minute_is_refused_with_the_seconds_left(app: Flask, customer: Customer) -> None:
    customer.press(SEND)
    response = customer.press(SEND)

    assert (response.status_code, len(_deliveries(app))) == (429, 1)
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert _words(response) == "Not sent: a test was sent here less than a minute ago."


def test_the_minute_is_the_same_for_the_customer_and_members(
    app: Flask, seeded: SeededIds, visit: Visit, customer: Customer
) -> None:
    visit(seeded.admin).post(f"{DESTINATION}/test")

    assert (customer.press(SEND).status_code, len(_deliveries(app))) == (429, 1)


def test_a_press_counts_for_the_member_who_made_the_link(
    app: Flask, seeded: SeededIds, customer: Customer, app_settings: AppSettings
) -> None:
    with app.app_context():
        for number in range(app_settings.send_limits.per_member):
            with count_one(1000 + number, seeded.support, seeded.clinic):
                pass

    response = customer.press(SEND)

    assert (response.status_code, _deliveries(app)) == (429, [])
    assert re.fullmatch(
        r"Not sent: too many tests were sent within a minute\. Send another test in \d+ seconds?\.", _words(response)
    )


def test_a_link_of_a_member_who_may_no_longer_test_sends_nothing(
    app: Flask, seeded: SeededIds, customer: Customer
) -> None:
    proof = customer.read_proof()
    customer.clock.time += READING_TIME
    with app.app_context():
        db.session.execute(text(f"UPDATE members SET role = 'viewer' WHERE account_id = {seeded.support}"))
        db.session.commit()

    response = customer.post(LINK, {"page": proof, "test": "yes"}, headers=HTMX)

    assert (response.status_code, response.headers["HX-Refresh"], _deliveries(app)) == (404, "true", [])


# Receipts


@on_both_databases
@pytest.mark.parametrize(
    ("button", "receipt", "action"),
    [("seen", Receipt.SEEN, "saw a test arrive"), ("missing", Receipt.MISSING, "saw no test arrive")],
)
def test_the_customer_says_whether_the_message_arrived(
    app: Flask, seeded: SeededIds, customer: Customer, button: str, receipt: Receipt, action: str
) -> None:
    _add_sent(app, seeded, customer.clock.time - seconds(90))

    response = customer.press({button: REFERENCE})

    [delivery] = _deliveries(app)
    assert (response.status_code, delivery.receipt, delivery.receipt_source) == (200, receipt, "customer_link")
    assert ("Customer (by link)", action, ["by the link of Support"]) in _trail(app)


@pytest.mark.parametrize(
    ("reference", "facts"),
    [
        ("AAAAAA", {}),
        (REFERENCE, {"status": DeliveryStatus.QUEUED, "sent_at": None}),
        (REFERENCE, {"status": DeliveryStatus.FAILED, "sent_at": None, "last_error_code": "gone"}),
    ],
)
def test_a_receipt_for_another_test_or_one_that_was_not_delivered_is_refused(
    app: Flask, seeded: SeededIds, customer: Customer, reference: str, facts: dict[str, Any]
) -> None:
    _add_sent(app, seeded, customer.clock.time - seconds(30), **facts)

    response = customer.press({"seen": reference})

    assert (response.status_code, [delivery.receipt for delivery in _deliveries(app)]) == (409, [None])
    assert _words(response).startswith("Not recorded")


def test_a_use_is_shown_to_members(app: Flask, seeded: SeededIds, customer: Customer, visit: Visit) -> None:
    before = visit(seeded.support).get(DESTINATION).text
    customer.press(SEND)
    after = visit(seeded.support).get(DESTINATION).text

    assert ("Not used yet." in before, "Not used yet." in after, "Last used" in after) == (True, False, True)


# Links that do not work


def _expire(link: CustomerLink) -> None:
    link.expires_at = link.created_at


def _delete(link: CustomerLink) -> None:
    db.session.delete(link)


def _delete_destination(link: CustomerLink) -> None:
    db.session.get_one(AlertDestination, link.destination_id).deleted_at = NOW


def _disable_account(link: CustomerLink) -> None:
    db.session.get_one(Account, link.account_id).is_active = False


def _change_type(link: CustomerLink) -> None:
    link.destination_type = "slack"


@pytest.mark.parametrize("end", [_expire, _delete, _delete_destination, _disable_account, _change_type])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/status"), ("POST", ""), ("HEAD", "")])
def test_a_link_that_has_ended_answers_like_one_that_never_existed(
    app: Flask, seeded: SeededIds, customer: Customer, end: Callable[[CustomerLink], None], method: str, path: str
) -> None:
    form = {"page": customer.read_proof(), "test": "yes"}
    customer.clock.time += READING_TIME
    with app.app_context():
        end(db.session.scalars(select(CustomerLink)).one())
        db.session.commit()
    paths = [f"{LINK}{path}", f"/c/{sign_customer_token(SECRET_KEY, 'never-stored')}{path}", f"/c/forged{path}"]

    answers = [customer.client.open(path, method=method, data=form if method == "POST" else None) for path in paths]

    unclocked = [re.sub(r'data-now="[^"]+"', "", answer.text) for answer in answers]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert unclocked == [unclocked[0]] * 3
    assert [list(answer.headers) for answer in answers] == [list(answers[0].headers)] * 3
    assert _deliveries(app) == []


def test_a_channel_that_pages_people_takes_no_press(
    app: Flask, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = customer.read_proof()
    customer.clock.time += READING_TIME
    monkeypatch.setitem(CHANNELS, "webhook", replace(CHANNELS["webhook"], pages_people=True))

    response = customer.post(LINK, {"page": proof, "test": "yes"})

    assert (response.status_code, _deliveries(app)) == (404, [])


def test_wrong_tokens_of_one_network_are_limited_and_right_ones_do_not_count(customer: Customer) -> None:
    for _ in range(40):
        assert customer.get(f"{LINK}/status").status_code == 200
    wrong = [customer.get(f"/c/guess{number}").status_code for number in range(31)]

    assert (wrong, customer.get(LINK).status_code) == ([404] * 30 + [429], 429)
    assert customer.get(LINK, environ_base={"REMOTE_ADDR": "198.51.100.7"}).status_code == 200


def test_the_time_of_the_page_is_that_of_the_server(customer: Customer) -> None:
    found = re.search(r'<div id="page" data-refreshed data-now="([^"]+)"', customer.get(LINK).text)

    assert found
    assert datetime.fromisoformat(found[1]) == customer.clock.time.astimezone(UTC)
