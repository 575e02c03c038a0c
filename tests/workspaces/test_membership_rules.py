"""Memberships on both databases: the last admin, groups, support of every workspace, and two changes at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm.exc import ObjectDeletedError

from tests.factories import NOW, SIGNING_SECRET, SeededIds, seconds
from tests.single_sign_on.set_up_later import PROVIDER, link, set_provider
from webapp.app_state import current_settings
from webapp.audit import COMMAND_LINE, Actor
from webapp.auth.access import Visit
from webapp.auth.accounts import add_account
from webapp.auth.customer_links import LinkRefused, make_link
from webapp.auth.external_identities import unlink_account
from webapp.deliveries.requesting.planned_test_creation import plan_test
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import Account, AlertDestination, AuditEvent, Member, MemberSource, Role, Workspace
from webapp.workspaces import account_disabling, membership_rules
from webapp.workspaces.membership_changes import grant_role, remove_member
from webapp.workspaces.membership_rules import LastAdmin, ManagedByGroups, SupportsEverywhere
from webapp.workspaces.removal_effects import RemovalImpact, assess_removal
from webapp.workspaces.support_everywhere import end_support_everywhere, grant_support_everywhere
from webapp.workspaces.workspace_changes import add_workspace
from webapp.workspaces.workspace_deletion import delete_workspace

Share = Callable[[str], tuple[Flask, SeededIds]]

ADMIN, SUPPORT, VIEWER = Role
PERSON, GROUPS, EVERYWHERE = MemberSource


class Team:
    """A workspace of its own, whose members tests add by name."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        number = (db.session.scalar(select(func.max(Workspace.id))) or 0) + 1
        workspace = add_workspace(f"team-{number}", f"Team {number}", NOW)
        self.id, self.name = workspace.id, workspace.name
        db.session.commit()
        self.account_ids: dict[str, int] = {}

    @property
    def workspace(self) -> Workspace:
        return db.session.get_one(Workspace, self.id)

    def account(self, name: str) -> Account:
        return db.session.get_one(Account, self.account_ids[name])

    def member(self, name: str) -> Member:
        return db.session.get_one(Member, (self.id, self.account_ids[name]))

    def add(
        self, name: str, role: Role | None, source: MemberSource = PERSON, supports_everywhere: bool = False
    ) -> None:
        account = add_account(f"{name}@{self.id}.example", name, None, NOW)
        account.is_support_everywhere = supports_everywhere
        self.account_ids[name] = account.id
        if source is GROUPS:
            link(account)
        if role is not None:
            db.session.add(Member(workspace_id=self.id, account_id=account.id, role=role, source=source))
        db.session.commit()

    def grant(self, name: str, role: Role, source: MemberSource = PERSON, now: datetime = NOW) -> bool:
        return grant_role(self.workspace, self.account(name), role, now, COMMAND_LINE, source)

    def remove(self, name: str, source: MemberSource = PERSON) -> bool:
        return remove_member(self.member(name), NOW, COMMAND_LINE, source)

    def members(self) -> dict[str, tuple[Role, MemberSource]]:
        """Read the committed memberships by name."""
        db.session.rollback()
        query = (
            select(Account.name, Member.role, Member.source).join(Member.account).where(Member.workspace_id == self.id)
        )
        return {name: (role, source) for name, role, source in db.session.execute(query)}

    def trail(self) -> list[tuple[str, list[str]]]:
        db.session.rollback()
        events = select(AuditEvent).where(AuditEvent.workspace_id == self.id).order_by(AuditEvent.id)
        return [(event.action, event.changed) for event in db.session.scalars(events)]


@pytest.fixture(params=["sqlite", "postgres"])
def team(request: pytest.FixtureRequest, shared: Share, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    app, _ = shared(request.param)
    set_provider(app, monkeypatch)
    with app.app_context():
        yield Team(app)
        db.session.rollback()


@pytest.mark.parametrize("role", [SUPPORT, VIEWER])
def test_the_last_admin_cannot_be_lowered(team: Team, role: Role) -> None:
    team.add("Ada", ADMIN)
    team.add("Sam", SUPPORT)

    with pytest.raises(LastAdmin, match=f"Ada is the last admin of {team.name} who can sign in"):
        team.grant("Ada", role)
    assert team.members()["Ada"] == (ADMIN, PERSON)
    assert team.trail() == []


def test_the_last_admin_cannot_be_removed(team: Team) -> None:
    team.add("Ada", ADMIN)

    with pytest.raises(LastAdmin):
        team.remove("Ada")
    assert "Ada" in team.members()


def test_an_admin_who_is_not_the_last_can_be_lowered_and_removed(team: Team) -> None:
    for name in ("Ada", "Ben", "Cleo"):
        team.add(name, ADMIN)

    assert (team.grant("Ben", VIEWER), team.remove("Cleo")) == (True, True)
    db.session.commit()
    assert team.members() == {"Ada": (ADMIN, PERSON), "Ben": (VIEWER, PERSON)}
    assert team.trail() == [("changed the role", ["admin → viewer"]), ("removed the member", ["admin"])]


def test_an_admin_who_cannot_sign_in_does_not_count(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Ben", ADMIN)
    team.account("Ben").is_active = False

    with pytest.raises(LastAdmin):
        team.remove("Ada")


def test_an_admin_of_another_workspace_does_not_count(team: Team) -> None:
    other = Team(team.app)
    team.add("Ada", ADMIN)
    other.add("Ben", ADMIN)

    with pytest.raises(LastAdmin):
        team.remove("Ada")


def test_the_last_admin_stays_admin_when_granted_so_again(team: Team) -> None:
    team.add("Ada", ADMIN)

    assert (team.grant("Ada", ADMIN), team.trail()) == (False, [])


def test_groups_lower_and_remove_the_last_admin(team: Team) -> None:
    team.add("Ada", ADMIN, GROUPS)
    team.grant("Ada", VIEWER, GROUPS)
    db.session.commit()
    lowered = team.members()
    team.grant("Ada", ADMIN, GROUPS)

    assert team.remove("Ada", GROUPS)
    db.session.commit()
    assert (lowered, team.members()) == ({"Ada": (VIEWER, GROUPS)}, {})
    assert team.trail() == [
        ("changed the role", ["admin by groups → viewer by groups"]),
        ("changed the role", ["viewer by groups → admin by groups"]),
        ("removed the member", ["admin by groups"]),
    ]


@pytest.mark.parametrize(
    "change",
    [lambda team: team.grant("Gus", VIEWER), lambda team: team.grant("Gus", ADMIN), lambda team: team.remove("Gus")],
)
def test_a_person_cannot_change_what_groups_decide(team: Team, change: Callable[[Team], bool]) -> None:
    team.add("Ada", ADMIN)
    team.add("Gus", SUPPORT, GROUPS)

    with pytest.raises(ManagedByGroups, match="The groups of the company account decide the role of Gus"):
        change(team)
    assert team.members()["Gus"] == (SUPPORT, GROUPS)


def test_a_role_that_groups_decide_stays_theirs_when_a_person_grants_the_same(team: Team) -> None:
    team.add("Gus", SUPPORT, GROUPS)

    assert (team.grant("Gus", SUPPORT), team.members()) == (False, {"Gus": (SUPPORT, GROUPS)})


@pytest.mark.parametrize("now", ["no provider", "another provider", "unlinked"])
def test_a_role_of_groups_that_no_longer_decide_can_be_changed_by_a_person(
    team: Team, now: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.add("Ada", ADMIN)
    team.add("Gus", SUPPORT, GROUPS)
    team.add("Hal", SUPPORT, GROUPS)
    if now == "unlinked":
        for name in ("Gus", "Hal"):
            unlink_account(team.account(name), NOW, COMMAND_LINE)
    else:
        other = replace(PROVIDER, issuer="https://other.example.com") if now == "another provider" else None
        set_provider(team.app, monkeypatch, other)

    assert (team.grant("Gus", SUPPORT), team.grant("Gus", VIEWER), team.remove("Hal")) == (True, True, True)
    db.session.commit()
    assert team.members() == {"Ada": (ADMIN, PERSON), "Gus": (VIEWER, PERSON)}
    assert team.trail()[-3:] == [
        ("changed the role", ["support by groups → support"]),
        ("changed the role", ["support → viewer"]),
        ("removed the member", ["support by groups"]),
    ]


def test_the_last_admin_by_groups_that_no_longer_decide_stays(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.add("Gus", ADMIN, GROUPS)
    set_provider(team.app, monkeypatch, None)

    with pytest.raises(LastAdmin):
        team.remove("Gus")


def test_groups_take_over_a_role_that_a_person_granted(team: Team) -> None:
    team.add("Ada", ADMIN)

    assert team.grant("Ada", ADMIN, GROUPS)
    db.session.commit()
    assert (team.members(), team.trail()) == (
        {"Ada": (ADMIN, GROUPS)},
        [("changed the role", ["admin → admin by groups"])],
    )


@pytest.mark.parametrize("source", [PERSON, GROUPS])
def test_whoever_supports_every_workspace_falls_back_to_support(team: Team, source: MemberSource) -> None:
    team.add("Ada", ADMIN)
    for name in ("Eve", "Ed"):
        team.add(name, ADMIN, source, supports_everywhere=True)

    assert (team.grant("Eve", VIEWER, source), team.remove("Ed", source)) == (True, True)
    db.session.commit()
    assert team.members() == {"Ada": (ADMIN, PERSON), "Eve": (SUPPORT, EVERYWHERE), "Ed": (SUPPORT, EVERYWHERE)}
    by = "" if source is PERSON else " by groups"
    assert team.trail() == [
        ("changed the role", [f"admin{by} → support everywhere, otherwise viewer{by}"]),
        ("changed the role", [f"admin{by} → support everywhere"]),
    ]


@pytest.mark.parametrize("source", [PERSON, GROUPS])
def test_a_viewer_who_supports_every_workspace_is_a_viewer_again_without_that(team: Team, source: MemberSource) -> None:
    team.add("Eve", None, supports_everywhere=True)
    team.grant("Eve", VIEWER, source)
    db.session.commit()
    supporting = team.members()

    end_support_everywhere(team.account("Eve"), NOW, COMMAND_LINE)
    db.session.commit()

    assert (supporting, team.members()) == ({"Eve": (SUPPORT, EVERYWHERE)}, {"Eve": (VIEWER, source)})


@pytest.mark.parametrize("source", [PERSON, GROUPS])
def test_a_viewer_who_supports_every_workspace_and_is_removed_does_not_return(team: Team, source: MemberSource) -> None:
    team.add("Eve", VIEWER, source)
    grant_support_everywhere(team.account("Eve"), NOW, COMMAND_LINE)
    db.session.commit()

    assert team.remove("Eve", source)
    db.session.commit()
    supporting = team.members()
    end_support_everywhere(team.account("Eve"), NOW, COMMAND_LINE)
    db.session.commit()
    assert (supporting, team.members()) == ({"Eve": (SUPPORT, EVERYWHERE)}, {})


def test_a_person_cannot_remove_whoever_only_supports_every_workspace(team: Team) -> None:
    team.add("Eve", SUPPORT, EVERYWHERE, supports_everywhere=True)

    with pytest.raises(SupportsEverywhere, match="Eve supports every workspace"):
        team.remove("Eve")
    assert (team.members(), team.trail()) == ({"Eve": (SUPPORT, EVERYWHERE)}, [])


@pytest.mark.parametrize("source", [PERSON, EVERYWHERE])
def test_groups_end_only_what_they_have_granted(team: Team, source: MemberSource) -> None:
    team.add("Eve", SUPPORT, source, supports_everywhere=True)

    assert team.remove("Eve", GROUPS) is False
    assert (team.members(), team.trail()) == ({"Eve": (SUPPORT, source)}, [])


def test_a_role_that_an_admin_grants_outlasts_support_everywhere(team: Team) -> None:
    team.add("Eve", SUPPORT, EVERYWHERE, supports_everywhere=True)

    assert team.grant("Eve", SUPPORT)
    db.session.commit()
    assert team.members() == {"Eve": (SUPPORT, PERSON)}
    assert team.trail() == [("changed the role", ["support everywhere → support"])]


def test_the_last_admin_who_supports_every_workspace_cannot_be_lowered_either(team: Team) -> None:
    team.add("Eve", ADMIN, supports_everywhere=True)

    with pytest.raises(LastAdmin):
        team.grant("Eve", VIEWER)


def test_a_new_member_has_the_day_and_the_name_of_who_added_them(team: Team) -> None:
    team.add("Ann", None)
    grant_role(team.workspace, team.account("Ann"), VIEWER, NOW, Actor(7, "Ada"))
    team.grant("Ann", SUPPORT, now=NOW + seconds(60))

    ann = team.member("Ann")
    assert (ann.created_at, ann.added_by, ann.source) == (NOW, "Ada", PERSON)


def test_disabling_the_last_admin_is_allowed_and_names_the_workspaces_without_one(team: Team) -> None:
    other = Team(team.app)
    team.add("Ada", ADMIN)
    team.add("Sam", SUPPORT)
    other.add("Ben", ADMIN)
    other.account_ids["Ada"] = team.account_ids["Ada"]
    other.grant("Ada", ADMIN)

    left = account_disabling.set_active(team.account("Ada"), False, NOW, COMMAND_LINE)

    assert [workspace.name for workspace in left] == [team.name]


def test_disabling_somebody_else_leaves_no_workspace_without_an_admin(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Sam", SUPPORT)

    assert account_disabling.set_active(team.account("Sam"), False, NOW, COMMAND_LINE) == []
    assert account_disabling.set_active(team.account("Sam"), True, NOW, COMMAND_LINE) == []


Step = Callable[[Team], object]
Outcome = str


def _run_at_once(team: Team, first: Step, second: Step) -> list[Outcome]:
    """Begin the second change, which has read its rows, while the first one has not committed yet."""
    has_changed, may_commit = Event(), Event()

    def run_first() -> Outcome:
        with team.app.app_context():
            outcome = _try(team, first)
            has_changed.set()
            may_commit.wait(60)
            db.session.commit()
            return outcome

    def run_second() -> Outcome:
        with team.app.app_context():
            known = [*db.session.scalars(select(Member).where(Member.workspace_id == team.id)).all(), team.workspace]
            assert has_changed.wait(60)
            outcome = _commit(team, second)
            assert known  # holds the rows as they were
            return outcome

    db.session.rollback()
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run) for run in (run_first, run_second)]
        has_changed.wait(60)
        wait([runs[1]], timeout=0.3)  # the second one ends only if it does not wait for the first one
        may_commit.set()
        return [run.result(60) for run in runs]


def _try(team: Team, step: Step) -> Outcome:
    try:
        return str(step(team))
    except membership_rules.ChangeRefused as refused:
        db.session.rollback()
        return type(refused).__name__


def _commit(team: Team, step: Step) -> Outcome:
    outcome = _try(team, step)
    db.session.commit()
    return outcome


def _remove(name: str) -> Step:
    return lambda team: team.remove(name)


def _lower(name: str) -> Step:
    return lambda team: team.grant(name, VIEWER)


def _raise(name: str) -> Step:
    return lambda team: team.grant(name, ADMIN)


def _disable(name: str) -> Step:
    return lambda team: len(account_disabling.set_active(team.account(name), False, NOW, COMMAND_LINE))


@pytest.mark.parametrize("first", [_remove("Ada"), _lower("Ada")])
@pytest.mark.parametrize("second", [_remove("Ben"), _lower("Ben")])
def test_two_admins_who_end_each_other_at_once_leave_one(team: Team, first: Step, second: Step) -> None:
    team.add("Ada", ADMIN)
    team.add("Ben", ADMIN)

    assert _run_at_once(team, first, second) == ["True", "LastAdmin"]
    assert [name for name, (role, _) in team.members().items() if role is ADMIN] == ["Ben"]


def test_an_admin_who_is_disabled_at_once_does_not_count(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Ben", ADMIN)

    assert _run_at_once(team, _disable("Ada"), _remove("Ben")) == ["0", "LastAdmin"]


def test_a_workspace_that_loses_its_other_admin_at_once_is_named(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Ben", ADMIN)

    assert _run_at_once(team, _remove("Ben"), _disable("Ada")) == ["True", "1"]


def test_a_removal_during_a_change_of_the_role_ends_the_new_role(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Ann", VIEWER)

    assert _run_at_once(team, _raise("Ann"), _remove("Ann")) == ["True", "True"]
    assert list(team.members()) == ["Ada"]
    assert team.trail() == [("changed the role", ["viewer → admin"]), ("removed the member", ["admin"])]


def test_two_removals_at_once_are_recorded_once(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Ann", VIEWER)

    assert _run_at_once(team, _remove("Ann"), _remove("Ann")) == ["True", "False"]
    assert team.trail() == [("removed the member", ["viewer"])]


def test_two_grants_at_once_make_one_member_with_the_second_role(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Ann", None)

    assert _run_at_once(team, _lower("Ann"), _raise("Ann")) == ["True", "True"]
    assert team.members()["Ann"] == (ADMIN, PERSON)
    assert team.trail() == [("added the member", ["viewer"]), ("changed the role", ["viewer → admin"])]


def test_a_grant_during_a_removal_makes_a_new_member(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Ann", VIEWER)

    assert _run_at_once(team, _remove("Ann"), _raise("Ann")) == ["True", "True"]
    assert team.trail() == [("removed the member", ["viewer"]), ("added the member", ["admin"])]


def _support_everywhere(name: str) -> Step:
    return lambda team: grant_support_everywhere(team.account(name), NOW, COMMAND_LINE)


def _end_support_everywhere(name: str) -> Step:
    return lambda team: end_support_everywhere(team.account(name), NOW, COMMAND_LINE)


@pytest.mark.parametrize(
    ("first", "second"),
    [(_support_everywhere("Ann"), _remove("Ann")), (_remove("Ann"), _support_everywhere("Ann"))],
)
def test_a_removal_at_the_start_of_support_everywhere_leaves_support(team: Team, first: Step, second: Step) -> None:
    team.add("Ada", ADMIN)
    team.add("Ann", ADMIN)

    assert _run_at_once(team, first, second) == ["True", "True"]
    assert team.members()["Ann"] == (SUPPORT, EVERYWHERE)


@pytest.mark.parametrize(
    ("first", "second"),
    [(_end_support_everywhere("Ann"), _remove("Ann")), (_remove("Ann"), _end_support_everywhere("Ann"))],
)
def test_a_removal_at_the_end_of_support_everywhere_leaves_nothing(team: Team, first: Step, second: Step) -> None:
    team.add("Ada", ADMIN)
    team.add("Ann", ADMIN, supports_everywhere=True)

    assert _run_at_once(team, first, second) == ["True", "True"]
    assert list(team.members()) == ["Ada"]


def _add_destination(team: Team, by: str) -> AlertDestination:
    settings = {"address": "https://example.com/hook", "signing_secret": SIGNING_SECRET}
    added = add_destination(
        team.workspace, team.account(by), "webhook", "Ops", settings, current_settings().cipher, NOW
    )
    db.session.commit()
    return added


def _make_link(team: Team, name: str) -> str:
    destination = db.session.scalars(select(AlertDestination).where(AlertDestination.workspace_id == team.id)).one()
    try:
        return make_link(Visit(team.account(name), team.workspace, SUPPORT), destination, 1, NOW)
    except LinkRefused as refused:
        return str(refused)


@pytest.mark.parametrize("end", [_remove("Sam"), _lower("Sam")])
def test_nobody_makes_a_link_while_their_right_ends(team: Team, end: Step) -> None:
    team.add("Ada", ADMIN)
    team.add("Sam", SUPPORT)
    _add_destination(team, "Ada")

    outcomes = _run_at_once(team, end, lambda team: _make_link(team, "Sam"))

    assert outcomes == ["True", "Not made: you may no longer test in this workspace."]


@pytest.mark.parametrize("end", [_remove("Sam"), _lower("Sam"), _disable("Sam")])
def test_the_end_of_a_right_ends_the_links_and_the_planned_tests_that_the_page_counted(team: Team, end: Step) -> None:
    team.add("Ada", ADMIN)
    team.add("Sam", SUPPORT)
    destination = _add_destination(team, "Ada")
    _make_link(team, "Sam")
    _make_link(team, "Ada")
    plan_test(destination, team.account("Sam"), NOW)
    counted = assess_removal(team.account_ids["Sam"], team.id, NOW)
    counted_of_others = assess_removal(team.account_ids["Ada"], team.id, NOW)

    end(team)
    db.session.commit()

    assert (counted, counted_of_others) == (RemovalImpact(1, 0, 1), RemovalImpact(1, 0, 0))
    assert assess_removal(team.account_ids["Sam"], team.id, NOW) == RemovalImpact(0, 0, 0)
    assert assess_removal(team.account_ids["Ada"], team.id, NOW) == RemovalImpact(1, 0, 0)


def test_a_lower_role_that_may_still_test_ends_what_was_made_too(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Ben", ADMIN)
    _add_destination(team, "Ada")
    _make_link(team, "Ben")

    team.grant("Ben", SUPPORT)
    db.session.commit()
    lowered = assess_removal(team.account_ids["Ben"], team.id, NOW)
    _make_link(team, "Ben")
    team.grant("Ben", ADMIN)
    db.session.commit()

    raised = assess_removal(team.account_ids["Ben"], team.id, NOW)
    assert (lowered, raised) == (RemovalImpact(0, 0, 0), RemovalImpact(1, 0, 0))


def test_a_grant_in_a_workspace_that_is_deleted_at_once_finds_it_gone(team: Team) -> None:
    team.add("Ada", ADMIN)
    team.add("Ann", None)

    def grant(team: Team) -> str:
        with pytest.raises(ObjectDeletedError):
            team.grant("Ann", ADMIN)
        return "gone"

    assert _run_at_once(team, lambda team: delete_workspace(team.workspace, NOW, COMMAND_LINE), grant)[1] == "gone"
    assert team.members() == {}
