"""Which account belongs to a person at a provider of single sign-on."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from webapp.audit import Action, Actor, record_account_event
from webapp.auth import accounts
from webapp.auth.account_links import end_reset_links
from webapp.auth.known_clients import forget_clients
from webapp.auth.session_lifetime import end_sessions
from webapp.extensions import db
from webapp.models import Account, ExternalIdentity


def find_identity(issuer: str, subject: str) -> ExternalIdentity | None:
    """Return the identity of a person at a provider, with its account; None if they have none."""
    query = select(ExternalIdentity).where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject)
    return db.session.scalars(query).one_or_none()


def is_linked_to(account: Account, issuer: str) -> bool:
    """Return whether an account is somebody's at a provider."""
    query = select(ExternalIdentity.id).where(
        ExternalIdentity.account_id == account.id, ExternalIdentity.issuer == issuer
    )
    return db.session.scalar(query) is not None


def list_linked(account_ids: Collection[int], issuer: str | None = None) -> frozenset[int]:
    """Return which of these accounts are somebody's at a provider. issuer: at this one; None: at any, also before."""
    query = select(ExternalIdentity.account_id).where(ExternalIdentity.account_id.in_(account_ids))
    if issuer is not None:
        query = query.where(ExternalIdentity.issuer == issuer)
    return frozenset(db.session.scalars(query))


def add_identity(account: Account, issuer: str, subject: str, now: datetime) -> None:
    """Let a person at a provider sign in to a new account. The caller commits.

    Raises `IntegrityError` if the person has an account by now.
    """
    db.session.add(ExternalIdentity(account_id=account.id, issuer=issuer, subject=subject, created_at=now))
    db.session.flush()


def link_account(account: Account, issuer: str, subject: str, now: datetime, by: Actor) -> None:
    """Let a person at a provider sign in to an account that is there. Its password ends.

    The links to set one and the sessions end too. The caller commits.
    Raises `IntegrityError` if either of them is linked by now.
    """
    add_identity(account, issuer, subject, now)
    before = "password" if account.password_hash else "none"
    account.password_hash = None
    forget_clients(account)
    end_reset_links(account)
    end_sessions(account)
    record_account_event(account, Action.ACCOUNT_LINKED, now, by, [f"sign-in: {before} → single sign-on"])


def unlink_account(account: Account, now: datetime, by: Actor) -> bool:
    """End the link of an account to every provider, and its sessions. The caller commits. Returns whether it had one.

    Whoever has the account's address there may be linked to it next, if the address is confirmed at both ends.
    """
    if not accounts.end_identities(account):
        return False
    end_sessions(account)
    record_account_event(account, Action.ACCOUNT_UNLINKED, now, by, ["sign-in: single sign-on → none"])
    return True
