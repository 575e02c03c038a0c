"""Sends a notice to a destination: check, claim, release the database, send, record. At most one run sends, and once.

A worker that dies after the claim leaves a row that `end_lost_notices` ends. It is not sent again: it may have arrived.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select, update

from webapp.channels.contract import Channel
from webapp.channels.fields import Settings
from webapp.channels.message import NOTICE_EVENT, Message
from webapp.database.sessions import discard_transaction
from webapp.deliveries.attempts.claiming import get_channel, open_settings
from webapp.deliveries.database_retries import BEGIN_PATIENCE, retry
from webapp.deliveries.unexpected_errors import log_unexpected
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed
from webapp.models import (
    AlertDestination,
    Notice,
    NoticeDestination,
    NoticeStatus,
    Workspace,
    database_clock,
)
from webapp.models.row_changes import change_rows
from webapp.notices.chosen_destination_health import HAS_OPEN_PROBLEM, Obstacle, load_health
from webapp.notices.endings import Ending, end_notices
from webapp.notices.headline import Item, describe_headline, name_destinations
from webapp.notices.mails import drop_items, keep_true_items
from webapp.outbound import OutboundClient
from webapp.presses.limit_counters import admit_targets
from webapp.settings import AppSettings

log = logging.getLogger(__name__)

# How long an attempt can last at most: preparing 5 s, sending 8 s, and the rest for recording. Afterwards, it is lost.
LOST_AFTER = timedelta(seconds=60)

# One that no worker claimed in this time is not sent any more: what it tells may be old.
LIFETIME = timedelta(minutes=15)

# The most notices that one look finds.
PAGE_SIZE = 100

# Who sends it, as the message says.
SENDER = "Alertcheck"

_IS_QUEUED = (Notice.status == NoticeStatus.QUEUED) & Notice.alert_destination_id.is_not(None)
_IS_UNCLAIMED = _IS_QUEUED & Notice.claimed_at.is_(None)


@dataclass(frozen=True)
class ReadyNotice:
    """A notice that this worker alone may send, with all that sending needs."""

    notice_id: int
    channel: Channel
    settings: Settings
    message: Message
    outbound: OutboundClient


def list_waiting_notices() -> Sequence[int]:
    """Return the ids of notices that no worker has claimed, oldest first."""
    query = select(Notice.id).where(_IS_UNCLAIMED).order_by(Notice.id).limit(PAGE_SIZE)
    found = db.session.scalars(query).all()
    db.session.rollback()
    return found


def end_lost_notices(now: datetime) -> None:
    """End the notices whose worker was lost, and those that no worker claimed, and commit."""
    lost = select(Notice.id).where(_IS_QUEUED, Notice.claimed_at <= now - LOST_AFTER)
    late = select(Notice.id).where(_IS_UNCLAIMED, Notice.created_at <= now - LIFETIME)
    for found, code in ((lost, Code.WORKER_LOST), (late, Code.NOT_STARTED)):
        notice_ids = db.session.scalars(found.order_by(Notice.id).limit(PAGE_SIZE)).all()
        end_notices(Ending(notice_id, NoticeStatus.FAILED, now, code.value) for notice_id in notice_ids)
        db.session.commit()


def send_notice(notice_id: int, app_settings: AppSettings) -> None:
    """Send a queued notice, if it still waits to be sent and its destination may be told, and record the result."""
    give_up_at = time.monotonic() + LOST_AFTER.total_seconds()
    ready = _claim_with_retries(notice_id, app_settings)
    if ready is None:
        return
    failure = _attempt(ready)
    retry(lambda: _end(notice_id, failure, database_clock.now()), give_up_at)


def _claim_with_retries(notice_id: int, app_settings: AppSettings) -> ReadyNotice | None:
    try:
        return retry(lambda: claim(notice_id, app_settings, database_clock.now()), time.monotonic() + BEGIN_PATIENCE)
    finally:
        discard_transaction()
        db.session.remove()


def claim(notice_id: int, app_settings: AppSettings, now: datetime) -> ReadyNotice | None:
    """Claim a notice for this worker and commit. Returns None if it must not be sent; its row then says why."""
    query = select(Notice, Workspace).join(Workspace, Workspace.id == Notice.workspace_id)
    row = db.session.execute(query.where(Notice.id == notice_id, _IS_UNCLAIMED)).one_or_none()
    if row is None or row.Notice.created_at <= now - LIFETIME or row.Workspace.deleted_at is not None:
        db.session.rollback()
        return None
    notice, workspace = row
    obstacle = _find_obstacle(notice)
    items = _list_items_of_other_channels(notice)
    if obstacle is not None or not items:
        end_notices([Ending(notice_id, NoticeStatus.CANCELED, now, obstacle)])
        db.session.commit()
        return None
    destination = db.session.get_one(AlertDestination, notice.alert_destination_id)
    try:
        ready = _prepare(notice, workspace, destination, items, app_settings)
    except DeliveryFailed as failure:
        _end(notice_id, failure, now)
        return None
    is_free = Notice.id == notice_id, _IS_UNCLAIMED, _still_matches(destination)
    is_claimed = change_rows(update(Notice).where(*is_free).values(claimed_at=now)) > 0
    db.session.commit()
    log.info("notice claimed" if is_claimed else "notice not claimed", extra={"notice": notice_id})
    return ready if is_claimed else None


def _find_obstacle(notice: Notice) -> Obstacle | None:
    chosen = db.session.get(NoticeDestination, notice.workspace_id, populate_existing=True)
    if chosen is None or chosen.alert_destination_id != notice.alert_destination_id:
        return Obstacle.NOT_CHOSEN
    return load_health(chosen.alert_destination_id).obstacle


def _list_items_of_other_channels(notice: Notice) -> list[Item]:
    """Return what is still true and may be told there."""
    target = db.session.get_one(AlertDestination, notice.alert_destination_id)
    items = keep_true_items(notice.id)
    drop_items(notice.id, {problem.id for _, problem, destination in items if destination.type == target.type})
    return [item for item in items if item[2].type != target.type]


def _prepare(
    notice: Notice,
    workspace: Workspace,
    destination: AlertDestination,
    items: Sequence[Item],
    app_settings: AppSettings,
) -> ReadyNotice:
    """Return the message and where it goes. Raises `DeliveryFailed` if the settings cannot be used."""
    origin = app_settings.cipher.fingerprint(f"notice {notice.id} of {notice.created_at.isoformat()}")
    message = Message(
        event_type=NOTICE_EVENT,
        message_id=f"msg_notice_{notice.id}_{origin}",
        reference=f"notice {notice.id}",
        workspace=workspace.name,
        destination=destination.name,
        requested_by=SENDER,
        requested_at=notice.created_at,
        alert=describe_headline(items),
        about=name_destinations(items),
    )
    return ReadyNotice(
        notice_id=notice.id,
        channel=get_channel(destination),
        settings=open_settings(destination, app_settings),
        message=message,
        outbound=app_settings.outbound_for(workspace.slug),
    )


def _still_matches(seen: AlertDestination) -> ColumnElement[bool]:
    """Return the condition of the claim that the destination is still chosen, as it was read, and without a problem."""
    return exists().where(
        NoticeDestination.workspace_id == seen.workspace_id,
        NoticeDestination.alert_destination_id == AlertDestination.id,
        AlertDestination.id == seen.id,
        AlertDestination.is_enabled,
        AlertDestination.deleted_at.is_(None),
        AlertDestination.settings_version == seen.settings_version,
        ~HAS_OPEN_PROBLEM,
        Workspace.id == AlertDestination.workspace_id,
        Workspace.deleted_at.is_(None),
    )


def _attempt(ready: ReadyNotice) -> DeliveryFailed | None:
    """Make the only attempt, and return why it failed, or None. Does not use the database."""
    try:
        # Counted, but never refused: otherwise, whoever sends tests to the same target would keep a problem from being
        # told. `notice_timing` limits how many notices there are.
        admit_targets(ready.channel.targets(ready.settings, ready.outbound))
        accepted = ready.channel.send(ready.settings, ready.message, ready.outbound)
        log.info("notice accepted", extra={"notice": ready.notice_id, "status": accepted.status})
        return None
    except DeliveryFailed as error:
        failure = error
    except Exception as error:
        failure = log_unexpected(error, notice=ready.notice_id)
    log.warning("notice failed", extra={"notice": ready.notice_id, "code": failure.code.value})
    return failure


def _end(notice_id: int, failure: DeliveryFailed | None, now: datetime) -> None:
    """Record that a notice was accepted, or why it failed, and commit."""
    if failure is None:
        end_notices([Ending(notice_id, NoticeStatus.SENT, now)])
    else:
        end_notices([Ending(notice_id, NoticeStatus.FAILED, now, failure.code.value, failure.message)])
    db.session.commit()
