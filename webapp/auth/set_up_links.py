"""The set-up link of the installation: who makes it, until when it works, and that it is used once.

There is one at most. It makes the first account of a new installation, and later gives one session the rights of an
instance admin. A new installation is one that never had an account, so the first account ends its link.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session, scoped_session

from webapp.app_state import current_settings
from webapp.audit import Action, Actor, record_instance_event
from webapp.auth.one_time_tokens import hash_token, is_token, make_token
from webapp.extensions import db
from webapp.models import Account, SetUp
from webapp.models.set_up import ONLY_ROW
from webapp.models.upsert import insert_or_update

LIFETIME = timedelta(hours=1)

# The path of a link, in front of its token.
PATH = "/set-up/"

_PURPOSE = "set-up link"

AnySession = Session | scoped_session[Any]


class LinkEnded(Exception):
    """The link was used, replaced or ended since it was opened."""


@dataclass(frozen=True)
class SetUpLink:
    """The link that works. is_first: whether it makes the first account. `expires_at`: until when it works."""

    token_hash: str = field(repr=False)
    is_first: bool
    expires_at: datetime


@dataclass(frozen=True)
class SetUpOffer:
    """What a start finds. token: of a link that it made, or None if another one works until `expires_at`."""

    token: str | None = field(repr=False)
    expires_at: datetime


def make_address(token: str) -> str:
    """Return the address of a link: only its path, if the installation does not know the address of its pages."""
    return f"{current_settings().links.public_url or ''}{PATH}{token}"


def is_new_installation(session: AnySession) -> bool:
    """Return whether the installation never had an account."""
    return bool(session.scalar(select(_IS_NEW)))


def record_account(session: AnySession, now: datetime) -> None:
    """Record, once and for ever, that the installation has an account, which ends its first link. The caller commits.

    Holds nobody up once it is recorded.
    """
    _add_row(session)
    first = _update(SetUp.account_added_at.is_(None))
    session.execute(first.values(account_added_at=now, token_hash=None, expires_at=None))


def offer_link(session: AnySession, now: datetime) -> SetUpOffer | None:
    """Make the link of a new installation unless one works, and commit. None if the installation is not new.

    Of several that do this at once, one makes a link.
    """
    if not is_new_installation(session):
        return None
    _add_row(session)
    token = make_token()
    has_none = or_(SetUp.expires_at.is_(None), SetUp.expires_at <= now)
    made = session.execute(_update(_IS_UNRECORDED, has_none).values(_values(token, now)))
    is_made = bool(made.rowcount)  # type: ignore[attr-defined]
    expires_at = session.scalar(select(SetUp.expires_at).where(_IS_UNRECORDED))
    session.commit()
    return SetUpOffer(token if is_made else None, expires_at) if expires_at else None


def replace_link(now: datetime, by: Actor) -> str:
    """Make a link at any time, and return its token. An earlier link ends. The caller commits."""
    if not is_new_installation(db.session):
        record_account(db.session, now)
    _add_row(db.session)
    token = make_token()
    db.session.execute(_update().values(_values(token, now)))
    record_instance_event(Action.SET_UP_LINK_MADE, "", now, by)
    return token


def find_link(token: str, now: datetime) -> SetUpLink | None:
    """Return the link with this token; None if there is none, or it has ended."""
    if not is_token(token):
        return None
    row = db.session.execute(_LINK, {"token_hash": hash_token(token, _PURPOSE), "now": now}).one_or_none()
    return SetUpLink(row.token_hash, row.account_added_at is None, row.expires_at) if row else None


def use_link(link: SetUpLink, now: datetime) -> None:
    """End a link because it is used. The caller commits, with what it is used for.

    Of several presses at once, one goes on, after the others' transactions. Raises `LinkEnded` for the others.
    """
    is_first = SetUp.account_added_at.is_(None) if link.is_first else SetUp.account_added_at.is_not(None)
    works = SetUp.token_hash == link.token_hash, SetUp.expires_at > now
    used = db.session.execute(_update(*works, is_first).values(token_hash=None, expires_at=None))
    if not used.rowcount:  # type: ignore[attr-defined]
        raise LinkEnded


_IS_UNRECORDED = SetUp.account_added_at.is_(None)
# Another program may have added the accounts.
_IS_NEW = ~exists().where(SetUp.account_added_at.is_not(None)) & ~exists().where(Account.id.is_not(None))
_LINK = select(SetUp.token_hash, SetUp.account_added_at, SetUp.expires_at).where(
    SetUp.token_hash == bindparam("token_hash"), SetUp.expires_at > bindparam("now")
)


def _add_row(session: AnySession) -> None:
    """Add the only row if it is missing. Waits for the transaction of whoever is just adding it."""
    session.execute(insert_or_update(SetUp).values(id=ONLY_ROW).on_conflict_do_nothing())


def _update(*conditions: ColumnElement[bool]) -> Update:
    statement = update(SetUp).where(SetUp.id == ONLY_ROW, *conditions)
    return statement.execution_options(synchronize_session=False)


def _values(token: str, now: datetime) -> dict[str, object]:
    return {"token_hash": hash_token(token, _PURPOSE), "expires_at": now + LIFETIME}
