"""The presenter's panel: it switches what the receiver does, composes addresses, and resets the demo."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.demo.demo_settings import demo_settings
from tests.factories import NOW, on_both_databases
from tests.recorded_rows import add_once
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.auth.accounts import add_account
from webapp.channels import CHANNELS
from webapp.channels.fields import SettingInvalid
from webapp.dashboard.status_fragment import find_block_reason
from webapp.demo.receiver.inbox import Inbox
from webapp.demo.receiver.scenarios import Certificate, Mailbox, Scenario
from webapp.demo.receiver.switches import Switches, name_host, name_path, name_recipient
from webapp.demo.seed import find_demo_account, seed_demo
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, Role
from webapp.outbound.policy.urls import read_url
from webapp.settings import AppSettings, read_settings
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

PANEL = "/demo/panel"


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The settings of a demo."""
    return environment | demo_settings(tmp_path)


@pytest.fixture
def switches(tmp_path: Path) -> Switches:
    return Inbox(tmp_path / "inbox.sqlite").switches


@pytest.fixture
def demo(app: Flask, environment: dict[str, str]) -> Flask:
    """The application with the demo's data."""
    add_once(app, lambda: seed_demo(NOW), "demo", environment["ALERTCHECK_CONFIG_KEYS"])
    return app


def visitor_of(app: Flask, role: Role) -> Visitor:
    with app.app_context():
        account = find_demo_account(role)
        assert account
        account_id = account.id
    return Visitor.signed_in(app, account_id)


@pytest.fixture
def admin(demo: Flask) -> Visitor:
    return visitor_of(demo, Role.ADMIN)


def find_id(app: Flask, name: str) -> int:
    with app.app_context():
        return db.session.scalars(select(AlertDestination.id).where(AlertDestination.name == name)).one()


def find_setting(app: Flask, name: str, field: str) -> str:
    with app.app_context():
        destination = db.session.scalars(select(AlertDestination).where(AlertDestination.name == name)).one()
        cipher = app_state(app).settings.cipher
        return cipher.decrypt(destination.config, context=destination.encryption_context)[field]


@pytest.fixture
def switch(demo: Flask, admin: Visitor) -> Callable[[str, str], int]:
    """Switch the outcome of a destination of the harbor, and return the status of the response."""

    def switch(name: str, outcome: str) -> int:
        path = f"{PANEL}/w/harbor/destinations/{find_id(demo, name)}"
        return admin.post(path, {"outcome": outcome}).status_code

    return switch


def test_the_panel_shows_what_each_address_selects(admin: Visitor) -> None:
    page = admin.get(PANEL).text
    for words in ("404: not found (its address)", "Silent: never answers (its address)", "Refused: no such mailbox"):
        assert words in page
    assert "Switched to" not in page


def test_a_switched_destination_is_switched_at_its_own_address(
    demo: Flask, admin: Visitor, switch: Callable[[str, str], int], switches: Switches
) -> None:
    assert switch("Operations channel", "missing") == 303
    address = find_setting(demo, "Operations channel", "address")
    assert switches.list_all() == {name_path(read_url(address).path): Scenario.MISSING}
    assert "Switched to: 404: not found" in admin.get(PANEL).text


def test_the_empty_choice_switches_back(switch: Callable[[str, str], int], switches: Switches) -> None:
    switch("Operations channel", "missing")
    switch("Ticket system", "slow")
    assert switch("Operations channel", "") == 303
    assert list(switches.list_all().values()) == [Scenario.SLOW]


def test_an_email_destination_is_switched_at_each_of_its_recipients(
    switch: Callable[[str, str], int], switches: Switches
) -> None:
    switch("On-call email", "full")
    recipients = ("works@oncall.demo.example", "desk@oncall.demo.example")
    assert switches.list_all() == {name_recipient(recipient): Mailbox.FULL for recipient in recipients}


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("Operations channel", "full"),
        ("On-call email", "missing"),
        ("Ticket system", "expired"),
        ("Ticket system", "x"),
    ],
)
def test_an_outcome_of_another_kind_is_refused(
    switch: Callable[[str, str], int], switches: Switches, name: str, outcome: str
) -> None:
    assert switch(name, outcome) == 400
    assert switches.list_all() == {}


def test_every_destination_of_the_demo_is_on_the_panel(demo: Flask, admin: Visitor) -> None:
    page = admin.get(PANEL).text
    with demo.app_context():
        ids = db.session.scalars(select(AlertDestination.id).where(AlertDestination.deleted_at.is_(None))).all()
    assert [f'id="next-{number}"' in page for number in ids] == [True] * 20


def test_a_destination_that_leads_elsewhere_is_not_on_the_panel(
    demo: Flask, admin: Visitor, app_settings: AppSettings
) -> None:
    with demo.app_context():
        account = find_demo_account(Role.ADMIN)
        assert account
        workspace = add_workspace("another", "Another", NOW)
        set_role(workspace, account, Role.ADMIN)
        for number, address in enumerate(
            ("https://hooks.example.com/webhook/works", "http://127.0.0.1:1/webhook/works")
        ):
            settings = {"address": address}
            add_destination(workspace, account, "webhook", f"Elsewhere {number}", settings, app_settings.cipher, NOW)
    assert "Elsewhere" not in admin.get(PANEL).text


def test_a_member_of_no_workspace_sees_and_switches_no_destination(demo: Flask, switches: Switches) -> None:
    with demo.app_context():
        stranger = add_account("stranger@example.com", "Stranger", None, NOW)
        db.session.commit()
        stranger_id = stranger.id
    visitor = Visitor.signed_in(demo, stranger_id)
    number = find_id(demo, "Operations channel")
    assert "Operations channel" not in visitor.get(PANEL).text
    assert visitor.post(f"{PANEL}/w/harbor/destinations/{number}", {"outcome": "missing"}).status_code == 404
    assert switches.list_all() == {}


def test_a_certificate_is_switched_for_its_host_and_shown_at_each_destination_there(
    admin: Visitor, switches: Switches
) -> None:
    assert admin.post(f"{PANEL}/hosts/teams", {"certificate": "expired"}).status_code == 303
    assert switches.list_all() == {name_host("teams.demo.example"): Certificate.EXPIRED}
    page = admin.get(PANEL).text
    assert "Switched to: Wrong certificate: expired" in page
    assert len(re.findall(r"</i> Wrong certificate: expired", page)) == 4


@pytest.mark.parametrize(("service", "certificate", "status"), [("email", "expired", 404), ("teams", "works", 400)])
def test_other_hosts_and_certificates_are_refused(
    admin: Visitor, switches: Switches, service: str, certificate: str, status: int
) -> None:
    assert admin.post(f"{PANEL}/hosts/{service}", {"certificate": certificate}).status_code == status
    assert switches.list_all() == {}


def find_address(page: str, service: str) -> str:
    found = re.search(rf'id="address-{service}" value="([^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize(
    ("service", "outcome", "start"),
    [
        ("teams", "missing", "https://teams.demo.example/teams/missing?sig="),
        ("webhook", "busy-twice", "https://hooks.demo.example/webhook/busy-twice?sig="),
        ("slack", "sign-in", "https://slack.demo.example/slack/sign-in?sig="),
        ("webhook", "self-signed", "https://self-signed.hooks.demo.example/webhook/works?sig="),
        ("email", "unknown", "unknown@oncall.demo.example"),
    ],
)
def test_a_chosen_outcome_gives_the_address_that_selects_it(
    admin: Visitor, service: str, outcome: str, start: str
) -> None:
    assert find_address(admin.get(f"{PANEL}?{service}={outcome}").text, service).startswith(start)


def list_outcomes(page: str, service: str) -> list[str]:
    choices = re.search(rf'<select id="{service}".*?</select>', page, re.DOTALL)
    assert choices
    return re.findall(r'<option value="([^"]+)"', choices[0])


def test_every_address_is_accepted_by_the_form_of_its_channel(admin: Visitor, app_settings: AppSettings) -> None:
    page = admin.get(PANEL).text
    signature = find_address(page, "slack").partition("sig=")[2]
    outcomes = {service: list_outcomes(page, service) for service in CHANNELS}
    choices = [
        {service: names[number % len(names)] for service, names in outcomes.items()}
        for number in range(max(map(len, outcomes.values())))
    ]
    pages = [admin.get(PANEL, query_string=choice | {"sig": signature}).text for choice in choices]
    addresses = {service: {find_address(page, service) for page in pages} for service in CHANNELS}
    accepted = {
        service: {CHANNELS[service].target_field.check(address, app_settings.outbound) for address in found}
        for service, found in addresses.items()
    }
    counts = {service: len(names) for service, names in outcomes.items()}
    assert ({service: len(found) for service, found in addresses.items()}, accepted) == (counts, addresses)
    assert min(counts.values()) > 3


def test_a_similar_host_is_accepted_by_no_form(demo: Flask, app_settings: AppSettings) -> None:
    with pytest.raises(SettingInvalid, match="demo"):
        CHANNELS["webhook"].target_field.check("https://other.demo.example/webhook/works", app_settings.outbound)


def test_the_addresses_keep_their_signature_while_outcomes_are_chosen(admin: Visitor) -> None:
    first = find_address(admin.get(PANEL).text, "teams")
    signature = first.partition("sig=")[2]
    assert find_address(admin.get(f"{PANEL}?sig={signature}&slack=missing").text, "teams") == first
    assert find_address(admin.get(PANEL).text, "teams") != first


@pytest.mark.parametrize("given", ["teams=none", "sig=short", "sig=%22%3E%3Cscript%3E", "teams=valid"])
def test_anything_else_in_the_address_of_the_panel_counts_as_nothing(admin: Visitor, given: str) -> None:
    page = admin.get(f"{PANEL}?{given}")
    assert page.status_code == 200
    assert re.search(r"/teams/works\?sig=[\w-]{43}$", find_address(page.text, "teams"))


@pytest.mark.parametrize("role", Role)
def test_every_role_may_use_the_panel(demo: Flask, switches: Switches, role: Role) -> None:
    visitor = visitor_of(demo, role)
    number = find_id(demo, "Ticket system")
    assert visitor.post(f"{PANEL}/w/harbor/destinations/{number}", {"outcome": "silent"}).status_code == 303
    assert list(switches.list_all().values()) == [Scenario.SILENT]


def test_a_reset_asks_first(admin: Visitor, demo: Flask) -> None:
    before = find_id(demo, "Ticket system")
    assert "You cannot undo this." in admin.get(f"{PANEL}/reset").text
    assert find_id(demo, "Ticket system") == before


def test_a_reset_leads_to_the_new_data_without_a_new_sign_in(demo: Flask, admin: Visitor) -> None:
    before = find_id(demo, "Ticket system")
    response = admin.post(f"{PANEL}/reset")
    assert (response.status_code, response.location) == (303, "/")
    assert find_id(demo, "Ticket system") > before
    assert "The demo is back at its beginning." in admin.get("/w/harbor/destinations").text


@on_both_databases
def test_a_press_that_a_reset_overtakes_finds_no_destination_and_sends_nothing(
    demo: Flask, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reset comes after the press has loaded its destination and before it locks it."""

    def reset_first(*arguments: Any) -> str | None:
        with ThreadPoolExecutor() as other:
            assert other.submit(visitor_of(demo, Role.SUPPORT).post, f"{PANEL}/reset").result().status_code == 303
        return find_block_reason(*arguments)

    monkeypatch.setattr("webapp.views.presses.find_block_reason", reset_first)
    response = admin.post(f"/w/harbor/destinations/{find_id(demo, 'Ticket system')}/test")

    assert response.status_code == 404
    with demo.app_context():
        assert db.session.scalars(select(AlertDelivery.id).where(AlertDelivery.status == "queued")).all() == []


def test_a_reset_needs_the_csrf_token_of_our_page(demo: Flask, admin: Visitor) -> None:
    before = find_id(demo, "Ticket system")
    assert admin.client.post(f"{PANEL}/reset").status_code == 400
    assert find_id(demo, "Ticket system") == before


def test_without_the_demo_there_is_no_panel(environment: dict[str, str]) -> None:
    rules = create_app(read_settings(environment | {"ALERTCHECK_DEMO": "0"})).url_map.iter_rules()
    assert [rule.rule for rule in rules if "demo" in rule.rule] == []


def test_a_receiver_without_names_has_plain_addresses_and_no_certificates(environment: dict[str, str]) -> None:
    nameless = environment | {"ALERTCHECK_DEMO_RECEIVER_HTTPS": ""}
    app = create_app(read_settings(nameless))
    with app.app_context():
        seed_demo(NOW)
    page = visitor_of(app, Role.ADMIN).get(PANEL).text
    assert find_address(page, "teams").startswith("http://127.0.0.1:8025/teams/works?sig=")
    assert "ertificate" not in page
    with app.app_context():
        db.engine.dispose()
