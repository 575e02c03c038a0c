"""The demo's inbox as a page."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, get_workspace
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.demo.receiver.inbox import Arrival, Inbox
from webapp.demo.receiver.scenarios import Scenario, Service
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.settings import read_settings

WEBHOOK = Arrival(
    service=Service.WEBHOOK,
    scenario=Scenario.WORKS,
    answered=200,
    accepted=True,
    reference="7F3KQ9",
    headers={"webhook-id": "msg_1"},
    body='{"type":"alerts.test"}',
    signature_ok=True,
)
CARD = (
    '{"attachments": [{"content": {"type": "AdaptiveCard", "body": ['
    '{"type": "TextBlock", "text": "A <b>test</b>", "weight": "Bolder"},'
    '{"type": "FactSet", "facts": [{"title": "Sent by", "value": "Owner"}]}, {"type": "Image"}]}}]}'
)
BUTTON = (
    '{"attachments": [{"content": {"type": "AdaptiveCard", "actions": ['
    '{"type": "Action.OpenUrl", "title": "I see it", "url": "LINK"}]}}]}'
)
# As deep as it can be read, which is deeper than it can be written with indents.
NESTED = '{"a":' * 940 + "1" + "}" * 940
PUBLIC_URL = "http://127.0.0.1:8000"
MAIL = "From: alerts@example.com\r\nTo: desk@example.com\r\nSubject: A test\r\n\r\nHello <b>desk</b>"


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The administrator's settings, with the demo on."""
    demo = {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
    }
    return environment | demo | {"ALERTCHECK_PUBLIC_URL": PUBLIC_URL}


@pytest.fixture
def inbox(environment: dict[str, str]) -> Inbox:
    return Inbox(Path(environment["ALERTCHECK_DEMO_INBOX"]))


@pytest.fixture
def visitor(seeded: SeededIds, visit: Callable[[int], Visitor]) -> Visitor:
    return visit(seeded.viewer)


def test_an_empty_inbox_shows_what_to_do(visitor: Visitor) -> None:
    page = visitor.get("/demo/inbox").text
    assert "Nothing has arrived yet" in page
    assert "press <b>Send test</b>" in page


def test_a_message_shows_its_time_response_and_reference(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(WEBHOOK, NOW)
    page = visitor.get("/demo/inbox").text
    assert '<time datetime="2026-05-04T09:30:00.000Z" data-exact="2026-05-04 09:30:00 UTC"' in page
    assert "Accepted with 200" in page
    assert "<code>7F3KQ9</code>" in page


def test_the_newest_message_comes_first(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(WEBHOOK, NOW)
    inbox.add(WEBHOOK, NOW)
    page = visitor.get("/demo/inbox").text
    assert 0 < page.index('id="message-2"') < page.index('id="message-1"')


@pytest.mark.parametrize(("answered", "words"), [(404, "Refused with 404"), (0, "No response")])
def test_a_message_that_was_not_accepted_is_marked(visitor: Visitor, inbox: Inbox, answered: int, words: str) -> None:
    inbox.add(replace(WEBHOOK, accepted=False, answered=answered), NOW)
    assert words in visitor.get("/demo/inbox").text


def test_a_webhook_shows_its_headers_and_its_body_indented(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(WEBHOOK, NOW)
    page = visitor.get("/demo/inbox").text
    assert "<dt>webhook-id</dt>" in page
    assert "{\n  &#34;type&#34;: &#34;alerts.test&#34;\n}" in page


@pytest.mark.parametrize(
    ("signature_ok", "words"),
    [(True, "Signature valid"), (False, "Signature invalid"), (None, "Signature not checked")],
)
def test_a_webhook_shows_whether_its_signature_is_valid(
    visitor: Visitor, inbox: Inbox, signature_ok: bool | None, words: str
) -> None:
    inbox.add(replace(WEBHOOK, signature_ok=signature_ok), NOW)
    assert words in visitor.get("/demo/inbox").text


def test_a_teams_message_is_drawn_as_its_card(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(replace(WEBHOOK, service=Service.TEAMS, body=CARD), NOW)
    page = visitor.get("/demo/inbox").text
    assert '<p class="inbox-card-text" data-strong>A &lt;b&gt;test&lt;/b&gt;</p>' in page
    assert "<dt>Sent by</dt>" in page
    assert "Element not shown: Image" in page


def test_a_slack_message_is_drawn_as_a_bubble(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(replace(WEBHOOK, service=Service.SLACK, body='{"text": "*Who:* <i>Owner</i>"}'), NOW)
    assert '<p class="inbox-bubble"><b>Who:</b> &lt;i&gt;Owner&lt;/i&gt;</p>' in visitor.get("/demo/inbox").text


@pytest.mark.parametrize(
    ("service", "body", "parts"),
    [
        (
            Service.DISCORD,
            '{"content": "**Who:** <i>", "embeds": [{"title": "<T>"}]}',
            ['<p class="inbox-said"><b>Who:</b> &lt;i&gt;</p>', "<p><b>&lt;T&gt;</b></p>"],
        ),
        (Service.TELEGRAM, '{"text": "<i>"}', ['<p class="inbox-said">&lt;i&gt;</p>']),
        (Service.GOOGLE_CHAT, '{"text": "*<i>*"}', ['<p class="inbox-said"><b>&lt;i&gt;</b></p>']),
        (Service.MATTERMOST, '{"text": "**<i>**"}', ['<p class="inbox-said"><b>&lt;i&gt;</b></p>']),
        (Service.NTFY, '{"title": "<T>", "message": "<i>", "tags": ["<t>"]}', ["<b>&lt;T&gt;</b>", "&lt;t&gt;</span>"]),
        (
            Service.PUSHOVER,
            '{"title": "<T>", "message": "<i>"}',
            ["<b>&lt;T&gt;</b>", '<p class="inbox-said">&lt;i&gt;</p>'],
        ),
        (
            Service.PAGERDUTY,
            '{"event_action": "trigger", "dedup_key": "<k>", "payload": {"summary": "<S>", "severity": "info"}}',
            ['<b class="inbox-state">Triggered</b>', "<code>&lt;k&gt;</code>", "<b>&lt;S&gt;</b>", ">info</span>"],
        ),
        (
            Service.JIRA_SERVICE_MANAGEMENT,
            '{"message": "<M>", "details": {"<a>": "<b>"}}',
            ['<b class="inbox-state">Open</b>', "<b>&lt;M&gt;</b>", "<dt>&lt;a&gt;</dt>", "<dd>&lt;b&gt;</dd>"],
        ),
    ],
)
def test_each_service_draws_its_message(
    visitor: Visitor, inbox: Inbox, service: Service, body: str, parts: list[str]
) -> None:
    inbox.add(replace(WEBHOOK, service=service, body=body), NOW)
    page = visitor.get("/demo/inbox").text
    assert [part for part in parts if part not in page] == []


def test_an_incident_that_was_resolved_is_shown_as_that_and_names_its_destination(
    visitor: Visitor, inbox: Inbox, app: Flask, seeded: SeededIds
) -> None:
    with app.app_context():
        delivery = add_delivery(get_destination(seeded), payload={"reference": "7F3KQ9"})
        link = app_state().settings.links.make(delivery.id, "7F3KQ9")
    links = f'"links": [{{"href": "{link}", "text": "I see it"}}]'
    for event in (f'"event_action": "trigger", {links}', '"event_action": "resolve"'):
        inbox.add(replace(WEBHOOK, service=Service.PAGERDUTY, body=f'{{"dedup_key": "k", {event}}}'), NOW)
    page = visitor.get("/demo/inbox/messages").text
    assert re.findall(r'<b class="inbox-state">(\w+)</b>', page) == ["Resolved", "Triggered"]
    assert page.count("<bdi>Ticket system</bdi>") == 2


def test_an_alert_that_is_closed_by_another_key_names_no_destination(
    visitor: Visitor, inbox: Inbox, own_message: Arrival
) -> None:
    alert = replace(own_message, service=Service.JIRA_SERVICE_MANAGEMENT)
    inbox.add(replace(alert, body=own_message.body.replace("{", '{"message": "M", "alias": "k", ', 1)), NOW)
    inbox.add(replace(alert, body="{}", closed="other"), NOW)
    page = visitor.get("/demo/inbox/messages").text
    assert re.findall(r'<b class="inbox-state">(\w+)</b>', page) == ["Closed", "Open"]
    assert page.count("<bdi>Ticket system</bdi>") == 1


def test_a_mail_is_shown_as_a_mail(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(replace(WEBHOOK, service=Service.EMAIL, body=MAIL, recipients=("desk@example.com",)), NOW)
    page = visitor.get("/demo/inbox").text
    assert "<dd>alerts@example.com</dd>" in page
    assert "<dd><strong>A test</strong></dd>" in page
    assert '<p class="inbox-text">Hello &lt;b&gt;desk&lt;/b&gt;</p>' in page


@pytest.mark.parametrize(
    ("service", "body"),
    [
        (Service.TEAMS, BUTTON),
        (Service.SLACK, '{"text": "Hello\\n<LINK|I see it>"}'),
        (Service.EMAIL, "Subject: A test\r\n\r\nI see it: LINK\r\n"),
        (Service.WEBHOOK, '{"data": {"receipt_link": "LINK"}}'),
        (Service.DISCORD, '{"content": "[I see it](LINK)"}'),
        (Service.TELEGRAM, '{"text": "I see it: LINK"}'),
        (
            Service.TELEGRAM,
            '{"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "I see it", "url": "LINK"}]]}}',
        ),
        (Service.GOOGLE_CHAT, '{"text": "<LINK|I see it>"}'),
        (Service.MATTERMOST, '{"text": "[I see it](<LINK>)"}'),
        (Service.NTFY, '{"message": "x", "actions": [{"label": "I see it", "url": "LINK"}]}'),
        (Service.PUSHOVER, '{"message": "x", "url_title": "I see it", "url": "LINK"}'),
        (Service.PAGERDUTY, '{"event_action": "trigger", "links": [{"text": "I see it", "href": "LINK"}]}'),
    ],
)
@pytest.mark.parametrize(
    ("link", "links"),
    [
        (f"{PUBLIC_URL}/seen/WzFd.x-_y", ['href="/seen/WzFd.x-_y"']),
        ("https://evil.example/seen/WzFd.x-_y", []),
        (f"{PUBLIC_URL}.evil.example/seen/WzFd.x-_y", []),
        (f"{PUBLIC_URL}/w/harbor/destinations/1/delete", []),
        ("javascript:alert(1)", []),
    ],
)
def test_only_our_own_links_can_be_followed(
    visitor: Visitor, inbox: Inbox, service: Service, body: str, link: str, links: list[str]
) -> None:
    inbox.add(replace(WEBHOOK, service=service, body=body.replace("LINK", link)), NOW)
    page = visitor.get("/demo/inbox/messages").text
    assert re.findall(r'href="(?!/static/|/r/)[^"]*"', page) == links


@pytest.mark.parametrize(("answered", "count"), [(200, 1), (503, 0), (0, 1)])
def test_a_refused_message_has_no_working_link(visitor: Visitor, inbox: Inbox, answered: int, count: int) -> None:
    body = BUTTON.replace("LINK", f"{PUBLIC_URL}/seen/WzFd.x-_y")
    card = replace(WEBHOOK, service=Service.TEAMS, body=body)
    inbox.add(replace(card, answered=answered, accepted=answered == 200), NOW)
    assert visitor.get("/demo/inbox").text.count('href="/seen/') == count


def test_a_mail_refused_at_its_recipient_shows_the_recipient(visitor: Visitor, inbox: Inbox) -> None:
    refused = replace(WEBHOOK, service=Service.EMAIL, body="", recipients=("unknown@example.com",))
    inbox.add(replace(refused, accepted=False, answered=550), NOW)
    page = visitor.get("/demo/inbox").text
    assert "unknown@example.com" in page
    assert "No content" in page


@pytest.mark.usefixtures("uninterrupted")
@pytest.mark.parametrize("service", list(Service))
@pytest.mark.parametrize(
    "body", ["", "\x00", "[" * 60_000, NESTED, r'{"text": "\ud800"}', "Subject: \ufffd\r\n\r\n<script>"]
)
def test_garbage_is_shown_as_plain_text(visitor: Visitor, inbox: Inbox, service: Service, body: str) -> None:
    inbox.add(replace(WEBHOOK, service=service, body=body), NOW)
    assert visitor.get("/demo/inbox").status_code == 200


def test_the_page_polls_for_newer_messages_than_its_list(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(WEBHOOK, NOW)
    page = visitor.get("/demo/inbox").text
    assert 'hx-get="/demo/inbox/messages?seen=1"' in page
    assert 'hx-trigger="every 2s"' in page


def test_a_current_list_is_not_sent_again(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(WEBHOOK, NOW)
    response = visitor.get("/demo/inbox/messages?seen=1")
    assert (response.status_code, response.text) == (204, "")


@pytest.mark.parametrize("seen", ["0", "2", "", "x"])
def test_any_other_list_is_replaced_by_the_newest(visitor: Visitor, inbox: Inbox, seen: str) -> None:
    inbox.add(WEBHOOK, NOW)
    assert visitor.get(f"/demo/inbox/messages?seen={seen}").text.count('id="message-1"') == 1


def test_the_list_fragment_equals_the_list_on_the_page(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(WEBHOOK, NOW)
    assert visitor.get("/demo/inbox/messages").text in visitor.get("/demo/inbox").text


def test_clearing_empties_the_inbox_and_shows_it(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(WEBHOOK, NOW)
    response = visitor.post("/demo/inbox/clear")
    assert (response.status_code, response.location) == (303, "/demo/inbox")
    assert inbox.list_newest() == []


def test_clearing_asks_for_confirmation(visitor: Visitor) -> None:
    assert 'hx-confirm="Clear the demo inbox?' in visitor.get("/demo/inbox").text


def test_clearing_needs_the_csrf_token_of_our_page(visitor: Visitor, inbox: Inbox) -> None:
    inbox.add(WEBHOOK, NOW)
    assert visitor.client.post("/demo/inbox/clear").status_code == 400
    assert len(inbox.list_newest()) == 1


@pytest.fixture
def own_message(app: Flask, seeded: SeededIds) -> Arrival:
    """A message of a test of the harbor's destination."""
    with app.app_context():
        return replace(WEBHOOK, body=_write_body(seeded, get_destination(seeded)))


def _write_body(seeded: SeededIds, destination: AlertDestination) -> str:
    delivery = add_delivery(destination, payload={"reference": "7F3KQ9"})
    return f'{{"receipt_link": "{app_state().settings.links.make(delivery.id, "7F3KQ9")}"}}'


def test_a_message_names_its_destination_and_links_to_it(
    visitor: Visitor, inbox: Inbox, own_message: Arrival, seeded: SeededIds
) -> None:
    inbox.add(own_message, NOW)
    link = f'<a href="/w/harbor/destinations/{seeded.destination}"><bdi>Ticket system</bdi></a>'
    assert link in visitor.get("/demo/inbox/messages").text


def test_a_refused_message_names_its_destination_too(visitor: Visitor, inbox: Inbox, own_message: Arrival) -> None:
    inbox.add(replace(own_message, answered=404, accepted=False), NOW)
    page = visitor.get("/demo/inbox/messages").text
    assert "<bdi>Ticket system</bdi>" in page
    assert "/seen/" not in re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("body", [f'{{"receipt_link": "{PUBLIC_URL}/seen/WzFd.x-_y"}}', "{}", ""])
def test_a_message_without_our_signed_link_names_no_destination(visitor: Visitor, inbox: Inbox, body: str) -> None:
    inbox.add(replace(WEBHOOK, body=body), NOW)
    assert "/destinations/" not in visitor.get("/demo/inbox/messages").text


def test_a_message_of_a_foreign_workspace_names_no_destination(
    visitor: Visitor, inbox: Inbox, app: Flask, seeded: SeededIds
) -> None:
    with app.app_context():
        foreign = db.session.get_one(AlertDestination, seeded.foreign_destination)
        inbox.add(replace(WEBHOOK, body=_write_body(seeded, foreign)), NOW)
    page = visitor.get("/demo/inbox").text
    assert "Lab system" not in page
    assert "/destinations/" not in page.partition('id="inbox-messages"')[2]


def test_a_mail_refused_at_its_recipient_names_the_only_destination_with_this_recipient(
    visitor: Visitor, inbox: Inbox, app: Flask, seeded: SeededIds
) -> None:
    with app.app_context():
        for name, recipients in (("First", "a@example.com, b@example.com"), ("Second", "b@example.com")):
            settings = {"recipients": recipients}
            cipher = app_state().settings.cipher
            add_destination(get_workspace(seeded), get_account(seeded), "email", name, settings, cipher, NOW)
    for recipient in ("A@example.com", "b@example.com"):
        refused = replace(WEBHOOK, service=Service.EMAIL, body="", recipients=(recipient,), answered=550)
        inbox.add(replace(refused, accepted=False), NOW)
    names = re.findall(r'destinations/\d+"><bdi>(\w+)</bdi>', visitor.get("/demo/inbox/messages").text)
    assert names == ["First"]


def test_the_inbox_can_show_one_destination_only(
    visitor: Visitor, inbox: Inbox, own_message: Arrival, seeded: SeededIds
) -> None:
    inbox.add(WEBHOOK, NOW)
    inbox.add(own_message, NOW)
    inbox.add(WEBHOOK, NOW)
    page = visitor.get(f"/demo/inbox?destination={seeded.destination}").text
    assert re.findall(r'id="message-(\d+)"', page) == ["2"]
    assert f'<option value="{seeded.destination}" selected>Ticket system</option>' in page
    assert f'hx-get="/demo/inbox/messages?seen=3&amp;destination={seeded.destination}"' in page


def test_the_destinations_to_choose_from_are_the_visitors_own(visitor: Visitor, seeded: SeededIds) -> None:
    page = visitor.get("/demo/inbox").text
    assert re.findall(r'<option value="(\d+)"', page) == [str(seeded.destination)]


@pytest.mark.parametrize("given", ["foreign", "999999", "x", "0"])
def test_the_inbox_of_a_foreign_or_missing_destination_is_not_found(
    visitor: Visitor, seeded: SeededIds, given: str
) -> None:
    number = given.replace("foreign", str(seeded.foreign_destination))
    assert visitor.get(f"/demo/inbox?destination={number}").status_code == 404


def test_clearing_keeps_the_chosen_destination(visitor: Visitor, seeded: SeededIds) -> None:
    response = visitor.post(f"/demo/inbox/clear?destination={seeded.destination}")
    assert response.location == f"/demo/inbox?destination={seeded.destination}"


@pytest.mark.parametrize("path", ["/demo/inbox", "/demo/inbox/messages"])
def test_a_visitor_who_is_not_signed_in_cannot_read_the_inbox(app: Flask, inbox: Inbox, path: str) -> None:
    inbox.add(WEBHOOK, NOW)
    response = Visitor.anonymous(app).get(path)
    assert response.status_code == 302
    assert "7F3KQ9" not in response.text


def test_a_visitor_who_is_not_signed_in_cannot_clear_the_inbox(app: Flask, inbox: Inbox) -> None:
    inbox.add(WEBHOOK, NOW)
    Visitor.anonymous(app).post("/demo/inbox/clear")
    assert len(inbox.list_newest()) == 1


def test_without_the_demo_there_is_no_inbox(environment: dict[str, str]) -> None:
    rules = create_app(read_settings(environment | {"ALERTCHECK_DEMO": "0"})).url_map.iter_rules()
    assert [rule.rule for rule in rules if "inbox" in rule.rule] == []
