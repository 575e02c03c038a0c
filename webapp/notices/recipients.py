"""Who is told about the problems of a workspace: members who want it, at an address that is verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select

from webapp.extensions import db
from webapp.models import Account, Member, NoticePreference, Role
from webapp.models.upsert import insert_or_update


@dataclass(frozen=True)
class MailChoice:
    """What a member has chosen. wants_mail: the choice, or else the default of the role. is_default: no choice."""

    wants_mail: bool
    is_default: bool


def list_recipients(workspace_id: int) -> Sequence[int]:
    """Return the ids of the accounts that get mails about a workspace."""
    return db.session.scalars(_select_wanting(Member.workspace_id == workspace_id)).all()


def find_role_of_recipient(workspace_id: int, account_id: int) -> Role | None:
    """Return the role of an account that gets mails about a workspace now; None if it gets none."""
    is_theirs = (Member.workspace_id == workspace_id) & (Member.account_id == account_id)
    return db.session.scalar(_select_wanting(is_theirs).with_only_columns(Member.role))


def find_choice(workspace_id: int, account_id: int, role: Role) -> MailChoice:
    """Return what a member of this role has chosen."""
    preference = db.session.get(NoticePreference, (workspace_id, account_id))
    return MailChoice(role.may_edit, True) if preference is None else MailChoice(preference.wants_mail, False)


def choose(workspace_id: int, account_id: int, wants_mail: bool, now: datetime) -> None:
    """Store what a member has chosen, and commit."""
    values = {"wants_mail": wants_mail, "updated_at": now}
    key = {"workspace_id": workspace_id, "account_id": account_id}
    statement = insert_or_update(NoticePreference).values(key | values)
    db.session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
    db.session.commit()


def _select_wanting(condition: ColumnElement[bool]) -> Select[int]:
    is_own = (NoticePreference.workspace_id == Member.workspace_id) & (NoticePreference.account_id == Member.account_id)
    is_default = NoticePreference.wants_mail.is_(None) & (Member.role == Role.ADMIN)
    return (
        select(Member.account_id)
        .join(Account, Account.id == Member.account_id)
        .outerjoin(NoticePreference, is_own)
        .where(
            condition,
            Account.is_active,
            Account.email_verified_at.is_not(None),
            or_(NoticePreference.wants_mail, is_default),
        )
        .order_by(Member.account_id)
    )
