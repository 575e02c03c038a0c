"""The tests of a period that need an explanation: failed, reported missing, or not confirmed; and what was done."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, literal, or_, select
from sqlalchemy.orm import aliased

from webapp.audit import Action
from webapp.database.keyset_pages import KeysetList, Page
from webapp.deliveries.queries import is_delivery_of
from webapp.evidence.counts import is_in_period
from webapp.evidence.period import Period
from webapp.evidence.population import existed_in
from webapp.extensions import db
from webapp.models import TEST_EVENT, Account, AlertDelivery, AlertDestination, AuditEvent, DeliveryStatus, Receipt
from webapp.text.cursors import Cursor

# Tests per list of a page. The CSV has them all.
MAX_LISTED = 100

# What people do about a test that is no good.
_REMEDIES = [action.value for action in (Action.CHANGED, Action.ENABLED, Action.DISABLED, Action.DELETED)]


class Problem(StrEnum):
    """Why a test needs an explanation. A test has one of these at most."""

    FAILED = "failed"
    MISSING = "missing"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True)
class RecordedTest:
    """A test of the period.

    requested_by: None for the schedule, and if the account was deleted. change: the next event after the problem that
    changed, enabled, disabled or deleted the destination. accepted_at, seen_at: when the next accepted test, and the
    next one that somebody saw, was requested. All three are None without a problem, and if there was none so far.
    """

    delivery: AlertDelivery
    destination: AlertDestination
    requested_by: str | None
    problem: Problem | None
    change: AuditEvent | None
    accepted_at: datetime | None
    seen_at: datetime | None = None

    @property
    def known_at(self) -> datetime:
        """Return when the problem was known: with the test, or with the report of the person who misses it."""
        told = self.delivery.receipt_at if self.problem is Problem.MISSING else None
        return told or self.delivery.created_at


def list_problems(
    workspace_id: int, period: Period, problem: Problem, unconfirmed: Mapping[int, int]
) -> Sequence[RecordedTest]:
    """Return the first tests that have a problem, oldest first, with four queries at most.

    unconfirmed: see `find_unconfirmed`.
    """
    # Step by step: PostgreSQL's plan for all at once took 30 s for 100,000 deliveries.
    oldest_first = (AlertDelivery.created_at, AlertDelivery.id)
    if problem is Problem.UNCONFIRMED:
        chosen = select(AlertDelivery.id).where(AlertDelivery.id.in_(unconfirmed.values()))
    else:
        destinations = select(AlertDestination.id).where(existed_in(workspace_id, period))
        of_report = AlertDelivery.alert_destination_id.in_(db.session.scalars(destinations).all())
        inside = is_in_period(workspace_id, period)
        chosen = select(AlertDelivery.id).where(inside, of_report, _CONDITIONS[problem])
    ids = db.session.scalars(chosen.order_by(*oldest_first).limit(MAX_LISTED)).all()
    tests = _select_tests(unconfirmed).where(AlertDelivery.id.in_(ids))
    rows = db.session.execute(tests.order_by(*oldest_first))
    return _find_seen(workspace_id, [_make_record(*row) for row in rows])


def list_tests(
    workspace_id: int, period: Period, unconfirmed: Mapping[int, int], before: Cursor | None, size: int
) -> Page[RecordedTest]:
    """Return the newest tests of the period that are older than a cursor. unconfirmed: see `find_unconfirmed`."""
    of_report = is_in_period(workspace_id, period), existed_in(workspace_id, period), _IS_TEST
    page = _make_list(unconfirmed).fetch_page(of_report, [], before, size)
    return replace(page, entries=_find_seen(workspace_id, page.entries))


def _find_seen(workspace_id: int, records: Sequence[RecordedTest]) -> Sequence[RecordedTest]:
    """Return the records with `seen_at`.

    One query reads the later tests once. A subquery for each record, as for `accepted_at`, would read them again for
    each, because no index has the receipts.
    """
    known_at = [record.known_at for record in records if record.problem]
    if not known_at:
        return records
    ids = {record.destination.id for record in records if record.problem}
    seen: dict[int, list[datetime]] = defaultdict(list)
    query = (
        select(AlertDelivery.alert_destination_id, AlertDelivery.created_at)
        .where(AlertDelivery.workspace_id == workspace_id, AlertDelivery.alert_destination_id.in_(sorted(ids)))
        .where(_IS_TEST, AlertDelivery.created_at > min(known_at), AlertDelivery.receipt == Receipt.SEEN)
    )
    for destination_id, created_at in db.session.execute(query.order_by(AlertDelivery.created_at)):
        seen[destination_id].append(created_at)
    return [replace(record, seen_at=_find_next(seen[record.destination.id], record)) for record in records]


def _find_next(times: Sequence[datetime], record: RecordedTest) -> datetime | None:
    """Return the first of these times after a problem was known."""
    number = bisect_right(times, record.known_at)
    return times[number] if record.problem and number < len(times) else None


_later = aliased(AlertDelivery)
_change = aliased(AuditEvent)
_IS_TEST = AlertDelivery.event_type == literal(TEST_EVENT, literal_execute=True)
_CONDITIONS: dict[Problem, ColumnElement[bool]] = {
    Problem.FAILED: and_(_IS_TEST, AlertDelivery.status == DeliveryStatus.FAILED),
    Problem.MISSING: and_(
        _IS_TEST, AlertDelivery.status == DeliveryStatus.SENT, AlertDelivery.receipt == Receipt.MISSING
    ),
}
# When the problem was known: with the test, or with the report of the person who misses it.
_KNOWN_AT = case((_CONDITIONS[Problem.MISSING], AlertDelivery.receipt_at), else_=AlertDelivery.created_at)


def _find_accepted() -> ScalarSelect[Any]:
    """Return when the next accepted test of the destination was requested, where a test has a problem."""
    # Without the workspace and with a literal, both databases read the index of accepted deliveries, not all tests.
    is_accepted = _later.status == literal(DeliveryStatus.SENT, _later.status.type, literal_execute=True)
    own = _later.alert_destination_id == AlertDelivery.alert_destination_id
    is_later = and_(own, _later.event_type == TEST_EVENT, _later.created_at > _KNOWN_AT, is_accepted)
    query = select(_later.created_at).where(is_later).order_by(_later.created_at, _later.id).limit(1)
    return query.correlate(AlertDelivery, AlertDestination).scalar_subquery()


def _find_change() -> ScalarSelect[Any]:
    """Return the id of the next event that changed the destination of a test."""
    is_later = and_(
        AuditEvent.destination_id == AlertDelivery.alert_destination_id,
        AuditEvent.action.in_(_REMEDIES),
        AuditEvent.happened_at > _KNOWN_AT,
    )
    query = select(AuditEvent.id).where(is_later).order_by(AuditEvent.happened_at, AuditEvent.id).limit(1)
    return query.correlate(AlertDelivery, AlertDestination).scalar_subquery()


def _select_tests(unconfirmed: Mapping[int, int]) -> Select[Any]:
    """Return the query for tests. What followed is looked up only where a test has a problem."""
    conditions = _CONDITIONS | {Problem.UNCONFIRMED: AlertDelivery.id.in_(unconfirmed.values())}
    has_problem = or_(*conditions.values())
    return (
        select(
            AlertDelivery,
            AlertDestination,
            Account.name,
            case(*((condition, literal(problem.value)) for problem, condition in conditions.items())),
            _change,
            case((has_problem, _find_accepted())),
        )
        .join(AlertDestination, is_delivery_of(AlertDestination))
        .outerjoin(Account, Account.id == AlertDelivery.requested_by_id)
        .outerjoin(_change, _change.id == case((has_problem, _find_change())))
    )


def _make_record(
    delivery: AlertDelivery,
    destination: AlertDestination,
    requested_by: str | None,
    problem: str | None,
    change: AuditEvent | None,
    accepted_at: datetime | None,
) -> RecordedTest:
    known = Problem(problem) if problem else None
    return RecordedTest(delivery, destination, requested_by, known, change, accepted_at)


def _make_list(unconfirmed: Mapping[int, int]) -> KeysetList[RecordedTest]:
    return KeysetList(
        _select_tests(unconfirmed),
        _make_record,
        AlertDelivery.created_at,
        AlertDelivery.id,
        lambda record: Cursor(record.delivery.created_at, record.delivery.id),
    )
