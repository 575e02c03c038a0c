"""Decides which account a person at the provider may use, and makes or links it.

Accounts are found by issuer and subject only. An address counts once, to link an account that is there: if the provider
says that it is the person's, and Alertcheck has confirmed that it is the account's.
"""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import ObjectDeletedError

from webapp.audit import SINGLE_SIGN_ON, Action, record_account_event
from webapp.auth import accounts
from webapp.auth.external_identities import add_identity, find_identity, is_linked_to, link_account
from webapp.auth.own_paths import find_path
from webapp.auth.set_up_links import SetUpLink, use_link
from webapp.extensions import db
from webapp.models import Account, ExternalIdentity
from webapp.models.locking import lock_account
from webapp.settings.single_sign_on import SingleSignOn
from webapp.single_sign_on.group_roles import find_roles, find_workspaces, refresh_roles
from webapp.single_sign_on.people import Person
from webapp.single_sign_on.refusals import Refusal, SignOnRefused
from webapp.workspaces.invitation_acceptance import is_invited, open_invitation
from webapp.workspaces.invitation_cookie import INVITATION_PAGE, read_kept_token
from webapp.workspaces.set_up import follow_sign_on


class _ChangedMeanwhile(Exception):
    """Which account is the person's has changed since it was looked up."""


def admit(
    person: Person, settings: SingleSignOn, next_path: str | None, now: datetime, link: SetUpLink | None = None
) -> Account:
    """Return the account of a person, with the roles of their groups. The caller commits. Raises `SignOnRefused`.

    next_path: the page that they want to see afterwards, which may be that of an invitation.
    link: the set-up link that they use by this sign-in. Raises `LinkEnded`.
    """
    try:
        return _admit(person, settings, next_path, now, link)
    except (IntegrityError, ObjectDeletedError, _ChangedMeanwhile):
        # They signed in twice at once, their account was just linked or unlinked, or a workspace was just deleted.
        db.session.rollback()
        return _admit(person, settings, next_path, now, link)


def _admit(
    person: Person, settings: SingleSignOn, next_path: str | None, now: datetime, link: SetUpLink | None
) -> Account:
    if link is not None:
        use_link(link, now)  # first, because the first account ends the first link
    account = _find_or_add_account(person, settings, next_path, now, has_link=link is not None)
    if link is not None:
        follow_sign_on(link, account, now)
    return account


def _find_or_add_account(
    person: Person, settings: SingleSignOn, next_path: str | None, now: datetime, *, has_link: bool
) -> Account:
    roles = find_roles(settings, person.groups)
    identity = find_identity(person.issuer, person.subject)
    account = identity.account if identity else _find_unlinked(person)
    if account is not None:
        _lock(account, identity, person)
    if account is None:
        verified_email = person.email if person.is_email_verified else None
        if not has_link and not find_workspaces(roles) and not may_join_without_role(verified_email, next_path, now):
            raise SignOnRefused(Refusal.NO_ACCESS if verified_email else Refusal.EMAIL_NOT_CONFIRMED_THERE)
        account = _add_account(person, now)
    elif not account.is_active:
        raise SignOnRefused(Refusal.ACCOUNT_DISABLED)
    elif identity is None:
        _require_confirmed(account, person.issuer)
        link_account(account, person.issuer, person.subject, now, SINGLE_SIGN_ON)
    refresh_roles(account, roles, now, SINGLE_SIGN_ON)
    return account


def may_join_without_role(verified_email: str | None, next_path: str | None, now: datetime) -> bool:
    """Return whether a person without a role from a group may get an account, because somebody has invited them.

    They become a member only on the page of the invitation. An invitation for an address admits the person to whom it
    belongs according to the provider, with or without its link. Any other invitation admits whoever has opened its link
    in this browser and goes on to its page.
    verified_email: their address, if the provider says that it is theirs. next_path: perhaps that of an invitation.
    Raises `SignOnRefused` if the invitation that they opened is for another address.
    """
    if verified_email is not None and is_invited(verified_email, now):
        return True
    opened = open_invitation(read_kept_token(), now) if _leads_to_invitation(next_path) else None
    if opened is None:
        return False
    if opened.invitation.email is not None:
        raise SignOnRefused(Refusal.OTHER_INVITATION if verified_email else Refusal.EMAIL_NOT_CONFIRMED_THERE)
    return True


def _leads_to_invitation(path: str | None) -> bool:
    return path is not None and find_path(path) == INVITATION_PAGE


def _find_unlinked(person: Person) -> Account | None:
    """Return the account with the address that the provider says is the person's, or None.

    For an address that is not confirmed there, what the page says is the same whether an account has it or not.
    """
    if person.email is None or not person.is_email_verified:
        return None
    return accounts.find_by_email(person.email)


def _lock(account: Account, identity: ExternalIdentity | None, person: Person) -> None:
    """Lock an account, so that whatever disables or unlinks it comes before this sign-in, or ends its session.

    Raises `_ChangedMeanwhile` if the account is not the person's any more, or has become it.
    """
    lock_account(account)
    found = find_identity(person.issuer, person.subject)
    if (found and found.account_id) != (identity and identity.account_id):
        raise _ChangedMeanwhile


def _require_confirmed(account: Account, issuer: str) -> None:
    if account.email_verified_at is None:
        raise SignOnRefused(Refusal.EMAIL_NOT_CONFIRMED_HERE)
    if is_linked_to(account, issuer):  # a provider may give an address to somebody else after a while
        raise SignOnRefused(Refusal.OTHER_PERSON)


def _add_account(person: Person, now: datetime) -> Account:
    """Add an account without a password. Its address counts as confirmed only once Alertcheck has confirmed it.

    Raises `_ChangedMeanwhile` if the person has got one by another sign-in in between.
    """
    if person.email is None:
        raise SignOnRefused(Refusal.NO_EMAIL)
    if accounts.find_by_email(person.email) is not None:  # only of somebody whom a group or an invitation lets in
        if find_identity(person.issuer, person.subject) is not None:
            raise _ChangedMeanwhile
        raise SignOnRefused(Refusal.EMAIL_NOT_CONFIRMED_THERE)
    account = accounts.add_account(person.email, person.name or person.email, None, now)
    add_identity(account, person.issuer, person.subject, now)
    record_account_event(account, Action.ACCOUNT_ADDED, now, SINGLE_SIGN_ON)
    return account
