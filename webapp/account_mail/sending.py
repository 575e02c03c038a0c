"""Sends one mail to a person: claim, make its link, release the database, send, record. At most one run sends.

A worker that dies after the claim leaves a row that recovery ends. It is not sent again, because it may have arrived.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from webapp.account_mail.mail_content import Composers, write_mail
from webapp.account_mail.outcome import LIFETIME, MailError
from webapp.account_mail.steps import StepRecorder
from webapp.database.sessions import discard_transaction
from webapp.deliveries.database_retries import BEGIN_PATIENCE, retry
from webapp.deliveries.unexpected_errors import log_unexpected
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed
from webapp.models import AccountMail, AccountMailKind, AccountMailStatus, database_clock
from webapp.models.row_changes import change_rows
from webapp.outbound import MailServer, OutboundClient, send_mail

log = logging.getLogger(__name__)

# Before each further attempt, if the mail server is known to have taken nothing. Greylisting wants minutes.
RETRY_DELAYS = (timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=6))

# How long an attempt can last at most: preparing 5 s, sending 8 s, and the rest for recording. Afterwards, it is lost.
LOST_AFTER = timedelta(seconds=60)

# Mails of one kind to one account, or for one invitation, in an hour, whoever requests them.
MAX_PER_HOUR = 5

# Nothing must keep these from being told: nobody but the owner causes a change, and notices have limits of their own.
UNLIMITED = frozenset({AccountMailKind.CHANGED, AccountMailKind.NOTICE})

# Only their account's owner gets them, and the hourly limit is enough. They count in the limit of the recipient, but do
# not depend on it: otherwise, whoever tests destinations with somebody's address would keep them from a new password.
ADMITTED = frozenset({AccountMailKind.RESET, AccountMailKind.CONFIRMATION})

# Returns whether one more message may go to an address now, and counts it.
AdmitRecipient = Callable[[str], bool]

QUEUED = AccountMail.status == AccountMailStatus.QUEUED
UNCLAIMED = QUEUED & AccountMail.claimed_at.is_(None)


@dataclass(frozen=True)
class Claim:
    """A mail that this worker alone may send. It is identified by its number and the time of the claim."""

    mail_id: int
    claimed_at: datetime
    number: int
    created_at: datetime


@dataclass(frozen=True)
class ReadyMail:
    """A message and where it goes."""

    message: EmailMessage
    recipient: str
    server: MailServer


def send(mail_id: int, composers: Composers, outbound: OutboundClient, admit: AdmitRecipient) -> None:
    """Send a queued mail, if it still waits to be sent, and record the result."""
    claim = retry(lambda: _claim(mail_id, database_clock.now()), time.monotonic() + BEGIN_PATIENCE)
    if claim is None:
        log.info("account mail not claimed", extra={"mail": mail_id})
        return
    give_up_at = time.monotonic() + LOST_AFTER.total_seconds()
    steps = StepRecorder()
    result = _attempt(claim, composers, outbound, admit, steps)
    retry(lambda: _record(claim, result | {"steps": steps.write()}), give_up_at)


def is_send_time(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a mail may be sent now. A time from a clock that was far ahead does not delay it."""
    at = AccountMail.send_after
    return or_(at.is_(None), at <= now, at > now + 2 * RETRY_DELAYS[-1])


def _claim(mail_id: int, now: datetime) -> Claim | None:
    is_due = is_send_time(now)
    is_young = AccountMail.created_at > now - LIFETIME
    claiming = update(AccountMail).where(AccountMail.id == mail_id, UNCLAIMED, is_due, is_young)
    claiming = claiming.values(claimed_at=now, attempt_count=AccountMail.attempt_count + 1, steps=None)
    row = db.session.execute(
        claiming.returning(AccountMail.attempt_count, AccountMail.created_at), execution_options=_UNSYNCED
    ).one_or_none()
    db.session.commit()
    return None if row is None else Claim(mail_id, now, row.attempt_count, row.created_at)


def _attempt(
    claim: Claim, composers: Composers, outbound: OutboundClient, admit: AdmitRecipient, steps: StepRecorder
) -> dict[str, Any]:
    """Make the attempt and return the columns that it sets, except for its steps."""
    try:
        ready = _prepare_with_retries(claim, composers, outbound, admit)
        if ready is None:
            return _end(AccountMailStatus.CANCELED)
        exchange = steps.start(ready.server)
        steps.note_reply(send_mail(ready.server, ready.message, [ready.recipient], exchange, steps.note).status)
        return _end(AccountMailStatus.SENT)
    except _OverLimit:
        return _end(AccountMailStatus.FAILED, MailError.RECIPIENT_LIMIT.value)
    except DeliveryFailed as failure:
        steps.note_reply(failure.facts.status)
        return _fail(claim, failure)
    except Exception as error:
        return _fail(claim, log_unexpected(error, mail=claim.mail_id))


class _OverLimit(Exception):
    """The address has received enough."""


def _prepare_with_retries(
    claim: Claim, composers: Composers, outbound: OutboundClient, admit: AdmitRecipient
) -> ReadyMail | None:
    give_up_at = time.monotonic() + BEGIN_PATIENCE
    try:
        return retry(lambda: _prepare(claim, composers, outbound, admit), give_up_at)
    finally:
        discard_transaction()
        db.session.remove()


def _prepare(claim: Claim, composers: Composers, outbound: OutboundClient, admit: AdmitRecipient) -> ReadyMail | None:
    """Make the link and the message, and commit. Returns None if there is nothing to send any more."""
    mail = db.session.get_one(AccountMail, claim.mail_id, populate_existing=True)
    composer = composers[mail.kind]
    recipient = composer.find_recipient(mail)
    if recipient is None:
        return None
    if outbound.mail is None or not outbound.policy.accepts_recipient(recipient):
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    db.session.commit()  # what was found; nothing stays locked while the queue server counts
    if mail.kind not in UNLIMITED:
        _check_limits(mail, claim, recipient, admit)
    now = database_clock.now()
    content = composer.compose(mail, now)
    if content is None:  # it ended meanwhile
        db.session.rollback()
        return None
    message = write_mail(content, outbound.mail, recipient, f"account-mail-{mail.id}", now)
    db.session.commit()
    return ReadyMail(message, recipient, outbound.mail)


def _check_limits(mail: AccountMail, claim: Claim, recipient: str, admit: AdmitRecipient) -> None:
    if _is_over_limit(mail, claim):
        raise _OverLimit
    if not admit(recipient) and mail.kind not in ADMITTED:
        raise _OverLimit


def _is_over_limit(mail: AccountMail, claim: Claim) -> bool:
    """Return whether enough mails of this kind were sent in the last hour. Canceled ones do not count.

    Those that were requested later do not count either, so that of many at once the first ones are sent.
    """
    subject = AccountMail.account_id if mail.invitation_id is None else AccountMail.invitation_id
    subject_id = mail.invitation_id or mail.account_id
    if subject_id is None or claim.number > 1:
        return False
    earlier = select(func.count()).where(
        subject == subject_id,
        AccountMail.kind == mail.kind,
        AccountMail.status != AccountMailStatus.CANCELED,
        AccountMail.created_at > claim.claimed_at - timedelta(hours=1),
        AccountMail.id < mail.id,
        AccountMail.attempt_count > 0,
        AccountMail.error_code.is_distinct_from(MailError.RECIPIENT_LIMIT.value),
    )
    return (db.session.scalar(earlier) or 0) >= MAX_PER_HOUR


def _end(status: AccountMailStatus, code: str | None = None, message: str | None = None) -> dict[str, Any]:
    ended_at = database_clock.estimate()
    return {"status": status, "ended_at": ended_at, "address": None, "error_code": code, "error_message": message}


def _fail(claim: Claim, failure: DeliveryFailed) -> dict[str, Any]:
    """Plan another attempt if nothing was delivered and there is time for one, or else end the mail."""
    now = database_clock.estimate()
    if failure.may_retry and claim.number <= len(RETRY_DELAYS):
        send_after = now + RETRY_DELAYS[claim.number - 1]
        if send_after < claim.created_at + LIFETIME:
            again = {"claimed_at": None, "enqueued_at": None, "send_after": send_after}
            return again | {"error_code": failure.code.value, "error_message": failure.message}
    return _end(AccountMailStatus.FAILED, failure.code.value, failure.message)


def _record(claim: Claim, columns: dict[str, Any]) -> None:
    """Record the result, unless recovery has ended the row meanwhile."""
    ours = (AccountMail.claimed_at == claim.claimed_at) & (AccountMail.attempt_count == claim.number)
    statement = update(AccountMail).where(AccountMail.id == claim.mail_id, QUEUED, ours).values(columns)
    is_recorded = change_rows(statement) > 0
    db.session.commit()
    facts = {"mail": claim.mail_id, "attempt": claim.number, "code": columns["error_code"]}
    status = columns.get("status", AccountMailStatus.QUEUED).value
    log.info("account mail", extra=facts | {"status": status, "recorded": is_recorded})


_UNSYNCED = {"synchronize_session": False}
