"""The time zone of an account: reported once by its first browser, and changed by its owner."""

from zoneinfo import ZoneInfo

from sqlalchemy import update

from webapp.auth.sessions import current_account, is_public
from webapp.extensions import db
from webapp.models import Account
from webapp.time_zones import find_zone, is_known


class UnknownTimeZone(Exception):
    """A name is not that of a time zone."""


def report_time_zone(account: Account, name: str) -> None:
    """Store the time zone of an account's browser unless the account has one, and commit. Raises `UnknownTimeZone`."""
    _check(name)
    is_unset = (Account.id == account.id, Account.time_zone.is_(None))
    db.session.execute(update(Account).where(*is_unset).values(time_zone=name))
    db.session.commit()


def change_time_zone(account: Account, name: str) -> None:
    """Store the time zone that an account's owner has chosen, and commit. Raises `UnknownTimeZone`."""
    _check(name)
    account.time_zone = name
    db.session.commit()


def viewer_zone() -> ZoneInfo | None:
    """Return the time zone of whoever is shown a page; None if only their browser knows it.

    Pages without a sign-in have no account. An account's zone may have vanished with an update of the zones' data.
    """
    return None if is_public() else find_zone(current_account().time_zone)


def _check(name: str) -> None:
    if not is_known(name):
        raise UnknownTimeZone(name)
