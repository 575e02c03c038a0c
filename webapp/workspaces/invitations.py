"""Invitations: who may make one, for whom, until when its link works, and what ends it.

Whoever makes, renews or accepts one holds the workspace's lock, so that two acts at once are done one after the other.
An invitation works as long as whoever made it, or renewed it last, is an admin of the workspace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, select
from sqlalchemy.orm import contains_eager

from webapp.account_mail.requesting import enqueue_mail, is_account_mail_available, request_mail
from webapp.audit import Action, Actor, record_invitation_event
from webapp.auth.access import Visit, find_role
from webapp.auth.one_time_tokens import hash_token, make_token
from webapp.extensions import db
from webapp.models import Account, AccountMailKind, Invitation, Member, Role
from webapp.models.locking import lock_account, lock_workspace
from webapp.models.row_changes import change_rows, delete_page
from webapp.text.names import isolate_name

# How long a link works.
LIFETIME = timedelta(days=7)

# How long an invitation whose link has ended is listed, to be renewed.
KEPT_FOR = timedelta(days=30)

# Invitations of one workspace that are listed at the same time.
MAX_INVITATIONS = 50

# Purposes of the tokens. No token of one link opens the other.
COPIED, MAILED = "invitation", "mailed invitation"


class InvitationRefused(Exception):
    """No invitation was made or renewed. The text is a sentence for the admin."""


@dataclass(frozen=True)
class NewLink:
    """An invitation with a new link, whose token is stored nowhere."""

    invitation: Invitation
    token: str


def make_invitation(visit: Visit, role: Role, email: str | None, now: datetime) -> NewLink:
    """Add an invitation, record it, and commit. email: in canonical form. Raises `InvitationRefused`.

    Unless the address is a member's, the same is done and returned whether or not an account has it.
    """
    _lock(visit, "Not made")
    _delete_ended(visit.workspace.id, email, now)
    refusal = _find_refusal(visit.workspace.id, email)
    if refusal:
        db.session.rollback()
        raise InvitationRefused(refusal)
    invitation = Invitation(workspace_id=visit.workspace.id, role=role, email=email, created_at=now)
    token = _set_link(invitation, visit.account, now)
    db.session.add(invitation)
    db.session.flush()
    _record(invitation, Action.INVITED, now, visit.account)
    _commit_and_mail(invitation, now)
    return NewLink(invitation, token)


def renew_invitation(visit: Visit, invitation_id: int, now: datetime) -> NewLink | None:
    """Give an invitation a new link, end the old ones, record it, and commit. Whoever renews it counts as its maker.

    Returns None if there is no such invitation any more. Raises `InvitationRefused`.
    """
    _lock(visit, "Not renewed")
    invitation = find_listed(visit.workspace.id, invitation_id)
    if invitation is None:
        db.session.rollback()
        return None
    token = _set_link(invitation, visit.account, now)
    _record(invitation, Action.INVITATION_RENEWED, now, visit.account)
    _commit_and_mail(invitation, now)
    return NewLink(invitation, token)


def _commit_and_mail(invitation: Invitation, now: datetime) -> None:
    """Commit, and have a link mailed to the invitation's address, if it has one and mail is set up."""
    mail_id: int | None = None
    if invitation.email is not None and is_account_mail_available():
        requested_by = invitation.account_id
        mail_id = request_mail(
            AccountMailKind.INVITATION, now, invitation_id=invitation.id, requested_by_id=requested_by
        ).id
    db.session.commit()
    if mail_id is not None:
        enqueue_mail(mail_id)


def revoke_invitation(invitation: Invitation, account: Account, now: datetime) -> None:
    """End an invitation, record it, and commit. Another revocation at the same instant records nothing."""
    if end_invitation(invitation.id):
        _record(invitation, Action.INVITATION_REVOKED, now, account)
    db.session.commit()


def end_invitation(invitation_id: int) -> bool:
    """Delete an invitation. Returns whether it was there: of several at once, one gets it. The caller commits."""
    return change_rows(delete(Invitation).where(Invitation.id == invitation_id)) > 0


def end_invitations_of(account_id: int, workspace_id: int | None) -> None:
    """End the invitations that an account made, and those for its address, in one workspace or in all.

    Those for its address would otherwise let a member who was removed come back. The caller commits.
    """
    change_rows(delete(Invitation).where(_concerning(account_id, workspace_id)))


def count_invitations_of(account_id: int, workspace_id: int, now: datetime) -> int:
    """Count the invitations that `end_invitations_of` would end and whose links work."""
    of_account = _concerning(account_id, workspace_id) & (Invitation.expires_at > now)
    return db.session.scalar(select(func.count()).select_from(Invitation).where(of_account)) or 0


def _concerning(account_id: int, workspace_id: int | None) -> ColumnElement[bool]:
    address = select(Account.email).where(Account.id == account_id).scalar_subquery()
    concerned = (Invitation.account_id == account_id) | (Invitation.email == address)
    return concerned if workspace_id is None else concerned & (Invitation.workspace_id == workspace_id)


# Built once, because the members page executes it.
_LISTED = (
    select(Invitation)
    .join(Invitation.account)
    .options(contains_eager(Invitation.account))
    .where(Invitation.workspace_id == bindparam("workspace_id"))
    .order_by(Invitation.id.desc())
)


def list_invitations(workspace_id: int) -> Sequence[Invitation]:
    """Return a workspace's invitations, newest first: also those whose link has ended. Executes one query."""
    return db.session.scalars(_LISTED, {"workspace_id": workspace_id}).all()


def find_listed(workspace_id: int, invitation_id: int) -> Invitation | None:
    """Fetch one of a workspace's invitations."""
    own = (Invitation.id == invitation_id) & (Invitation.workspace_id == workspace_id)
    return db.session.scalars(select(Invitation).where(own).execution_options(populate_existing=True)).one_or_none()


def delete_old_invitations(now: datetime) -> None:
    """Delete a page of the invitations that nobody renewed after their end, and commit."""
    delete_page(Invitation, Invitation.expires_at <= now - KEPT_FOR)
    db.session.commit()


def describe_invitation(invitation: Invitation) -> str:
    """Return the name of an invitation in the audit trail."""
    return f"{invitation.email or 'whoever has the link'} (invitation {invitation.id})"


def _lock(visit: Visit, otherwise: str) -> None:
    """Lock the workspace. Raises `InvitationRefused` if the visitor was lowered, removed or disabled meanwhile."""
    lock_account(visit.account)
    lock_workspace(visit.workspace)
    role = find_role(visit.workspace, visit.account)
    if role is None or not role.may_edit or not visit.account.is_active:
        db.session.rollback()
        raise InvitationRefused(f"{otherwise}: you are no longer an admin of this workspace.")


def _delete_ended(workspace_id: int, email: str | None, now: datetime) -> None:
    """Make room for an invitation for an address whose earlier one has ended."""
    ended = (Invitation.workspace_id == workspace_id) & (Invitation.email == email) & (Invitation.expires_at <= now)
    if email is not None:
        change_rows(delete(Invitation).where(ended))


def _find_refusal(workspace_id: int, email: str | None) -> str | None:
    of_workspace = Invitation.workspace_id == workspace_id
    pending = db.session.scalars(select(Invitation.email).where(of_workspace)).all()
    joined = Member.account_id == Account.id
    member = select(Account.name, Member.role).join(Member, joined)
    found = db.session.execute(member.where(Member.workspace_id == workspace_id, Account.email == email)).one_or_none()
    if found:
        return f"Not made: {isolate_name(found.name)} has this address, and is already a member, as {found.role}."
    if email is not None and email in pending:
        return "Not made: there is already an invitation for this address. Renew it to get a new link, or revoke it."
    if len(pending) >= MAX_INVITATIONS:
        return f"Not made: this workspace already has {MAX_INVITATIONS} invitations. Revoke one that nobody needs."
    return None


def _set_link(invitation: Invitation, account: Account, now: datetime) -> str:
    token = make_token()
    invitation.account_id = account.id
    invitation.token_hash, invitation.mailed_token_hash = hash_token(token, COPIED), None
    invitation.expires_at = now + LIFETIME
    return token


def _record(invitation: Invitation, action: Action, now: datetime, account: Account) -> None:
    by, subject = Actor(account.id, account.name), describe_invitation(invitation)
    record_invitation_event(invitation.workspace_id, subject, action, now, by, [invitation.role])
