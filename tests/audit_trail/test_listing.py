"""A page of the audit trail: its events, their order, its filter, and the plans of its queries on both databases."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import event, insert, text

from tests.factories import NOW, SeededIds, on_both_databases, seconds
from webapp.audit import COMMAND_LINE, CUSTOMER, Action
from webapp.audit_trail import EVERYTHING, INSTALLATION, AuditFilter, Trail, list_actions, list_page, list_people
from webapp.database import keyset_pages
from webapp.extensions import db
from webapp.models import AuditEvent
from webapp.text.cursors import Cursor

DAY = timedelta(days=1)

# Events of the long trail, and of which of these every hundredth is the installation's.
EVENTS = 6000


def _event(number: int, **facts: Any) -> dict[str, Any]:
    """Make the event that happened this many seconds after `NOW`."""
    return {
        "workspace_id": 1,
        "account_id": 1,
        "account_name": "Admin",
        "action": Action.CHANGED.value,
        "subject": f"number {number}",
        "result": "done",
        "changed": [],
        "happened_at": NOW + seconds(number),
    } | facts


def _add(*events: dict[str, Any]) -> None:
    db.session.execute(insert(AuditEvent), list(events))
    db.session.commit()


def _list(trail: Trail, **criteria: Any) -> list[str]:
    return [entry.event.subject for entry in list_page(trail, AuditFilter(**criteria)).entries]


@pytest.fixture
def harbor(context: None, seeded: SeededIds) -> Trail:
    """The harbor's trail, with events of a person, of another, by command and by a customer, and one elsewhere."""
    _add(
        _event(100),
        _event(200, account_id=2, account_name="Support", action=Action.TEST_REQUESTED.value),
        _event(300, account_id=None, account_name=COMMAND_LINE.name, action=Action.MEMBER_ADDED.value),
        _event(400, account_id=None, account_name=CUSTOMER.name, action=Action.TEST_SEEN.value),
        _event(500, workspace_id=2),
        _event(600, workspace_id=None, account_id=None, account_name=COMMAND_LINE.name),
        _event(700 + 86_400),
    )
    return Trail(seeded.harbor)


@on_both_databases
@pytest.mark.parametrize(
    ("criteria", "numbers"),
    [
        ({"who": 1, "action": Action.CHANGED}, [87100, 100]),
        ({"who": 2}, [200]),
        ({"who": COMMAND_LINE}, [300]),
        ({"who": CUSTOMER}, [400]),
        ({"who": CUSTOMER, "action": Action.CHANGED}, []),
        ({"action": Action.TEST_REQUESTED}, [200]),
        ({"who": 999}, []),
        ({"since": date(2026, 5, 5)}, [87100]),
        ({"action": Action.CHANGED, "until": date(2026, 5, 4)}, [100]),
        ({"since": date.min, "until": date.max, "who": 2}, [200]),
        ({"since": date(2026, 5, 5), "until": date(2026, 5, 4)}, []),
    ],
)
def test_a_filter_selects_matching_events(harbor: Trail, criteria: dict[str, Any], numbers: list[int]) -> None:
    assert _list(harbor, **criteria) == [f"number {number}" for number in numbers]


@on_both_databases
@pytest.mark.parametrize(
    ("trail", "criteria", "numbers"),
    [
        (INSTALLATION, {}, [600]),
        (INSTALLATION, {"who": COMMAND_LINE}, [600]),
        (INSTALLATION, {"action": Action.CHANGED}, [600]),
        (INSTALLATION, {"who": 1}, []),
        (EVERYTHING, {"action": Action.CHANGED}, [87100, 600, 500, 100]),
        (EVERYTHING, {"who": 1, "action": Action.CHANGED}, [87100, 500, 100]),
        (EVERYTHING, {"who": COMMAND_LINE}, [600, 300]),
    ],
)
def test_the_installations_trail_is_its_own_or_that_of_everything(
    harbor: Trail, trail: Trail, criteria: dict[str, Any], numbers: list[int]
) -> None:
    assert _list(trail, **criteria) == [f"number {number}" for number in numbers]


@on_both_databases
def test_a_day_is_that_of_the_readers_zone(harbor: Trail) -> None:
    local_midnight = NOW.replace(hour=22, minute=0)  # of May 5 in Berlin
    _add(_event(1, happened_at=local_midnight - seconds(1)), _event(2, happened_at=local_midnight))
    berlin = ZoneInfo("Europe/Berlin")

    assert _list(harbor, since=date(2026, 5, 5), zone=berlin) == ["number 87100", "number 2"]
    assert _list(harbor, until=date(2026, 5, 4), zone=berlin)[0] == "number 1"


@on_both_databases
@pytest.mark.parametrize("trail", [Trail(1), INSTALLATION, EVERYTHING], ids=["workspace", "installation", "everything"])
def test_pages_follow_each_other_without_a_gap_also_at_the_same_instant(context: None, trail: Trail) -> None:
    workspace = {"workspace_id": trail.workspace_id}
    _add(*(_event(number, happened_at=NOW + seconds(number // 3), **workspace) for number in range(10)))
    found, before = [], None
    for _ in range(4):
        page = list_page(trail, AuditFilter(), before, size=3)
        found += [entry.event.subject for entry in page.entries]
        before = page.older

    assert (found, before) == ([f"number {number}" for number in reversed(range(10))], None)


@on_both_databases
def test_a_rare_event_is_searched_for_step_by_step(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset_pages, "SCAN_LIMIT", 4)
    _add(*(_event(number) for number in range(10)), _event(-1, action=Action.DELETED.value))
    criteria = AuditFilter(who=1, action=Action.DELETED)

    pages = [list_page(Trail(1), criteria)]
    while pages[-1].older:
        pages.append(list_page(Trail(1), criteria, pages[-1].older))

    assert [page.reached_scan_limit for page in pages] == [True, True, False]
    assert [entry.event.subject for entry in pages[-1].entries] == ["number -1"]


@on_both_databases
def test_the_menus_offer_who_acted_and_what_they_did(harbor: Trail, seeded: SeededIds) -> None:
    assert list_people(harbor) == [(seeded.admin, "Admin"), (seeded.support, "Support")]
    assert list_people(INSTALLATION, chosen=99) == [(99, "Account 99")]
    assert (seeded.stranger, "Stranger") in list_people(EVERYTHING)
    assert list_actions(INSTALLATION) == [Action.CHANGED]
    assert set(list_actions(harbor)) == {
        *(Action.ADDED, Action.CHANGED, Action.TEST_REQUESTED, Action.MEMBER_ADDED, Action.TEST_SEEN),
    }


# Plans


@pytest.fixture(params=["sqlite", "postgres"])
def long_trail(request: pytest.FixtureRequest, shared: Callable[[str], tuple[Flask, SeededIds]]) -> Any:
    """A trail that is so long that the planner has a choice, shared by the tests of plans, which change nothing."""
    app, _ = shared(request.param)
    with app.app_context():
        if db.session.query(AuditEvent).count() < EVENTS:
            _add(*(_long_event(number) for number in range(EVENTS)))
            db.session.execute(text("ANALYZE"))
            db.session.commit()
        yield
        db.session.rollback()


def _long_event(number: int) -> dict[str, Any]:
    person = {"account_id": number % 43 or None, "account_name": "Command line"}
    actions = list(Action)
    where = 1 + number % 41 if number % 10 else None
    return _event(number, workspace_id=where, action=actions[number % 11].value, **person)


@pytest.fixture
def plans(long_trail: None) -> Any:
    """The plans of the queries that read audit events from now on."""
    found: list[str] = []
    is_postgres = db.engine.dialect.name == "postgresql"
    prefix = "EXPLAIN" if is_postgres else "EXPLAIN QUERY PLAN"
    # Sorting a short table is cheap, so PostgreSQL is asked what it does where an index can serve the order.
    ways = [f"SET LOCAL enable_{way} = off" for way in ("sort", "incremental_sort", "seqscan", "bitmapscan")]

    def explain(connection: object, cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        if "audit_events" in statement and not statement.startswith("EXPLAIN"):
            with db.engine.connect() as other:
                for way in ways * is_postgres:
                    other.exec_driver_sql(way)
                rows = other.exec_driver_sql(f"{prefix} {statement}", parameters)  # type: ignore[arg-type]
                found.append("\n".join(str(row[-1]) for row in rows))

    event.listen(db.engine, "before_cursor_execute", explain)
    yield found
    event.remove(db.engine, "before_cursor_execute", explain)


def _is_costly(step: str) -> bool:
    """Recognize a step that reads all events, or sorts them."""
    words = ("Seq Scan on audit_events", "Sort Key", "SCAN audit_events", "USE TEMP B-TREE FOR ORDER BY")
    return any(word in step for word in words) and "USING" not in step


@pytest.mark.parametrize("before", [None, Cursor(NOW + seconds(3000), 3000)], ids=["first", "later"])
@pytest.mark.parametrize(
    ("trail", "criteria", "index"),
    [
        (Trail(1), AuditFilter(), "newest"),
        (Trail(1), AuditFilter(since=date(2026, 5, 4), until=date(2026, 5, 4)), "newest"),
        (Trail(1), AuditFilter(who=3), "workspace_person"),
        (Trail(1), AuditFilter(who=COMMAND_LINE), "workspace_person"),
        (Trail(1), AuditFilter(who=3, action=Action.SIGNED_IN), "workspace_person"),
        (Trail(1), AuditFilter(action=Action.SIGNED_IN), "workspace_action"),
        (INSTALLATION, AuditFilter(), "newest"),
        (INSTALLATION, AuditFilter(who=COMMAND_LINE), "workspace_person"),
        (INSTALLATION, AuditFilter(action=Action.SIGNED_OUT, until=date(2026, 5, 4)), "workspace_action"),
        (EVERYTHING, AuditFilter(), "happened_at"),
        (EVERYTHING, AuditFilter(who=3), "person"),
        (EVERYTHING, AuditFilter(who=COMMAND_LINE), "person"),
        (EVERYTHING, AuditFilter(action=Action.SIGNED_IN), "happened_at"),
    ],
)
def test_every_filter_is_served_by_its_index_without_sorting(
    plans: list[str], trail: Trail, criteria: AuditFilter, index: str, before: Cursor | None
) -> None:
    list_page(trail, criteria, before)

    assert plans
    assert [plan for plan in plans if f"ix_audit_events_{index}" not in plan] == []
    assert [plan for plan in plans if any(map(_is_costly, plan.splitlines()))] == []


@pytest.mark.parametrize("trail", [Trail(1), INSTALLATION, EVERYTHING], ids=["workspace", "installation", "everything"])
def test_the_menus_are_filled_by_looks_into_an_index(plans: list[str], trail: Trail) -> None:
    list_people(trail)
    list_actions(trail)

    assert plans
    assert [plan for plan in plans if any(map(_is_costly, plan.splitlines()))] == []
