"""Adds the year before the demo: the drills of its destinations, what failed, and what people did about it.

Every demo has the same year, which ends on the day on which its data is made.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert

from webapp.audit import RECIPIENT, SCHEDULE, Action, Actor, find_actor
from webapp.deliveries.attempts.past_attempts import PastAttempt, add_attempt
from webapp.demo.drill_stories import DELETED, DELETED_WEEK, FIRST_WEEK, STORIES
from webapp.environment.demo_hosts import SERVICE_HOSTS
from webapp.extensions import db
from webapp.failures import Code, Facts, describe
from webapp.models import (
    TEST_EVENT,
    Account,
    AlertDelivery,
    AlertDestination,
    AuditEvent,
    DeliveryStatus,
    DrillNumber,
    Receipt,
    ReceiptSource,
)
from webapp.settings import Demo

SECOND_DRILL_AFTER = timedelta(hours=1)

_STATUSES = {Code.REMOTE_UNAVAILABLE: 503, Code.NOT_FOUND: 404}
_ACCEPTED = {"email": 250, "teams": 202, "pagerduty": 202, "jira_service_management": 202}


def add_year(
    destinations: Sequence[AlertDestination], admin: Account, support: Account, demo: Demo, at: datetime
) -> None:
    """Add the drills, receipts and changes of a year to the destinations that have a story. The caller commits.

    at: the end of the year.
    """
    chance = Random(54)  # noqa: S311  # the same year in every demo
    years = [_DestinationYear(destination, admin, support, demo, at, chance) for destination in destinations]
    deliveries = [row for year in years for row in year.list_drills()]
    events = [event for year in years for event in year.list_events(deliveries)]
    if deliveries:
        db.session.execute(insert(AlertDelivery), sorted(deliveries, key=lambda row: row["created_at"]))
        db.session.execute(insert(AuditEvent), sorted(events, key=lambda event: event["happened_at"]))


class _DestinationYear:
    """The past year of one destination, as rows."""

    def __init__(
        self, destination: AlertDestination, admin: Account, support: Account, demo: Demo, at: datetime, chance: Random
    ) -> None:
        self._destination, self._admin, self._support = destination, find_actor(admin), find_actor(support)
        self._story = STORIES.get(destination.name)
        self._day = at.replace(hour=8, minute=0, second=0, microsecond=0)
        origin = demo.find_origin(destination.type) if destination.type in SERVICE_HOSTS else None
        self._host = urlsplit(origin).hostname if origin else demo.mail_host
        # In the morning of the same day of each week, at its own time.
        self._shift = timedelta(minutes=chance.randrange(4 * 60), seconds=chance.randrange(60))
        if self._story is not None and self._story.needs_confirmation:
            destination.needs_confirmation = destination.drills_may_page = True

    def list_drills(self) -> Iterator[dict[str, Any]]:
        if self._story is None:
            return
        codes = {week: (code, again) for week, code, again in self._story.failed}
        disabled = {week for week, action, _ in self._story.acts if action is Action.DISABLED}
        enabled = {week for week, action, _ in self._story.acts if action is Action.ENABLED}
        is_enabled = True
        for week in range(FIRST_WEEK, self._story.until - 1, -1):
            is_enabled = (is_enabled or week in enabled) and week not in disabled
            if not is_enabled or (FIRST_WEEK - week) % self._story.every:
                continue
            code, again = codes.get(week, (None, False))
            yield self._make_drill(DrillNumber.FIRST, code, self._time(week), self._receipt_of(week))
            if code:
                yield self._make_drill(
                    DrillNumber.SECOND, code if again else None, self._time(week) + SECOND_DRILL_AFTER, {}
                )

    def list_events(self, deliveries: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        if self._story is None:
            return
        for row in deliveries:
            if row["alert_destination_id"] != self._destination.id:
                continue
            yield self._make_event(Action.DRILL_REQUESTED, SCHEDULE, row["created_at"])
            if row["receipt"] is not None:
                yield self._make_event(*_find_act(row, self._support), row["receipt_at"])
            self._destination.drilled_at = row["created_at"]
        for week, action, detail in self._story.acts:
            after = timedelta(days=1) if action is Action.CHANGED else timedelta(hours=-2)
            yield self._make_event(action, self._admin, self._time(week) + after, detail)
        if self._destination.name == DELETED:
            yield self._make_event(Action.DELETED, self._admin, self.delete())

    def delete(self) -> datetime:
        """Mark the destination as deleted, and return when."""
        gone_at = self._time(DELETED_WEEK)
        self._destination.deleted_at = self._destination.updated_at = gone_at
        self._destination.is_enabled, self._destination.config = False, ""
        return gone_at

    def _time(self, week: int) -> datetime:
        return self._day - timedelta(weeks=week) + self._shift

    def _receipt_of(self, week: int) -> dict[str, Any]:
        story = self._story
        if story is None or week not in (*story.seen, *story.missing):
            return {}
        at = self._time(week) + timedelta(minutes=40)
        if week in story.missing:
            who: dict[str, Any] = {"receipt_source": ReceiptSource.MEMBER, "receipt_by": self._support.name}
            return {"receipt": Receipt.MISSING, "receipt_at": at, **who}
        if story.needs_confirmation or self._destination.type == "email":
            return {"receipt": Receipt.SEEN, "receipt_at": at, "receipt_source": ReceiptSource.LINK}
        who = {"receipt_by": "Dock office", "receipt_recorded_by": self._support.name}
        return {"receipt": Receipt.SEEN, "receipt_at": at, "receipt_source": ReceiptSource.CUSTOMER, **who}

    def _make_drill(
        self, number: DrillNumber, code: Code | None, at: datetime, receipt: dict[str, Any]
    ) -> dict[str, Any]:
        status = _STATUSES[code] if code else _ACCEPTED.get(self._destination.type, 200)
        no_receipt = dict.fromkeys(
            ("receipt", "receipt_at", "receipt_source", "receipt_by", "receipt_recorded_by"), None
        )
        return {
            "workspace_id": self._destination.workspace_id,
            "alert_destination_id": self._destination.id,
            "event_type": TEST_EVENT,
            "status": DeliveryStatus.FAILED if code else DeliveryStatus.SENT,
            "sent_at": None if code else at,
            "attempt_count": 1,
            "attempts": add_attempt([], PastAttempt(1, at, 0.2, code, status)),
            "last_error_code": code,
            "last_error_message": code and describe(code, Facts(host=self._host, status=status)),
            "answer_status": status,
            "settings_version": 1,
            "drill": number,
            "payload": {"reference": secrets.token_hex(3).upper()},
            "created_at": at,
            "updated_at": at,
            **no_receipt,
            **receipt,
        }

    def _make_event(self, action: Action, by: Actor, at: datetime, detail: str = "") -> dict[str, Any]:
        return {
            "workspace_id": self._destination.workspace_id,
            "account_id": by.account_id,
            "account_name": by.name,
            "action": action.value,
            "subject": f"{self._destination.name} (destination {self._destination.id})",
            "result": "done",
            "changed": [detail] if detail else [],
            "happened_at": at,
            "destination_id": self._destination.id,
        }


def _find_act(row: dict[str, Any], member: Actor) -> tuple[Action, Actor]:
    """Return what the audit trail says about a receipt."""
    if row["receipt_source"] is ReceiptSource.LINK:
        return Action.TEST_SEEN, RECIPIENT
    is_missing = row["receipt"] is Receipt.MISSING
    return (Action.TEST_MISSED if is_missing else Action.TEST_CONFIRMED), member
