"""The version of a list page: equal only for equal pages, and absent while tests are changing."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from tests.visitor import Visitor
from webapp.app_state import current_settings
from webapp.auth.access import Visit
from webapp.dashboard.drawn_list_cache import load_list
from webapp.dashboard.list_version import LONGEST_REUSE, find_page_version
from webapp.dashboard.overview import ListQuery, Order
from webapp.dashboard.summaries import Tab
from webapp.deliveries import record_by_member, record_for_customer
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.destinations.editing import add_destination, change_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, DrillNumber, PlanEnd, PlannedTest, Receipt, Role

pytestmark = pytest.mark.usefixtures("context")

SETTINGS = {"address": "https://hooks.example.com/canary", "signing_secret": "whsec_canary"}
LATER = NOW + timedelta(days=1)


def _find(seeded: SeededIds, role: Role = Role.ADMIN, now: datetime = LATER, **query: Any) -> str | None:
    db.session.expire_all()
    visit = Visit(get_account(seeded), get_workspace(seeded), role)
    asked = ListQuery(**query)
    return find_page_version(visit, load_list(seeded.harbor, asked, now).state, asked)


def _add_sent(seeded: SeededIds, **facts: object) -> AlertDelivery:
    return add_delivery(get_destination(seeded), **({"status": DeliveryStatus.SENT, "sent_at": NOW} | facts))


def _add(seeded: SeededIds) -> None:
    cipher = current_settings().cipher
    add_destination(get_workspace(seeded), get_account(seeded), "webhook", "Another", SETTINGS, cipher, NOW)


def _change(seeded: SeededIds, name: str, typed: dict[str, str]) -> None:
    cipher = current_settings().cipher
    change_destination(get_destination(seeded), get_account(seeded), name, typed, cipher, NOW + seconds(1))


def _rename(seeded: SeededIds) -> None:
    _change(seeded, "Renamed", {})


def _move(seeded: SeededIds) -> None:
    _change(seeded, get_destination(seeded).name, SETTINGS)


def _disable(seeded: SeededIds) -> None:
    set_enabled(get_destination(seeded), get_account(seeded), False, NOW + seconds(1))


def _delete(seeded: SeededIds) -> None:
    delete_destination(get_destination(seeded), get_account(seeded), NOW + seconds(1))


def _rename_workspace(seeded: SeededIds) -> None:
    get_workspace(seeded).name = "Harbor"
    db.session.commit()


def _test_again(seeded: SeededIds) -> None:
    _add_sent(seeded, created_at=NOW + seconds(60))


def _report(seeded: SeededIds, receipt: Receipt, at: datetime) -> None:
    delivery = find_newest_test(get_destination(seeded))
    assert delivery
    record_by_member(delivery, get_account(seeded), receipt, at)


def _miss(seeded: SeededIds) -> None:
    _report(seeded, Receipt.MISSING, NOW + seconds(2))


def _see(seeded: SeededIds) -> None:
    _report(seeded, Receipt.SEEN, NOW + seconds(3))


def _confirm(seeded: SeededIds) -> None:
    """Have a customer say again what a member has seen already."""
    delivery = find_newest_test(get_destination(seeded))
    assert delivery
    record_for_customer(delivery, get_account(seeded), "Ann", NOW + seconds(4))


def _accept_alert(seeded: SeededIds) -> None:
    facts = {"status": DeliveryStatus.SENT, "sent_at": NOW + seconds(5), "settings_version": None}
    add_real_alert(get_destination(seeded), **facts)


def _drill(seeded: SeededIds) -> None:
    _add_sent(seeded, created_at=NOW + seconds(70), drill=DrillNumber.FIRST)


def _need_confirmation(seeded: SeededIds) -> None:
    get_destination(seeded).needs_confirmation = True
    db.session.commit()


CHANGES = [
    _add,
    _accept_alert,
    _drill,
    _need_confirmation,
    _rename,
    _move,
    _disable,
    _delete,
    _rename_workspace,
    _test_again,
    _miss,
    _see,
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_on_the_page_changes_its_version(
    seeded: SeededIds, change: Callable[[SeededIds], None]
) -> None:
    _add_sent(seeded)
    before = _find(seeded)

    change(seeded)

    assert None is not before != _find(seeded) is not None


def _make_teams(seeded: SeededIds) -> None:
    get_destination(seeded).type = "teams"
    db.session.commit()


@on_both_databases
@pytest.mark.parametrize("days", [1, 30, 60, 90])
def test_a_version_ends_when_an_age_crosses_a_border(seeded: SeededIds, days: int) -> None:
    _add_sent(seeded, sent_at=NOW + seconds(7))  # not a multiple of `LONGEST_REUSE`, at which each version ends
    _make_teams(seeded)
    border = NOW + timedelta(days=days) + seconds(7)

    versions = [_find(seeded, now=border + seconds(offset)) for offset in (-2, -1, 0, 1)]

    assert versions[0] == versions[1] != versions[2] == versions[3]


def test_the_version_ends_when_a_drill_was_not_confirmed_for_seven_days(seeded: SeededIds) -> None:
    _add_sent(seeded, created_at=NOW + seconds(7), drill=DrillNumber.FIRST)
    _need_confirmation(seeded)
    border = NOW + timedelta(days=7) + seconds(7)

    assert _find(seeded, now=border - seconds(2)) == _find(seeded, now=border - seconds(1)) != _find(seeded, now=border)


def test_the_same_page_has_the_same_version(seeded: SeededIds) -> None:
    _add_sent(seeded)

    assert _find(seeded) == _find(seeded, now=LATER + seconds(59))


@pytest.mark.parametrize(
    "query", [{"state": Tab.SENT}, {"channel": "slack"}, {"text": "a"}, {"page": 2}, {"order": Order.NAME}]
)
def test_each_filter_order_and_page_has_its_own_version(seeded: SeededIds, query: dict[str, Any]) -> None:
    assert _find(seeded) != _find(seeded, **query)


def test_each_role_has_its_own_version(seeded: SeededIds) -> None:
    assert len({_find(seeded, role) for role in Role}) == len(Role)


@on_both_databases
@pytest.mark.parametrize(("age", "has_version"), [(0, False), (119.9, False), (120, True)])
def test_a_page_has_no_version_until_its_last_test_is_two_minutes_old(
    seeded: SeededIds, age: float, has_version: bool
) -> None:
    _add_sent(seeded, updated_at=LATER - seconds(age))

    assert (_find(seeded) is not None) == has_version


def _plan(seeded: SeededIds, ended_at: datetime | None = None) -> None:
    facts = {"workspace_id": seeded.harbor, "alert_destination_id": seeded.destination, "planned_by_id": seeded.admin}
    end = {"ended_at": ended_at, "end_reason": PlanEnd.EXPIRED if ended_at else None}
    db.session.add(PlannedTest(due_at=NOW, created_at=NOW, **facts, **end))
    db.session.commit()


@on_both_databases
@pytest.mark.parametrize("is_tested", [True, False])
def test_a_page_has_no_version_while_a_test_is_planned(seeded: SeededIds, is_tested: bool) -> None:
    if is_tested:
        _add_sent(seeded)
    _plan(seeded)

    assert _find(seeded) is None


@on_both_databases
@pytest.mark.parametrize(("age", "has_version"), [(119.9, False), (120, True)])
def test_a_page_has_no_version_until_the_end_of_a_planned_test_is_two_minutes_old(
    seeded: SeededIds, age: float, has_version: bool
) -> None:
    before = _find(seeded)
    _plan(seeded, ended_at=LATER - seconds(age))

    version = _find(seeded)

    assert (version is not None) == has_version
    assert version != before


def test_a_version_ends_so_that_what_it_does_not_cover_is_sent_at_last(seeded: SeededIds) -> None:
    assert _find(seeded) != _find(seeded, now=LATER + LONGEST_REUSE)


def test_equal_versions_mean_equal_pages_times_and_tokens_aside(app: Flask, seeded: SeededIds) -> None:
    """Go through every change; wherever the page's text differs, its version does."""
    _add_sent(seeded)
    pages = [_render(app, seeded)]
    at_first = [_need_confirmation, _accept_alert, _miss, _see, _confirm, _rename, _move, _disable]
    for change in [*at_first, _rename_workspace, _test_again, _drill, _add, _delete]:
        change(seeded)
        pages.append(_render(app, seeded))

    versions = {version for version, _ in pages}
    assert None not in versions
    assert len(versions) == len(set(pages))  # no version stands for two pages


def _render(app: Flask, seeded: SeededIds) -> tuple[str | None, str]:
    text = Visitor.signed_in(app, seeded.admin).get("/w/harbor/destinations").text
    version = text.partition('data-version="')[2].partition('"')[0] or None
    shown = text.partition('<div id="page"')[2].partition(">")[2].partition("</main>")[0]
    return version, re.sub(r'value="[^"]{60,}"|\d+ (s|min|h|d) ago', "", shown)
