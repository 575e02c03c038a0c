"""The bars on every page: which links a visitor gets, and which of them are marked."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests.factories import NOW, SeededIds
from tests.visitor import Visitor
from webapp.auth.accounts import add_account
from webapp.extensions import db
from webapp.views.navigation import WORKSPACE_TABS

Installation = tuple[Flask, SeededIds]


@pytest.fixture
def installation(shared: Callable[[str], Installation]) -> Installation:
    """The application and its seeded rows, which these tests only read."""
    return shared("sqlite")


def _get(installation: Installation, who: str, path: str) -> str:
    app, seeded = installation
    return Visitor.signed_in(app, getattr(seeded, who)).get(path.format(seeded.destination)).text


def _read_bar(page: str, name: str) -> dict[str, str]:
    """Return the links of a bar with their aria-current, or an empty text."""
    bar = re.search(rf'<nav [^>]*aria-label="{name}">(.*?)</nav>', page, re.DOTALL)
    links = (
        re.findall(r'<a href="[^"]+"(?: aria-current="(\w+)")?>(?:<i class=[^>]+></i>)? ?([^<]+)</a>', bar[1])
        if bar
        else []
    )
    return {label.strip(): current for current, label in links}


@pytest.mark.parametrize(
    ("who", "tabs"),
    [
        ("admin", ["Destinations", "History", "Drills", "Problems", "Settings"]),
        ("support", ["Destinations", "History", "Drills", "Problems"]),
        ("viewer", ["Destinations", "History", "Drills", "Problems"]),
    ],
)
def test_a_member_gets_the_tabs_that_their_role_may_open(installation: Installation, who: str, tabs: list[str]) -> None:
    page = _get(installation, who, "/w/harbor/destinations")

    assert list(_read_bar(page, "Workspace")) == tabs


@pytest.mark.parametrize(
    ("path", "tab", "current"),
    [
        ("destinations", "Destinations", "page"),
        ("destinations/new", "Destinations", "true"),
        ("destinations/new/teams", "Destinations", "true"),
        ("destinations/{}", "Destinations", "true"),
        ("destinations/{}/edit", "Destinations", "true"),
        ("destinations/{}/preview", "Destinations", "true"),
        ("destinations/{}/delete", "Destinations", "true"),
        ("history", "History", "page"),
        ("history?destination={}", "History", "page"),
        ("drills", "Drills", "page"),
        ("members", "Settings", "page"),
        ("members/1", "Settings", "true"),
        ("members/1/remove", "Settings", "true"),
        ("audit", "Settings", "true"),
    ],
)
def test_a_page_marks_the_one_tab_that_it_is_below(
    installation: Installation, path: str, tab: str, current: str
) -> None:
    page = _get(installation, "admin", f"/w/harbor/{path}")

    assert {label: mark for label, mark in _read_bar(page, "Workspace").items() if mark} == {tab: current}


def test_a_refused_form_keeps_the_tab_marked(installation: Installation) -> None:
    app, seeded = installation

    page = Visitor.signed_in(app, seeded.admin).post("/w/harbor/destinations/new/teams").text

    assert _read_bar(page, "Workspace")["Destinations"] == "true"


@pytest.mark.parametrize(
    ("path", "marks"),
    [
        ("members", {"Members": "page", "Audit trail": ""}),
        ("members/1", {"Members": "true", "Audit trail": ""}),
        ("audit", {"Members": "", "Audit trail": "page"}),
    ],
)
def test_the_settings_have_the_members_and_the_audit_trail(
    installation: Installation, path: str, marks: dict[str, str]
) -> None:
    page = _get(installation, "admin", f"/w/harbor/{path}")

    assert _read_bar(page, "Settings") == marks
    assert re.search(r'<a href="([^"]+)"[^>]*>(?:<i class="[^"]+"></i>)? Settings</a>', page)[1] == "/w/harbor/members"  # type: ignore[index]


def test_a_tab_without_pages_has_no_second_level(installation: Installation) -> None:
    page = _get(installation, "admin", "/w/harbor/destinations/new")

    assert page.count("<nav ") == 2


def test_the_evidence_is_below_the_history_for_every_member(installation: Installation) -> None:
    page = _get(installation, "viewer", "/w/harbor/evidence")

    assert _read_bar(page, "History") == {"All messages": "", "Evidence": "page"}


def test_every_page_of_a_workspace_is_below_exactly_one_tab(installation: Installation) -> None:
    app, _ = installation
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/w/<slug>/")}

    found = {page: [tab.label for tab in WORKSPACE_TABS if tab.contains(page)] for page in pages}

    assert "destinations.show" in pages
    assert {page: tabs for page, tabs in found.items() if len(tabs) != 1} == {}


def test_what_is_broken_is_marked_on_its_own_page_which_has_no_tabs(installation: Installation) -> None:
    page = _get(installation, "support", "/broken")

    assert _read_bar(page, "All workspaces")["What is broken"] == "page"
    assert _read_bar(page, "Workspace") == {}


def test_a_visitor_who_is_not_signed_in_gets_no_bars(installation: Installation) -> None:
    app, _ = installation

    assert "<nav" not in Visitor.anonymous(app).get("/sign-in").text


def test_a_member_of_no_workspace_gets_nothing_but_the_account_menu(installation: Installation) -> None:
    app, _ = installation
    with app.app_context():
        loner = add_account("loner@example.com", "Loner", None, NOW).id
        db.session.commit()

    page = Visitor.signed_in(app, loner).get("/").text

    assert _read_bar(page, "All workspaces") == {}
    assert "Sign out" in page
    assert "switcher" not in page


@pytest.mark.parametrize(("path", "mark"), [("/instance", "page"), ("/instance/accounts", "true"), ("/account", None)])
def test_the_menu_marks_the_installation_on_all_of_its_pages(
    installation: Installation, path: str, mark: str | None
) -> None:
    app, _ = installation
    with app.app_context():
        account = add_account(f"{path[1:].replace('/', '-')}@example.com", "Instance admin", None, NOW)
        account.is_instance_admin = True
        db.session.commit()
        instance_admin = account.id

    page = Visitor.signed_in(app, instance_admin).get(path).text

    found = re.search(r'<a href="/instance"(?: aria-current="(\w+)")?>Installation</a></li>', page)
    assert found is not None
    assert found[1] == mark


@pytest.mark.parametrize("page", ["history", "drills", "problems", "members", "audit", "destinations/new", "choose"])
def test_the_tabs_of_two_workspaces_have_different_titles(installation: Installation, page: str) -> None:
    assert " · Harbor Logistics · Alertcheck</title>" in _get(installation, "admin", f"/w/harbor/{page}")


def test_the_title_of_the_list_names_the_workspace_once(installation: Installation) -> None:
    assert "<title>Harbor Logistics · Alertcheck</title>" in _get(installation, "admin", "/w/harbor/destinations")
