"""The mail by which an instance admin tries the mail server."""

from datetime import datetime

from webapp.account_mail.mail_content import MailContent, format_utc, make_page_address
from webapp.account_mail.requesting import request_mail
from webapp.models import Account, AccountMail, AccountMailKind


def request_check(account: Account, now: datetime) -> AccountMail:
    """Request a mail to one's own address. The caller commits, and then enqueues it."""
    return request_mail(AccountMailKind.CHECK, now, account_id=account.id, requested_by_id=account.id)


def compose_check(mail: AccountMail, now: datetime) -> MailContent:
    """Say that mail works."""
    return MailContent(
        subject="Alertcheck can send mail",
        title="Alertcheck can send mail",
        paragraphs=(
            f"You asked for this mail on the installation page of {make_page_address('')} at "
            f"{format_utc(mail.created_at)}.",
            "Since it arrived, mails about invitations and passwords can arrive too. If it was in the spam folder, ask "
            "your mail administrator to accept mail from this sender.",
        ),
    )
