"""The preview of a test: the message that a press would send, without writing or sending anything."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import func, select
from sqlalchemy.orm import object_session

from tests.factories import NOW, SeededIds, get_account, get_destination
from webapp.deliveries import request_test, send
from webapp.destinations.preview import preview_test_send
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed
from webapp.models import AlertDelivery, AlertDestination, AuditEvent
from webapp.outbound import OutboundClient
from webapp.settings import AppSettings


@pytest.fixture
def webhook(context: None, seeded: SeededIds) -> AlertDestination:
    return get_destination(seeded)


def test_a_preview_equals_a_test_send_except_for_its_reference(
    webhook: AlertDestination, seeded: SeededIds, app_settings: AppSettings, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook/canary-7f3a9c").respond_with_data(status=204)
    now = datetime.now(UTC)
    preview = preview_test_send(webhook, "harbor", get_account(seeded), app_settings, now)

    send(request_test(webhook, get_account(seeded), now), app_settings)

    [(request, _response)] = httpserver.log
    reference = db.session.scalars(select(AlertDelivery)).one().payload["reference"]
    assert preview.parts[0].text.replace("SAMPLE", reference) == request.get_data(as_text=True)


def test_a_preview_names_the_viewer_and_the_moment(
    webhook: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    [body] = preview_test_send(webhook, "harbor", get_account(seeded), app_settings, NOW).parts

    data = json.loads(body.text)["data"]
    assert (data["sent_by"], data["sent_at"], data["reference"]) == ("Admin", "2026-05-04 09:30:00 UTC", "SAMPLE")


def test_a_preview_writes_and_sends_nothing(
    webhook: AlertDestination, seeded: SeededIds, app_settings: AppSettings, httpserver: HTTPServer
) -> None:
    events = db.session.scalar(select(func.count()).select_from(AuditEvent))

    preview_test_send(webhook, "harbor", get_account(seeded), app_settings, NOW)

    session = object_session(webhook)
    assert session is not None
    assert (list(session.new), list(session.dirty), httpserver.log) == ([], [], [])
    assert db.session.scalar(select(func.count()).select_from(AlertDelivery)) == 0
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == events


@pytest.mark.parametrize(
    ("spoiled", "code"),
    [({"config": "garbage"}, Code.CONFIG_UNREADABLE), ({"type": "pigeon"}, Code.CONFIG_INCOMPLETE)],
)
def test_a_message_that_cannot_be_sent_has_no_preview_but_a_reason(
    webhook: AlertDestination, seeded: SeededIds, app_settings: AppSettings, spoiled: dict[str, str], code: Code
) -> None:
    [(name, value)] = spoiled.items()
    setattr(webhook, name, value)

    with pytest.raises(DeliveryFailed) as caught:
        preview_test_send(webhook, "harbor", get_account(seeded), app_settings, NOW)

    assert caught.value.code is code


def test_a_mail_without_a_mail_server_has_no_preview(
    webhook: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    webhook.type = "email"
    webhook.config = app_settings.cipher.encrypt(
        {"recipients": "owner@example.com"}, context=webhook.encryption_context
    )

    with pytest.raises(DeliveryFailed) as caught:
        preview_test_send(webhook, "harbor", get_account(seeded), replace(app_settings, outbound=OutboundClient()), NOW)

    assert caught.value.code is Code.CONFIG_INCOMPLETE
