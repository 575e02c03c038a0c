"""Customers' links: who may make one, until when it works, and what it lets the customer do.

A link acts for the member who made it: it may do what this member may do, and counts for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.orm import contains_eager

from webapp.app_state import current_settings
from webapp.audit import Action, record_destination_event
from webapp.auth.access import Visit
from webapp.auth.customer_tokens import hash_token, is_ours, make_token
from webapp.channels import CHANNELS
from webapp.extensions import db
from webapp.models import Account, AlertDestination, CustomerLink, Member, Role
from webapp.models.locking import lock_account, lock_destination
from webapp.models.row_changes import change_rows, delete_page
from webapp.text.names import isolate_name

# Hours for which a member may make a link.
LIFETIMES = (1, 4, 24)

# Links of one destination that work at the same time.
MAX_LINKS = 10


class LinkRefused(Exception):
    """No link was made. The text is a sentence for the member."""


@dataclass(frozen=True)
class CustomerVisit:
    """An opened link, which works until `expires_at`. visit: the member who made it, in the destination's workspace."""

    link_id: int
    expires_at: datetime
    destination: AlertDestination
    visit: Visit


def are_customer_links_offered(channel_name: str) -> bool:
    """Return whether a link for the customer may exist for a destination of this channel.

    Not where a test wakes somebody up, not for a channel that this version does not have, and not in a public demo.
    """
    channel = CHANNELS.get(channel_name)
    return channel is not None and not channel.pages_people and not current_settings().is_public_demo


def make_link(visit: Visit, destination: AlertDestination, hours: int, now: datetime) -> str:
    """Add a link, record it, commit, and return its token, which is stored nowhere. Raises `LinkRefused`."""
    if not are_customer_links_offered(destination.type):
        raise LinkRefused("Not made: for this type of destination, there are no links for customers.")
    # In the order of whoever disables the account, ends the membership or deletes the workspace.
    lock_account(visit.account)
    may_test = _may_test(visit)
    lock_destination(destination)
    refusal = _find_refusal(destination, now) if may_test else "Not made: you may no longer test in this workspace."
    if refusal:
        db.session.rollback()
        raise LinkRefused(refusal)
    token = make_token()
    db.session.add(
        CustomerLink(
            workspace_id=destination.workspace_id,
            destination_id=destination.id,
            destination_type=destination.type,
            account_id=visit.account.id,
            token_hash=hash_token(token),
            created_at=now,
            expires_at=now + timedelta(hours=hours),
        )
    )
    valid = [f"valid for {hours} hour{'s' * (hours != 1)}"]
    record_destination_event(destination, visit.account, Action.LINK_MADE, now, valid)
    db.session.commit()
    return token


def _find_refusal(destination: AlertDestination, now: datetime) -> str | None:
    if destination.deleted_at is not None:
        return "Not made: this destination was just deleted."
    if not destination.is_enabled:
        return "Not made: this destination is disabled, so nobody can test it. Enable it first."
    if len(list_links(destination, now)) >= MAX_LINKS:
        return f"Not made: this destination already has {MAX_LINKS} links. Revoke one that nobody needs."
    return None


def _may_test(visit: Visit) -> bool:
    """Return whether a member, whose account is locked, may test. It lasts until the end of the transaction."""
    mine = select(Member.role).where(Member.workspace_id == visit.workspace.id, Member.account_id == visit.account.id)
    role = db.session.scalar(mine.with_for_update(read=True))
    return visit.account.is_active and role is not None and role.may_test


# Built once, because every poll of a link's page executes it.
_OPENED = (
    select(CustomerLink, AlertDestination, Member)
    .join(AlertDestination, AlertDestination.id == CustomerLink.destination_id)
    .join(Member, (Member.workspace_id == CustomerLink.workspace_id) & (Member.account_id == CustomerLink.account_id))
    .join(Member.account)
    .join(Member.workspace)
    .options(contains_eager(Member.account), contains_eager(Member.workspace))
    .where(CustomerLink.expires_at > bindparam("now"))
    .where(AlertDestination.deleted_at.is_(None), AlertDestination.type == CustomerLink.destination_type)
    .where(Account.is_active, Member.role.in_([role for role in Role if role.may_test]))
)
_BY_TOKEN = _OPENED.where(CustomerLink.token_hash == bindparam("token_hash"))
_OF_DESTINATION = _OPENED.where(AlertDestination.id == bindparam("destination_id")).order_by(CustomerLink.id.desc())


def open_link(token: str, now: datetime) -> CustomerVisit | None:
    """Return what a link shows; None if it has ended or never existed. Nothing distinguishes the two."""
    if not is_ours(token):
        return None
    row = db.session.execute(_BY_TOKEN, {"token_hash": hash_token(token), "now": now}).one_or_none()
    if row is None or not are_customer_links_offered(row.AlertDestination.type):
        return None
    link, destination, member = row
    visit = Visit(member.account, member.workspace, member.role, by_customer_link=True)
    return CustomerVisit(link.id, link.expires_at, destination, visit)


def list_links(destination: AlertDestination, now: datetime) -> Sequence[CustomerLink]:
    """Return the links of a destination that work, newest first. Executes one query."""
    if not are_customer_links_offered(destination.type):
        return ()
    return db.session.scalars(_OF_DESTINATION, {"destination_id": destination.id, "now": now}).all()


def may_revoke(visit: Visit, link: CustomerLink) -> bool:
    """Return whether a member may end a link: whoever made it, and admins."""
    return visit.role.may_edit or (visit.role.may_test and link.account_id == visit.account.id)


def find_link(destination: AlertDestination, link_id: int, now: datetime) -> CustomerLink | None:
    """Fetch one of a destination's links that work."""
    return next((link for link in list_links(destination, now) if link.id == link_id), None)


def revoke_link(link: CustomerLink, destination: AlertDestination, account: Account, now: datetime) -> None:
    """End a link, record it, and commit. Another revocation at the same instant records nothing."""
    maker = link.account
    by_others = [f"made by {isolate_name(maker.name)}"] if maker.id != account.id else []
    if change_rows(delete(CustomerLink).where(CustomerLink.id == link.id)):
        record_destination_event(destination, account, Action.LINK_REVOKED, now, by_others)
    db.session.commit()


def count_links_of(account_id: int, workspace_id: int, now: datetime) -> int:
    """Count the links that a member made in a workspace and that work."""
    mine = _OPENED.where(CustomerLink.account_id == account_id, CustomerLink.workspace_id == workspace_id)
    count = select(func.count()).select_from(mine.with_only_columns(CustomerLink.id).subquery())
    return db.session.execute(count, {"now": now}).scalar_one()


def end_links_of(account: Account, workspace_id: int | None) -> None:
    """End the links that an account made, in one workspace or in all. The caller commits.

    The links of a membership that ends are deleted with it, by the database.
    """
    made = CustomerLink.account_id == account.id
    where = made if workspace_id is None else made & (CustomerLink.workspace_id == workspace_id)
    db.session.execute(delete(CustomerLink).where(where), execution_options=_UNSYNCED)


def end_links_without_right(account_id: int) -> None:
    """End the links that an account made where it may no longer test. The caller commits."""
    members = (Member.workspace_id == CustomerLink.workspace_id, Member.account_id == account_id)
    may_test = exists().where(*members, Member.role.in_([role for role in Role if role.may_test]))
    ended = delete(CustomerLink).where(CustomerLink.account_id == account_id, ~may_test)
    db.session.execute(ended, execution_options=_UNSYNCED)


def note_use(link_id: int, now: datetime) -> None:
    """Record that a button on a link's page was pressed, and commit."""
    statement = update(CustomerLink).where(CustomerLink.id == link_id).values(last_used_at=now)
    db.session.execute(statement, execution_options=_UNSYNCED)
    db.session.commit()


def delete_expired_links(now: datetime) -> None:
    """Delete a page of the links whose time is over, and commit."""
    delete_page(CustomerLink, CustomerLink.expires_at <= now)
    db.session.commit()


_UNSYNCED = {"synchronize_session": False}
