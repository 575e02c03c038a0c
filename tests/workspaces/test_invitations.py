"""Invitations: who may make, renew and revoke one, what ends it, and what the audit trail tells."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.auth.overlapping import run_overlapping
from tests.factories import NOW, SeededIds, get_account, get_workspace, on_both_databases
from webapp.audit import COMMAND_LINE
from webapp.auth.access import Visit
from webapp.auth.accounts import add_account
from webapp.extensions import db
from webapp.models import Account, AuditEvent, Invitation, Member, Role, Workspace
from webapp.workspaces import account_disabling, membership_changes
from webapp.workspaces.invitation_acceptance import open_invitation
from webapp.workspaces.invitations import (
    KEPT_FOR,
    LIFETIME,
    MAX_INVITATIONS,
    InvitationRefused,
    count_invitations_of,
    delete_old_invitations,
    find_listed,
    list_invitations,
    make_invitation,
    renew_invitation,
    revoke_invitation,
)

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

MOMENT = timedelta(microseconds=1)
JO = "jo@example.com"


def _visit(seeded: SeededIds) -> Visit:
    return Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)


def _invite(seeded: SeededIds, email: str | None = None, role: Role = Role.SUPPORT) -> str:
    return make_invitation(_visit(seeded), role, email, NOW).token


def _count() -> int:
    return len(db.session.scalars(select(Invitation.id)).all())


def _trail() -> list[tuple[str, str, str, list[str]]]:
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action.contains("invit")).order_by(AuditEvent.id))
    return [(event.account_name, event.action, event.subject, event.changed) for event in events]


def test_an_invitation_is_for_its_workspace_role_and_address(seeded: SeededIds) -> None:
    opened = open_invitation(_invite(seeded, JO, Role.VIEWER), NOW)

    assert opened is not None
    facts = (opened.workspace.id, opened.inviter.id, opened.invitation.role, opened.invitation.email, opened.is_mailed)
    assert facts == (seeded.harbor, seeded.admin, Role.VIEWER, JO, False)


def test_a_link_works_for_seven_days(seeded: SeededIds) -> None:
    token, end = _invite(seeded), NOW + timedelta(days=7)

    assert [open_invitation(token, moment) is not None for moment in (end - MOMENT, end)] == [True, False]


def test_only_a_hash_of_the_token_is_stored(seeded: SeededIds) -> None:
    token = _invite(seeded, JO)

    stored = repr([vars(row) for table in (Invitation, AuditEvent) for row in db.session.scalars(select(table))])
    assert token not in stored


@pytest.mark.parametrize(
    "change",
    [
        str.swapcase,
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token[1:],
        lambda token: f"{token}é",
    ],
)
def test_a_changed_token_opens_nothing(seeded: SeededIds, change: Callable[[str], str]) -> None:
    assert open_invitation(change(_invite(seeded)), NOW) is None


@pytest.mark.parametrize("token", ["", "\0", "\ud800", "a" * 100_000, "é"])
def test_what_cannot_be_a_token_opens_nothing_and_is_not_looked_up(
    seeded: SeededIds, token: str, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with count_queries() as statements:
        opened = open_invitation(token, NOW)

    assert (opened, [statement for statement in statements if token != "\0"]) == (None, [])


# What ends an invitation


def _revoke(seeded: SeededIds) -> None:
    [invitation] = list_invitations(seeded.harbor)
    revoke_invitation(invitation, get_account(seeded), NOW)


def _renew(seeded: SeededIds) -> None:
    [invitation] = list_invitations(seeded.harbor)
    assert renew_invitation(_visit(seeded), invitation.id, NOW)


def _lower_and_restore_inviter(seeded: SeededIds) -> None:
    for role in (Role.SUPPORT, Role.ADMIN):
        membership_changes.grant_role(get_workspace(seeded), get_account(seeded), role, NOW, COMMAND_LINE)


def _remove_and_add_inviter(seeded: SeededIds) -> None:
    membership_changes.remove_member(db.session.get_one(Member, (seeded.harbor, seeded.admin)), NOW, COMMAND_LINE)
    db.session.commit()
    membership_changes.grant_role(get_workspace(seeded), get_account(seeded), Role.ADMIN, NOW, COMMAND_LINE)


def _disable_and_enable_inviter(seeded: SeededIds) -> None:
    for is_active in (False, True):
        account_disabling.set_active(get_account(seeded), is_active, NOW, COMMAND_LINE)


def _lower_inviter_by_another_program(seeded: SeededIds) -> None:
    db.session.get_one(Member, (seeded.harbor, seeded.admin)).role = Role.SUPPORT


def _disable_inviter_by_another_program(seeded: SeededIds) -> None:
    get_account(seeded).is_active = False


def _delete_workspace(seeded: SeededIds) -> None:
    db.session.execute(Member.__table__.delete().where(Member.workspace_id == seeded.harbor))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "end",
    [
        _revoke,
        _renew,
        _lower_and_restore_inviter,
        _remove_and_add_inviter,
        _disable_and_enable_inviter,
        _lower_inviter_by_another_program,
        _disable_inviter_by_another_program,
        _delete_workspace,
    ],
)
def test_a_link_ends_for_good(seeded: SeededIds, end: Callable[[SeededIds], None]) -> None:
    add_second_admin(seeded)
    token = _invite(seeded)
    end(seeded)
    db.session.commit()

    assert open_invitation(token, NOW) is None


def add_second_admin(seeded: SeededIds) -> Account:
    """Add another admin, so that the first one can be lowered or removed."""
    account = add_account("second@example.com", "Second", None, NOW)
    membership_changes.grant_role(get_workspace(seeded), account, Role.ADMIN, NOW, COMMAND_LINE)
    db.session.commit()
    return account


def _lower_another_member(seeded: SeededIds) -> None:
    support = db.session.get_one(Account, seeded.support)
    membership_changes.grant_role(get_workspace(seeded), support, Role.VIEWER, NOW, COMMAND_LINE)


def _lower_inviter_elsewhere(seeded: SeededIds) -> None:
    clinic = db.session.get_one(Workspace, seeded.clinic)
    for role in (Role.ADMIN, Role.VIEWER):
        membership_changes.grant_role(clinic, get_account(seeded), role, NOW, COMMAND_LINE)


@pytest.mark.parametrize("change", [_lower_another_member, _lower_inviter_elsewhere])
def test_other_changes_leave_an_invitation_as_it_is(seeded: SeededIds, change: Callable[[SeededIds], None]) -> None:
    token = _invite(seeded)
    change(seeded)
    db.session.commit()

    assert open_invitation(token, NOW) is not None


def test_the_invitations_for_a_member_who_is_removed_end(seeded: SeededIds) -> None:
    token = _invite(seeded, JO)
    jo = add_account(JO, "Jo", None, NOW)
    membership_changes.grant_role(get_workspace(seeded), jo, Role.ADMIN, NOW, COMMAND_LINE)
    db.session.commit()
    is_open = open_invitation(token, NOW) is not None
    membership_changes.remove_member(db.session.get_one(Member, (seeded.harbor, jo.id)), NOW, COMMAND_LINE)
    db.session.commit()

    assert (is_open, open_invitation(token, NOW)) == (True, None)


@pytest.mark.parametrize(("after", "count"), [(timedelta(0), 1), (LIFETIME, 0)])
def test_what_would_end_with_a_member_is_counted(seeded: SeededIds, after: timedelta, count: int) -> None:
    _invite(seeded)

    counts = [count_invitations_of(account, seeded.harbor, NOW + after) for account in (seeded.admin, seeded.support)]
    assert (counts, count_invitations_of(seeded.admin, seeded.clinic, NOW)) == ([count, 0], 0)


# Making, renewing, revoking


def test_an_address_has_one_invitation_per_workspace(seeded: SeededIds) -> None:
    _invite(seeded, JO)

    with pytest.raises(InvitationRefused, match="there is already an invitation for this address"):
        _invite(seeded, JO, Role.ADMIN)
    stranger = db.session.get_one(Account, seeded.stranger)
    clinic = Visit(stranger, db.session.get_one(Workspace, seeded.clinic), Role.ADMIN)
    assert make_invitation(clinic, Role.ADMIN, JO, NOW)


def test_an_address_whose_invitation_ended_can_be_invited_again(seeded: SeededIds) -> None:
    _invite(seeded, JO)

    assert make_invitation(_visit(seeded), Role.VIEWER, JO, NOW + LIFETIME)
    assert [invitation.role for invitation in list_invitations(seeded.harbor)] == [Role.VIEWER]


def test_a_member_cannot_be_invited(seeded: SeededIds) -> None:
    with pytest.raises(InvitationRefused, match=r"^Not made: Support has this address, and is already a member"):
        _invite(seeded, "support@example.com")


def test_an_address_with_an_account_elsewhere_is_invited_as_one_without(
    seeded: SeededIds, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    seen = []
    for email in ("stranger@example.com", "nobody@example.com"):
        with count_queries() as statements:
            _invite(seeded, email)
        seen.append(statements)

    assert seen[0] == seen[1]
    [with_account, without] = [invitation.email for invitation in list_invitations(seeded.harbor)][::-1]
    assert (with_account, without) == ("stranger@example.com", "nobody@example.com")


def test_a_workspace_has_a_limited_number_of_invitations(seeded: SeededIds) -> None:
    for _ in range(MAX_INVITATIONS):
        _invite(seeded)

    with pytest.raises(InvitationRefused, match="already has 50 invitations"):
        _invite(seeded)
    _revoke_first(seeded)
    assert _invite(seeded)


def _revoke_first(seeded: SeededIds) -> None:
    revoke_invitation(list_invitations(seeded.harbor)[0], get_account(seeded), NOW)


def test_an_admin_who_was_lowered_meanwhile_makes_and_renews_none(seeded: SeededIds) -> None:
    add_second_admin(seeded)
    visit = _visit(seeded)
    _invite(seeded)
    [invitation] = list_invitations(seeded.harbor)
    own = (Member.workspace_id == seeded.harbor) & (Member.account_id == seeded.admin)
    db.session.execute(
        update(Member).where(own).values(role=Role.SUPPORT), execution_options={"synchronize_session": False}
    )
    db.session.commit()

    with pytest.raises(InvitationRefused, match="no longer an admin"):
        make_invitation(visit, Role.ADMIN, None, NOW)
    with pytest.raises(InvitationRefused, match="no longer an admin"):
        renew_invitation(visit, invitation.id, NOW)


def test_an_admin_who_is_disabled_meanwhile_makes_none(app: Flask, seeded: SeededIds) -> None:
    failed = run_overlapping(
        app,
        lambda: account_disabling.set_active(get_account(seeded), False, NOW, COMMAND_LINE),
        lambda: make_invitation(_visit(seeded), Role.SUPPORT, None, NOW),
    )

    assert [type(error) for error in failed] == [type(None), InvitationRefused]


def test_a_renewal_makes_a_new_link_of_who_renews(seeded: SeededIds) -> None:
    old = _invite(seeded, JO)
    second = Visit(add_second_admin(seeded), get_workspace(seeded), Role.ADMIN)
    [invitation] = list_invitations(seeded.harbor)
    renewed = renew_invitation(second, invitation.id, NOW + LIFETIME)

    assert renewed is not None
    opened = open_invitation(renewed.token, NOW + 2 * LIFETIME - MOMENT)
    assert (open_invitation(old, NOW), opened and opened.inviter.name) == (None, "Second")
    assert _count() == 1


def test_an_invitation_that_is_gone_cannot_be_renewed(seeded: SeededIds) -> None:
    assert renew_invitation(_visit(seeded), 999, NOW) is None


def test_an_invitation_of_another_workspace_is_not_found(seeded: SeededIds) -> None:
    _invite(seeded)
    [invitation] = list_invitations(seeded.harbor)

    assert (find_listed(seeded.clinic, invitation.id), list(list_invitations(seeded.clinic))) == (None, [])


def test_an_ended_invitation_is_listed_for_thirty_days(seeded: SeededIds) -> None:
    _invite(seeded)
    left = []
    for after in (LIFETIME + KEPT_FOR - MOMENT, LIFETIME + KEPT_FOR):
        delete_old_invitations(NOW + after)
        left.append(_count())

    assert left == [1, 0]


def test_each_act_is_in_the_audit_trail_once(seeded: SeededIds) -> None:
    _invite(seeded, JO)
    [invitation] = list_invitations(seeded.harbor)
    _renew(seeded)
    db.session.refresh(invitation)
    db.session.expunge(invitation)  # as another request has loaded it, before the first one commits
    for _ in range(2):
        revoke_invitation(invitation, get_account(seeded), NOW)

    subject = f"{JO} (invitation {invitation.id})"
    assert _trail() == [
        ("Admin", "invited", subject, ["support"]),
        ("Admin", "renewed the invitation", subject, ["support"]),
        ("Admin", "revoked the invitation", subject, ["support"]),
    ]


def test_a_list_costs_one_query(
    seeded: SeededIds, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    for email in (None, JO, "kim@example.com"):
        _invite(seeded, email)
    with count_queries() as statements:
        listed = [(invitation.email, invitation.account.name) for invitation in list_invitations(seeded.harbor)]

    assert listed == [("kim@example.com", "Admin"), (JO, "Admin"), (None, "Admin")]
    assert len(statements) == 1
