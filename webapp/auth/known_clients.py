"""Remembers from which clients an account was signed in, so that strangers' tries do not lock out its owner.

A client is an IPv4 address or an IPv6 network of 64 bits (`webapp.extensions.identify_client`). Only its keyed hash is
kept.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select

from webapp.auth.keyed_hash import hash_key
from webapp.extensions import db
from webapp.models import Account, KnownClient
from webapp.models.upsert import insert_or_update

# How long a client that is not used again is remembered.
LIFETIME = timedelta(days=90)

# The most recently used ones are kept.
MAX_PER_ACCOUNT = 10

_KNOWN = select(KnownClient.key).where(
    KnownClient.key == bindparam("key"), KnownClient.last_used_at > bindparam("since")
)


def is_known_client(email: str, client: str, now: datetime) -> bool:
    """Return whether the account with this canonical address was signed in from a client, if there is one."""
    return db.session.scalar(_KNOWN, {"key": _key(email, client), "since": now - LIFETIME}) is not None


def remember_client(account: Account, client: str, now: datetime) -> None:
    """Remember that an account was signed in from a client, and forget the oldest ones. The caller commits."""
    db.session.execute(delete(KnownClient).where(KnownClient.last_used_at <= now - LIFETIME))
    used = insert_or_update(KnownClient).values(
        key=_key(account.email, client), account_id=account.id, last_used_at=now
    )
    db.session.execute(used.on_conflict_do_update(index_elements=[KnownClient.key], set_={"last_used_at": now}))
    newest_first = select(KnownClient.key).where(KnownClient.account_id == account.id)
    newest_first = newest_first.order_by(KnownClient.last_used_at.desc(), KnownClient.key)
    oldest = db.session.scalars(newest_first).all()[MAX_PER_ACCOUNT:]
    if oldest:
        db.session.execute(delete(KnownClient).where(KnownClient.key.in_(oldest)))


def forget_clients(account: Account) -> None:
    """Forget every client of an account. The caller commits."""
    db.session.execute(delete(KnownClient).where(KnownClient.account_id == account.id))


def _key(email: str, client: str) -> str:
    return hash_key("known client", email, client)
