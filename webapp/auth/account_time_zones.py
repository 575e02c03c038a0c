"""The time zone of an account: reported once by its first browser, and changed by its owner."""

from zoneinfo import ZoneInfo

from flask_login import current_user
from sqlalchemy import update

from webapp.auth.sessions import current_account, is_public
from webapp.extensions import db
from webapp.models import Account
from webapp.time_zones import find_zone, read_zone_name


class UnknownTimeZone(Exception):
    """A name is not that of a time zone."""


def report_time_zone(account: Account, text: str) -> None:
    """Store the time zone of an account's browser unless the account has one, and commit. Raises `UnknownTimeZone`."""
    name, is_unset = _read(text), (Account.id == account.id, Account.time_zone.is_(None))
    db.session.execute(update(Account).where(*is_unset).values(time_zone=name))
    db.session.commit()


def change_time_zone(account: Account, text: str) -> None:
    """Store the time zone that an account's owner has chosen, and commit. Raises `UnknownTimeZone`."""
    account.time_zone = _read(text)
    db.session.commit()


def viewer_zone() -> ZoneInfo | None:
    """Return the time zone of whoever is shown a page; None if only their browser knows it.

    Pages without a sign-in have no account. An account's zone may have vanished with an update of the zones' data.
    """
    has_account = current_user.is_authenticated and not is_public()
    return find_zone(current_account().time_zone) if has_account else None


def _read(text: str) -> str:
    name = read_zone_name(text)
    if name is None:
        raise UnknownTimeZone(text)
    return name
