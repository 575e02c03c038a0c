"""Finds what followed the problems of tests: the next change of the destination, and the next test that was seen."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import select

from webapp.audit import Action
from webapp.evidence.delivery_spans import IS_TEST, list_spans
from webapp.extensions import db
from webapp.models import AlertDelivery, AuditEvent, Receipt

# What people do about a test that failed or is in doubt.
_REMEDIES = [action.value for action in (Action.CHANGED, Action.ENABLED, Action.DISABLED, Action.DELETED)]

# After every event.
_END = datetime.max.replace(tzinfo=UTC)


class Change(NamedTuple):
    """An event that changed, enabled, disabled or deleted a destination. See `AuditEvent`."""

    happened_at: datetime
    action: str
    changed: list[str]
    account_name: str


class FollowUps:
    """The changes and the seen tests of a workspace, of which it reads each once: the latest ones first.

    destination_ids: whose; None for all.
    """

    def __init__(self, workspace_id: int, destination_ids: Collection[int] | None = None) -> None:
        self._workspace_id, self._destination_ids = workspace_id, destination_ids
        self._changes: dict[int | None, list[Change]] = defaultdict(list)
        self._seen: dict[int, list[datetime]] = defaultdict(list)
        self._changes_since = self._seen_since = _END

    def read_changes(self, since: datetime) -> None:
        """Read the changes since a time, unless they were read."""
        if since >= self._changes_since:
            return
        found: dict[int | None, list[Change]] = defaultdict(list)
        columns = (AuditEvent.happened_at, AuditEvent.action, AuditEvent.changed, AuditEvent.account_name)
        query = select(AuditEvent.destination_id, *columns).where(
            AuditEvent.workspace_id == self._workspace_id,
            AuditEvent.action.in_(_REMEDIES),
            AuditEvent.happened_at >= since,
            AuditEvent.happened_at < self._changes_since,
        )
        if self._destination_ids is not None:
            query = query.where(AuditEvent.destination_id.in_(self._destination_ids))
        for destination_id, *facts in db.session.execute(query.order_by(AuditEvent.happened_at, AuditEvent.id)):
            found[destination_id].append(Change(*facts))
        for key, earlier in found.items():
            self._changes[key] = earlier + self._changes[key]
        self._changes_since = since

    def read_seen_tests(self, since: datetime) -> None:
        """Read the tests since a time that somebody saw, unless they were read."""
        found: dict[int, list[datetime]] = defaultdict(list)
        columns = (AlertDelivery.alert_destination_id, AlertDelivery.created_at)
        for span in list_spans(self._workspace_id, since, self._seen_since) if since < self._seen_since else ():
            query = select(*columns).where(span.contains(), IS_TEST, AlertDelivery.receipt == Receipt.SEEN)
            if self._destination_ids is not None:
                query = query.where(AlertDelivery.alert_destination_id.in_(self._destination_ids))
            for destination_id, created_at in db.session.execute(query.order_by(AlertDelivery.created_at)):
                found[destination_id].append(created_at)
        for key, earlier in found.items():
            self._seen[key] = earlier + self._seen[key]
        self._seen_since = min(since, self._seen_since)

    def find_change(self, destination_id: int, after: datetime) -> Change | None:
        """Return the first change after a time, of those that were read."""
        changes = self._changes.get(destination_id, ())
        number = bisect_right(changes, after, key=lambda change: change.happened_at)
        return changes[number] if number < len(changes) else None

    def find_seen_test(self, destination_id: int, after: datetime) -> datetime | None:
        """Return when the first test after a time was requested, of those that were read."""
        times = self._seen.get(destination_id, ())
        number = bisect_right(times, after)
        return times[number] if number < len(times) else None
