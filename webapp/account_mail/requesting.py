"""Requests a mail to a person: a row in the caller's transaction, and after its commit a job with the row's id."""

from contextlib import suppress
from datetime import datetime

from webapp.app_state import current_settings
from webapp.extensions import db
from webapp.models import AccountMail, AccountMailKind, AccountMailStatus
from webapp.queue import QueueUnavailable, enqueue_account_mails

# Of `address`, which alone is encrypted. The row has no id yet, and each row is one of many for any address.
ADDRESS_CONTEXT = "account mail"


def is_account_mail_available() -> bool:
    """Return whether mails to people can be sent: with a mail server and an address for links, not in public demos."""
    settings = current_settings()
    can_link = settings.links.public_url is not None
    return settings.outbound.mail is not None and can_link and not settings.is_public_demo


def request_mail(
    kind: AccountMailKind,
    now: datetime,
    *,
    account_id: int | None = None,
    invitation_id: int | None = None,
    address: str | None = None,
    requested_by_id: int | None = None,
) -> AccountMail:
    """Add a mail. The caller commits, and then may call `enqueue_mail`; otherwise, the worker finds the row itself.

    address: if only an address is known. The work is the same whether an account has it or not.
    """
    cipher = current_settings().cipher
    mail = AccountMail(
        kind=kind,
        account_id=account_id,
        invitation_id=invitation_id,
        address=None if address is None else cipher.encrypt({"address": address}, context=ADDRESS_CONTEXT),
        requested_by_id=requested_by_id,
        status=AccountMailStatus.QUEUED,
        created_at=now,
    )
    db.session.add(mail)
    db.session.flush()
    return mail


def read_address(mail: AccountMail) -> str:
    """Return the address that was typed. Raises `SettingsUnreadable`."""
    return current_settings().cipher.decrypt(mail.address or "", context=ADDRESS_CONTEXT)["address"]


def enqueue_mail(mail_id: int) -> None:
    """Put a committed mail on the queue. If the queue is not available, the worker finds the row later."""
    with suppress(QueueUnavailable):
        enqueue_account_mails(mail_id)
