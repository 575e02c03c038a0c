"""A destination's page and forms: permissions, stored values, sentences, and hidden secrets."""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.channels.valid_settings import VALID_SETTINGS as GOOD
from tests.factories import (
    NOW,
    SECRET_PATH,
    SIGNING_SECRET,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
)
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.channels import CHANNELS
from webapp.channels.email import NO_MAIL_SERVER
from webapp.deliveries import send
from webapp.destinations.editing import add_destination
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, Role
from webapp.settings import AppSettings, read_settings
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

Visit = Callable[[int], Visitor]

LIST = "/w/harbor/destinations"
OWN = f"{LIST}/1"
# The form of the seeded destination as a browser sends it when nothing was typed.
BLANK = {"name": "Ticket system", "address": "", "signing_secret": ""}

ADDRESS, OTHER_SECRET = GOOD["webhook"]["address"], GOOD["webhook"]["signing_secret"]

# What the form of a webhook has chosen if nobody changes it.
CHOSEN = {"method": "POST", "body": "standard"}


@pytest.fixture
def admin(seeded: SeededIds, visit: Visit) -> Visitor:
    return visit(seeded.admin)


@pytest.fixture
def mailbox(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> str:
    """The path of an email destination with two recipients."""
    with app.app_context():
        harbor, account = get_workspace(seeded), get_account(seeded)
        mailbox = add_destination(harbor, account, "email", "Desk", GOOD["email"], app_settings.cipher, NOW)
        return f"{LIST}/{mailbox.id}"


@pytest.fixture
def row(app: Flask, app_settings: AppSettings) -> Callable[[int], tuple[AlertDestination, dict[str, str]]]:
    """Return a destination's row and its decrypted settings."""

    def look(destination_id: int = 1) -> tuple[AlertDestination, dict[str, str]]:
        with app.app_context():
            found = db.session.get_one(AlertDestination, destination_id)
            return found, app_settings.cipher.decrypt(found.config, context=found.encryption_context)

    return look


Row = Callable[..., tuple[AlertDestination, dict[str, str]]]


def _overwrite(app: Flask, seeded: SeededIds, **facts: object) -> None:
    """Change the seeded destination directly in the database."""
    with app.app_context():
        destination = get_destination(seeded)
        for name, value in facts.items():
            setattr(destination, name, value)
        db.session.commit()


def _errors(page: str) -> dict[str, str]:
    """Return the error sentence of each field that has one."""
    return dict(re.findall(r'<p class="error" id="(\w+)-error">([^<]+)</p>', page))


def test_every_channel_is_offered_by_its_label(environment: dict[str, str], seeded: SeededIds) -> None:
    mail = {"ALERTCHECK_MAIL_URL": "smtp://127.0.0.1:1", "ALERTCHECK_MAIL_FROM": "alerts@example.com"}
    app = create_app(read_settings(environment | mail))

    page = Visitor.signed_in(app, seeded.admin).get(f"{LIST}/new").text

    by_label = sorted(CHANNELS, key=lambda name: CHANNELS[name].label.casefold())
    assert re.findall(rf'href="{LIST}/new/(\w+)"', page) == by_label


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_form_shows_the_channels_guide_step_by_step(admin: Visitor, channel: str) -> None:
    page = admin.get(f"{LIST}/new/{channel}").text
    steps = re.findall("<li>(.+?)</li>", page[page.index("<ol") :])

    assert [unescape(step) for step in steps] == list(CHANNELS[channel].guide)


def test_the_edit_form_shows_the_guide(admin: Visitor) -> None:
    assert CHANNELS["webhook"].guide[0] in admin.get(f"{OWN}/edit").text


@on_both_databases
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_destination_of_every_channel_can_be_added(admin: Visitor, row: Row, channel: str) -> None:
    response = admin.post(f"{LIST}/new/{channel}", {"name": "Überseehafen 🚢"} | GOOD[channel])

    added, settings = row(3)
    assert (response.status_code, response.location) == (302, f"{LIST}/3")
    assert (added.workspace_id, added.name, added.type, added.is_enabled) == (1, "Überseehafen 🚢", channel, True)
    blank = {field.name: "" for field in CHANNELS[channel].fields}
    assert {**blank, **settings} == {**blank, **GOOD[channel]}


def _list_facts(page: str) -> dict[str, str]:
    """Return the definitions of a page by their terms."""
    return dict(re.findall(r"<dt>([^<]+)</dt>\s*<dd>([^<]*)</dd>", page))


@on_both_databases
def test_an_admin_chooses_whether_mail_is_marked_as_automatic_and_every_member_sees_it(
    seeded: SeededIds, visit: Visit, admin: Visitor, mailbox: str, row: Row
) -> None:
    label, viewer, form = "Leave out the Auto-Submitted header", visit(seeded.viewer), {"name": "Desk"} | GOOD["email"]

    def save(flag: dict[str, str]) -> tuple[bool, bool]:
        """Save the form, and return whether the page shows the choice, and whether the form's box is ticked."""
        assert admin.post(f"{mailbox}/edit", form | flag).status_code == 302
        (box,) = re.findall(r'<input[^>]+type="checkbox"[^>]*>', admin.get(f"{mailbox}/edit").text)
        return label in _list_facts(viewer.get(mailbox).text), " checked" in box

    assert save({"omit_auto_submitted": "yes"}) == (True, True)
    assert save({}) == (False, False)
    assert row(3)[0].settings_version == 3


def test_only_a_form_with_stored_secrets_says_that_a_new_one_replaces_them(admin: Visitor, mailbox: str) -> None:
    warning = "A new address or secret permanently replaces the stored one."

    assert warning in admin.get(f"{OWN}/edit").text
    assert warning not in admin.get(f"{mailbox}/edit").text


def test_a_waiting_test_is_canceled_if_mail_is_to_be_marked_otherwise(
    app: Flask, admin: Visitor, mailbox: str, app_settings: AppSettings
) -> None:
    admin.post(f"{mailbox}/test")
    admin.post(f"{mailbox}/edit", {"name": "Desk", "omit_auto_submitted": "yes"} | GOOD["email"])

    with app.app_context():
        delivery_id = db.session.scalars(select(AlertDelivery.id)).one()
        send(delivery_id, app_settings)
        newest = db.session.get_one(AlertDelivery, delivery_id)
        assert (newest.status, newest.last_error_code) == (DeliveryStatus.CANCELED, "destination_changed")


@pytest.mark.parametrize("role", ["support", "viewer"])
def test_only_admins_choose_whether_mail_is_marked_as_automatic(
    seeded: SeededIds, visit: Visit, mailbox: str, row: Row, role: str
) -> None:
    form = {"name": "Desk", "omit_auto_submitted": "yes"} | GOOD["email"]

    assert visit(getattr(seeded, role)).post(f"{mailbox}/edit", form).status_code == 403
    assert row(3)[1] == GOOD["email"]


def test_after_adding_the_page_shows_the_next_step(admin: Visitor) -> None:
    added = admin.post(f"{LIST}/new/webhook", {"name": "Pager"} | GOOD["webhook"])

    assert "<bdi>Pager</bdi> was added. Send a test to see" in admin.get(added.location or "").text


@pytest.fixture
def empty_workspace_admin(app: Flask, seeded: SeededIds, visit: Visit) -> Visitor:
    """The admin of an empty workspace."""
    with app.app_context():
        set_role(add_workspace("quay", "Quay", NOW), get_account(seeded), Role.ADMIN)
        db.session.commit()
    return visit(seeded.admin)


def _follow(visitor: Visitor, page: TestResponse, words: str) -> TestResponse:
    """Follow the link with this text."""
    link = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>(?:<i class="[^"]+"></i>)? ?{words}</a>', page.text)
    assert link, f"no link has the text {words}"
    return visitor.get(link[1])


def test_an_empty_workspace_leads_to_its_first_destination_and_test(
    empty_workspace_admin: Visitor,
) -> None:
    kinds = _follow(empty_workspace_admin, empty_workspace_admin.get("/w/quay/destinations"), "Add a destination")
    form = _follow(empty_workspace_admin, kinds, "Webhook")
    assert CHANNELS["webhook"].guide[0] in form.text

    added = empty_workspace_admin.post(form.request.path, {"name": "Pager"} | GOOD["webhook"])
    page = empty_workspace_admin.get(added.location or "")
    assert re.search(r'<button class="first send"', page.text)

    [press] = re.findall(r'formaction="([^"]+/test)"', page.text)
    sent = empty_workspace_admin.post(press)
    assert (sent.status_code, 'data-last-test="pending"' in sent.text) == (200, True)
    assert 'class="first' not in sent.text


def test_an_empty_form_names_every_required_field(admin: Visitor) -> None:
    response = admin.post(f"{LIST}/new/webhook")

    assert response.status_code == 400
    assert _errors(response.text) == {
        "name": "Give the destination a name.",
        "address": "Enter the address.",
    }


@pytest.mark.parametrize(
    ("channel", "address", "sentence"),
    [
        ("webhook", "ftp://hooks.example.com/canary", "it does not begin with https://."),
        ("webhook", "https://ann:canary@hooks.example.com/", "does not support credentials in an address."),
        (
            "webhook",
            "https://hooks.example.com:8443/canary",
            "The address of hooks.example.com uses port 8443 instead of 443.",
        ),
        ("webhook", "https://10.0.0.1/canary", "The address of 10.0.0.1 is not on the public internet."),
        ("webhook", "canary", "This is not a web address"),
        (
            "teams",
            "https://x.webhook.office.com/webhookb2/canary",
            "which Microsoft has retired. Create a workflow in Teams",
        ),
        ("teams", "https://x.environment.api.powerplatform.com/canary", "(it has no sig). In Power Automate"),
        ("slack", "https://hooks.slack.com/canary", "This is not the address of an incoming webhook."),
    ],
)
def test_a_wrong_address_gets_a_sentence_beside_the_field_and_is_not_repeated(
    admin: Visitor, caplog: pytest.LogCaptureFixture, channel: str, address: str, sentence: str
) -> None:
    caplog.set_level(logging.DEBUG)

    response = admin.post(f"{LIST}/new/{channel}", {"name": "Night shift", "address": address})

    assert response.status_code == 400
    assert sentence in _errors(response.text)["address"]
    assert 'aria-describedby="address-help address-check" aria-invalid="true"' in response.text
    assert "canary" not in response.text + str(response.headers) + caplog.text


def test_a_wrong_form_keeps_the_name_and_drops_every_secret(admin: Visitor) -> None:
    form = {"name": "Night <shift>", "address": "http://wrong.example/canary", "signing_secret": OTHER_SECRET}

    page = admin.post(f"{LIST}/new/webhook", form).text

    assert 'value="Night &lt;shift&gt;"' in page
    assert "canary" not in page
    assert OTHER_SECRET not in page


def test_a_wrong_form_starts_with_links_to_its_errors(admin: Visitor) -> None:
    page = admin.post(f"{LIST}/new/webhook", {"name": "", "address": "ftp://x", "signing_secret": OTHER_SECRET}).text

    summary = page.partition('id="errors" tabindex="-1" autofocus')[2].partition("</section>")[0]
    assert "Not saved: 2 fields need to be corrected" in summary
    assert re.findall(r'<a href="#(\w+)">([^<]+)</a>: ', summary) == [("name", "Name"), ("address", "Address")]
    assert page.index('id="errors"') < page.index('<form class="sheet"')
    assert "<title>Error: Add Webhook" in page


def test_a_wrong_form_lists_the_wrong_secrets_to_type_again(admin: Visitor) -> None:
    one = admin.post(f"{LIST}/new/webhook", {"name": "", "address": "ftp://x", "signing_secret": OTHER_SECRET}).text
    neither = admin.post(f"{OWN}/edit", BLANK | {"name": ""}).text

    assert "Enter again: Address.</p>" in one
    assert "Enter again" not in neither


def test_a_new_form_shows_no_errors(admin: Visitor) -> None:
    page = admin.get(f"{LIST}/new/webhook").text

    assert "Not saved" not in page
    assert "aria-invalid" not in page


def test_wrong_recipients_are_shown_as_they_were_typed(admin: Visitor) -> None:
    page = admin.post(f"{LIST}/new/email", {"name": "Desk", "recipients": "ann@example.com, <bob>"}).text

    assert "“bob” is not an email address" in _errors(page)["recipients"]
    assert "ann@example.com, &lt;bob&gt;</textarea>" in page


def test_a_wrong_recipient_is_quoted_as_text(admin: Visitor) -> None:
    page = admin.post(f"{LIST}/new/email", {"name": "Desk", "recipients": "bob&lt;i&gt;"}).text

    assert "“bob&amp;lt” is not an email address" in page


def test_refused_settings_are_not_stored(app: Flask, admin: Visitor) -> None:
    admin.post(f"{LIST}/new/webhook", {"name": "Pager", "address": "http://hooks.example.com/"})

    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AlertDestination)) == 2


@on_both_databases
@pytest.mark.parametrize("name", ["🚢" * 200, "".join(map(chr, range(0x4E00, 0x4E00 + 200))), "नमस्ते"])
def test_a_name_of_200_characters_of_any_script_is_kept(admin: Visitor, row: Row, name: str) -> None:
    response = admin.post(f"{OWN}/edit", BLANK | {"name": name})

    assert response.status_code == 302
    assert row()[0].name == name
    assert name in admin.get(OWN).text


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("n" * 201, "Use at most 200 characters."),
        ("", "Give the destination a name."),
        (" \t ", "Give the destination"),
    ],
)
def test_a_name_that_is_too_long_or_blank_is_refused(admin: Visitor, row: Row, name: str, sentence: str) -> None:
    response = admin.post(f"{OWN}/edit", BLANK | {"name": name})

    assert response.status_code == 400
    assert sentence in _errors(response.text)["name"]
    assert row()[0].name == "Ticket system"


@on_both_databases
def test_a_name_with_a_nul_breaks_nothing(admin: Visitor) -> None:
    assert admin.post(f"{OWN}/edit", BLANK | {"name": "Ticket\x00system"}).status_code in (302, 400)


def test_the_form_shows_the_name_and_explains_that_blank_keeps_the_stored_value(admin: Visitor) -> None:
    page = admin.get(f"{OWN}/edit").text

    assert 'value="Ticket system"' in page
    assert page.count("Leave blank to keep the stored value.") == 2


@pytest.mark.parametrize("blank", ["", " ", "\t\r\n", "\N{NO-BREAK SPACE}"])
def test_blank_secrets_are_kept(admin: Visitor, row: Row, blank: str) -> None:
    before = row()

    response = admin.post(f"{OWN}/edit", {"name": "Renamed", "address": blank, "signing_secret": blank})

    after, settings = row()
    assert response.status_code == 302
    assert settings == before[1]
    assert (after.name, after.settings_version) == ("Renamed", before[0].settings_version)


def test_a_form_without_its_secret_fields_keeps_the_secrets(admin: Visitor, row: Row) -> None:
    before = row()[1]

    admin.post(f"{OWN}/edit", {"name": "Renamed"})

    assert row()[1] == before


def test_one_secret_can_be_changed_without_the_other(admin: Visitor, row: Row) -> None:
    before = row()

    admin.post(f"{OWN}/edit", BLANK | {"address": ADDRESS})

    after, settings = row()
    assert settings == {"address": ADDRESS, "signing_secret": SIGNING_SECRET} | CHOSEN
    assert after.settings_version == before[0].settings_version + 1


def test_a_wrong_edit_changes_nothing_and_keeps_the_typed_name(admin: Visitor, row: Row) -> None:
    before = row()

    response = admin.post(f"{OWN}/edit", {"name": "Renamed", "address": "http://canary", "signing_secret": ""})

    after, settings = row()
    assert 'value="Renamed"' in response.text
    assert (response.status_code, after.name, settings) == (400, "Ticket system", before[1])


@pytest.mark.parametrize("who", ["admin", "support", "viewer"])
@pytest.mark.parametrize("page", ["", "/1", "/1/edit", "/1/delete", "/1/status", "/1/details"])
def test_no_page_shows_a_stored_secret_to_anybody(seeded: SeededIds, visit: Visit, who: str, page: str) -> None:
    response = visit(getattr(seeded, who)).get(LIST + page)

    assert SECRET_PATH not in response.text
    assert SIGNING_SECRET.removeprefix("whsec_") not in response.text


def test_saving_shows_no_secret(admin: Visitor) -> None:
    saved = admin.post(f"{OWN}/edit", BLANK | {"address": ADDRESS, "signing_secret": OTHER_SECRET})

    page = admin.get(saved.location or "").text
    assert "<bdi>Ticket system</bdi> was saved." in page
    assert "canary" not in page
    assert OTHER_SECRET not in page


def test_a_secret_is_shown_as_a_fingerprint_that_changes_with_it(admin: Visitor) -> None:
    before = re.findall(r"fingerprint <code>(\w{8})</code>", admin.get(OWN).text)

    admin.post(f"{OWN}/edit", BLANK | {"address": ADDRESS})

    after = re.findall(r"fingerprint <code>(\w{8})</code>", admin.get(OWN).text)
    assert (len(before), after[0] == before[0], after[1]) == (2, False, before[1])


def test_an_admin_sees_recipients_in_full_on_the_page_and_in_the_form(admin: Visitor, mailbox: str) -> None:
    assert f"<dd>{GOOD['email']['recipients']}</dd>" in admin.get(mailbox).text
    assert f"{GOOD['email']['recipients']}</textarea>" in admin.get(f"{mailbox}/edit").text


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("support", "a***@example.com, b***@example.org"),
        ("viewer", "2 recipients at example.com, example.org"),
    ],
)
def test_support_sees_the_recipients_masked_and_viewers_their_number_and_domains(
    app: Flask, seeded: SeededIds, visit: Visit, mailbox: str, who: str, shown: str
) -> None:
    with app.app_context():
        destination = db.session.get_one(AlertDestination, int(mailbox.rpartition("/")[2]))
        add_delivery(destination, status=DeliveryStatus.FAILED, last_error_code="recipients_refused")

    page = visit(getattr(seeded, who)).get(mailbox).text

    assert f"<dd>{shown}</dd>" in page
    assert f"Where to: {shown}" in page
    assert "ann@" not in page


EXCHANGE = {
    "steps": [["lookup", 12.0], ["connect", 18.0], ["tls", 25.0], ["first_byte", 95.0], ["response", 30.0]],
    "is_complete": True,
    "family": 4,
    "address": "10.20.30.40",
    "tries": 1,
    "certificate": {
        "issuer": "<script>alert(1)</script>",
        "not_before": "2026-01-01T00:00:00+00:00",
        "not_after": "2026-05-10T00:00:00+00:00",
    },
    "media_type": "application/json",
    "size": 27,
    "redirect_host": "login.example.com",
}


@pytest.fixture
def tested(app: Flask, seeded: SeededIds) -> None:
    """The seeded destination accepted a test, whose exchange is known."""
    sent = {"status": DeliveryStatus.SENT, "sent_at": NOW, "attempt_count": 1, "answer_status": 202}
    with app.app_context():
        add_delivery(get_destination(seeded), **sent, exchange=EXCHANGE)


@pytest.mark.usefixtures("tested")
def test_the_page_shows_the_exchange_in_a_folded_section_with_numbers_beside_the_bar(admin: Visitor) -> None:
    page = admin.get(OWN).text

    assert '<details class="exchange" id="exchange">' in page
    assert "<summary>The exchange: 180 ms in all</summary>" in page
    assert re.findall(r"</i> ([^:]+): <b>([^<]+)</b>", page) == [
        ("Look-up of the name", "12 ms"),
        ("Connection", "18 ms"),
        ("TLS", "25 ms"),
        ("First byte", "95 ms"),
        ("Rest of the response", "30 ms"),
    ]
    assert "<dd>202, application/json, 27 bytes</dd>" in page
    assert "<dd>login.example.com</dd>" in page


@pytest.mark.usefixtures("tested")
@pytest.mark.parametrize(
    ("who", "shown"),
    [("admin", "10.20.30.40 (IPv4)"), ("support", "a private one (IPv4)"), ("viewer", "a private one")],
)
def test_only_admins_see_a_private_address_and_the_report_names_it_to_nobody(
    seeded: SeededIds, visit: Visit, who: str, shown: str
) -> None:
    page = visit(getattr(seeded, who)).get(OWN).text

    assert f"<dd>{shown}" in page
    assert "Address: a private one (IPv4)" in page
    assert page.count("10.20.30.40") == (who == "admin")


@pytest.mark.usefixtures("tested")
def test_what_a_receiver_wrote_into_its_certificate_is_text_and_no_markup(admin: Visitor) -> None:
    assert "<script>alert" not in admin.get(OWN).text


@pytest.mark.usefixtures("tested")
def test_the_report_has_the_timing_and_what_the_receiver_showed(admin: Visitor) -> None:
    report = unescape(admin.get(OWN).text)

    assert "Timing: look-up of the name 12 ms; connection 18 ms; TLS 25 ms; first byte 95 ms; rest of the " in report
    assert "Response: 202, application/json, 27 bytes" in report


def test_a_test_without_a_known_exchange_has_no_section(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW)

    assert 'id="exchange"' not in admin.get(OWN).text


@pytest.mark.parametrize("who", ["support", "viewer", "stranger"])
@pytest.mark.parametrize("action", ["edit", "disable", "delete"])
def test_members_who_may_not_edit_change_nothing(
    seeded: SeededIds, visit: Visit, row: Row, who: str, action: str
) -> None:
    response = visit(getattr(seeded, who)).post(f"{OWN}/{action}", BLANK | {"name": "Renamed", "address": ADDRESS})

    after, settings = row()
    assert response.status_code in (403, 404)
    assert (after.name, after.is_enabled, after.deleted_at) == ("Ticket system", True, None)
    assert settings["address"] != ADDRESS


@pytest.mark.parametrize("who", ["support", "viewer", "stranger"])
def test_members_who_may_not_edit_add_nothing(app: Flask, seeded: SeededIds, visit: Visit, who: str) -> None:
    visit(getattr(seeded, who)).post(f"{LIST}/new/webhook", {"name": "Pager"} | GOOD["webhook"])

    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AlertDestination)) == 2


@pytest.mark.parametrize("who", ["support", "viewer"])
def test_members_who_may_not_edit_see_no_edit_controls(seeded: SeededIds, visit: Visit, who: str) -> None:
    page = visit(getattr(seeded, who)).get(OWN).text

    assert re.findall(rf'{OWN}/(?:edit|enable|disable|delete)"', page) == []


def test_disabling_and_enabling_confirm_the_change_and_offer_its_reverse(admin: Visitor, row: Row) -> None:
    admin.post(f"{OWN}/disable")
    disabled, off = admin.get(OWN).text, row()[0].is_enabled
    admin.post(f"{OWN}/enable")
    enabled, on = admin.get(OWN).text, row()[0].is_enabled

    assert (off, on) == (False, True)
    assert "<bdi>Ticket system</bdi> is disabled. Nothing is sent there until it is enabled again" in disabled
    assert f'action="{OWN}/enable"' in disabled
    assert "<bdi>Ticket system</bdi> is enabled." in enabled
    assert f'action="{OWN}/disable"' in enabled


@pytest.mark.parametrize("action", ["enable", "disable"])
def test_disabling_or_enabling_twice_is_the_same_as_once(admin: Visitor, row: Row, action: str) -> None:
    responses = [admin.post(f"{OWN}/{action}").status_code for _ in range(2)]

    assert (responses, row()[0].is_enabled) == ([302, 302], action == "enable")


def test_deleting_asks_for_confirmation(admin: Visitor, row: Row) -> None:
    page = admin.get(f"{OWN}/delete").text

    assert "Delete <bdi>Ticket system</bdi>?" in page
    assert "The history of this destination is kept." in page
    assert row()[0].deleted_at is None


def test_before_deleting_the_page_lists_what_will_be_lost(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        add_real_alert(get_destination(seeded), created_at=datetime.now(UTC))
        add_delivery(get_destination(seeded), created_at=datetime.now(UTC))

    page = " ".join(admin.get(f"{OWN}/delete").text.split())

    assert "Webhook. You cannot undo this." in page
    assert re.search(r"address \(127\.0\.0\.1:\d+, fingerprint <code>\w{8}</code>\), signing secret \(set,", page)
    assert "1 rule sent alerts there: <b><bdi>A rule</bdi></b>." in page
    assert "The pending test is canceled" in page
    assert "It contains 1 test send." in page


def test_before_deleting_the_page_omits_what_does_not_exist(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    _overwrite(app, seeded, config="")

    page = admin.get(f"{OWN}/delete").text

    assert "No rule has sent one in the last 30 days." in page
    assert "Its settings are erased" not in page
    assert "under way" not in page


def test_before_deleting_the_page_offers_to_disable_instead(admin: Visitor) -> None:
    enabled = admin.get(f"{OWN}/delete").text
    admin.post(f"{OWN}/disable")
    disabled = admin.get(f"{OWN}/delete").text

    assert f'formaction="{OWN}/disable"' in enabled
    assert f'formaction="{OWN}/disable"' not in disabled


@on_both_databases
def test_a_deleted_destination_leaves_the_pages_and_keeps_its_deliveries(
    app: Flask, admin: Visitor, seeded: SeededIds
) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW)
        add_real_alert(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW)

    response = admin.post(f"{OWN}/delete")

    assert response.location == LIST
    assert "<bdi>Ticket system</bdi> was deleted." in admin.get(LIST).text
    assert "Ticket system" not in admin.get(LIST).text
    assert admin.get(OWN).status_code == 404
    with app.app_context():
        kept = db.session.scalars(select(AlertDelivery.alert_destination_id)).all()
        assert (list(kept), get_destination(seeded).config) == ([1, 1], "")


def test_deleting_twice_returns_404_the_second_time(admin: Visitor) -> None:
    assert [admin.post(f"{OWN}/delete").status_code for _ in range(2)] == [302, 404]


def test_the_id_of_a_deleted_destination_is_not_reused(admin: Visitor) -> None:
    first = admin.post(f"{LIST}/new/webhook", {"name": "Pager"} | GOOD["webhook"]).location
    admin.post(f"{first}/delete")

    assert admin.post(f"{LIST}/new/webhook", {"name": "Pager"} | GOOD["webhook"]).location != first


def _lost_key(context: str) -> str:
    return SettingsCipher([Fernet.generate_key().decode()], "any").encrypt({"address": ADDRESS}, context=context)


UNREADABLE: dict[str, Callable[[AppSettings], str]] = {
    "empty": lambda app_settings: "",
    "garbage": lambda app_settings: "gärbage \N{BELL}",
    "of a key that was lost": lambda app_settings: _lost_key("workspace 1 destination 1"),
    "of another row": lambda app_settings: app_settings.cipher.encrypt(
        GOOD["webhook"], context="workspace 2 destination 2"
    ),
}


@pytest.fixture(params=UNREADABLE)
def unreadable_settings(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, request: pytest.FixtureRequest
) -> None:
    """Make the seeded destination's settings unreadable."""
    _overwrite(app, seeded, config=UNREADABLE[request.param](app_settings))


@pytest.mark.usefixtures("unreadable_settings")
def test_unreadable_settings_are_explained_on_the_page(admin: Visitor) -> None:
    response = admin.get(OWN)

    assert response.status_code == 200
    assert (
        "The stored settings cannot be decrypted with the current encryption keys. Enter them again, or ask"
        in response.text
    )


@pytest.mark.usefixtures("unreadable_settings")
def test_unreadable_settings_break_no_other_page(admin: Visitor) -> None:
    pages = ["", "/1/edit", "/1/delete", "/1/status", "/1/details"]

    assert [admin.get(LIST + page).status_code for page in pages] == [200] * len(pages)


@pytest.mark.usefixtures("unreadable_settings")
def test_unreadable_settings_must_all_be_entered_again(admin: Visitor) -> None:
    response = admin.post(f"{OWN}/edit", BLANK)

    assert response.status_code == 400
    assert list(_errors(response.text)) == ["address"]
    assert "Leave blank to keep" not in response.text
    assert "can no longer be decrypted. Enter all of them again" in response.text


@pytest.mark.usefixtures("unreadable_settings")
def test_unreadable_settings_can_be_replaced(admin: Visitor, row: Row) -> None:
    admin.post(f"{OWN}/edit", BLANK | GOOD["webhook"])

    assert row()[1] == GOOD["webhook"]


def test_members_who_may_not_edit_are_not_asked_to_enter_settings(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    _overwrite(app, seeded, config="")

    page = visit(seeded.support).get(OWN).text

    assert "Ask your Alertcheck administrator whether an encryption key was lost." in page
    assert "Enter them again" not in page


def test_settings_without_a_later_versions_field_break_no_page(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, admin: Visitor
) -> None:
    _overwrite(
        app, seeded, config=app_settings.cipher.encrypt({"address": ADDRESS}, context="workspace 1 destination 1")
    )

    assert [admin.get(path).status_code for path in (LIST, OWN, f"{OWN}/edit")] == [200, 200, 200]
    assert admin.post(f"{OWN}/edit", BLANK).status_code == 302


@pytest.fixture
def removed_channel(app: Flask, seeded: SeededIds) -> None:
    """Give the seeded destination a channel that no longer exists."""
    _overwrite(app, seeded, type="pigeon")


@pytest.mark.usefixtures("removed_channel")
def test_a_destination_of_a_removed_channel_shows_the_channels_name(admin: Visitor) -> None:
    response = admin.get(OWN)

    assert response.status_code == 200
    assert re.search(r"</i>\s*pigeon\s", response.text)


@pytest.mark.usefixtures("removed_channel")
def test_a_removed_channel_is_not_explained_by_a_lost_key(admin: Visitor) -> None:
    assert "cannot be read with the keys" not in admin.get(OWN).text


@pytest.mark.usefixtures("removed_channel")
def test_a_destination_of_a_removed_channel_can_be_disabled_and_deleted_but_not_edited(
    admin: Visitor,
) -> None:
    assert admin.get(f"{OWN}/status").status_code == 200
    assert admin.get(f"{OWN}/edit").status_code == 404
    assert admin.post(f"{OWN}/disable").status_code == 302
    assert admin.post(f"{OWN}/delete").status_code == 302


@pytest.mark.parametrize("page", ["/1", "/1/edit", "/1/delete", "/1/status"])
def test_a_name_is_escaped_on_every_page(app: Flask, seeded: SeededIds, admin: Visitor, page: str) -> None:
    _overwrite(app, seeded, name="<script>alert(1)</script>\"'")

    text = admin.get(LIST + page).text

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;" in text


def test_a_name_is_escaped_in_the_confirmation_of_a_change(admin: Visitor) -> None:
    admin.post(f"{OWN}/edit", BLANK | {"name": "<b>bold</b>"})

    assert "<bdi>&lt;b&gt;bold&lt;/b&gt;</bdi> was saved." in admin.get(OWN).text


def test_the_page_lists_the_last_test_sends_newest_first(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        destination = get_destination(seeded)
        add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW, payload={"reference": "AAAAAA"})
        add_delivery(
            destination,
            status=DeliveryStatus.FAILED,
            last_error_code="not_found",
            last_error_message="127.0.0.1 answered 404.",
            requested_by_id=seeded.support,
            attempt_count=3,
            answer_seconds=0.5,
            payload={"reference": "BBBBBB"},
            created_at=NOW + timedelta(minutes=2),
        )

    history = admin.get(OWN).text.partition("<tbody>")[2]

    assert history.index("BBBBBB") < history.index("AAAAAA")
    assert "<td><bdi>Support</bdi></td>" in history
    assert "127.0.0.1 answered 404. 3 attempts. <small>0.50 s</small>" in history
    assert "<td>unknown</td>" in history


@pytest.fixture
def busy(app: Flask, seeded: SeededIds) -> None:
    """Add 21 test sends and a newer real alert to the seeded destination."""
    with app.app_context():
        for number in range(21):
            add_delivery(get_destination(seeded), payload={"reference": f"TEST{number:02}"})
        add_real_alert(get_destination(seeded), payload={"reference": "REAL00"}, created_at=datetime.now(UTC))


@pytest.mark.usefixtures("busy")
def test_the_page_lists_at_most_20_test_sends_and_no_real_alert(admin: Visitor) -> None:
    history = admin.get(OWN).text.partition("<tbody>")[2]

    assert re.findall(r"<code>(\w{6})</code>", history) == [f"TEST{number:02}" for number in range(20, 0, -1)]


@pytest.mark.usefixtures("busy")
def test_the_details_fragment_equals_the_details_on_the_page(admin: Visitor) -> None:
    rows = re.compile("<tbody>.*</tbody>", re.DOTALL)

    assert rows.findall(admin.get(f"{OWN}/details").text) == rows.findall(admin.get(OWN).text) != []


def test_what_surrounds_a_badge_is_loaded_after_it(admin: Visitor) -> None:
    """A receiver that answers at once then costs one load of each fragment, and none in front of the badge."""
    triggers = re.compile(r'hx-trigger="(?:every \w+, )?(tested from:body[^",]*)')
    pages = admin.get(OWN).text + admin.get("/w/harbor/destinations").text

    assert triggers.findall(pages) == ["tested from:body delay:300ms"] * 3


def test_email_is_not_offered_without_a_mail_server(seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.admin).get("/w/harbor/destinations/new").text

    assert 'href="/w/harbor/destinations/new/teams"' in page
    assert 'href="/w/harbor/destinations/new/email"' not in page
    assert NO_MAIL_SERVER in page


def test_the_form_for_email_says_that_there_is_no_mail_server(seeded: SeededIds, visit: Visit) -> None:
    assert NO_MAIL_SERVER in visit(seeded.admin).get("/w/harbor/destinations/new/email").text


def test_a_form_for_another_channel_does_not_mention_the_mail_server(seeded: SeededIds, visit: Visit) -> None:
    assert NO_MAIL_SERVER not in visit(seeded.admin).get("/w/harbor/destinations/new/teams").text


@pytest.mark.parametrize(("status", "count"), [(DeliveryStatus.QUEUED, 1), (DeliveryStatus.CANCELED, 0)])
def test_without_javascript_a_page_is_loaded_again_until_the_test_has_ended(
    app: Flask, seeded: SeededIds, visit: Visit, status: DeliveryStatus, count: int
) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), status=status, created_at=datetime.now(UTC))

    page = visit(seeded.viewer).get(f"/w/harbor/destinations/{seeded.destination}").text

    assert page.count('<noscript><meta http-equiv="refresh" content="5"></noscript>') == count


def test_many_recipients_are_folded_and_complete(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, visit: Visit
) -> None:
    many = ", ".join(f"desk{number}@example.com" for number in range(20))
    with app.app_context():
        destination = get_destination(seeded)
        destination.type = "email"
        context = destination.encryption_context
        destination.config = app_settings.cipher.encrypt({"recipients": many}, context=context)
        db.session.commit()

    page = visit(seeded.admin).get(f"/w/harbor/destinations/{seeded.destination}").text

    assert f"<summary>desk0@example.com, desk1@example.com and 18 more</summary>{many}</details>" in page
