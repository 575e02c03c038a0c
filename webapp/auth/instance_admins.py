"""Instance admins administer the installation. It makes them a member of no workspace.

The flag is granted by the set-up link of an installation that never had an account, or by a command. A later set-up
link gives its opener the same rights, for that session alone.
"""

from datetime import datetime

from flask import abort
from sqlalchemy import or_, select, update

from webapp.app_state import current_settings
from webapp.audit import Action, Actor, record_account_event
from webapp.auth.sessions import current_account
from webapp.extensions import db
from webapp.models import Account, SignIn
from webapp.models.row_changes import change_rows


class LastInstanceAdmin(Exception):
    """The only instance admin who can sign in would lose the rights. Its text says so."""

    def __init__(self, account: Account) -> None:
        super().__init__(f"{account.email} is the only instance admin. Make another one first.")


def is_instance_admin(account: Account) -> bool:
    """Return whether an account, in the session that it was loaded for, may administer the installation."""
    return account.is_instance_admin or account.is_admin_by_session


def load_instance_admin() -> Account:
    """Return the signed-in account. Aborts with 404 unless it is an instance admin. A public demo has none."""
    account = current_account()
    if not is_instance_admin(account) or current_settings().is_public_demo:
        abort(404)
    return account


def has_instance_rights(sign_in_id: str | None) -> bool:
    """Return whether the account of a session may still administer the installation, and is signed in."""
    query = select(SignIn.id).join(Account, Account.id == SignIn.account_id).where(SignIn.id == sign_in_id)
    is_admin = or_(Account.is_instance_admin, SignIn.is_instance_admin)
    return db.session.scalar(query.where(Account.is_active, is_admin)) is not None


def make_instance_admin(account: Account, now: datetime, by: Actor) -> bool:
    """Grant the flag. The caller commits. Returns whether the account did not have it."""
    if account.is_instance_admin:
        return False
    account.is_instance_admin = True
    record_account_event(account, Action.INSTANCE_ADMIN_MADE, now, by)
    return True


def revoke_instance_admin(account: Account, now: datetime, by: Actor) -> bool:
    """Take the rights away: the flag, and those of sessions that a set-up link started. The caller commits.

    Returns whether the account had any. Raises `LastInstanceAdmin`.
    """
    require_other_admin(account)
    mine = update(SignIn).where(SignIn.account_id == account.id, SignIn.is_instance_admin)
    ended = change_rows(mine.values(is_instance_admin=False))
    if not account.is_instance_admin and not ended:
        return False
    account.is_instance_admin = False
    record_account_event(account, Action.INSTANCE_ADMIN_REVOKED, now, by)
    return True


def require_other_admin(account: Account) -> None:
    """Raise `LastInstanceAdmin` if no other instance admin can sign in. It holds until the end of the transaction."""
    # SQLite has one writer, and a statement that changes nothing makes it this transaction.
    db.session.execute(update(Account).where(Account.id == 0).values(id=0).execution_options(synchronize_session=False))
    admins = select(Account.id).where(Account.is_instance_admin, Account.is_active)
    # By id, so that two who do this at once do not wait for each other forever.
    if db.session.scalars(admins.order_by(Account.id).with_for_update(key_share=True)).all() == [account.id]:
        raise LastInstanceAdmin(account)
