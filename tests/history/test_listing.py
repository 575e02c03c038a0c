"""A page of the history: its entries, their order, and its cost."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

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
from webapp.database import keyset_pages
from webapp.database.driver_rows import DriverRow
from webapp.database.keyset_pages import KeysetPage
from webapp.destinations.editing import add_destination, delete_destination
from webapp.extensions import db
from webapp.history import DeliveryFilter, DeliveryKind, list_page, read_entry
from webapp.history.listing import _build
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, DrillNumber
from webapp.settings import AppSettings
from webapp.text.cursors import Cursor

pytestmark = pytest.mark.usefixtures("context")

CountQueries = Callable[[], AbstractContextManager[list[str]]]

SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": NOW}
GONE: dict[str, Any] = {"status": DeliveryStatus.FAILED, "last_error_code": "gone"}
DAY = timedelta(days=1)


def _ids(page: KeysetPage[DriverRow]) -> list[int]:
    return [read_entry(row).delivery.id for row in page.entries]


def _list(seeded: SeededIds, **wanted: Any) -> list[int]:
    return _ids(list_page(seeded.harbor, DeliveryFilter(**wanted)))


def _add_other(seeded: SeededIds, app_settings: AppSettings, channel: str = "slack") -> AlertDestination:
    return add_destination(get_workspace(seeded), get_account(seeded), channel, "Other", {}, app_settings.cipher, NOW)


def _add_many(seeded: SeededIds, count: int, **facts: Any) -> list[int]:
    """Add test sends, one a second; return their ids, newest first."""
    destination = get_destination(seeded)
    facts = {"event_type": "alerts.test", "status": DeliveryStatus.QUEUED, "payload": {}} | facts
    owner = {"workspace_id": destination.workspace_id, "alert_destination_id": destination.id}
    moments = [NOW + seconds(number) for number in range(count)]
    rows = [AlertDelivery(**owner, created_at=moment, updated_at=moment, **facts) for moment in moments]
    db.session.add_all(rows)
    db.session.commit()
    return [row.id for row in reversed(rows)]


@pytest.fixture
def few(seeded: SeededIds, app_settings: AppSettings) -> dict[str, int]:
    """The ids of a sent test, a failed real alert a day later, and another destination's failed test a day after."""
    destination, other = get_destination(seeded), _add_other(seeded, app_settings)
    return {
        "sent test": add_delivery(destination, payload={"reference": "K7QM4T"}, **SENT).id,
        "failed alert": add_real_alert(destination, created_at=NOW + DAY, **GONE).id,
        "other's test": add_delivery(other, created_at=NOW + 2 * DAY, **(GONE | {"last_error_code": "forbidden"})).id,
    }


@on_both_databases
@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["other's test", "failed alert", "sent test"]),
        ({"kind": DeliveryKind.TEST}, ["other's test", "sent test"]),
        ({"kind": DeliveryKind.REAL}, ["failed alert"]),
        ({"status": DeliveryStatus.FAILED}, ["other's test", "failed alert"]),
        ({"status": DeliveryStatus.CANCELED}, []),
        ({"code": "gone"}, ["failed alert"]),
        ({"code": "never heard of"}, []),
        ({"channel": "webhook"}, ["failed alert", "sent test"]),
        ({"channel": "slack"}, ["other's test"]),
        ({"since": date(2026, 5, 5)}, ["other's test", "failed alert"]),
        ({"until": date(2026, 5, 5)}, ["failed alert", "sent test"]),
        ({"since": date(2026, 5, 5), "until": date(2026, 5, 5)}, ["failed alert"]),
        ({"until": date.max, "since": date.min}, ["other's test", "failed alert", "sent test"]),
        ({"kind": DeliveryKind.TEST, "status": DeliveryStatus.FAILED}, ["other's test"]),
        (
            {"kind": DeliveryKind.REAL, "status": DeliveryStatus.FAILED, "code": "gone", "channel": "webhook"},
            ["failed alert"],
        ),
        ({"kind": DeliveryKind.REAL, "status": DeliveryStatus.FAILED, "code": "gone", "channel": "slack"}, []),
        ({"code": "gone", "status": DeliveryStatus.SENT}, []),
        ({"reference": "K7QM4T"}, ["sent test"]),
        ({"reference": "K7QM4T", "status": DeliveryStatus.FAILED}, []),
        ({"reference": "no reference"}, []),
    ],
)
def test_a_filter_selects_matching_deliveries(
    seeded: SeededIds, few: dict[str, int], wanted: dict[str, Any], names: list[str]
) -> None:
    assert _list(seeded, **wanted) == [few[name] for name in names]


@on_both_databases
@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["failed alert", "sent test"]),
        ({"kind": DeliveryKind.TEST}, ["sent test"]),
        ({"kind": DeliveryKind.REAL}, ["failed alert"]),
        ({"status": DeliveryStatus.SENT}, ["sent test"]),
        ({"code": "forbidden"}, []),
    ],
)
def test_a_destinations_history_holds_only_its_own_deliveries(
    seeded: SeededIds, few: dict[str, int], wanted: dict[str, Any], names: list[str]
) -> None:
    assert _list(seeded, destination_id=seeded.destination, **wanted) == [few[name] for name in names]


@on_both_databases
def test_a_day_ends_with_its_last_microsecond(seeded: SeededIds) -> None:
    midnight = NOW.replace(hour=0, minute=0) + DAY
    last = add_delivery(get_destination(seeded), created_at=midnight - timedelta(microseconds=1)).id
    first = add_delivery(get_destination(seeded), created_at=midnight).id

    assert _list(seeded, until=date(2026, 5, 4)) == [last]
    assert _list(seeded, since=date(2026, 5, 5)) == [first]


@on_both_databases
@pytest.mark.parametrize(
    "wanted", [{}, {"kind": DeliveryKind.TEST}, {"status": DeliveryStatus.SENT}, {"channel": "webhook"}]
)
def test_a_history_holds_only_its_own_workspaces_deliveries(seeded: SeededIds, wanted: dict[str, Any]) -> None:
    foreign = db.session.get_one(AlertDestination, seeded.foreign_destination)
    theirs = add_delivery(foreign, **SENT).id

    assert _list(seeded, **wanted) == []
    assert _list(seeded, destination_id=foreign.id, **wanted) == []
    assert _ids(list_page(seeded.clinic, DeliveryFilter(**wanted))) == [theirs]


@on_both_databases
def test_an_entry_names_its_destination_presser_rule_and_tenant(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_real_alert(destination)
    add_delivery(destination, created_at=NOW + seconds(1), requested_by_id=seeded.support)

    test, alert = map(read_entry, list_page(seeded.harbor, DeliveryFilter()).entries)

    assert (test.destination.name, test.delivery.requester, test.rule, test.tenant) == (
        "Ticket system",
        "Support",
        None,
        None,
    )
    assert (alert.delivery.requester, alert.rule, alert.tenant) == (None, "A rule", "A customer")


@on_both_databases
def test_a_deleted_destinations_deliveries_stay_in_the_history(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    sent = add_delivery(destination, **SENT).id
    delete_destination(destination, get_account(seeded), NOW)

    assert _list(seeded) == _list(seeded, destination_id=seeded.destination) == [sent]


@on_both_databases
@pytest.mark.parametrize(("count", "pages"), [(0, [0]), (50, [50]), (51, [50, 1]), (100, [50, 50]), (101, [50, 50, 1])])
def test_pages_hold_50_entries_without_gaps(seeded: SeededIds, count: int, pages: list[int]) -> None:
    ids = _add_many(seeded, count)

    found = [list_page(seeded.harbor, DeliveryFilter())]
    found += [list_page(seeded.harbor, DeliveryFilter(), found[0].older)] * bool(found[0].older)
    found += [list_page(seeded.harbor, DeliveryFilter(), found[-1].older)] * bool(found[-1].older)

    assert [len(page.entries) for page in found] == pages
    assert [row_id for page in found for row_id in _ids(page)] == ids
    assert (found[-1].older, found[-1].reached_scan_limit) == (None, False)


@on_both_databases
def test_the_next_page_is_unaffected_by_new_deliveries(seeded: SeededIds) -> None:
    ids = _add_many(seeded, 4)
    first = list_page(seeded.harbor, DeliveryFilter(), size=2)
    add_delivery(get_destination(seeded), created_at=NOW + DAY)

    second = list_page(seeded.harbor, DeliveryFilter(), first.older, size=2)

    assert _ids(first) + _ids(second) == ids


@on_both_databases
def test_deliveries_of_the_same_moment_are_each_on_one_page(seeded: SeededIds) -> None:
    ids = [add_delivery(get_destination(seeded)).id for _ in range(5)]

    first = list_page(seeded.harbor, DeliveryFilter(), size=2)
    second = list_page(seeded.harbor, DeliveryFilter(), first.older, size=2)
    third = list_page(seeded.harbor, DeliveryFilter(), second.older, size=2)

    assert _ids(first) + _ids(second) + _ids(third) == sorted(ids, reverse=True)


@on_both_databases
def test_a_page_key_need_not_belong_to_a_delivery(seeded: SeededIds) -> None:
    ids = _add_many(seeded, 3)

    assert _ids(list_page(seeded.harbor, DeliveryFilter(), Cursor(NOW + seconds(1.5), 2**63 - 1))) == ids[1:]


# The search limit


@pytest.fixture
def search_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look through ten rows a page, so that a test can have more of them."""
    monkeypatch.setattr(keyset_pages, "SCAN_LIMIT", 10)


@on_both_databases
@pytest.mark.usefixtures("search_limit")
def test_a_page_with_too_few_matches_reports_how_far_it_searched_and_the_next_one_continues_there(
    seeded: SeededIds,
) -> None:
    rare = add_delivery(get_destination(seeded), created_at=NOW - seconds(1), **SENT).id
    ids = _add_many(seeded, 15)
    wanted = DeliveryFilter(destination_id=seeded.destination, status=DeliveryStatus.SENT)

    first = list_page(seeded.harbor, wanted)
    second = list_page(seeded.harbor, wanted, first.older)

    assert (_ids(first), first.older, first.reached_scan_limit) == ([], Cursor(NOW + seconds(5), ids[9]), True)
    assert (_ids(second), second.older, second.reached_scan_limit) == ([rare], None, False)


@on_both_databases
@pytest.mark.usefixtures("search_limit")
@pytest.mark.parametrize(("newer", "pages"), [(9, [1, 0]), (10, [0, 1])])
def test_the_last_row_searched_is_on_this_page_and_not_on_the_next(
    seeded: SeededIds, newer: int, pages: list[int]
) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, created_at=NOW - seconds(2))
    add_delivery(destination, created_at=NOW - seconds(1), **SENT)
    _add_many(seeded, newer)
    wanted = DeliveryFilter(destination_id=seeded.destination, status=DeliveryStatus.SENT)

    first = list_page(seeded.harbor, wanted)
    second = list_page(seeded.harbor, wanted, first.older)

    assert [len(page.entries) for page in (first, second)] == pages


@on_both_databases
@pytest.mark.usefixtures("search_limit")
@pytest.mark.parametrize(
    "wanted",
    [
        DeliveryFilter(),
        DeliveryFilter(kind=DeliveryKind.TEST),
        DeliveryFilter(status=DeliveryStatus.CANCELED),
        DeliveryFilter(code="gone"),
    ],
)
def test_a_filter_with_its_own_index_finds_rows_at_any_age(seeded: SeededIds, wanted: DeliveryFilter) -> None:
    facts = {"status": DeliveryStatus.CANCELED, "last_error_code": "gone", "created_at": NOW - DAY}
    old = add_delivery(get_destination(seeded), **facts)
    _add_many(seeded, 15, event_type="alerts.test")

    page = list_page(seeded.harbor, wanted)

    assert (_ids(page)[-1], page.older) == (old.id, None)


# The cost


@on_both_databases
@pytest.mark.parametrize(
    ("wanted", "queries"),
    [
        (DeliveryFilter(), 1),
        (DeliveryFilter(status=DeliveryStatus.QUEUED), 1),
        (DeliveryFilter(channel="webhook", kind=DeliveryKind.TEST), 2),
    ],
)
def test_a_page_of_50_takes_as_many_queries_as_a_page_of_one(
    seeded: SeededIds, count_queries: CountQueries, wanted: DeliveryFilter, queries: int
) -> None:
    _add_many(seeded, 60)

    with count_queries() as for_one:
        list_page(seeded.harbor, wanted, size=1)
    with count_queries() as for_many:
        _read_names(list_page(seeded.harbor, wanted))

    assert (len(for_one), len(for_many)) == (queries, queries)


def _read_names(page: KeysetPage[DriverRow]) -> list[tuple[str, str | None]]:
    return [(entry.destination.name, entry.delivery.reference) for entry in map(read_entry, page.entries)]


@on_both_databases
def test_drills_are_listed_alone(seeded: SeededIds, few: dict[str, int]) -> None:
    destination = get_destination(seeded)
    drills = [add_delivery(destination, drill=number, created_at=NOW + DAY, **SENT).id for number in DrillNumber]

    assert _list(seeded, kind=DeliveryKind.DRILL) == drills[::-1]
    assert _list(seeded, kind=DeliveryKind.DRILL, destination_id=destination.id) == drills[::-1]
    assert _list(seeded, kind=DeliveryKind.DRILL, status=DeliveryStatus.FAILED) == []
    assert _list(seeded, kind=DeliveryKind.TEST) == [few["other's test"], *drills[::-1], few["sent test"]]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (DeliveryFilter(), "history"),
        (DeliveryFilter(kind=DeliveryKind.TEST), "history_tests"),
        (DeliveryFilter(kind=DeliveryKind.DRILL), "history_tests"),
        (DeliveryFilter(status=DeliveryStatus.FAILED), "history_status"),
        (DeliveryFilter(code="gone"), "history_code"),
        (DeliveryFilter(destination_id=1), "history_destination"),
        (DeliveryFilter(destination_id=1, kind=DeliveryKind.TEST), "newest"),
        (DeliveryFilter(destination_id=1, status=DeliveryStatus.FAILED), "history_destination"),
        (DeliveryFilter(status=DeliveryStatus.FAILED, code="gone"), "history_code"),
        (DeliveryFilter(kind=DeliveryKind.TEST, code="gone"), "history_code"),
        (DeliveryFilter(kind=DeliveryKind.TEST, status=DeliveryStatus.FAILED), "history_status"),
        (DeliveryFilter(kind=DeliveryKind.TEST, status=DeliveryStatus.SENT), "history_tests"),
        (DeliveryFilter(channel="webhook"), "history"),
    ],
)
@pytest.mark.parametrize("before", [None, Cursor(NOW + DAY, 1)])
def test_every_filter_reads_an_index_in_its_order(
    seeded: SeededIds, count_queries: CountQueries, wanted: DeliveryFilter, index: str, before: Cursor | None
) -> None:
    with count_queries() as statements:
        list_page(seeded.harbor, replace(wanted, since=date(2026, 1, 1)), before)

    plan = _explain(statements[-1])
    assert f"INDEX ix_alert_deliveries_{index} (" in plan[0]
    assert [step for step in plan if "TEMP B-TREE" in step] == []


def _explain(statement: str) -> list[str]:
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (None,) * statement.count("?"))
        return [row.detail for row in rows if "alert_deliveries" in row.detail or "B-TREE" in row.detail]


def test_filters_that_share_a_statement_each_find_their_own(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    gone, refused = (
        add_delivery(destination, status=DeliveryStatus.FAILED, last_error_code=code).id
        for code in ("gone", "auth_failed")
    )
    before = _build.cache_info().misses

    found = [_list(seeded, code=code) for code in ("gone", "auth_failed", "dns_failed")]

    assert found == [[gone], [refused], []]
    assert _build.cache_info().misses - before <= 1
