"""A search over all workspaces of an account: exactly those, in each role, and at the same cost however many rows."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import text, update

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from webapp.auth.access import list_memberships
from webapp.destinations.editing import add_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import Account, AlertDestination, DeliveryStatus, Role, Workspace
from webapp.search.query import read_query
from webapp.search.results import MAX_SHOWN, SearchResults, search
from webapp.settings import AppSettings
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

Add = Callable[..., AlertDestination]


@pytest.fixture
def add(context: None, seeded: SeededIds, app_settings: AppSettings) -> Add:
    """Add a destination: an email destination if it has recipients, else a webhook."""

    def add_one(name: str, workspace_id: int = seeded.harbor, **settings: str) -> AlertDestination:
        workspace, admin = db.session.get_one(Workspace, workspace_id), get_account(seeded)
        channel = "email" if "recipients" in settings else "webhook"
        return add_destination(workspace, admin, channel, name, settings, app_settings.cipher, NOW)

    return add_one


def find(account_id: int, typed: str) -> SearchResults:
    return search(read_query(typed), list_memberships(db.session.get_one(Account, account_id)))


def names(results: SearchResults) -> list[str]:
    return [found.destination.name for found in results.destinations]


@on_both_databases
def test_a_part_of_a_name_is_found_whatever_its_case(add: Add, seeded: SeededIds) -> None:
    add("Überwachung Süd", address="https://one.example.org/x")

    assert names(find(seeded.support, "ÜBERWACH")) == ["Überwachung Süd"]
    assert names(find(seeded.support, "süd über")) == ["Überwachung Süd"]
    assert names(find(seeded.support, "nord über")) == []


def test_a_word_of_the_workspaces_name_narrows_the_search(add: Add, seeded: SeededIds) -> None:
    set_role(db.session.get_one(Workspace, seeded.clinic), db.session.get_one(Account, seeded.support), Role.SUPPORT)
    db.session.commit()

    assert names(find(seeded.support, "system")) == ["Ticket system", "Lab system"]
    assert names(find(seeded.support, "system mill street")) == ["Lab system"]
    assert [workspace.name for workspace in find(seeded.support, "mill").workspaces] == ["Mill Street Clinic"]


@pytest.mark.parametrize("typed", ["%", "_", "'", "\\"])
def test_a_character_with_a_meaning_in_sql_is_found_as_itself(add: Add, seeded: SeededIds, typed: str) -> None:
    add(f"A {typed} B", address="https://one.example.org/x")

    assert names(find(seeded.support, typed)) == [f"A {typed} B"]


@on_both_databases
@pytest.mark.parametrize(
    "typed", ["one.example.org", "https://one.example.org/hook/canary", "HTTPS://ONE.EXAMPLE.ORG:8443/other"]
)
def test_a_destination_is_found_by_its_host(add: Add, seeded: SeededIds, typed: str) -> None:
    add("Pager", address="https://one.example.org/hook/canary")
    add("Other", address="https://two.example.org/hook/canary")

    results = find(seeded.support, typed)

    assert names(results) == ["Pager"]
    assert results.destinations[0].why == "host one.example.org"


def test_a_host_is_found_as_a_whole_only(add: Add, seeded: SeededIds) -> None:
    add("Pager", address="https://one.example.org/hook")

    assert names(find(seeded.support, "example.org")) == []
    assert names(find(seeded.support, "one.example")) == []


@on_both_databases
def test_a_recipient_and_its_domain_find_an_email_destination(add: Add, seeded: SeededIds) -> None:
    add("Desk", recipients="Ann@Example.com, bob@example.net")

    assert names(find(seeded.support, "<ann@example.com>")) == ["Desk"]
    assert names(find(seeded.support, "example.net")) == ["Desk"]
    assert names(find(seeded.support, "cleo@example.com")) == []


def test_a_viewer_gets_the_same_whether_a_recipient_exists_or_not(add: Add, seeded: SeededIds) -> None:
    add("Desk", recipients="ann@example.com")

    assert find(seeded.viewer, "ann@example.com") == find(seeded.viewer, "cleo@example.com")
    assert find(seeded.viewer, "ann@example.com").needs_role
    assert names(find(seeded.viewer, "example.com")) == ["Desk"]  # the list shows it to viewers


def test_who_is_a_viewer_in_one_workspace_finds_recipients_in_the_others(add: Add, seeded: SeededIds) -> None:
    set_role(db.session.get_one(Workspace, seeded.clinic), db.session.get_one(Account, seeded.support), Role.VIEWER)
    add("Desk", recipients="ann@example.com")
    add("Hidden", seeded.clinic, recipients="ann@example.com")

    results = find(seeded.support, "ann@example.com")

    assert names(results) == ["Desk"]
    assert results.needs_role


@on_both_databases
@pytest.mark.parametrize("typed", ["Lab", "lab.example.org", "K7QM4T", "dns_not_found", "Mill", "ann@example.net"])
def test_nothing_of_another_workspace_is_found(add: Add, seeded: SeededIds, typed: str) -> None:
    add("Lab pager", seeded.clinic, address="https://lab.example.org/x")
    mail = add("Lab desk", seeded.clinic, recipients="ann@example.net")
    failed = {"status": DeliveryStatus.FAILED, "last_error_code": "dns_not_found"}
    add_delivery(mail, payload={"reference": "K7QM4T"}, **failed)

    assert find(seeded.support, typed).is_empty
    assert not find(seeded.stranger, typed).is_empty


def test_what_a_membership_showed_is_gone_with_it(add: Add, seeded: SeededIds) -> None:
    assert names(find(seeded.support, "ticket")) == ["Ticket system"]
    db.session.execute(text("DELETE FROM members WHERE account_id = :id"), {"id": seeded.support})
    db.session.commit()

    assert find(seeded.support, "ticket").is_empty


def test_a_deleted_destination_is_not_found(add: Add, seeded: SeededIds) -> None:
    pager = add("Pager", address="https://one.example.org/hook")
    delete_destination(pager, get_account(seeded), NOW)

    assert find(seeded.support, "pager").is_empty
    assert find(seeded.support, "one.example.org").is_empty


def test_a_disabled_destination_is_found(add: Add, seeded: SeededIds) -> None:
    set_enabled(add("Pager", address="https://one.example.org/hook"), get_account(seeded), False, NOW)

    assert names(find(seeded.support, "pager")) == ["Pager"]


@on_both_databases
def test_a_code_finds_the_destinations_whose_last_test_ended_with_it(add: Add, seeded: SeededIds) -> None:
    failed = {"status": DeliveryStatus.FAILED, "last_error_code": "dns_not_found"}
    still, mended = (
        add("Still broken", address="https://a.example.org/"),
        add("Mended", address="https://b.example.org/"),
    )
    add_delivery(still, **failed)
    add_delivery(mended, **failed)
    add_delivery(mended, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW + seconds(90))

    results = find(seeded.support, "DNS not found")

    assert names(results) == ["Still broken"]
    assert results.destinations[0].why == "dns_not_found"


@on_both_databases
def test_a_reference_finds_its_one_test(add: Add, seeded: SeededIds) -> None:
    own = get_destination(seeded)
    add_delivery(own, payload={"reference": "K7QM4T"}, created_at=NOW - seconds(90))
    add_delivery(own, payload={"reference": "ZZZZZZ"})

    test = find(seeded.support, "k7q m4t").only_test

    assert test is not None
    assert test.delivery.reference == "K7QM4T"


@on_both_databases
def test_a_real_alert_has_no_reference(add: Add, seeded: SeededIds) -> None:
    add_real_alert(get_destination(seeded), payload={"reference": "K7QM4T"})

    assert find(seeded.support, "K7QM4T").is_empty


@on_both_databases
def test_payloads_of_other_programs_break_no_search(add: Add, seeded: SeededIds) -> None:
    own = get_destination(seeded)
    payloads: list[Any] = [[], "text", 1, {"reference": 7}, {"reference": None}, {"reference": ["K7QM4T"]}]
    for payload in payloads:
        add_delivery(own, payload=payload)

    assert find(seeded.support, "K7QM4T").is_empty


def test_an_email_address_searched_while_search_keys_are_missing_says_so(add: Add, seeded: SeededIds) -> None:
    db.session.execute(update(AlertDestination).values(search_mark=None))
    db.session.commit()

    assert find(seeded.support, "ann@example.com").unsearchable.waiting == 1


def test_the_summary_counts_what_was_found(add: Add, seeded: SeededIds) -> None:
    add("Harbor pager", address="https://one.example.org/hook")

    assert find(seeded.support, "harbor").summary == "Found 1 workspace and 1 destination."
    assert find(seeded.support, "ticket").summary == "Found 1 destination."
    assert find(seeded.support, "no such name").summary == "Nothing was found in your workspaces."


def test_a_page_of_many_results_is_bounded_and_says_how_many_there_are(add: Add, seeded: SeededIds) -> None:
    for number in range(MAX_SHOWN + 5):
        add(f"Pager {number:03}", address="https://one.example.org/hook")

    by_name, by_host = find(seeded.support, "pager"), find(seeded.support, "one.example.org")

    assert (len(by_name.destinations), by_name.total) == (MAX_SHOWN, MAX_SHOWN + 5)
    assert (len(by_host.destinations), by_host.total) == (MAX_SHOWN, MAX_SHOWN + 5)


def test_the_number_of_queries_does_not_depend_on_what_is_found(
    add: Add, seeded: SeededIds, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    def count(typed: str) -> int:
        db.session.expire_all()
        with count_queries() as statements:
            find(seeded.support, typed)
        return len(statements)

    few = count("pager.example.org")
    for number in range(20):
        workspace = add_workspace(f"w{number}", f"Workspace {number}", NOW)
        set_role(workspace, db.session.get_one(Account, seeded.support), Role.SUPPORT)
        add_delivery(add(f"Pager {number}", workspace.id, address="https://pager.example.org/hook"))
    assert get_workspace(seeded)

    assert count("pager.example.org") == few <= 7
