"""The preview's page: the exact message of a test, for every member, without secrets."""

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
    """The administrator's settings, with a mail server."""
    return environment | {
        "ALERTCHECK_MAIL_URL": "smtps://desk:canary-password@127.0.0.1:1",
        "ALERTCHECK_MAIL_FROM": "alerts@example.com",
    }


@pytest.fixture
def mailbox(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> str:
    """The path of an email destination with two recipients."""
    with app.app_context():
        settings = {"recipients": RECIPIENTS}
        desk = add_destination(
            get_workspace(seeded), get_account(seeded), "email", "Desk", settings, app_settings.cipher, NOW
        )
        return f"/w/harbor/destinations/{desk.id}"


def test_the_destinations_page_links_to_the_preview(seeded: SeededIds, visit: Visit) -> None:
    assert f'href="{OWN}/preview"' in visit(seeded.viewer).get(OWN).text


@pytest.mark.parametrize("who", ["admin", "support", "viewer"])
def test_every_member_sees_the_indented_body_without_secrets(seeded: SeededIds, visit: Visit, who: str) -> None:
    page = unescape(visit(getattr(seeded, who)).get(f"{OWN}/preview").text)

    assert '{\n  "type": "alerts.test",\n' in page
    assert f'"sent_by": "{who.capitalize()}",\n    "sent_at": ' in page
    assert '"reference": "SAMPLE"' in page
    assert SECRET_PATH not in page
    assert SIGNING_SECRET.removeprefix("whsec_") not in page


def test_the_preview_shows_host_fingerprint_and_how_the_signature_is_made(
    seeded: SeededIds, visit: Visit, app: Flask, app_settings: AppSettings
) -> None:
    with app.app_context():
        address = app_settings.cipher.decrypt(
            get_destination(seeded).config, context=get_destination(seeded).encryption_context
        )["address"]

    page = visit(seeded.viewer).get(f"{OWN}/preview").text

    assert f"fingerprint <code>{app_settings.cipher.fingerprint(address)}</code>" in page
    assert "(v1, computed from the id, the timestamp and the body with the signing secret)" in page


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("admin", RECIPIENTS),
        ("support", "a***@example.com, b***@example.org"),
        ("viewer", "2 recipients at example.com, example.org"),
    ],
)
def test_a_mails_preview_shows_headers_and_both_texts_and_shows_recipients_to_admins_only(
    seeded: SeededIds, visit: Visit, mailbox: str, who: str, shown: str
) -> None:
    page = visit(getattr(seeded, who)).get(f"{mailbox}/preview").text

    assert f"<dt>Mail to</dt>\n        <dd>{shown}</dd>" in page
    assert "<dd>[TEST] SAMPLE: test alert from Harbor Logistics</dd>" in page
    assert "text/plain" in page
    assert "&lt;h1&gt;[TEST] Test alert from Harbor Logistics&lt;/h1&gt;" in page
    assert ("ann@" in page) == (who == "admin")
    assert "canary-password" not in page


def test_a_preview_sends_nothing(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.admin).get(f"{OWN}/preview")

    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(AlertDelivery)) == 0


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("config", "", "Alertcheck cannot decrypt the stored settings of this destination."),
        ("type", "pigeon", "A setting that is required for sending is missing or cannot be used."),
    ],
)
def test_a_message_that_cannot_be_sent_is_explained_with_the_next_step(
    app: Flask, seeded: SeededIds, visit: Visit, name: str, value: str, sentence: str
) -> None:
    with app.app_context():
        setattr(get_destination(seeded), name, value)
        db.session.commit()

    response = visit(seeded.viewer).get(f"{OWN}/preview")

    assert response.status_code == 200
    assert f"A test cannot be sent: {sentence}" in response.text
    assert "<b>Next:</b> " in response.text


def test_names_are_escaped(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        get_destination(seeded).name = "<script>alert(1)</script>"
        db.session.commit()

    assert "<script>alert" not in visit(seeded.admin).get(f"{OWN}/preview").text
