"""Accepting an invitation: who may, what becomes of the account, and that it happens once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.auth.overlapping import OVERLAP, run_alone
from tests.factories import NOW, SeededIds, get_account, get_workspace, is_password_of, on_both_databases
from webapp.audit import COMMAND_LINE
from webapp.auth.access import Visit, find_role
from webapp.auth.accounts import NewAccount, add_account, find_by_email
from webapp.auth.email_address import InvalidEmail
from webapp.auth.one_time_tokens import hash_token, make_token
from webapp.auth.password_strength import WeakPassword
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Member, MemberSource, Role, Workspace
from webapp.models.locking import lock_account
from webapp.workspaces import account_disabling, membership_changes
from webapp.workspaces.invitation_acceptance import (
    AddressTaken,
    InvitationEnded,
    MemberAlready,
    OtherAccountNeeded,
    accept,
    accept_with_new_account,
    open_invitation,
)
from webapp.workspaces.invitations import LIFETIME, MAILED, list_invitations, make_invitation

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

JO = "jo@example.com"
PASSWORD = "four unrelated words suffice"
ENTERED = NewAccount(JO, "Jo", PASSWORD)


def _invite(seeded: SeededIds, email: str | None = None, role: Role = Role.SUPPORT) -> str:
    return make_invitation(Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN), role, email, NOW).token


def _mail(seeded: SeededIds, email: str) -> str:
    """Invite an address, and return the token of the mailed link instead of the copied one."""
    _invite(seeded, email)
    token = make_token()
    [invitation] = list_invitations(seeded.harbor)
    invitation.mailed_token_hash = hash_token(token, MAILED)
    db.session.commit()
    return token


def _stranger(seeded: SeededIds) -> Account:
    return db.session.get_one(Account, seeded.stranger)


def _role_of(seeded: SeededIds, account: Account) -> Role | None:
    return find_role(get_workspace(seeded), account)


def _verified(account: Account) -> bool:
    db.session.expire_all()
    return account.email_verified_at is not None


# With an account


@pytest.mark.parametrize("role", list(Role))
def test_an_account_becomes_a_member_with_the_role(seeded: SeededIds, role: Role) -> None:
    workspace = accept(_invite(seeded, role=role), _stranger(seeded), NOW)

    member = db.session.get_one(Member, (seeded.harbor, seeded.stranger))
    facts = (workspace.id, member.role, member.source, member.created_at, member.added_by)
    assert facts == (seeded.harbor, role, MemberSource.PERSON, NOW, "Admin")


def test_an_invitation_is_used_once(seeded: SeededIds) -> None:
    token = _invite(seeded)
    accept(token, _stranger(seeded), NOW)

    assert (open_invitation(token, NOW), list(list_invitations(seeded.harbor))) == (None, [])
    with pytest.raises(InvitationEnded):
        accept_with_new_account(token, ENTERED, NOW)


@pytest.mark.parametrize("token", ["", "unknown", "é"])
def test_an_unknown_token_makes_nobody_a_member(seeded: SeededIds, token: str) -> None:
    with pytest.raises(InvitationEnded):
        accept(token, _stranger(seeded), NOW)
    with pytest.raises(InvitationEnded):
        accept_with_new_account(token, ENTERED, NOW)


def test_an_ended_invitation_makes_nobody_a_member(seeded: SeededIds) -> None:
    token = _invite(seeded)

    with pytest.raises(InvitationEnded):
        accept(token, _stranger(seeded), NOW + LIFETIME)


def test_an_invitation_whose_inviter_was_removed_meanwhile_makes_nobody_a_member(seeded: SeededIds) -> None:
    second = add_account("second@example.com", "Second", None, NOW)
    membership_changes.grant_role(get_workspace(seeded), second, Role.ADMIN, NOW, COMMAND_LINE)
    token = _invite(seeded)
    assert open_invitation(token, NOW)
    membership_changes.remove_member(db.session.get_one(Member, (seeded.harbor, seeded.admin)), NOW, COMMAND_LINE)
    db.session.commit()

    with pytest.raises(InvitationEnded):
        accept(token, _stranger(seeded), NOW)
    assert _role_of(seeded, _stranger(seeded)) is None


def test_an_invitation_for_an_address_is_for_it_alone(seeded: SeededIds) -> None:
    token = _invite(seeded, JO)

    with pytest.raises(OtherAccountNeeded):
        accept(token, _stranger(seeded), NOW)
    assert (open_invitation(token, NOW) is None, _role_of(seeded, _stranger(seeded))) == (False, None)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
@pytest.mark.parametrize("email", [None, "support@example.com"])
def test_the_role_of_a_member_stays_and_the_invitation_too(seeded: SeededIds, role: Role, email: str | None) -> None:
    support = db.session.get_one(Account, seeded.support)
    own = db.session.get_one(Member, (seeded.harbor, seeded.support))
    db.session.delete(own)  # the address is invited before its account is a member
    db.session.commit()
    token = _invite(seeded, email, role)
    db.session.add(Member(workspace_id=seeded.harbor, account_id=seeded.support, role=Role.SUPPORT))
    db.session.commit()

    with pytest.raises(MemberAlready):
        accept(token, support, NOW)
    assert (_role_of(seeded, support), open_invitation(token, NOW) is None) == (Role.SUPPORT, False)


def test_an_own_mailed_link_verifies_the_address_of_an_account(seeded: SeededIds) -> None:
    stranger = _stranger(seeded)
    accept(_mail(seeded, stranger.email), stranger, NOW)

    assert _verified(stranger)


def test_a_copied_link_verifies_nothing(seeded: SeededIds) -> None:
    stranger = _stranger(seeded)
    accept(_invite(seeded, stranger.email), stranger, NOW)

    assert not _verified(stranger)


def test_the_token_of_one_link_does_not_count_as_the_other(seeded: SeededIds) -> None:
    token = _invite(seeded, JO)
    mailed = make_token()
    [invitation] = list_invitations(seeded.harbor)
    invitation.mailed_token_hash = hash_token(mailed, MAILED)
    db.session.commit()

    opened = [open_invitation(each, NOW) for each in (token, mailed)]
    assert [each and each.is_mailed for each in opened] == [False, True]


def test_accepting_is_in_the_audit_trail(seeded: SeededIds) -> None:
    [invitation_id] = [open_invitation(token, NOW).invitation.id for token in [_invite(seeded)]]  # type: ignore[union-attr]
    token = _invite(seeded, "stranger@example.com")
    accept(token, _stranger(seeded), NOW)

    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(2)).all()
    subject = f"stranger@example.com (invitation {invitation_id + 1})"
    assert [(event.account_name, event.action, event.subject, event.changed) for event in events] == [
        ("Stranger", "accepted the invitation", subject, ["support"]),
        ("Admin", "added the member", f"Stranger (account {seeded.stranger})", ["support"]),
    ]


# With a new account


def test_a_new_account_is_a_member_and_signs_in_with_the_password(seeded: SeededIds) -> None:
    account, workspace = accept_with_new_account(_invite(seeded, role=Role.VIEWER), ENTERED, NOW)

    assert (workspace.id, account.email, account.name, account.is_instance_admin) == (seeded.harbor, JO, "Jo", False)
    assert (_role_of(seeded, account), is_password_of(account, PASSWORD)) == (Role.VIEWER, True)


@pytest.mark.parametrize(("invite", "is_verified"), [(_invite, False), (_mail, True)], ids=["copied", "mailed"])
def test_an_account_has_the_invited_address_verified_if_it_was_mailed(
    seeded: SeededIds, invite: Callable[[SeededIds, str], str], is_verified: bool
) -> None:
    entered = NewAccount("victim@example.com", "Jo", PASSWORD)
    account, _ = accept_with_new_account(invite(seeded, JO), entered, NOW)

    assert (account.email, _verified(account)) == (JO, is_verified)


def test_an_invitation_for_no_address_verifies_nothing(seeded: SeededIds) -> None:
    account, _ = accept_with_new_account(_invite(seeded), ENTERED, NOW)

    assert not _verified(account)


@pytest.mark.parametrize("email", ["stranger@example.com", " Stranger@Example.COM "])
@pytest.mark.parametrize("is_for_address", [False, True])
def test_no_account_is_taken_over(seeded: SeededIds, email: str, is_for_address: bool) -> None:
    token = _invite(seeded, "stranger@example.com" if is_for_address else None)

    with pytest.raises(AddressTaken):
        accept_with_new_account(token, NewAccount(email, "Jo", PASSWORD), NOW)
    db.session.expire_all()
    stranger = _stranger(seeded)
    assert (stranger.name, is_password_of(stranger, PASSWORD), _role_of(seeded, stranger)) == ("Stranger", False, None)
    assert open_invitation(token, NOW) is not None


def test_a_disabled_account_does_not_come_back_by_an_invitation(seeded: SeededIds) -> None:
    account_disabling.set_active(_stranger(seeded), False, NOW, COMMAND_LINE)
    db.session.commit()

    with pytest.raises(AddressTaken):
        accept_with_new_account(_invite(seeded), NewAccount("stranger@example.com", "Jo", PASSWORD), NOW)


@pytest.mark.parametrize("password", ["short", "harbor logistics 1", "jo@example.com jo"])
@pytest.mark.parametrize("email", [JO, "stranger@example.com"])
def test_a_weak_password_is_refused_before_the_address_is_looked_up(
    seeded: SeededIds, password: str, email: str
) -> None:
    token = _invite(seeded)

    with pytest.raises(WeakPassword):
        accept_with_new_account(token, NewAccount(email, "Jo", password), NOW)
    assert (find_by_email(JO), open_invitation(token, NOW) is None) == (None, False)


def test_what_is_no_address_is_refused(seeded: SeededIds) -> None:
    with pytest.raises(InvalidEmail):
        accept_with_new_account(_invite(seeded), NewAccount("jo", "Jo", PASSWORD), NOW)


# At once


def _run_at_once(app: Flask, acts: list[Callable[[], object]]) -> list[str]:
    """Run acts at the same instant, each in a context of its own. Returns the names of their results, sorted."""
    results: list[str] = []
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        with app.app_context():
            start.wait()
            try:
                act()
                results.append("done")
            except (InvitationEnded, AddressTaken, MemberAlready) as refused:
                results.append(type(refused).__name__)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results)


def test_of_presses_at_once_with_several_accounts_one_makes_a_member(app: Flask, seeded: SeededIds) -> None:
    token = _invite(seeded)
    accounts = [add_account(f"jo{number}@example.com", "Jo", None, NOW).id for number in range(6)]
    db.session.commit()

    def press(account_id: int) -> Callable[[], object]:
        return lambda: accept(token, db.session.get_one(Account, account_id), NOW)

    assert _run_at_once(app, [press(account_id) for account_id in accounts]) == ["InvitationEnded"] * 5 + ["done"]
    joined = db.session.scalars(select(Member.account_id).where(Member.account_id.in_(accounts))).all()
    assert len(joined) == 1


@pytest.mark.usefixtures("production_hashes")
def test_of_presses_at_once_by_one_person_one_makes_the_account(app: Flask, seeded: SeededIds) -> None:
    token = _invite(seeded)

    results = _run_at_once(app, [lambda: accept_with_new_account(token, ENTERED, NOW)] * 4)

    assert results == ["InvitationEnded"] * 3 + ["done"]
    assert len(db.session.scalars(select(Account.id).where(Account.email == JO)).all()) == 1


@pytest.mark.usefixtures("production_hashes")
def test_of_accounts_at_once_with_one_address_one_is_made(app: Flask, seeded: SeededIds) -> None:
    clinic = Visit(_stranger(seeded), db.session.get_one(Workspace, seeded.clinic), Role.ADMIN)
    tokens = [_invite(seeded), make_invitation(clinic, Role.ADMIN, None, NOW).token]

    def press(token: str) -> Callable[[], object]:
        return lambda: accept_with_new_account(token, ENTERED, NOW)

    assert _run_at_once(app, [press(token) for token in tokens]) == ["AddressTaken", "done"]
    assert [open_invitation(token, NOW) is None for token in tokens].count(False) == 1


def test_the_removal_of_the_inviter_and_a_press_at_once_are_one_after_the_other(app: Flask, seeded: SeededIds) -> None:
    second = add_account("second@example.com", "Second", None, NOW)
    membership_changes.grant_role(get_workspace(seeded), second, Role.ADMIN, NOW, COMMAND_LINE)
    token = _invite(seeded)

    def remove() -> None:
        membership_changes.remove_member(db.session.get_one(Member, (seeded.harbor, seeded.admin)), NOW, COMMAND_LINE)
        db.session.commit()

    results = _run_at_once(app, [remove, lambda: accept(token, _stranger(seeded), NOW)])

    db.session.rollback()
    joined = _role_of(seeded, _stranger(seeded)) is not None
    assert (joined, results) in ((True, ["done", "done"]), (False, ["InvitationEnded", "done"]))
    assert open_invitation(token, NOW + timedelta(0)) is None


def test_a_press_and_a_change_of_the_same_membership_do_not_wait_for_each_other_for_ever(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, locked = _invite(seeded), threading.Event()

    def add_member() -> None:
        membership_changes.grant_role(get_workspace(seeded), _stranger(seeded), Role.VIEWER, NOW, COMMAND_LINE)

    def press() -> None:
        accept(token, _stranger(seeded), NOW)

    def begin_first(account: Account) -> None:
        """Lock the account, and let the press begin before the workspace is locked too."""
        lock_account(account)
        locked.set()
        time.sleep(OVERLAP)

    monkeypatch.setattr(membership_changes, "lock_account", begin_first)
    with ThreadPoolExecutor(2) as threads:
        adding = threads.submit(run_alone, app, add_member)
        locked.wait(60)
        failed = [threads.submit(run_alone, app, press).result(), adding.result()]

    assert [type(error) for error in failed] == [MemberAlready, type(None)]
