"""The preview's page: what a test would send, to the letter, for whoever may look, and without its secrets."""

from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.factories import NOW, SECRET_PATH, SIGNING_SECRET, SeededIds, get_account, get_destination, get_workspace
from tests.visitor import Visitor
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDelivery
from webapp.settings import AppSettings

Visit = Callable[[int], Visitor]

OWN = "/w/harbor/destinations/1"
RECIPIENTS = "ann@example.com, bob@example.org"


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """The operator's settings, with a mail server."""
    return environment | {
        "ALERTCHECK_MAIL_URL": "smtps://desk:canary-password@127.0.0.1:1",
        "ALERTCHECK_MAIL_FROM": "alerts@example.com",
    }


@pytest.fixture
def mailbox(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> str:
    """The path of a destination that leads to two mailboxes."""
    with app.app_context():
        settings = {"recipients": RECIPIENTS}
        desk = add_destination(
            get_workspace(seeded), get_account(seeded), "email", "Desk", settings, app_settings.cipher, NOW
        )
        return f"/w/harbor/destinations/{desk.id}"


def test_the_destinations_page_leads_to_it(seeded: SeededIds, visit: Visit) -> None:
    assert f'href="{OWN}/preview"' in visit(seeded.viewer).get(OWN).text


@pytest.mark.parametrize("who", ["admin", "support", "viewer"])
def test_every_member_sees_the_body_with_room_to_read_and_no_secret(seeded: SeededIds, visit: Visit, who: str) -> None:
    page = unescape(visit(getattr(seeded, who)).get(f"{OWN}/preview").text)

    assert '{\n  "type": "alerts.test",\n' in page
    assert f'"sent_by": "{who.capitalize()}",\n    "sent_at": ' in page
    assert '"reference": "SAMPLE"' in page
    assert SECRET_PATH not in page
    assert SIGNING_SECRET.removeprefix("whsec_") not in page


def test_it_says_where_to_by_host_and_fingerprint_and_how_the_signature_is_made(
    seeded: SeededIds, visit: Visit, app: Flask, app_settings: AppSettings
) -> None:
    with app.app_context():
        address = app_settings.cipher.decrypt(
            get_destination(seeded).config, context=get_destination(seeded).encryption_context
        )["address"]

    page = visit(seeded.viewer).get(f"{OWN}/preview").text

    assert f"fingerprint <code>{app_settings.cipher.fingerprint(address)}</code>" in page
    assert "(v1, made of all this with the signing secret)" in page


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("admin", RECIPIENTS),
        ("support", "2 recipients at example.com, example.org"),
        ("viewer", "2 recipients at example.com, example.org"),
    ],
)
def test_a_mail_shows_its_headers_and_both_its_texts_and_its_recipients_to_admins_only(
    seeded: SeededIds, visit: Visit, mailbox: str, who: str, shown: str
) -> None:
    page = visit(getattr(seeded, who)).get(f"{mailbox}/preview").text

    assert f"<dt>Mail to</dt>\n        <dd>{shown}</dd>" in page
    assert "<dd>[TEST] Test alert from Harbor Logistics</dd>" in page
    assert "text/plain" in page
    assert "&lt;h1&gt;[TEST] Test alert from Harbor Logistics&lt;/h1&gt;" in page
    assert ("ann@" in page) == (who == "admin")
    assert "canary-password" not in page


def test_looking_sends_nothing(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.admin).get(f"{OWN}/preview")

    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AlertDelivery)) == 0


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("config", "", "The stored settings cannot be read with the keys in use."),
        ("type", "pigeon", "A setting that is needed to send is missing."),
    ],
)
def test_what_could_not_be_sent_is_said_with_what_to_do(
    app: Flask, seeded: SeededIds, visit: Visit, name: str, value: str, sentence: str
) -> None:
    with app.app_context():
        setattr(get_destination(seeded), name, value)
        db.session.commit()

    answer = visit(seeded.viewer).get(f"{OWN}/preview")

    assert answer.status_code == 200
    assert f"A test cannot be sent: {sentence}" in answer.text
    assert "<b>Next:</b> " in answer.text


def test_names_are_escaped(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        get_destination(seeded).name = "<script>alert(1)</script>"
        db.session.commit()

    assert "<script>alert" not in visit(seeded.admin).get(f"{OWN}/preview").text
