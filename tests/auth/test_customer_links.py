"""Customers' links: until when one works, what ends it for good, and who may end it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.auth.overlapping import OVERLAP, run_alone, run_overlapping
from tests.factories import NOW, SeededIds, get_account, get_destination, get_workspace, on_both_databases, seconds
from webapp.audit import COMMAND_LINE
from webapp.auth import customer_links
from webapp.auth.access import Visit
from webapp.auth.customer_links import (
    MAX_LINKS,
    LinkRefused,
    are_customer_links_offered,
    delete_expired_links,
    list_links,
    make_link,
    may_revoke,
    note_use,
    open_link,
    revoke_link,
)
from webapp.auth.customer_tokens import make_token
from webapp.channels import CHANNELS
from webapp.destinations.editing import delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import Account, AlertDestination, AuditEvent, CustomerLink, Member, Role
from webapp.models.locking import lock_destination
from webapp.workspaces import account_disabling, membership_changes
from webapp.workspaces.workspace_deletion import delete_workspace

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

MOMENT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def _visit(seeded: SeededIds, role: Role = Role.SUPPORT) -> Visit:
    account_id = {Role.ADMIN: seeded.admin, Role.SUPPORT: seeded.support, Role.VIEWER: seeded.viewer}[role]
    return Visit(db.session.get_one(Account, account_id), get_workspace(seeded), role)


@pytest.fixture
def token(seeded: SeededIds) -> str:
    """The token of a link that support made for four hours."""
    return make_link(_visit(seeded), get_destination(seeded), 4, NOW)


def _works(token: str) -> bool:
    return open_link(token, NOW + HOUR) is not None


def _trail() -> list[tuple[str, str, list[str]]]:
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action.contains("link")).order_by(AuditEvent.id))
    return [(event.account_name, event.action, event.changed) for event in events]


def test_a_link_opens_its_destination_for_who_made_it(seeded: SeededIds, token: str) -> None:
    opened = open_link(token, NOW)

    assert opened is not None
    assert (opened.destination.id, opened.visit.account.id, opened.visit.role, opened.visit.by_customer_link) == (
        seeded.destination,
        seeded.support,
        Role.SUPPORT,
        True,
    )


@pytest.mark.parametrize("hours", customer_links.LIFETIMES)
def test_a_link_works_until_its_hours_are_over(seeded: SeededIds, hours: int) -> None:
    token = make_link(_visit(seeded), get_destination(seeded), hours, NOW)
    end = NOW + timedelta(hours=hours)

    assert [open_link(token, moment) is not None for moment in (end - MOMENT, end)] == [True, False]


def test_only_a_hash_of_the_token_is_stored(token: str) -> None:
    stored = repr([vars(row) for table in (CustomerLink, AuditEvent) for row in db.session.scalars(select(table))])

    assert [part for part in token.split(".") if part in stored] == []


def test_two_links_have_different_tokens(seeded: SeededIds, token: str) -> None:
    assert make_link(_visit(seeded), get_destination(seeded), 4, NOW) != token


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token[1:],
        lambda token: token.partition(".")[0],
        lambda token: token.replace(".", ".."),
        lambda token: f"{token}é",
        lambda token: "",
    ],
)
def test_a_changed_token_opens_nothing_and_is_not_looked_up(
    token: str, change: Callable[[str], str], count_queries: Callable[[], object]
) -> None:
    with count_queries() as statements:  # type: ignore[attr-defined]
        opened = open_link(change(token), NOW)

    assert (opened, statements) == (None, [])


def test_a_signed_token_that_was_never_stored_opens_nothing(seeded: SeededIds) -> None:
    assert open_link(make_token(), NOW) is None


def test_a_revoked_link_has_ended(seeded: SeededIds, token: str) -> None:
    destination = get_destination(seeded)
    revoke_link(list_links(destination, NOW)[0], destination, get_account(seeded), NOW)

    assert not _works(token)


def _lower_and_restore_role(seeded: SeededIds) -> None:
    support = _visit(seeded).account
    for role in (Role.VIEWER, Role.SUPPORT):
        membership_changes.grant_role(get_workspace(seeded), support, role, NOW, COMMAND_LINE)


def _remove_and_add_member(seeded: SeededIds) -> None:
    membership_changes.remove_member(db.session.get_one(Member, (seeded.harbor, seeded.support)), NOW, COMMAND_LINE)
    db.session.commit()
    membership_changes.grant_role(get_workspace(seeded), _visit(seeded).account, Role.SUPPORT, NOW, COMMAND_LINE)


def _disable_and_enable_account(seeded: SeededIds) -> None:
    support = _visit(seeded).account
    for is_active in (False, True):
        account_disabling.set_active(support, is_active, NOW, COMMAND_LINE)


def _delete_destination(seeded: SeededIds) -> None:
    delete_destination(get_destination(seeded), get_account(seeded), NOW)


def _change_type(seeded: SeededIds) -> None:
    get_destination(seeded).type = "slack"


def _lower_role_by_another_program(seeded: SeededIds) -> None:
    db.session.get_one(Member, (seeded.harbor, seeded.support)).role = Role.VIEWER


def _disable_account_by_another_program(seeded: SeededIds) -> None:
    db.session.get_one(Account, seeded.support).is_active = False


@pytest.mark.parametrize(
    "end",
    [
        _lower_and_restore_role,
        _remove_and_add_member,
        _disable_and_enable_account,
        _delete_destination,
        _change_type,
        _lower_role_by_another_program,
        _disable_account_by_another_program,
    ],
)
def test_a_link_ends_with_the_right_of_who_made_it_and_with_its_destination(
    seeded: SeededIds, token: str, end: Callable[[SeededIds], None]
) -> None:
    end(seeded)
    db.session.commit()

    assert (_works(token), list(list_links(get_destination(seeded), NOW))) == (False, [])


def _rise(seeded: SeededIds) -> None:
    membership_changes.grant_role(get_workspace(seeded), _visit(seeded).account, Role.ADMIN, NOW, COMMAND_LINE)


def _remove_another_member(seeded: SeededIds) -> None:
    membership_changes.remove_member(db.session.get_one(Member, (seeded.harbor, seeded.viewer)), NOW, COMMAND_LINE)


def _disable_destination(seeded: SeededIds) -> None:
    set_enabled(get_destination(seeded), get_account(seeded), False, NOW)


@pytest.mark.parametrize("change", [_rise, _remove_another_member, _disable_destination])
def test_other_changes_leave_a_link_as_it_is(
    seeded: SeededIds, token: str, change: Callable[[SeededIds], None]
) -> None:
    change(seeded)
    db.session.commit()

    assert _works(token)


def test_a_role_that_is_lowered_in_another_workspace_ends_no_link(seeded: SeededIds, token: str) -> None:
    support = _visit(seeded).account
    clinic = db.session.get_one(type(get_workspace(seeded)), seeded.clinic)
    membership_changes.grant_role(clinic, support, Role.VIEWER, NOW, COMMAND_LINE)
    db.session.commit()

    assert _works(token)


def test_a_channel_that_pages_people_has_no_links(
    seeded: SeededIds, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHANNELS, "webhook", replace(CHANNELS["webhook"], pages_people=True))

    assert (_works(token), list(list_links(get_destination(seeded), NOW))) == (False, [])
    with pytest.raises(LinkRefused):
        make_link(_visit(seeded), get_destination(seeded), 1, NOW)


def test_channels_that_page_people_and_unknown_ones_have_no_links() -> None:
    without = [name for name in (*CHANNELS, "pigeon") if not are_customer_links_offered(name)]
    assert without == ["jira_service_management", "pagerduty", "pigeon"]


def test_a_destination_has_a_limited_number_of_links(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    for _ in range(MAX_LINKS):
        make_link(_visit(seeded), destination, 1, NOW)

    with pytest.raises(LinkRefused):
        make_link(_visit(seeded), destination, 1, NOW + HOUR - MOMENT)
    assert make_link(_visit(seeded), destination, 1, NOW + HOUR)


def test_a_deleted_destination_gets_no_link(seeded: SeededIds) -> None:
    _delete_destination(seeded)

    with pytest.raises(LinkRefused):
        make_link(_visit(seeded), get_destination(seeded), 1, NOW)


def test_a_disabled_destination_gets_no_link(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    set_enabled(destination, _visit(seeded, Role.ADMIN).account, False, NOW)
    with pytest.raises(LinkRefused, match="disabled"):
        make_link(_visit(seeded), destination, 1, NOW)


def test_a_member_who_is_disabled_meanwhile_makes_no_link(app: Flask, seeded: SeededIds) -> None:
    def disable() -> None:
        account_disabling.set_active(db.session.get_one(Account, seeded.support), False, NOW, COMMAND_LINE)

    failed = run_overlapping(app, disable, lambda: make_link(_visit(seeded), get_destination(seeded), 4, NOW))

    assert [type(error) for error in failed] == [type(None), LinkRefused]


def test_a_link_and_the_deletion_of_its_workspace_do_not_wait_for_each_other_for_ever(
    app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = threading.Event()

    def lock_and_wait(destination: AlertDestination) -> None:
        """Let the deletion begin before the link is made."""
        lock_destination(destination)
        locked.set()
        time.sleep(OVERLAP)

    monkeypatch.setattr(customer_links, "lock_destination", lock_and_wait)
    with ThreadPoolExecutor(1) as thread:
        making = thread.submit(run_alone, app, lambda: make_link(_visit(seeded), get_destination(seeded), 4, NOW))
        locked.wait(60)
        deleted = run_alone(app, lambda: delete_workspace(get_workspace(seeded), NOW, COMMAND_LINE))

    assert (making.result(), deleted) == (None, None)


@pytest.mark.parametrize(
    ("role", "account", "may"),
    [
        (Role.SUPPORT, "support", True),
        (Role.ADMIN, "admin", True),
        (Role.SUPPORT, "admin", False),
        (Role.VIEWER, "support", False),
    ],
)
def test_who_made_a_link_and_admins_may_revoke_it(
    seeded: SeededIds, token: str, role: Role, account: str, may: bool
) -> None:
    visitor = db.session.get_one(Account, getattr(seeded, account))
    [link] = list_links(get_destination(seeded), NOW)

    assert may_revoke(Visit(visitor, get_workspace(seeded), role), link) is may


def test_making_and_revoking_are_in_the_audit_trail(seeded: SeededIds, token: str) -> None:
    destination = get_destination(seeded)
    [link] = list_links(destination, NOW)
    revoke_link(link, destination, get_account(seeded), NOW)

    assert _trail() == [
        ("Support", "made a link for the customer", ["valid for 4 hours"]),
        ("Admin", "revoked a link for the customer", ["made by Support"]),
    ]


def test_a_use_is_noted(seeded: SeededIds, token: str) -> None:
    [link] = list_links(get_destination(seeded), NOW)
    before = link.last_used_at
    note_use(link.id, NOW + seconds(5))

    assert (before, db.session.get_one(CustomerLink, link.id, populate_existing=True).last_used_at) == (
        None,
        NOW + seconds(5),
    )


@pytest.mark.parametrize(("after", "left"), [(4 * HOUR - MOMENT, 1), (4 * HOUR, 0)])
def test_links_are_deleted_when_their_time_is_over(token: str, after: timedelta, left: int) -> None:
    delete_expired_links(NOW + after)

    assert len(db.session.scalars(select(CustomerLink.id)).all()) == left
