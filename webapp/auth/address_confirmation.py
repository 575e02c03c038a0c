"""Confirms that an account's address is its owner's: by a link that is mailed to it and used by the account itself.

Whoever opens the link without being signed in to the account confirms nothing. So nobody can make the owner of a
mailbox vouch for an account that is not theirs.
"""

from datetime import datetime

from webapp.account_mail.mail_content import MailContent, format_utc, make_page_address
from webapp.account_mail.requesting import is_account_mail_available, request_mail
from webapp.auth.account_links import LIFETIMES, add_link, find_link, use_link, verify_address
from webapp.auth.mailed_account import find_account_recipient, get_mailed_account
from webapp.models import Account, AccountLink, AccountLinkKind, AccountMail, AccountMailKind

# Of the page that a link to confirm an address opens, before its token.
CONFIRMATION_PATH = "/account/confirm/"


def can_be_confirmed(account: Account) -> bool:
    """Return whether the page offers a mail that confirms the address."""
    return account.email_verified_at is None and is_account_mail_available()


def request_confirmation(account: Account, now: datetime) -> AccountMail:
    """Request a mail to one's own address. The caller commits, and then enqueues it."""
    return request_mail(AccountMailKind.CONFIRMATION, now, account_id=account.id, requested_by_id=account.id)


def find_recipient(mail: AccountMail) -> str | None:
    """Return the address to confirm; None if it is confirmed already."""
    recipient = find_account_recipient(mail)
    return recipient if recipient and get_mailed_account(mail).email_verified_at is None else None


def compose_confirmation(mail: AccountMail, now: datetime) -> MailContent:
    """Make the link, which replaces an earlier one."""
    account = get_mailed_account(mail)
    token = add_link(account, AccountLinkKind.CONFIRMATION, now, is_mailed=True)
    end = format_utc(now + LIFETIMES[AccountLinkKind.CONFIRMATION])
    return MailContent(
        subject="Confirm your address for Alertcheck",
        title="Confirm your address",
        paragraphs=(
            f"Somebody who is signed in as {account.email} to Alertcheck at {make_page_address('')} asked to confirm "
            "that this address is theirs.",
        ),
        link=make_page_address(f"{CONFIRMATION_PATH}{token}"),
        link_label="Confirm this address",
        after_link=(
            f"Open the link while you are signed in, before {end}. Only the newest link works.",
            "If it was not you, ignore this mail: without the password of the account, the link confirms nothing.",
        ),
    )


def find_confirmation(account: Account, token: str, now: datetime) -> AccountLink | None:
    """Return an account's own link; None if it is of another account, has ended or never existed."""
    link = find_link(token, AccountLinkKind.CONFIRMATION, now)
    return link if link is not None and link.account_id == account.id else None


def confirm_address(account: Account, token: str, now: datetime) -> bool:
    """Use an account's own link, and record it. The caller commits. Returns whether the link had not ended."""
    link = find_confirmation(account, token, now)
    if link is None or not use_link(link):
        return False
    verify_address(account, link, now)
    return True
