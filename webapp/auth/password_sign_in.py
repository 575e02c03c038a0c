"""Signs in by email address and password: the limits, the check, and what is remembered of the result."""

from datetime import datetime

from webapp.app_state import current_settings
from webapp.auth.known_clients import remember_client
from webapp.auth.passwords import load_password
from webapp.auth.sign_in_limits import begin_try, count_try, uncount_try
from webapp.extensions import db
from webapp.models import Account


class PasswordsOff(Exception):
    """The administrator lets people sign in with an account of the provider only."""


def are_passwords_allowed() -> bool:
    """Return whether people may sign in by password, and set, change or reset one."""
    return current_settings().are_passwords_allowed


def require_passwords() -> None:
    """Raise `PasswordsOff` where no password may be used or set."""
    if not are_passwords_allowed():
        raise PasswordsOff


def check_sign_in(email: str, password: str, client: str, now: datetime) -> Account | None:
    """Return the active account with this canonical address and password; None does not reveal which of them is wrong.

    Commits the count of a refused try. The caller commits the rest with the session.
    Raises `TooManyTries` and `PasswordsOff`.
    """
    require_passwords()
    attempt = begin_try(email, client, now)
    stored = load_password(email)
    db.session.rollback()  # gives back the connection while the password is checked
    is_right = stored.is_right(password)
    count_try(attempt, stored.account_id)
    if not (is_right and stored.lock()):
        db.session.commit()
        return None
    uncount_try(attempt)
    account = db.session.get_one(Account, stored.account_id)
    remember_client(account, client, now)
    return account
