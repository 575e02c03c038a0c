"""Limits wrong passwords per account, and per account and client, in 15 minutes. The database counts them.

So the limits hold across web servers and without Redis, and the work is the same whether an account exists or not.
A third limit, on requests per client, is Flask-Limiter's (`webapp.views.sign_in`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Insert, and_, delete, select, update

from webapp.auth.keyed_hash import hash_key
from webapp.auth.known_clients import is_known_client
from webapp.extensions import db
from webapp.models import SignInWindow
from webapp.models.row_changes import change_rows
from webapp.models.upsert import insert_or_update

# Windows begin at each full quarter of an hour.
WINDOW = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Wrong passwords for one account in a window: from one client, and from all clients it was never signed in from.
MAX_PER_CLIENT = 10
MAX_FROM_STRANGERS = 30


class TooManyTries(Exception):
    """No more passwords are checked until the window ends, in `wait`."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.wait = wait


@dataclass(frozen=True)
class SignInTry:
    """A try to sign in, and the keys of the rows that count it.

    is_stranger: nobody has signed in to the account from this client before.
    """

    account_key: str
    client_key: str
    is_stranger: bool
    made_at: datetime

    @property
    def window(self) -> datetime:
        return self.made_at - (self.made_at - _EPOCH) % WINDOW


def begin_try(email: str, client: str, now: datetime) -> SignInTry:
    """Return the try of a client for a canonical address. Raises `TooManyTries` before any password is checked."""
    is_stranger = not is_known_client(email, client, now)
    attempt = SignInTry(hash_key("account", email), hash_key("client", email, client), is_stranger, now)
    _check_limits(attempt, spare=1)
    return attempt


def count_try(attempt: SignInTry, account_id: int | None) -> None:
    """Count a try after its password was checked. The caller commits.

    Raises `TooManyTries` if tries at the same time used up the limit: the result of the check must then stay unknown.
    account_id: the account with the address, or None.
    """
    db.session.execute(_count(attempt, account_id))
    _check_limits(attempt)


def uncount_try(attempt: SignInTry) -> None:
    """Take back a counted try whose password was right. The caller commits."""
    counted = _rows_of(attempt)
    fewer = {
        SignInWindow.refused: SignInWindow.refused - 1,
        SignInWindow.refused_strangers: SignInWindow.refused_strangers - int(attempt.is_stranger),
    }
    change_rows(update(SignInWindow).where(counted).values(fewer))
    change_rows(delete(SignInWindow).where(counted, SignInWindow.refused <= 0))


def _count(attempt: SignInTry, account_id: int | None) -> Insert:
    """Build the statement that adds 1 to both rows, which may be missing. It locks the account's row first."""
    insert = insert_or_update(SignInWindow)
    shared = {
        "started_at": attempt.window,
        "first_refused_at": attempt.made_at,
        "refused": 1,
        "refused_strangers": int(attempt.is_stranger),
        "is_reported": False,
    }
    of_account = shared | {"key": attempt.account_key, "account_id": account_id}
    of_client = shared | {"key": attempt.client_key, "account_id": None}
    return insert.values([of_account, of_client]).on_conflict_do_update(
        index_elements=[SignInWindow.key, SignInWindow.started_at],
        set_={
            "refused": SignInWindow.refused + 1,
            "refused_strangers": SignInWindow.refused_strangers + insert.excluded.refused_strangers,
        },
    )


def _check_limits(attempt: SignInTry, spare: int = 0) -> None:
    rows = {row.key: row for row in db.session.execute(_COUNTS.where(_rows_of(attempt)))}
    of_account, of_client = rows.get(attempt.account_key), rows.get(attempt.client_key)
    is_over = of_client is not None and of_client.refused + spare > MAX_PER_CLIENT
    if attempt.is_stranger and of_account is not None:
        is_over |= of_account.refused_strangers + spare > MAX_FROM_STRANGERS
    if is_over:
        raise TooManyTries(attempt.window + WINDOW - attempt.made_at)


_COUNTS = select(SignInWindow.key, SignInWindow.refused, SignInWindow.refused_strangers)


def _rows_of(attempt: SignInTry) -> ColumnElement[bool]:
    keys = attempt.account_key, attempt.client_key
    return and_(SignInWindow.key.in_(keys), SignInWindow.started_at == attempt.window)
