"""Support everywhere: one flag, a row in each workspace, and nothing left of it when it ends."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.auth.overlapping import run_overlapping
from tests.factories import (
    NOW,
    SeededIds,
    add_customer_link,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from webapp.audit import COMMAND_LINE
from webapp.auth.accounts import add_account
from webapp.deliveries.requesting.planned_test_creation import plan_test
from webapp.extensions import db
from webapp.models import Account, AuditEvent, CustomerLink, Member, MemberSource, PlannedTest, Role, Workspace
from webapp.workspaces import membership_changes
from webapp.workspaces.support_everywhere import end_support_everywhere, grant_support_everywhere
from webapp.workspaces.workspace_changes import open_workspace
from webapp.workspaces.workspace_deletion import delete_workspace

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

EVERYWHERE = (Role.SUPPORT, MemberSource.EVERYWHERE)


def _account(account_id: int) -> Account:
    return db.session.get_one(Account, account_id)


def _grant(account_id: int) -> bool:
    is_changed = grant_support_everywhere(_account(account_id), NOW, COMMAND_LINE)
    db.session.commit()
    return is_changed


def _end(account_id: int) -> bool:
    is_changed = end_support_everywhere(_account(account_id), NOW, COMMAND_LINE)
    db.session.commit()
    return is_changed


def _memberships(account_id: int) -> dict[str, tuple[Role, MemberSource]]:
    query = select(Workspace.slug, Member.role, Member.source).join(Member.workspace)
    rows = db.session.execute(query.where(Member.account_id == account_id))
    return {slug: (role, source) for slug, role, source in rows}


@pytest.fixture
def helper(seeded: SeededIds) -> int:
    """An account that is no member."""
    account = add_account("helper@example.com", "Helper", None, NOW)
    db.session.commit()
    return account.id


def test_the_flag_makes_a_member_of_every_workspace(helper: int) -> None:
    assert _grant(helper)
    assert _account(helper).is_support_everywhere
    assert _memberships(helper) == {"harbor": EVERYWHERE, "clinic": EVERYWHERE}
    added = db.session.scalars(select(Member).where(Member.account_id == helper)).first()
    assert added
    assert (added.created_at, added.added_by) == (NOW, "Command line")


def test_the_flag_makes_a_member_of_each_new_workspace(helper: int) -> None:
    _grant(helper)
    open_workspace("yard", "Ship yard", NOW, COMMAND_LINE)
    db.session.commit()

    assert _memberships(helper)["yard"] == EVERYWHERE


def test_without_the_flag_a_new_workspace_has_no_member(helper: int) -> None:
    opened = open_workspace("yard", "Ship yard", NOW, COMMAND_LINE)
    db.session.commit()

    assert not db.session.scalar(select(func.count()).where(Member.workspace_id == opened.id))


def test_the_end_of_the_flag_removes_what_it_made(helper: int) -> None:
    _grant(helper)
    open_workspace("yard", "Ship yard", NOW, COMMAND_LINE)

    assert _end(helper)
    assert not _account(helper).is_support_everywhere
    assert _memberships(helper) == {}


def test_a_membership_of_ones_own_stays_as_it_is(seeded: SeededIds) -> None:
    own = _memberships(seeded.admin)
    _grant(seeded.admin)
    meanwhile = _memberships(seeded.admin)
    _end(seeded.admin)

    assert own == {"harbor": (Role.ADMIN, MemberSource.PERSON)}
    assert (meanwhile, _memberships(seeded.admin)) == (own | {"clinic": EVERYWHERE}, own)


@pytest.mark.parametrize("source", [MemberSource.PERSON, MemberSource.GROUPS])
def test_a_viewer_is_support_for_as_long_as_the_flag_is_set(seeded: SeededIds, source: MemberSource) -> None:
    db.session.get_one(Member, (seeded.harbor, seeded.viewer)).source = source
    _grant(seeded.viewer)
    meanwhile = _memberships(seeded.viewer)
    _end(seeded.viewer)

    assert meanwhile == {"harbor": EVERYWHERE, "clinic": EVERYWHERE}
    assert _memberships(seeded.viewer) == {"harbor": (Role.VIEWER, source)}


def test_a_viewer_whom_somebody_made_admin_meanwhile_stays_admin(seeded: SeededIds) -> None:
    _grant(seeded.viewer)
    membership_changes.grant_role(get_workspace(seeded), _account(seeded.viewer), Role.ADMIN, NOW, COMMAND_LINE)
    _end(seeded.viewer)

    assert _memberships(seeded.viewer) == {"harbor": (Role.ADMIN, MemberSource.PERSON)}


def test_a_viewer_about_whom_somebody_decided_meanwhile_does_not_return(seeded: SeededIds) -> None:
    """An admin who removes a member that supports everywhere leaves that row alone behind."""
    _grant(seeded.viewer)
    db.session.get_one(Member, (seeded.harbor, seeded.viewer)).source = MemberSource.EVERYWHERE
    _end(seeded.viewer)

    assert _memberships(seeded.viewer) == {}


def test_the_end_of_the_flag_ends_what_was_planned_and_the_links(seeded: SeededIds, helper: int) -> None:
    _grant(helper)
    plan_test(get_destination(seeded), _account(helper), NOW)
    add_customer_link(seeded, "token", helper, NOW)
    _end(helper)

    assert db.session.scalars(select(PlannedTest.ended_at)).all() == [NOW]
    assert db.session.scalars(select(CustomerLink)).all() == []


def test_a_viewer_keeps_neither_plans_nor_links_after_the_flag(seeded: SeededIds) -> None:
    _grant(seeded.viewer)
    plan_test(get_destination(seeded), _account(seeded.viewer), NOW)
    add_customer_link(seeded, "token", seeded.viewer, NOW)
    _end(seeded.viewer)

    assert db.session.scalars(select(PlannedTest.ended_at)).all() == [NOW]
    assert db.session.scalars(select(CustomerLink)).all() == []


def test_what_was_planned_by_a_membership_of_ones_own_stays(seeded: SeededIds) -> None:
    _grant(seeded.support)
    plan_test(get_destination(seeded), _account(seeded.support), NOW + seconds(1))
    add_customer_link(seeded, "token", seeded.support, NOW)
    _end(seeded.support)

    assert db.session.scalars(select(PlannedTest.ended_at)).all() == [None]
    assert len(db.session.scalars(select(CustomerLink)).all()) == 1


def test_each_change_is_in_the_trail_of_the_installation_and_of_every_workspace(seeded: SeededIds, helper: int) -> None:
    _grant(helper)
    _grant(helper)
    _end(helper)
    _end(helper)

    events = db.session.execute(
        select(AuditEvent.workspace_id, AuditEvent.action)
        .where(AuditEvent.subject == f"Helper (account {helper})")
        .order_by(AuditEvent.id)
    )
    found: dict[int | None, list[str]] = {}
    for workspace_id, action in events:
        found.setdefault(workspace_id, []).append(action)
    both = ["granted support in every workspace", "ended support in every workspace"]
    assert found == {None: both, seeded.harbor: both, seeded.clinic: both}


@pytest.mark.parametrize("workspaces", [3, 60])
def test_the_statements_do_not_grow_with_the_workspaces(
    helper: int, workspaces: int, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    for number in range(workspaces):
        open_workspace(f"yard-{number}", f"Yard {number}", NOW, COMMAND_LINE)
    db.session.commit()
    account = _account(helper)
    with count_queries() as granting:
        _grant(account.id)
    with count_queries() as ending:
        _end(account.id)

    assert len(granting) <= 10
    assert len(ending) <= 12


def test_a_workspace_and_a_supporter_that_are_added_at_once_know_of_each_other(app: Flask, helper: int) -> None:
    failed = run_overlapping(
        app,
        lambda: open_workspace("yard", "Ship yard", NOW, COMMAND_LINE),
        lambda: grant_support_everywhere(_account(helper), NOW, COMMAND_LINE),
    )

    assert failed == [None, None]
    assert _memberships(helper).keys() == {"harbor", "clinic", "yard"}


def test_a_supporter_and_a_workspace_that_are_added_at_once_know_of_each_other(app: Flask, helper: int) -> None:
    failed = run_overlapping(
        app,
        lambda: grant_support_everywhere(_account(helper), NOW, COMMAND_LINE),
        lambda: open_workspace("yard", "Ship yard", NOW, COMMAND_LINE),
    )

    assert failed == [None, None]
    assert _memberships(helper).keys() == {"harbor", "clinic", "yard"}


def test_two_who_grant_it_at_once_record_it_once(app: Flask, helper: int) -> None:
    def grant() -> None:
        grant_support_everywhere(_account(helper), NOW, COMMAND_LINE)

    assert run_overlapping(app, grant, grant) == [None, None]
    events = select(AuditEvent.action).where(AuditEvent.workspace_id.is_(None), AuditEvent.action.contains("support"))
    assert len(db.session.scalars(events).all()) == 1
    assert len(_memberships(helper)) == 2


def test_a_workspace_that_is_being_deleted_gets_no_supporter(app: Flask, seeded: SeededIds, helper: int) -> None:
    failed = run_overlapping(
        app,
        lambda: delete_workspace(get_workspace(seeded), NOW, COMMAND_LINE),
        lambda: grant_support_everywhere(_account(helper), NOW, COMMAND_LINE),
    )

    assert failed == [None, None]
    assert _memberships(helper) == {"clinic": EVERYWHERE}
