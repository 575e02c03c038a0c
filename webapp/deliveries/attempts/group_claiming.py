"""Claims several deliveries in one transaction.

A row that cannot be prepared, is locked, or was changed meanwhile is left to the claim of a single delivery, so it
holds up no other one. A group waits for no lock: two groups, or a group and a press, cannot wait for each other.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import bindparam, tuple_, update

from webapp.deliveries.attempts.changed_since_press import IS_STILL_OPEN
from webapp.deliveries.attempts.claiming import Attempt, is_claimable, is_unclaimed, prepare_attempt
from webapp.deliveries.attempts.group_commit import ALONE, Alone
from webapp.deliveries.claim_candidates import ClaimCandidate, read_candidate, select_candidates
from webapp.deliveries.retry_policy import find_retry_policy
from webapp.deliveries.states import IS_UNCLAIMED
from webapp.deliveries.transitions import CLAIM, list_columns
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination
from webapp.settings import AppSettings

log = logging.getLogger(__name__)

# On PostgreSQL, locked rows are left out. SQLite has one writer and ignores this.
_LOAD = (
    select_candidates()
    .where(AlertDelivery.id.in_(bindparam("delivery_ids", expanding=True)))
    .with_for_update(of=AlertDelivery, skip_locked=True)
)
_COLUMNS = ("updated_at", "status", "attempt_started_at", "send_after", "exchange")
# Each row is checked with its own values, as in the claim of a single one.
_IS_UNCHANGED = IS_STILL_OPEN.where(
    AlertDestination.id == AlertDelivery.alert_destination_id,
    tuple_(AlertDelivery.id, AlertDelivery.attempt_count, AlertDestination.id, AlertDestination.settings_version).in_(
        bindparam("seen", expanding=True)
    ),
).correlate(AlertDelivery)
_CLAIM = (
    update(AlertDelivery)
    .where(AlertDelivery.id.in_(bindparam("delivery_ids", expanding=True)), IS_UNCLAIMED, _IS_UNCHANGED)
    .values({column: bindparam(column) for column in _COLUMNS} | {"attempt_count": AlertDelivery.attempt_count + 1})
    .returning(AlertDelivery.id)
)


def claim_group(delivery_ids: Sequence[int], app_settings: AppSettings, now: datetime) -> list[Attempt | Alone | None]:
    """Claim deliveries for this worker and commit.

    Returns for each its attempt, None if it no longer waits, or `ALONE` if it has to be claimed by itself.
    """
    rows = db.session.connection().execute(_LOAD, {"delivery_ids": sorted(set(delivery_ids))})
    candidates = [read_candidate(row) for row in rows]
    results: dict[int, Attempt | None] = {found.id: None for found in candidates if not is_unclaimed(found)}
    prepared = _prepare_all(candidates, app_settings, now)
    claimed = _claim_all(list(prepared.values()), now) if prepared else set()
    db.session.commit()
    for delivery_id in results:
        log.info("delivery not claimed", extra={"delivery": delivery_id})
    for delivery_id in claimed:
        results[delivery_id] = attempt = prepared[delivery_id][0]
        log.info("delivery claimed", extra={"delivery": delivery_id, "attempt": attempt.number})
    return [results.pop(delivery_id, ALONE) for delivery_id in delivery_ids]  # an attempt belongs to one thread only


# An attempt with the ids and versions that the claim checks again.
_Prepared = tuple[Attempt, tuple[int, int, int, int]]


def _prepare_all(
    candidates: Sequence[ClaimCandidate], app_settings: AppSettings, now: datetime
) -> dict[int, _Prepared]:
    prepared: dict[int, _Prepared] = {}
    for delivery in candidates:
        with suppress(Exception):  # the claim of a single delivery finds the same cause, and records it
            policy = find_retry_policy(delivery.event_type, app_settings)
            if policy is not None and is_claimable(delivery, policy, now):
                attempt = prepare_attempt(delivery, policy, app_settings, now)
                destination = delivery.destination
                seen = (delivery.id, delivery.attempt_count, destination.id, destination.settings_version)
                prepared[delivery.id] = attempt, seen
    return prepared


def _claim_all(prepared: Sequence[_Prepared], now: datetime) -> set[int]:
    """Claim rows that are as they were seen, and return their ids."""
    values = list_columns(CLAIM, now, {"exchange": None})
    parameters = {
        "delivery_ids": [attempt.delivery_id for attempt, _ in prepared],
        "seen": [seen for _, seen in prepared],
    }
    # On the connection, as in `transitions.py`.
    return set(db.session.connection().scalars(_CLAIM, {**values, **parameters}))
