"""The tests of a period that need an explanation: failed, reported missing, or not confirmed; and what was done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, select
from sqlalchemy.orm import aliased

from webapp.database.keyset_pages import KeysetList, KeysetPage, check_by_row
from webapp.deliveries.queries import IS_TEST_SEND, is_delivery_of
from webapp.evidence.counts import CountedSpan, is_in_period
from webapp.evidence.delivery_spans import IS_TEST
from webapp.evidence.destinations_in_period import existed_in
from webapp.evidence.follow_ups import Change, FollowUps
from webapp.evidence.period import Period
from webapp.extensions import db
from webapp.models import TEST_EVENT, Account, AlertDelivery, AlertDestination, DeliveryStatus, Receipt
from webapp.models.inline_value import inline
from webapp.text.cursors import Cursor

# Tests per list of a page. The CSV has them all.
MAX_LISTED = 100


class RecordedProblem(StrEnum):
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
    problem: RecordedProblem | None = None
    change: Change | None = None
    accepted_at: datetime | None = None
    seen_at: datetime | None = None

    @property
    def known_at(self) -> datetime:
        """Return when the problem was known: with the test, or with the report of the person who misses it."""
        told = self.delivery.receipt_at if self.problem is RecordedProblem.MISSING else None
        return told or self.delivery.created_at


def list_problems(
    problem: RecordedProblem, spans: Sequence[CountedSpan], unconfirmed: Collection[int], others: Collection[int]
) -> Sequence[RecordedTest]:
    """Return the first tests that have a problem, oldest first. Reads only the spans that have any.

    unconfirmed: the drills that made destinations unconfirmed. others: the destinations that are not in the report.
    """
    query = select(AlertDelivery.id).order_by(AlertDelivery.created_at, AlertDelivery.id)
    ids: list[int] = []
    if problem is RecordedProblem.UNCONFIRMED:
        ids += db.session.scalars(query.where(AlertDelivery.id.in_(unconfirmed)).limit(MAX_LISTED))
    else:
        is_one = and_(_CONDITIONS[problem], AlertDelivery.alert_destination_id.not_in(others))
        for counted in spans:
            left = MAX_LISTED - len(ids)
            if left and getattr(counted.counts, problem.value):
                ids += db.session.scalars(query.where(counted.span.contains(), is_one).limit(left))
    tests = _SELECT_TESTS.where(AlertDelivery.id.in_(ids)).order_by(AlertDelivery.created_at, AlertDelivery.id)
    rows = db.session.execute(tests) if ids else ()
    return [RecordedTest(row[0], row[1], row[2], problem) for row in rows]


def list_tests(
    workspace_id: int,
    period: Period,
    unconfirmed: Collection[int],
    follow_ups: FollowUps,
    before: Cursor | None,
    size: int,
) -> KeysetPage[RecordedTest]:
    """Return the newest tests of the period that are older than a cursor. unconfirmed: as for `list_problems`."""
    of_report = is_in_period(workspace_id, period), existed_in(workspace_id, period), IS_TEST_SEND
    page = _LIST.fetch_page(of_report, [], before, size)
    records = [replace(record, problem=_find_problem(record.delivery, unconfirmed)) for record in page.entries]
    known_at = [record.known_at for record in records if record.problem]
    if known_at:
        follow_ups.read_changes(min(known_at))
        follow_ups.read_seen_tests(min(known_at))
    return replace(page, entries=add_seen_tests(add_follow_ups(records, follow_ups), follow_ups))


def add_follow_ups(records: Sequence[RecordedTest], follow_ups: FollowUps) -> Sequence[RecordedTest]:
    """Return the tests, those with a problem with the next change, of those that were read, and the next accepted test.

    Executes one query at most.
    """
    ids = [record.delivery.id for record in records if record.problem]
    accepted = _load_accepted(ids) if ids else {}
    return [
        replace(
            record,
            change=follow_ups.find_change(record.destination.id, record.known_at),
            accepted_at=accepted.get(record.delivery.id),
        )
        if record.problem
        else record
        for record in records
    ]


def add_seen_tests(records: Sequence[RecordedTest], follow_ups: FollowUps) -> Sequence[RecordedTest]:
    """Return the tests, those with a problem with `seen_at`, of the seen tests that were read."""
    return [
        replace(record, seen_at=follow_ups.find_seen_test(record.destination.id, record.known_at))
        if record.problem
        else record
        for record in records
    ]


def _find_problem(delivery: AlertDelivery, unconfirmed: Collection[int]) -> RecordedProblem | None:
    if delivery.status is DeliveryStatus.FAILED:
        return RecordedProblem.FAILED
    if delivery.status is DeliveryStatus.SENT and delivery.receipt is Receipt.MISSING:
        return RecordedProblem.MISSING
    return RecordedProblem.UNCONFIRMED if delivery.id in unconfirmed else None


_later = aliased(AlertDelivery)
_IS_MISSING = and_(AlertDelivery.status == DeliveryStatus.SENT, AlertDelivery.receipt == Receipt.MISSING)
_CONDITIONS: dict[RecordedProblem, ColumnElement[bool]] = {
    RecordedProblem.FAILED: and_(IS_TEST, AlertDelivery.status == DeliveryStatus.FAILED),
    RecordedProblem.MISSING: and_(IS_TEST, check_by_row(_IS_MISSING)),
}
# When the problem was known: with the test, or with the report of the person who misses it.
_KNOWN_AT = case((_IS_MISSING, AlertDelivery.receipt_at), else_=AlertDelivery.created_at)


def _load_accepted(delivery_ids: Sequence[int]) -> Mapping[int, datetime | None]:
    """Return when the next accepted test after each of these tests with a problem was requested, by its id."""
    rows = db.session.execute(select(AlertDelivery.id, _find_accepted()).where(AlertDelivery.id.in_(delivery_ids)))
    return {row[0]: row[1] for row in rows}


def _find_accepted() -> ScalarSelect[Any]:
    """Return when the next accepted test of the destination was requested."""
    # Without the workspace, both databases read the index of accepted deliveries, not all tests.
    is_accepted = _later.status == inline(DeliveryStatus.SENT)
    own = _later.alert_destination_id == AlertDelivery.alert_destination_id
    is_later = and_(own, _later.event_type == TEST_EVENT, _later.created_at > _KNOWN_AT, is_accepted)
    query = select(_later.created_at).where(is_later).order_by(_later.created_at, _later.id).limit(1)
    return query.correlate(AlertDelivery).scalar_subquery()


_SELECT_TESTS: Select[*tuple[Any, ...]] = (
    select(AlertDelivery, AlertDestination, Account.name)
    .join(AlertDestination, is_delivery_of(AlertDestination))
    .outerjoin(Account, Account.id == AlertDelivery.requested_by_id)
)
_LIST = KeysetList(
    _SELECT_TESTS,
    RecordedTest,
    AlertDelivery.created_at,
    AlertDelivery.id,
    lambda record: Cursor(record.delivery.created_at, record.delivery.id),
)
