"""Links for one account that work once: to set a new password, or to confirm its address.

An account has at most one of each kind: a newer one replaces the older one in one statement.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import contains_eager

from webapp.audit import Action, record_account_event
from webapp.auth.keyed_hash import hash_key
from webapp.auth.one_time_tokens import hash_token, is_token, make_token
from webapp.extensions import db
from webapp.models import Account, AccountLink, AccountLinkKind
from webapp.models.row_changes import change_rows, delete_page
from webapp.models.upsert import insert_or_update

LIFETIMES = {AccountLinkKind.RESET: timedelta(hours=1), AccountLinkKind.CONFIRMATION: timedelta(days=1)}


def add_link(account: Account, kind: AccountLinkKind, now: datetime, *, is_mailed: bool) -> str:
    """Replace the account's link of this kind, and return the token, which is stored nowhere. The caller commits.

    is_mailed: whether it goes to the account's address alone, so that its use proves that the address is theirs.
    """
    token = make_token()
    values = {
        "token_hash": _hash(token, kind),
        "address_key": _address_key(account) if is_mailed else None,
        "created_at": now,
        "expires_at": now + LIFETIMES[kind],
    }
    insert = insert_or_update(AccountLink).values(account_id=account.id, kind=kind, **values)
    db.session.execute(
        insert.on_conflict_do_update(index_elements=[AccountLink.account_id, AccountLink.kind], set_=values)
    )
    return token


_OPENED = (
    select(AccountLink)
    .join(Account, Account.id == AccountLink.account_id)
    .options(contains_eager(AccountLink.account))
    .where(AccountLink.token_hash == bindparam("token_hash"), AccountLink.kind == bindparam("kind"))
    .where(AccountLink.expires_at > bindparam("now"), Account.is_active)
)


def find_link(token: str, kind: AccountLinkKind, now: datetime) -> AccountLink | None:
    """Return the link with this token; None if it was used, replaced or revoked, is over, or never existed."""
    if not is_token(token):
        return None
    key = {"token_hash": _hash(token, kind), "kind": kind, "now": now}
    return db.session.scalars(_OPENED, key).one_or_none()


def use_link(link: AccountLink) -> bool:
    """End a link, and return whether it had not ended yet. Of two uses at once, one gets it. The caller commits."""
    used = delete(AccountLink).where(AccountLink.id == link.id, AccountLink.token_hash == link.token_hash)
    return change_rows(used) > 0


def verify_address(account: Account, link: AccountLink, now: datetime) -> None:
    """Note and record that the address is the account's if the link was mailed to it. The caller commits."""
    is_proven = link.address_key is not None and link.address_key == _address_key(account)
    if is_proven and account.email_verified_at is None:
        account.email_verified_at = now
        record_account_event(account, Action.ADDRESS_CONFIRMED, now)


def end_reset_links(account: Account) -> None:
    """End the links to set a new password. The caller commits."""
    ended = delete(AccountLink).where(AccountLink.account_id == account.id, AccountLink.kind == AccountLinkKind.RESET)
    change_rows(ended)


def delete_expired_account_links(now: datetime) -> None:
    """Delete a page of the links whose time is over, and commit."""
    delete_page(AccountLink, AccountLink.expires_at <= now)
    db.session.commit()


def _hash(token: str, kind: AccountLinkKind) -> str:
    return hash_token(token, f"account link {kind.value}")


def _address_key(account: Account) -> str:
    return hash_key("mailed address", account.email)
