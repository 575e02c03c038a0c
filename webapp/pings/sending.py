"""Sends the pings that are due. A ping that is sent twice does no harm, one that is never sent raises a false alarm."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from webapp.app_state import current_settings
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed
from webapp.models import Ping, database_clock
from webapp.outbound.http.response_classification import check_response
from webapp.pings.due import add_due_pings
from webapp.settings.private_receivers import EVERY_WORKSPACE

log = logging.getLogger(__name__)

# Attempts of one ping, and the time from the start of one to the next.
MAX_ATTEMPTS = 3
RETRY_AFTER = timedelta(minutes=1)

# A ping that is this late is left out: the next hour has its own.
MAX_DELAY = timedelta(hours=1)

# How long it is known what became of a ping.
KEPT_FOR = timedelta(days=30)

# What Healthchecks answers with status 200 where it counts no ping. Source: healthchecks.io/docs/http_api/
_NOT_COUNTED = (b"OK (not found)", b"OK (rate limited)")


def send_due_pings(now: datetime) -> int:
    """Add and send the pings that are due, if the administrator has set an address. Returns how many were sent."""
    if current_settings().ping_url is None:
        return 0
    add_due_pings(now)
    sent = 0
    while sent < MAX_ATTEMPTS and (ping_id := _claim(now)) is not None:
        _send(ping_id)
        sent += 1
    if sent:
        _forget_old(now)
    return sent


def _forget_old(now: datetime) -> None:
    db.session.execute(delete(Ping).where(Ping.created_at < now - KEPT_FOR))
    db.session.commit()


def _claim(now: datetime) -> int | None:
    """Claim the ping that is due first, so that no other worker sends it now, and commit. Returns its id, or None."""
    is_due = (Ping.next_attempt_at <= now) & (Ping.created_at > now - MAX_DELAY)
    first = select(Ping.id).where(is_due).order_by(Ping.next_attempt_at, Ping.id).limit(1).scalar_subquery()
    claim = update(Ping).where(Ping.id == first, is_due)
    claim = claim.values(next_attempt_at=now + RETRY_AFTER, attempt_count=Ping.attempt_count + 1)
    ping_id = db.session.scalar(claim.returning(Ping.id), execution_options={"synchronize_session": False})
    db.session.commit()
    return ping_id


def _send(ping_id: int) -> None:
    code: str | None = None
    db.session.remove()  # nothing is held while the request takes its time
    try:
        _request()
    except DeliveryFailed as failure:
        code = failure.code.value
    now = database_clock.now()
    is_ours = (Ping.id == ping_id) & Ping.accepted_at.is_(None)
    if code is None:
        change = update(Ping).where(is_ours).values(accepted_at=now, next_attempt_at=None, code=None)
        log.info("ping accepted", extra={"ping": ping_id})
    else:
        change = update(Ping).where(is_ours).values(code=code)
        log.warning("ping failed", extra={"ping": ping_id, "code": code})
    db.session.execute(change, execution_options={"synchronize_session": False})
    is_over = (Ping.id == ping_id) & (Ping.attempt_count >= MAX_ATTEMPTS)
    db.session.execute(update(Ping).where(is_over).values(next_attempt_at=None))
    db.session.commit()


def _request() -> None:
    """Request the address once. Raises `DeliveryFailed`."""
    settings = current_settings()
    response = settings.outbound_for(EVERY_WORKSPACE).get(settings.ping_url or "")
    warning = check_response(response, None)  # about a web page, or JSON that reports an error
    if warning is not None or response.body.startswith(_NOT_COUNTED):
        raise DeliveryFailed(Code.REMOTE_REJECTED)
