"""Opens and accepts invitations: for whom a link works, and what becomes of whoever accepts.

Opening a link changes nothing. An invitation is used up by the one who becomes a member with it: one who is a member
already, and perhaps only looks at the link, leaves it to whom it was meant for, and keeps the role.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager

from webapp.audit import Action, Actor, record_account_event, record_invitation_event
from webapp.auth.access import find_role
from webapp.auth.accounts import NewAccount, add_account, find_by_email
from webapp.auth.email_address import read_new_email
from webapp.auth.one_time_tokens import hash_token, is_token
from webapp.auth.password_sign_in import require_passwords
from webapp.auth.password_strength import check_password
from webapp.auth.passwords import hash_password
from webapp.extensions import db
from webapp.models import Account, Invitation, Member, Role, Workspace
from webapp.models.locking import lock_account, lock_workspace
from webapp.workspaces.invitations import COPIED, MAILED, describe_invitation, end_invitation
from webapp.workspaces.membership_changes import grant_role


class InvitationEnded(Exception):
    """The link works no more, or never did."""


class OtherAccountNeeded(Exception):
    """The invitation is for another address."""


class MemberAlready(Exception):
    """The account is a member. Its role stays, and the invitation is not used up."""


class AddressTaken(Exception):
    """There is an account with the address already."""


@dataclass(frozen=True)
class OpenInvitation:
    """An invitation whose link was opened and works.

    inviter: who made it. is_mailed: whether the link is the one that was mailed, which proves the address.
    """

    invitation: Invitation
    inviter: Account
    workspace: Workspace
    is_mailed: bool

    def admits(self, email: str) -> bool:
        """Return whether the account with this address, in canonical form, may accept."""
        return self.invitation.email in (None, email)


def open_invitation(token: str, now: datetime) -> OpenInvitation | None:
    """Return the invitation of a link; None if it has ended or never existed. Nothing distinguishes the two."""
    if not is_token(token):
        return None
    mailed_hash = hash_token(token, MAILED)
    by_token = (Invitation.token_hash == hash_token(token, COPIED)) | (Invitation.mailed_token_hash == mailed_hash)
    opened = _find_open(by_token & (Invitation.expires_at > now))
    is_mailed = opened is not None and opened.invitation.mailed_token_hash == mailed_hash
    return replace(opened, is_mailed=is_mailed) if opened is not None else None


def find_open_invitation(invitation_id: int, now: datetime) -> OpenInvitation | None:
    """Return an invitation if its links work."""
    return _find_open((Invitation.id == invitation_id) & (Invitation.expires_at > now))


def is_invited(email: str, now: datetime) -> bool:
    """Return whether an invitation whose links work is for this address, which must be the person's."""
    for_address = _OPEN.where(Invitation.email == email, Invitation.expires_at > now)
    return db.session.execute(for_address.limit(1)).first() is not None


def _find_open(condition: ColumnElement[bool]) -> OpenInvitation | None:
    found = db.session.execute(_OPEN.where(condition)).one_or_none()
    return OpenInvitation(found[0], found[1].account, found[1].workspace, is_mailed=False) if found else None


_OPEN = (
    select(Invitation, Member)
    .join(Member, (Member.workspace_id == Invitation.workspace_id) & (Member.account_id == Invitation.account_id))
    .join(Member.account)
    .join(Member.workspace)
    .options(contains_eager(Member.account), contains_eager(Member.workspace))
    .where(Workspace.deleted_at.is_(None), Account.is_active, Member.role.in_([role for role in Role if role.may_edit]))
    .execution_options(populate_existing=True)
)


def accept(token: str, account: Account, now: datetime) -> Workspace:
    """Make an account a member, use up the invitation, record it, and commit.

    Raises `InvitationEnded`, `OtherAccountNeeded` and `MemberAlready`, and then changes nothing.
    """
    lock_account(account)  # before the workspace, as everybody who locks both
    opened = _lock(token, now)
    try:
        _join(opened, account, now)
    except (InvitationEnded, OtherAccountNeeded, MemberAlready):
        db.session.rollback()
        raise
    db.session.commit()
    return opened.workspace


def accept_with_new_account(token: str, entered: NewAccount, now: datetime) -> tuple[Account, Workspace]:
    """Add an account, make it a member, use up the invitation, record it, and commit.

    entered: its address, in any spelling, is not read if the invitation names one.
    Raises `InvitationEnded`, `InvalidEmail`, `WeakPassword`, `AddressTaken` and `PasswordsOff`, and then changes
    nothing. The work is the same whether an account has the address or not.
    """
    require_passwords()
    opened = open_invitation(token, now)
    if opened is None:
        raise InvitationEnded
    email = opened.invitation.email or read_new_email(entered.email)
    check_password(entered.password, (email, entered.name, opened.workspace.name, opened.workspace.slug))
    db.session.rollback()  # gives back the connection while the password is hashed
    password_hash = hash_password(entered.password)
    opened = _lock(token, now)
    account = _add_account(email, entered.name, password_hash, now)
    try:
        _join(opened, account, now)
    except InvitationEnded:
        db.session.rollback()
        raise
    db.session.commit()
    return account, opened.workspace


def _lock(token: str, now: datetime) -> OpenInvitation:
    """Lock the workspace of an invitation, and read it as it then is. Raises `InvitationEnded`."""
    opened = open_invitation(token, now)
    if opened is not None:
        lock_workspace(opened.workspace)
        opened = open_invitation(token, now)
    if opened is None:
        db.session.rollback()
        raise InvitationEnded
    return opened


def _add_account(email: str, name: str, password_hash: str, now: datetime) -> Account:
    try:
        if find_by_email(email) is not None:
            raise AddressTaken
        account = add_account(email, name, None, now)
    except (AddressTaken, IntegrityError):
        db.session.rollback()
        raise AddressTaken from None
    account.password_hash = password_hash
    return account


def _join(opened: OpenInvitation, account: Account, now: datetime) -> None:
    invitation, inviter = opened.invitation, opened.inviter
    if not opened.admits(account.email):
        raise OtherAccountNeeded
    if find_role(opened.workspace, account) is not None:
        raise MemberAlready
    if not end_invitation(invitation.id):
        raise InvitationEnded
    if opened.is_mailed and account.email_verified_at is None:
        account.email_verified_at = now
        record_account_event(account, Action.ADDRESS_CONFIRMED, now)
    grant_role(opened.workspace, account, invitation.role, now, Actor(inviter.id, inviter.name))
    by, subject = Actor(account.id, account.name), describe_invitation(invitation)
    record_invitation_event(invitation.workspace_id, subject, Action.INVITATION_ACCEPTED, now, by, [invitation.role])
