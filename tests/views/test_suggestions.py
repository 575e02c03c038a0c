"""The new id of a Telegram group: offered to admins on the page, used by one press, and never without one."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import select

from tests.factories import NOW, SeededIds, get_account, get_workspace, list_events, on_both_databases, seconds
from tests.visitor import Visitor
from webapp.deliveries import request_test, send
from webapp.destinations.editing import add_destination, change_destination, delete_destination, read_settings
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus
from webapp.settings import AppSettings

pytestmark = on_both_databases

Visit = Callable[[int], Visitor]

TOKEN = "123456789:canarycanarycanarycanarycanarycanary"
OLD, NEW = "-4242", "-1001234567890"
UPGRADED = {
    "ok": False,
    "error_code": 400,
    "description": "Bad Request: group chat was upgraded to a supergroup chat",
    "parameters": {"migrate_to_chat_id": int(NEW)},
}
BUTTON = f"Use the new chat id {NEW}"


@pytest.fixture
def group(app: Flask, seeded: SeededIds, app_settings: AppSettings, httpserver: HTTPServer) -> int:
    """A destination whose group became a supergroup, as its last test found out."""
    httpserver.expect_request(f"/bot{TOKEN}/sendMessage").respond_with_json(UPGRADED, 400)
    settings = {"bot_token": TOKEN, "chat_id": OLD, "thread_id": "7", "server": httpserver.url_for("").rstrip("/")}
    with app.app_context():
        harbor, account, now = get_workspace(seeded), get_account(seeded), datetime.now(UTC) - seconds(61)
        destination = add_destination(harbor, account, "telegram", "Ops group", settings, app_settings.cipher, NOW)
        destination_id = destination.id
        delivery_id = request_test(destination, account, now)
        send(delivery_id, app_settings)
    return destination_id


@pytest.fixture
def settings_of(app: Flask, app_settings: AppSettings) -> Callable[[int], dict[str, str]]:
    def read(destination_id: int) -> dict[str, str]:
        with app.app_context():
            return read_settings(db.session.get_one(AlertDestination, destination_id), app_settings.cipher)

    return read


def _page(destination_id: int) -> str:
    return f"/w/harbor/destinations/{destination_id}"


def _find_test(app: Flask, destination_id: int) -> AlertDelivery:
    with app.app_context():
        of_group = AlertDelivery.alert_destination_id == destination_id
        return (
            db.session.scalars(select(AlertDelivery).where(of_group).order_by(AlertDelivery.id.desc())).first() or _no()
        )


def _no() -> AlertDelivery:
    raise AssertionError("No test was requested.")


def _press(visitor: Visitor, app: Flask, destination_id: int) -> str:
    form = {"delivery": str(_find_test(app, destination_id).id)}
    return visitor.post(f"{_page(destination_id)}/suggestion", form, follow_redirects=True).text


def test_a_test_to_the_old_group_fails_with_the_new_id_beside_it(app: Flask, group: int) -> None:
    test = _find_test(app, group)
    assert (test.status, test.last_error_code) == (DeliveryStatus.FAILED, "gone")
    assert test.suggestion == {"setting": "chat_id", "value": NEW}
    assert "the group became a supergroup" in (test.last_error_message or "")


def test_an_admin_uses_the_new_id_by_one_press_and_then_sends_a_test(
    app: Flask,
    seeded: SeededIds,
    visit: Visit,
    group: int,
    settings_of: Callable[[int], dict[str, str]],
) -> None:
    admin, before = visit(seeded.admin), settings_of(group)
    assert BUTTON in admin.get(_page(group)).text

    page = _press(admin, app, group)

    assert f"has the new chat id {NEW}. Send a test" in page
    assert "Send test" in page
    assert BUTTON not in page
    assert settings_of(group) == before | {"chat_id": NEW}
    with app.app_context():
        (event,) = [event for event in list_events(seeded.harbor) if event.action == "changed"]
        assert (event.destination_id, event.changed) == (group, ["chat_id"])
        assert NEW not in str(vars(event))


def test_nothing_is_sent_by_the_press_and_the_next_test_goes_to_the_new_group(
    app: Flask, seeded: SeededIds, visit: Visit, group: int, app_settings: AppSettings, httpserver: HTTPServer
) -> None:
    _press(visit(seeded.admin), app, group)
    assert len(httpserver.log) == 1

    with app.app_context():
        destination = db.session.get_one(AlertDestination, group)
        send(request_test(destination, get_account(seeded), datetime.now(UTC)), app_settings)
    assert [json.loads(request.get_data())["chat_id"] for request, _ in httpserver.log] == [OLD, NEW]


def test_support_and_viewers_see_no_button_and_cannot_press_it(
    app: Flask, seeded: SeededIds, visit: Visit, group: int, settings_of: Callable[[int], dict[str, str]]
) -> None:
    form = {"delivery": str(_find_test(app, group).id)}
    for member in (seeded.support, seeded.viewer):
        visitor = visit(member)
        assert BUTTON not in visitor.get(_page(group)).text
        assert BUTTON not in visitor.get(f"{_page(group)}/details").text
        assert visitor.post(f"{_page(group)}/suggestion", form).status_code == 403
    assert settings_of(group)["chat_id"] == OLD


def test_a_suggestion_about_earlier_settings_is_neither_shown_nor_used(
    app: Flask,
    seeded: SeededIds,
    visit: Visit,
    group: int,
    app_settings: AppSettings,
    settings_of: Callable[[int], dict[str, str]],
) -> None:
    admin, typed = visit(seeded.admin), settings_of(group) | {"chat_id": "-7", "bot_token": ""}
    with app.app_context():
        destination, account = db.session.get_one(AlertDestination, group), get_account(seeded)
        change_destination(destination, account, "Ops group", typed, app_settings.cipher, NOW)
    assert BUTTON not in admin.get(_page(group)).text

    assert "was not changed" in _press(admin, app, group)

    assert settings_of(group)["chat_id"] == "-7"


def test_a_second_press_changes_nothing(
    app: Flask, seeded: SeededIds, visit: Visit, group: int, settings_of: Callable[[int], dict[str, str]]
) -> None:
    admin = visit(seeded.admin)
    _press(admin, app, group)
    with app.app_context():
        events = len(list_events(seeded.harbor))
    assert "was not changed" in _press(admin, app, group)
    assert settings_of(group)["chat_id"] == NEW
    with app.app_context():
        assert len(list_events(seeded.harbor)) == events


@pytest.mark.parametrize("delivery", ["", "x", "999999", "1 OR 1=1"])
def test_a_press_for_an_unknown_test_is_not_found(seeded: SeededIds, visit: Visit, group: int, delivery: str) -> None:
    form = {"delivery": delivery}
    assert visit(seeded.admin).post(f"{_page(group)}/suggestion", form).status_code == 404


def test_a_press_for_the_test_of_another_destination_is_not_found(
    app: Flask, seeded: SeededIds, visit: Visit, group: int
) -> None:
    form = {"delivery": str(_find_test(app, group).id)}
    path = f"{_page(seeded.destination)}/suggestion"
    assert visit(seeded.admin).post(path, form).status_code == 404


def test_a_press_on_a_deleted_destination_is_not_found(app: Flask, seeded: SeededIds, visit: Visit, group: int) -> None:
    with app.app_context():
        delete_destination(db.session.get_one(AlertDestination, group), get_account(seeded), NOW)
    form = {"delivery": str(_find_test(app, group).id)}
    assert visit(seeded.admin).post(f"{_page(group)}/suggestion", form).status_code == 404


def test_a_press_without_the_proof_of_our_form_is_refused(
    app: Flask, seeded: SeededIds, visit: Visit, group: int, settings_of: Callable[[int], dict[str, str]]
) -> None:
    form = {"delivery": str(_find_test(app, group).id), "csrf_token": "forged"}
    assert visit(seeded.admin).post(f"{_page(group)}/suggestion", form).status_code == 400
    assert settings_of(group)["chat_id"] == OLD
