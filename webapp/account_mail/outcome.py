"""What a page says about a mail: to whoever requested it, and only where that reveals nothing about accounts."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select

from webapp.channels import CHANNELS
from webapp.extensions import db
from webapp.failures import MEANINGS, Code
from webapp.models import AccountMail, AccountMailKind, AccountMailStatus

# How long a mail is tried, and how long a worker may take to begin.
LIFETIME = timedelta(minutes=15)


class MailError(StrEnum):
    """Why no mail was sent, beside the codes of `webapp.failures`."""

    RECIPIENT_LIMIT = "recipient_limit"


_SENTENCES: dict[str, str] = {
    MailError.RECIPIENT_LIMIT: "This address has received many messages from Alertcheck, so this one was not sent.",
    Code.NOT_STARTED: "No worker picked up the mail in time, so it was not sent.",
    Code.WORKER_LOST: (
        "Alertcheck does not know whether the mail was sent: one of its processes or its database was interrupted."
    ),
}
_NEXT_STEPS: dict[str, str] = {
    MailError.RECIPIENT_LIMIT: "Try again in an hour.",
    Code.NOT_STARTED: "Ask your Alertcheck administrator whether a worker is running, then try again.",
    Code.WORKER_LOST: "Check the mailbox, and try again if nothing is there.",
    Code.RECIPIENTS_REFUSED: "Check the spelling of the address, that the mailbox exists, and that it accepts mail.",
    Code.RECIPIENT_INVALID: "Mail cannot be sent to this address. Ask your Alertcheck administrator for help.",
    Code.MAILBOX_FULL: "Make room in the mailbox, then try again.",
    Code.CONFIG_INCOMPLETE: (
        "No mail server is set up. Ask your Alertcheck administrator to set ALERTCHECK_MAIL_URL and "
        "ALERTCHECK_MAIL_FROM."
    ),
}
_ABOUT_TESTS = re.compile(r"\b(S|s)end another test\b")


@dataclass(frozen=True)
class MailOutcome:
    """Where a mail stands, as a page shows it. sentence: what happened. next_step: what to do, or None.

    at: when it ended, or the next attempt begins, or it was requested.
    """

    status: AccountMailStatus
    sentence: str
    next_step: str | None
    at: datetime

    @property
    def is_pending(self) -> bool:
        return self.status is AccountMailStatus.QUEUED

    @property
    def has_failed(self) -> bool:
        return self.status is AccountMailStatus.FAILED


def describe_mail(mail: AccountMail, now: datetime) -> MailOutcome:
    """Return where a mail stands. One that no worker claimed in time has failed, also if no worker runs to note it."""
    match mail.status:
        case AccountMailStatus.QUEUED if mail.claimed_at is None and now - mail.created_at >= LIFETIME:
            return _describe_failure(mail, mail.error_code or Code.NOT_STARTED, mail.created_at + LIFETIME)
        case AccountMailStatus.QUEUED:
            again = f" {mail.error_message} Alertcheck tries again." if mail.error_message else ""
            return MailOutcome(mail.status, f"The mail is being sent.{again}", None, mail.send_after or mail.created_at)
        case AccountMailStatus.SENT:
            return MailOutcome(mail.status, "The mail server accepted the mail.", None, mail.ended_at or now)
        case AccountMailStatus.CANCELED:
            return MailOutcome(mail.status, "The mail was not needed any more.", None, mail.ended_at or now)
    return _describe_failure(mail, mail.error_code or Code.INTERNAL_ERROR, mail.ended_at or now)


def find_newest_mail(kind: AccountMailKind, account_id: int) -> AccountMail | None:
    """Return the newest mail of a kind about an account."""
    newest = select(AccountMail).where(AccountMail.account_id == account_id, AccountMail.kind == kind)
    newest = newest.order_by(AccountMail.created_at.desc(), AccountMail.id.desc()).limit(1)
    return db.session.scalars(newest).one_or_none()


def find_newest_invitation_mails(invitation_ids: Collection[int]) -> Sequence[AccountMail]:
    """Return the newest mail of each invitation that has one."""
    newest = select(func.max(AccountMail.id)).where(AccountMail.invitation_id.in_(invitation_ids))
    newest = newest.group_by(AccountMail.invitation_id)
    return db.session.scalars(select(AccountMail).where(AccountMail.id.in_(newest))).all()


def _describe_failure(mail: AccountMail, code: str, at: datetime) -> MailOutcome:
    sentence = _SENTENCES.get(code) or mail.error_message or "The mail could not be sent."
    return MailOutcome(AccountMailStatus.FAILED, sentence, find_next_step(code), at)


def find_next_step(code: str) -> str | None:
    """Return what to do about a failed mail. What the email channel says about tests is said about mails."""
    if code in _NEXT_STEPS:
        return _NEXT_STEPS[code]
    if code not in list(Code):
        return None
    text = CHANNELS["email"].hints.get(Code(code)) or MEANINGS[Code(code)].next_step
    return _ABOUT_TESTS.sub(lambda found: "Try again" if found[1] == "S" else "try again", text)
