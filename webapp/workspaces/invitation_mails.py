"""The mail that brings an invitation to its address. Its link is not the one to copy: its use proves the address."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update

from webapp.account_mail.mail_content import MAX_NAME_IN_SUBJECT, MailContent, format_utc, make_page_address
from webapp.account_mail.outcome import MailOutcome, describe_mail, find_newest_invitation_mails
from webapp.account_mail.requesting import is_account_mail_available
from webapp.auth.one_time_tokens import hash_token, make_token
from webapp.models import AccountMail, AccountMailStatus, Invitation, database_clock
from webapp.models.row_changes import change_rows
from webapp.outbound.smtp.email_addresses import canonical_address
from webapp.text.names import quote_apart
from webapp.workspaces.invitation_acceptance import OpenInvitation, find_open_invitation
from webapp.workspaces.invitation_forms import ROLES
from webapp.workspaces.invitations import LIFETIME, MAILED

# Of the page that an invitation's link opens, before its token.
INVITATION_PATH = "/invitation/open/"


def find_recipient(mail: AccountMail) -> str | None:
    """Return the invitation's address; None if the invitation has ended or was renewed, or its inviter may not invite.

    An invitation without an address is not mailed.
    """
    opened = _find_open(mail, database_clock.now())
    email = opened.invitation.email if opened is not None else None
    return None if email is None else canonical_address(email)


def compose_invitation(mail: AccountMail, now: datetime) -> MailContent | None:
    """Make the link, which replaces the one of an earlier mail; None if the invitation ended or was renewed."""
    token = make_token()
    is_stored = _store_token(mail, token)
    opened = _find_open(mail, now) if is_stored else None
    return _write(opened, token) if opened is not None else None


def describe_mails(invitations: Sequence[Invitation], now: datetime) -> dict[int, MailOutcome]:
    """Return where the mail of each invitation's newest link stands, by the invitation's id. At most one query."""
    addressed = {invitation.id: invitation for invitation in invitations if invitation.email is not None}
    if not addressed or not is_account_mail_available():
        return {}
    newest = {mail.invitation_id: mail for mail in find_newest_invitation_mails(addressed)}
    current = [(id_, newest[id_]) for id_, invitation in addressed.items() if _has_newest(newest.get(id_), invitation)]
    return {id_: describe_mail(mail, now) for id_, mail in current}


def _has_newest(mail: AccountMail | None, invitation: Invitation) -> bool:
    return mail is not None and mail.status is not AccountMailStatus.CANCELED and _is_of_newest_link(mail, invitation)


def _find_open(mail: AccountMail, now: datetime) -> OpenInvitation | None:
    opened = find_open_invitation(mail.invitation_id, now) if mail.invitation_id is not None else None
    return opened if opened is not None and _is_of_newest_link(mail, opened.invitation) else None


def _is_of_newest_link(mail: AccountMail, invitation: Invitation) -> bool:
    """Return whether a mail was requested with the newest link of its invitation, so not before a renewal."""
    return invitation.expires_at == mail.created_at + LIFETIME


def _store_token(mail: AccountMail, token: str) -> bool:
    """Store the hash of the token in a mail's link, which replaces one that an earlier attempt stored.

    Returns False if the invitation has ended or was renewed. Of two at once, a renewal wins. The caller commits.
    """
    is_newest = (Invitation.id == mail.invitation_id) & (Invitation.expires_at == mail.created_at + LIFETIME)
    return change_rows(update(Invitation).where(is_newest).values(mailed_token_hash=hash_token(token, MAILED))) > 0


def _write(opened: OpenInvitation, token: str) -> MailContent:
    invitation, workspace = opened.invitation, opened.workspace.name
    ability = ROLES[invitation.role]
    return MailContent(
        subject=f"Invitation to {quote_apart(workspace, MAX_NAME_IN_SUBJECT)} in Alertcheck",
        title=f"Join {quote_apart(workspace)}",
        paragraphs=(
            f"{quote_apart(opened.inviter.name)} invites you to the workspace {quote_apart(workspace)} of Alertcheck "
            f"at {make_page_address('')} as {invitation.role} ({ability[0].lower()}{ability[1:]}).",
        ),
        link=make_page_address(f"{INVITATION_PATH}{token}"),
        link_label="Open the invitation",
        after_link=(
            f"The link works once, until {format_utc(invitation.expires_at)}, and only for {invitation.email}. Only "
            "the newest link works.",
            "If you don't expect this, ignore this mail: nobody joins unless the invitation is accepted.",
        ),
    )
