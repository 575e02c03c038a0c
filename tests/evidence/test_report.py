"""Reports of random histories, compared with a second implementation that looks at one row after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from tests.factories import SeededIds
from webapp.audit import Action
from webapp.deliveries.arrival import UNCERTAIN_CODES
from webapp.evidence import Period, RecordedProblem, Report, RetentionPeriods, delivery_spans, make_report
from webapp.evidence.counts import COUNTED
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import (
    TEST_EVENT,
    AlertDelivery,
    AlertDestination,
    AlertRule,
    AuditEvent,
    DeliveryStatus,
    DrillNumber,
    Receipt,
    Tenant,
)

PERIOD = Period(date(2026, 4, 1), date(2026, 4, 30), UTC)
EARLY, LATE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
FOREVER = RetentionPeriods(None, None)
CODES = (Code.GATEWAY_GAVE_UP.value, Code.NOT_FOUND.value, Code.WORKER_LOST.value)

# Moments on both sides of the period, and at its very edges.
MOMENTS = st.one_of(
    st.integers(0, 92 * 24 - 1).map(lambda hours: EARLY + timedelta(hours=hours)),
    st.sampled_from([PERIOD.begins_at, PERIOD.ends_at, PERIOD.ends_at - timedelta(microseconds=1)]),
)


@dataclass(frozen=True)
class PastMessage:
    """A delivery of a history."""

    at: datetime
    status: DeliveryStatus
    code: str
    drill: DrillNumber | None
    receipt: Receipt | None
    is_test: bool


@dataclass(frozen=True)
class PastDestination:
    """A destination of a history. switches: when it was disabled, enabled, disabled again, and so on."""

    added_at: datetime
    deleted_at: datetime | None
    needs_confirmation: bool
    switches: list[datetime]
    messages: list[PastMessage] = field(default_factory=list)


messages = st.builds(
    PastMessage,
    MOMENTS,
    st.sampled_from(DeliveryStatus),
    st.sampled_from(CODES),
    st.sampled_from([None, *DrillNumber]),
    st.sampled_from([None, None, *Receipt]),
    st.booleans(),
)
destinations = st.builds(
    PastDestination,
    MOMENTS,
    st.none() | MOMENTS,
    st.booleans(),
    st.lists(MOMENTS, max_size=4, unique=True).map(sorted),
    st.lists(messages, max_size=8),
).map(lambda drawn: _order(drawn))
histories = st.lists(destinations, max_size=4)


def _order(drawn: PastDestination) -> PastDestination:
    """Keep what happened between the addition and the deletion."""
    gone = max(drawn.added_at + timedelta(hours=1), drawn.deleted_at) if drawn.deleted_at else None
    is_there = [at for at in drawn.switches if drawn.added_at < at and (gone is None or at < gone)]
    return PastDestination(drawn.added_at, gone, drawn.needs_confirmation, is_there, drawn.messages)


class History:
    """Writes histories into the harbor workspace, one after the other."""

    def __init__(self, seeded: SeededIds) -> None:
        self._ids = {"workspace_id": seeded.harbor}
        tenant, rule = Tenant(name="T", created_at=EARLY, **self._ids), None
        rule = AlertRule(name="R", event_type="x", created_at=EARLY, **self._ids)
        db.session.add_all([tenant, rule])
        db.session.flush()
        self._real = {"event_type": "x", "tenant_id": tenant.id, "alert_rule_id": rule.id}
        db.session.commit()

    def replace(self, history: list[PastDestination]) -> dict[int, PastDestination]:
        """Replace what is there, and return the destinations by their ids."""
        db.session.rollback()
        db.session.execute(delete(AlertDelivery))
        db.session.execute(delete(AlertDestination))
        added = {self._add(past): past for past in history}
        db.session.commit()
        return added

    def _add(self, past: PastDestination) -> int:
        is_enabled = past.deleted_at is None and len(past.switches) % 2 == 0
        destination = AlertDestination(
            name="D", type="webhook", config="", is_enabled=is_enabled, deleted_at=past.deleted_at, **self._ids
        )
        destination.created_at = destination.updated_at = past.added_at
        destination.needs_confirmation = past.needs_confirmation
        db.session.add(destination)
        db.session.flush()
        acts = [(past.added_at, Action.ADDED)]
        acts += [(at, (Action.DISABLED, Action.ENABLED)[number % 2]) for number, at in enumerate(past.switches)]
        acts += [(past.deleted_at, Action.DELETED)] if past.deleted_at else []
        events = [self._event(destination.id, at, action) for at, action in acts]
        db.session.execute(insert(AuditEvent), events)
        rows = [self._row(destination.id, message) for message in past.messages]
        db.session.add_all(AlertDelivery(**row) for row in rows)
        return destination.id

    def _event(self, destination_id: int, at: datetime, action: Action) -> dict[str, Any]:
        facts = {"account_name": "Admin", "subject": "D", "result": "done", "changed": []}
        return facts | self._ids | {"destination_id": destination_id, "happened_at": at, "action": action.value}

    def _row(self, destination_id: int, message: PastMessage) -> dict[str, Any]:
        kind = {"event_type": TEST_EVENT, "drill": message.drill} if message.is_test else self._real
        receipt = {"receipt": message.receipt, "receipt_at": message.at} if message.is_test and message.receipt else {}
        return {
            **self._ids,
            **kind,
            **receipt,
            "alert_destination_id": destination_id,
            "status": message.status,
            "sent_at": message.at if message.status is DeliveryStatus.SENT else None,
            "send_after": message.at,
            "last_error_code": message.code if message.status is DeliveryStatus.FAILED else None,
            "payload": {},
            "created_at": message.at,
            "updated_at": message.at,
        }


@pytest.fixture(params=["sqlite", "postgres"])
def harbor(
    request: pytest.FixtureRequest, shared: Callable[[str], tuple[Flask, SeededIds]], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """An application with a history to write, by kind of database. A report reads it in spans of three deliveries."""
    monkeypatch.setattr(delivery_spans, "SPAN_SIZE", 3)
    app, seeded = shared(request.param)
    with app.app_context():
        yield seeded.harbor, History(seeded)
        db.session.rollback()


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(history=histories)
def check(harbor: tuple[int, History], history: list[PastDestination]) -> None:
    workspace_id, writer = harbor
    written = writer.replace(history)
    report = make_report(workspace_id, PERIOD, FOREVER, LATE)
    compare_rows(report, written)
    compare_lists(report, written)
    check_sums(report)
    db.session.rollback()


def test_a_report_says_what_looking_at_each_row_says(harbor: tuple[int, History]) -> None:
    check(harbor)


def _is_inside(at: datetime | None) -> bool:
    return at is not None and PERIOD.begins_at <= at < PERIOD.ends_at


def _existed(past: PastDestination) -> bool:
    return past.added_at < PERIOD.ends_at and not (past.deleted_at and past.deleted_at < PERIOD.begins_at)


def _list_tests(past: PastDestination) -> list[PastMessage]:
    return [message for message in past.messages if message.is_test and _is_inside(message.at)]


def _count_naively(past: PastDestination) -> dict[str, int]:
    numbers = dict.fromkeys(COUNTED, 0)
    for message in past.messages:
        if not _is_inside(message.at):
            continue
        status = message.status.value
        if not message.is_test:
            numbers["alerts_accepted"] += status == "sent"
            numbers["alerts_failed"] += status == "failed"
            numbers["alerts_other"] += status not in ("sent", "failed")
            continue
        numbers["by_people"] += message.drill is None
        numbers["first_drills"] += message.drill == "first"
        numbers["second_drills"] += message.drill == "second"
        numbers["accepted"] += status == "sent"
        numbers["failed"] += status == "failed"
        numbers["not_sent"] += status in ("canceled", "suppressed")
        numbers["under_way"] += status in ("queued", "deferred")
        numbers["may_have_arrived"] += status == "failed" and message.code in UNCERTAIN_CODES
        numbers["seen"] += message.receipt == "seen"
        numbers["missing"] += status == "sent" and message.receipt == "missing"
    numbers["unconfirmed"] = int(_find_unconfirmed_naively(past) is not None)
    return numbers


def _find_unconfirmed_naively(past: PastDestination) -> PastMessage | None:
    """Return the drill that made a destination unconfirmed when the period ended."""
    end = PERIOD.ends_at
    if not past.needs_confirmation or past.added_at >= end or (past.deleted_at and past.deleted_at < end):
        return None
    tests = [message for message in past.messages if message.is_test and message.at < end]
    drills = [message for message in tests if message.drill and message.status == "sent"]
    due = [(drill.at, number) for number, drill in enumerate(drills) if drill.at <= end - timedelta(days=7)]
    newest = drills[max(due)[1]] if due else None
    if newest is None or newest.receipt or any(test.receipt == "seen" and test.at >= newest.at for test in tests):
        return None
    return newest


def _count_disabled_naively(past: PastDestination) -> int:
    """Walk through the hours of the destination's life: an edge of a switch is a moment of its own."""
    ends = past.deleted_at or LATE
    spells = zip(past.switches[::2], [*past.switches[1::2], ends], strict=False)
    return sum(begin < PERIOD.ends_at and end >= PERIOD.begins_at for begin, end in spells)


def compare_rows(report: Report, written: dict[int, PastDestination]) -> None:
    expected = {key: past for key, past in written.items() if _existed(past)}
    found = {record.destination.id: record for record in report.destinations}
    assert found.keys() == expected.keys()
    for key, past in expected.items():
        record = found[key]
        assert {name: getattr(record.counts, name) for name in COUNTED} == _count_naively(past)
        assert len(record.disabled) == _count_disabled_naively(past)
        assert (record.was_added, record.was_deleted) == (_is_inside(past.added_at), _is_inside(past.deleted_at))
        newest = max((message.at for message in _list_tests(past)), default=None)
        assert (record.last_test.created_at if record.last_test else None) == newest
        newest = max((message.at for message in _list_tests(past) if message.receipt), default=None)
        assert (record.last_receipt.receipt_at if record.last_receipt else None) == newest
        later = [m.at for m in past.messages if m.is_test and m.status == "sent" and m.at >= PERIOD.ends_at]
        assert record.next_accepted_at == min(later, default=None)


def compare_lists(report: Report, written: dict[int, PastDestination]) -> None:
    tests = [(past, message) for past in written.values() if _existed(past) for message in _list_tests(past)]
    failed = sorted(message.at for _, message in tests if message.status == "failed")
    accepted = [(past, message) for past, message in tests if message.status == "sent"]
    missing = sorted(message.at for _, message in accepted if message.receipt == "missing")
    found = [_find_unconfirmed_naively(past) for past in written.values() if _existed(past)]
    unconfirmed = sorted(message.at for message in found if message)
    assert {
        problem: [record.delivery.created_at for record in records] for problem, records in report.problems.items()
    } == {RecordedProblem.FAILED: failed, RecordedProblem.MISSING: missing, RecordedProblem.UNCONFIRMED: unconfirmed}
    for record in report.problems[RecordedProblem.FAILED]:
        own = written[record.destination.id].messages
        later = [m.at for m in own if m.is_test and m.status == "sent" and m.at > record.delivery.created_at]
        assert record.accepted_at == min(later, default=None)
        changes = [at for at in written[record.destination.id].switches if at > record.delivery.created_at]
        deleted = written[record.destination.id].deleted_at
        changes += [deleted] if deleted and deleted > record.delivery.created_at else []
        assert (record.change.happened_at if record.change else None) == min(changes, default=None)
    for record in report.problems[RecordedProblem.UNCONFIRMED]:
        own = written[record.destination.id].messages
        seen = [m.at for m in own if m.is_test and m.receipt == "seen" and m.at > record.delivery.created_at]
        assert record.seen_at == min(seen, default=None)


def check_sums(report: Report) -> None:
    """Check what a reader can check by hand."""
    totals = report.totals
    assert totals.tests == totals.accepted + totals.failed + totals.not_sent + totals.under_way
    assert totals.tests == sum(record.counts.tests for record in report.destinations)
    assert {problem: len(listed) for problem, listed in report.problems.items()} == {
        RecordedProblem.FAILED: totals.failed,
        RecordedProblem.MISSING: totals.missing,
        RecordedProblem.UNCONFIRMED: totals.unconfirmed,
    }
    tested = [record for record in report.destinations if record.counts.accepted + record.counts.failed]
    assert len(tested) + len(report.untested) == len(report.destinations)
