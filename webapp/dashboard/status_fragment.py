"""The status fragment: one function builds it for the page, the press and the poll alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app, render_template
from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import joinedload

from webapp import deliveries, queue
from webapp.auth.access import Visit
from webapp.dashboard.poll_interval import Polls, choose_pace
from webapp.dashboard.recent_results import find_strip, list_strips, read_strip
from webapp.deliveries.outcome import Badge, LastTest, find_newest_ids, tell_last_test
from webapp.extensions import db
from webapp.metrics.backlog import WAITING_OF_ONE, count_waiting
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus
from webapp.sends.rate_limit import seconds_left
from webapp.settings import current_config

PICK_UP = timedelta(seconds=3)
"""How long a worker may take to pick a test up before the page looks whether there is one."""


@dataclass(frozen=True)
class Status:
    """All that the fragment shows.

    strip: how the last test sends stand, the oldest first.
    poll: milliseconds after which it asks again, or None once the answer is final.
    cooldown: whole seconds until the button works again.
    obstacle: why the button does not work at all, or None.
    refusal: why this very press was not accepted, or None.
    lacks_worker: it waits for a worker, and none has given a sign of life.
    is_outdated: the settings were changed after the test was requested, so it says nothing of those in use.
    """

    destination: AlertDestination
    newest: AlertDelivery | None
    last_test: LastTest
    strip: Sequence[DeliveryStatus]
    poll: int | None
    cooldown: int
    obstacle: str | None
    refusal: str | None
    lacks_worker: bool
    is_outdated: bool


@dataclass(frozen=True)
class Beside:
    """What the fragments of one page share. pending: how many test sends of the workspace wait."""

    strips: Mapping[int, Sequence[DeliveryStatus]]
    pending: int


def look_beside(workspace_id: int, destination_ids: Sequence[int]) -> Beside:
    """Fetch it for a page of destinations: two queries."""
    return Beside(list_strips(destination_ids), count_waiting(workspace_id))


def show_status(
    visit: Visit,
    destination: AlertDestination,
    newest: AlertDelivery | None,
    now: datetime,
    refusal: str | None = None,
    beside: Beside | None = None,
) -> Status:
    """Decide what the fragment shows. beside: None looks it up."""
    beside = beside or look_beside(visit.workspace.id, [destination.id])
    last_test = tell_last_test(newest, destination.type)
    return Status(
        destination=destination,
        newest=newest,
        last_test=last_test,
        strip=beside.strips.get(destination.id, ()),
        poll=_invite_poll(newest, now, beside.pending) if newest and last_test.badge is Badge.PENDING else None,
        cooldown=seconds_left(newest.created_at if newest else None, now),
        obstacle=find_obstacle(visit, destination),
        refusal=refusal,
        lacks_worker=newest is not None and _lacks_worker(newest, now),
        is_outdated=newest is not None and newest.settings_version not in (None, destination.settings_version),
    )


def look_at(destination: AlertDestination, now: datetime) -> tuple[AlertDelivery | None, Beside]:
    """Fetch the newest test send and what its fragment shows beside it: one query.

    One that is past its time ends here, if no worker is there to end it.
    """
    newest, beside = _look_at(destination)
    if newest is not None and _end_if_abandoned(newest, now):
        newest, beside = _look_at(destination)
    return newest, beside


def settle_overdue(workspace_id: int, now: datetime) -> None:
    """End the test sends of a workspace that are past their time, if no worker is there to end them."""
    for overdue in deliveries.list_overdue(workspace_id, now):
        _end_if_abandoned(overdue, now)


def find_obstacle(visit: Visit, destination: AlertDestination) -> str | None:
    """Say why this visitor can't test this destination, or None."""
    if not visit.role.may_test:
        return "Viewers look; ask an admin or support to send a test."
    if not destination.is_enabled:
        return "Disabled: enable it to send a test."
    return None


def render_status(visit: Visit, status: Status, now: datetime) -> str:
    """Render the fragment by itself, as the press and the poll answer it."""
    return render_template("_status.html", visit=visit, status=status, now=now)


def _look_at(destination: AlertDestination) -> tuple[AlertDelivery | None, Beside]:
    key = {"destination_id": destination.id, "workspace_id": destination.workspace_id}
    newest, strip, pending = db.session.execute(_AT_ONE, key).one()
    return newest, Beside({destination.id: read_strip(strip)}, pending)


# Every poll asks for it, so it is put together once.
_AT_ONE = (
    select(AlertDelivery, find_strip(), WAITING_OF_ONE.correlate(None).scalar_subquery())
    .select_from(AlertDestination)
    .outerjoin(AlertDelivery, and_(AlertDelivery.id == find_newest_ids(), AlertDestination.deleted_at.is_(None)))
    .options(joinedload(AlertDelivery.requested_by))
    .where(AlertDestination.id == bindparam("destination_id"))
)


def _end_if_abandoned(newest: AlertDelivery, now: datetime) -> bool:
    # A living worker ends it by a clock that cannot be set, and may have it in the air: then it is not ours to end.
    is_overdue = deliveries.is_overdue(newest, now, current_config())
    return is_overdue and not _is_worker_seen() and deliveries.end_overdue(newest, now)


def _lacks_worker(newest: AlertDelivery, now: datetime) -> bool:
    is_left_alone = newest.status is DeliveryStatus.QUEUED and newest.attempt_started_at is None
    return is_left_alone and now - newest.updated_at >= PICK_UP and not _is_worker_seen()


def _is_worker_seen() -> bool:
    try:
        return queue.is_worker_alive()
    except queue.QueueUnavailable:
        return False


def _invite_poll(newest: AlertDelivery, now: datetime, pending: int) -> int:
    polls: Polls = current_app.extensions["polls"]
    return round(1000 * polls.invite(choose_pace(now - newest.updated_at, pending)))
