"""The mails about a password: with a link to set a new one, and that it was changed."""

from datetime import datetime

from webapp.account_mail.mail_content import MailContent, format_utc, make_page_address
from webapp.account_mail.requesting import read_address
from webapp.audit import STRANGER, Action, record_account_event
from webapp.auth.account_links import LIFETIMES, add_link
from webapp.auth.accounts import find_by_email
from webapp.auth.mailed_account import find_account_recipient, get_mailed_account
from webapp.auth.password_sign_in import are_passwords_allowed
from webapp.encryption.settings_cipher import SettingsUnreadable
from webapp.models import AccountLinkKind, AccountMail

# Of the page that a link to set a new password opens, before its token.
RESET_PATH = "/reset-password/"


def find_reset_recipient(mail: AccountMail) -> str | None:
    """Find the account by the typed address, and return its own spelling of it.

    Returns None for an address without an account, for one that may not sign in, and for one that has no password
    because it signs in with a company account; for every address if passwords were turned off meanwhile.
    """
    if not are_passwords_allowed():
        return None
    if mail.account_id is None:
        try:
            account = find_by_email(read_address(mail))
        except SettingsUnreadable:  # the key was replaced within these minutes
            return None
        if account is None or account.password_hash is None:
            return None
        mail.account_id = account.id
    return find_account_recipient(mail)


def compose_reset(mail: AccountMail, now: datetime) -> MailContent:
    """Make the link that replaces earlier ones, and record it."""
    account = get_mailed_account(mail)
    token = add_link(account, AccountLinkKind.RESET, now, is_mailed=True)
    record_account_event(account, Action.RESET_REQUESTED, now, STRANGER)
    end = format_utc(now + LIFETIMES[AccountLinkKind.RESET])
    return MailContent(
        subject="Set a new password for Alertcheck",
        title="Set a new password",
        paragraphs=(
            f"Somebody, probably you, asked for a link to set a new password for the account {account.email} of "
            f"Alertcheck at {make_page_address('')}.",
        ),
        link=make_page_address(f"{RESET_PATH}{token}"),
        link_label="Set a new password",
        after_link=(
            f"The link works once, until {end}. Only the newest link works.",
            "If it was not you, ignore this mail. Your password stays as it is.",
        ),
    )


def compose_changed(mail: AccountMail, now: datetime) -> MailContent:
    """Tell the owner that the password was changed, whoever did it."""
    account = get_mailed_account(mail)
    return MailContent(
        subject="Your Alertcheck password was changed",
        title="Your password was changed",
        paragraphs=(
            f"The password of the account {account.email} of Alertcheck at {make_page_address('')} was changed at "
            f"{format_utc(mail.created_at)}, and every session was ended.",
            "If it was you, there is nothing to do. If it was not, ask your Alertcheck administrator for help at once.",
        ),
    )
