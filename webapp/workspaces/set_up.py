"""What a set-up link does: it makes the first account and workspace, or later an instance admin for one session.

Each function ends the link first: of several presses at once, one goes on, and the others raise `LinkEnded`. The caller
commits, together with the session.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from webapp.audit import Action, Actor, record_account_event, record_instance_event
from webapp.auth import accounts
from webapp.auth.accounts import NewAccount
from webapp.auth.instance_admins import make_instance_admin
from webapp.auth.set_up_links import SetUpLink, use_link
from webapp.models import Account, Role, Workspace
from webapp.workspaces import membership_changes, workspace_changes

# Beside who used the link, in the audit trail.
FIRST_ACCOUNT = "first account"
FOR_ONE_SESSION = "instance admin for one session"


class EmailTaken(Exception):
    """An account has the email address of a new one."""


@dataclass(frozen=True)
class Admission:
    """Who gets a session. workspace: the first one of the installation; None for an instance admin for one session."""

    account: Account
    workspace: Workspace | None = None


def set_up_installation(link: SetUpLink, person: NewAccount, slug: str, name: str, now: datetime) -> Admission:
    """Make the first account, which administers the installation and its first workspace. slug, name: the workspace's.

    Raises `SlugUsed`.
    """
    use_link(link, now)
    account = accounts.add_account(person.email, person.name, None, now)
    record_account_event(account, Action.ACCOUNT_ADDED, now)
    _record_use(account, FIRST_ACCOUNT, now)
    by = Actor(account.id, account.name)
    make_instance_admin(account, now, by)
    workspace = workspace_changes.open_workspace(slug, name, now, by)
    membership_changes.grant_role(workspace, account, Role.ADMIN, now, by)
    accounts.set_password(account, person.password)  # last, because it may not be the workspace's name
    return Admission(account, workspace)


def admit_account(link: SetUpLink, account: Account, now: datetime) -> Admission:
    """Use a later link for an existing account, whose password stays as it is. Its session alone gets the rights."""
    use_link(link, now)
    _record_use(account, FOR_ONE_SESSION, now)
    return Admission(account)


def admit_new_account(link: SetUpLink, person: NewAccount, now: datetime) -> Admission:
    """Use a later link for an account that it makes. Its session alone gets the rights. Raises `EmailTaken`."""
    use_link(link, now)
    account = _add_account(person, now)
    _record_use(account, FOR_ONE_SESSION, now)
    return Admission(account)


def follow_sign_on(link: SetUpLink, account: Account, now: datetime) -> None:
    """Give an account that a provider signed in the rights of the set-up link that was used. The caller commits.

    The first link makes an instance admin, who then makes the first workspace. A later one is for a session.
    """
    if link.is_first:
        make_instance_admin(account, now, Actor(account.id, account.name))
    _record_use(account, FIRST_ACCOUNT if link.is_first else FOR_ONE_SESSION, now)


def _add_account(person: NewAccount, now: datetime) -> Account:
    try:
        account = accounts.add_account(person.email, person.name, person.password, now)
    except IntegrityError:
        raise EmailTaken from None
    record_account_event(account, Action.ACCOUNT_ADDED, now)
    return account


def _record_use(account: Account, changed: str, now: datetime) -> None:
    by = Actor(account.id, account.name)
    record_instance_event(Action.SET_UP_LINK_USED, "", now, by, [changed])
