"""What an open page gets when it asks for its new state: when to ask again, 304 if it shows it already, no messages."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.dashboard import list_rows
from webapp.dashboard.poll_interval import PollBudget
from webapp.deliveries.newest_deliveries import list_with_newest_test
from webapp.destinations.editing import set_enabled
from webapp.extensions import db
from webapp.models import Account, DeliveryStatus, Role
from webapp.workspaces.membership_changes import set_role

Visit = Callable[[int], Visitor]

LIST = "/w/harbor/destinations"
ASK = {"HX-Request": "true", "HX-Source": "div#page"}
PAGES = [LIST, f"{LIST}/1", "/broken", "/w/harbor/history", "/w/harbor/audit", "/w/harbor/members"]


def version_of(text: str) -> str | None:
    return text.partition('data-version="')[2].partition('"')[0] or None


def ask(visitor: Visitor, version: str | None, path: str = LIST) -> int:
    """Ask as an open page does that shows this version. Returns the status."""
    response = visitor.get(path, headers=ASK | {"If-None-Match": f'W/"{version}"'})
    assert (response.status_code == 304) == (response.data == b"")
    return response.status_code


@on_both_databases
@pytest.mark.parametrize("path", PAGES)
def test_an_open_page_is_told_when_to_ask_again(seeded: SeededIds, visit: Visit, path: str) -> None:
    response = visit(seeded.admin).get(path, headers=ASK)

    assert (response.status_code, response.headers["Poll-After"]) == (200, "60")
    assert '<div id="page" data-refreshed' in response.text
    assert 'data-now="' in response.text


def test_many_open_pages_are_told_to_ask_less_often(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    app_state(app).poll_budget = PollBudget(budget=0.01)

    assert int(visit(seeded.admin).get(LIST, headers=ASK).headers["Poll-After"]) > 60


@pytest.mark.parametrize("path", ["/healthz", "/static/app.js", "/sign-in", LIST, "/seen/token", "/nowhere"])
def test_strangers_do_not_make_open_pages_ask_less_often(app: Flask, seeded: SeededIds, path: str) -> None:
    stranger = Visitor.anonymous(app)
    app_state(app).poll_budget = PollBudget(budget=0.01)

    assert "Poll-After" not in stranger.client.get(path, headers=ASK, buffered=True).headers
    assert app_state(app).poll_budget.next_interval(0.05) == pytest.approx(PollBudget(0.01).next_interval(0.05))


def test_a_page_that_is_refused_does_not_count_as_refreshed(seeded: SeededIds, visit: Visit) -> None:
    assert "Poll-After" not in visit(seeded.admin).get("/w/clinic/destinations", headers=ASK).headers


@pytest.mark.parametrize("path", [f"{LIST}/new", f"{LIST}/new/webhook", f"{LIST}/1/edit", f"{LIST}/1/delete"])
def test_a_form_does_not_refresh_itself(seeded: SeededIds, visit: Visit, path: str) -> None:
    assert "data-refreshed" not in visit(seeded.admin).get(path).text


def test_a_visit_is_not_told_when_to_ask_again(seeded: SeededIds, visit: Visit) -> None:
    assert "Poll-After" not in visit(seeded.admin).get(LIST).headers


def test_a_list_that_is_shown_already_is_not_sent_again(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    version = version_of(visitor.get(LIST).text)

    response = visitor.get(LIST, headers=ASK | {"If-None-Match": f'W/"{version}"'})

    assert (response.status_code, response.data, response.headers["Poll-After"]) == (304, b"", "60")
    assert response.headers["Cache-Control"] == "no-store, no-transform"


def test_a_list_without_a_version_is_sent(seeded: SeededIds, visit: Visit) -> None:
    assert ask(visit(seeded.admin), None) == 200
    assert ask(visit(seeded.admin), "*") == 200


def test_another_visitors_version_is_not_accepted(seeded: SeededIds, visit: Visit) -> None:
    assert ask(visit(seeded.viewer), version_of(visit(seeded.admin).get(LIST).text)) == 200


def test_a_changed_filter_is_answered_in_full(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)

    assert ask(visitor, version_of(visitor.get(LIST).text), f"{LIST}?q=ticket") == 200


def _disable(seeded: SeededIds) -> None:
    set_enabled(get_destination(seeded), get_account(seeded), False, datetime.now(UTC))


def _rename_workspace(seeded: SeededIds) -> None:
    get_workspace(seeded).name = "Harbor"


def _lower_role(seeded: SeededIds) -> None:
    set_role(get_workspace(seeded), db.session.get_one(Account, seeded.admin), Role.VIEWER)


def _finish_test(seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, created_at=NOW, updated_at=NOW, sent_at=NOW)


@pytest.mark.parametrize("change", [_disable, _rename_workspace, _lower_role, _finish_test])
def test_a_list_that_changed_is_sent(
    app: Flask, seeded: SeededIds, visit: Visit, change: Callable[[SeededIds], None]
) -> None:
    visitor = visit(seeded.admin)
    version = version_of(visitor.get(LIST).text)
    with app.app_context():
        change(seeded)
        db.session.commit()

    assert ask(visitor, version) == 200
    assert version_of(visitor.get(LIST).text) != version


@pytest.mark.parametrize("status", [DeliveryStatus.QUEUED, DeliveryStatus.SENT])
def test_a_list_has_no_version_while_its_tests_change(
    app: Flask, seeded: SeededIds, visit: Visit, status: DeliveryStatus
) -> None:
    just_now = datetime.now(UTC) - seconds(100)
    with app.app_context():
        add_delivery(get_destination(seeded), status=status, created_at=just_now, updated_at=just_now, sent_at=just_now)

    assert version_of(visit(seeded.admin).get(LIST).text) is None


def test_a_list_has_no_version_if_a_destination_changes_while_it_is_drawn(
    app: Flask, seeded: SeededIds, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disable_and_load(ids: Sequence[int]) -> Any:
        set_enabled(get_destination(seeded), get_account(seeded), False, NOW)
        return list_with_newest_test(ids)

    monkeypatch.setattr(list_rows, "list_with_newest_test", disable_and_load)
    visitor = visit(seeded.admin)

    assert version_of(visitor.get(LIST).text) is None
    assert version_of(visitor.get(LIST).text)


def test_a_refresh_leaves_a_message_to_the_page_that_it_is_meant_for(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    visitor.post(f"{LIST}/1/disable")

    refreshed, page = visitor.get(LIST, headers=ASK).text, visitor.get(f"{LIST}/1").text

    assert ("Nothing is sent there until" in refreshed, "Nothing is sent there until" in page) == (False, True)


def test_an_open_page_without_a_session_is_led_to_the_sign_in_page(app: Flask, seeded: SeededIds) -> None:
    response = Visitor.anonymous(app).get(LIST, headers=ASK | {"HX-Current-URL": f"http://localhost{LIST}"})

    assert (response.status_code, response.headers["HX-Redirect"]) == (401, f"/sign-in?next={LIST}")
