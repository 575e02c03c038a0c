"""The demo's data: where its destinations lead, and how older data is updated."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.demo.demo_settings import demo_settings
from tests.factories import NOW
from webapp.app_state import app_state
from webapp.channels import CHANNELS
from webapp.demo.address_update import update_addresses
from webapp.demo.seed import find_demo_account, seed_demo
from webapp.environment.demo_hosts import SERVICE_HOSTS
from webapp.evidence import Period, RecordedProblem, RetentionPeriods, make_report
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, Role, Workspace
from webapp.notices.recipients import list_recipients
from webapp.outbound.policy.urls import read_url
from webapp.settings import AppSettings, Demo

IN_USE = select(AlertDestination).where(AlertDestination.deleted_at.is_(None))
OLD_ADDRESS = "http://127.0.0.1:4001/teams/works?sig=kept"


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The settings of a demo."""
    return environment | demo_settings(tmp_path)


@pytest.fixture
def demo(app_settings: AppSettings) -> Demo:
    assert app_settings.demo is not None
    return app_settings.demo


@pytest.fixture
def seeded_demo(app: Flask) -> Iterator[None]:
    with app.app_context():
        assert seed_demo(NOW) == "workspaces added"
        yield
        db.session.rollback()


def read_settings_of(name: str, app: Flask) -> dict[str, str]:
    destination = db.session.scalars(select(AlertDestination).where(AlertDestination.name == name)).one()
    return app_state(app).settings.cipher.decrypt(destination.config, context=destination.encryption_context)


@pytest.fixture
def store(app: Flask) -> Callable[..., dict[str, str]]:
    """Replace the settings of a destination, update the addresses, and return its settings then."""

    def store(name: str, demo: Demo, **settings: str) -> dict[str, str]:
        destination = db.session.scalars(select(AlertDestination).where(AlertDestination.name == name)).one()
        app_settings = app_state(app).settings
        destination.config = app_settings.cipher.encrypt(settings, context=destination.encryption_context)
        update_addresses(app_settings, demo)
        return read_settings_of(name, app)

    return store


def list_targets(app: Flask) -> list[tuple[str, str]]:
    """Return the channel and the address, or the server, of every destination that is sent to over HTTP."""
    destinations = db.session.scalars(IN_USE.where(AlertDestination.type != "email"))
    return [
        (destination.type, read_settings_of(destination.name, app)[CHANNELS[destination.type].target_field.name])
        for destination in destinations
    ]


def test_every_address_has_the_name_of_its_service(seeded_demo: None, app: Flask) -> None:
    found = {(channel, read_url(address).authority) for channel, address in list_targets(app)}
    assert found <= set(SERVICE_HOSTS.items())
    assert len(found) > 7


def test_every_setting_is_accepted_by_the_form(seeded_demo: None, app: Flask, app_settings: AppSettings) -> None:
    checked = []
    for destination in db.session.scalars(IN_USE):
        settings = read_settings_of(destination.name, app)
        for field in CHANNELS[destination.type].fields:
            value = settings.get(field.name, "")
            checked.append((value == "" and not field.required) or field.check(value, app_settings.outbound) == value)
    assert set(checked) == {True}


def test_no_two_destinations_share_an_address(seeded_demo: None, app: Flask) -> None:
    addresses = [address for _, address in list_targets(app)]
    assert len(set(addresses)) == len(addresses) > 12


def test_past_failures_name_the_host_that_answered(seeded_demo: None) -> None:
    messages = "\n".join(
        db.session.scalars(
            select(AlertDelivery.last_error_message).where(AlertDelivery.last_error_message.is_not(None))
        )
    )
    assert "hooks.demo.example" in messages
    assert "mail.demo.example" in messages
    assert "127.0.0.1" not in messages


def test_mails_about_problems_reach_the_demos_admin(seeded_demo: None) -> None:
    harbor = db.session.scalars(select(Workspace).where(Workspace.slug == "harbor")).one()
    admin = find_demo_account(Role.ADMIN)
    assert admin is not None
    assert list_recipients(harbor.id) == [admin.id]


def test_a_second_seed_changes_nothing(seeded_demo: None) -> None:
    assert seed_demo(NOW) == "0 addresses updated"


def test_an_address_of_an_older_version_gets_its_name(
    seeded_demo: None, store: Callable[..., dict[str, str]], demo: Demo
) -> None:
    settings = store("Operations channel", demo, address=OLD_ADDRESS)
    assert settings == {"address": "https://teams.demo.example/teams/works?sig=kept"}


@pytest.mark.parametrize(
    "address",
    [
        "https://expired.hooks.demo.example/webhook/works?sig=1",
        "https://hooks.example.com/webhook/works?sig=127.0.0.1",
        "http://127.0.0.2:4001/webhook/works",
    ],
)
def test_other_addresses_stay(
    seeded_demo: None, store: Callable[..., dict[str, str]], demo: Demo, address: str
) -> None:
    assert store("Ticket system", demo, address=address, signing_secret="s") == {
        "address": address,
        "signing_secret": "s",
    }


def test_a_demo_without_names_gets_the_new_port(
    seeded_demo: None, store: Callable[..., dict[str, str]], demo: Demo
) -> None:
    nameless = replace(demo, has_names=False)
    assert store("Operations channel", nameless, address=OLD_ADDRESS) == {
        "address": "http://127.0.0.1:8025/teams/works?sig=kept"
    }


def test_recipients_of_an_older_version_get_their_new_domain(
    seeded_demo: None, store: Callable[..., dict[str, str]], demo: Demo
) -> None:
    settings = store("On-call email", demo, recipients="works@oncall.invalid, desk@oncall.invalid, me@example.com")
    assert settings == {"recipients": "works@oncall.demo.example, desk@oncall.demo.example, me@example.com"}


def test_the_evidence_of_its_year_tells_the_story_and_adds_up(seeded_demo: None) -> None:
    harbor = db.session.scalars(select(Workspace.id).where(Workspace.slug == "harbor")).one()
    until = NOW.date() - timedelta(days=1)
    report = make_report(harbor, Period(until - timedelta(days=363), until), RetentionPeriods(None, None), NOW)

    totals = report.totals
    assert (report.gaps, len(report.destinations), report.added) == ([], 13, 6)
    assert totals.tests == totals.accepted + totals.failed + totals.not_sent == 285
    assert (totals.failed, totals.missing, totals.unconfirmed, totals.second_drills) == (9, 1, 1, 4)
    assert [record.destination.name for record in report.deleted] == ["Harbor pager bridge"]
    assert [record.destination.name for record, _ in report.disabled] == ["Dispatch team", "Night shift channel"]
    assert len(report.untested) == 6
    repaired = report.problems[RecordedProblem.FAILED][0]
    assert (repaired.destination.name, repaired.change and repaired.change.changed) == (
        "Old ticket system",
        ["address"],
    )
    assert repaired.accepted_at is not None


def test_the_year_ends_before_the_tests_that_people_sent(seeded_demo: None) -> None:
    is_drill = AlertDelivery.drill.is_not(None)
    drills = db.session.scalars(select(AlertDelivery.created_at).where(is_drill).order_by(AlertDelivery.id)).all()
    others = db.session.scalars(select(AlertDelivery.created_at).where(~is_drill)).all()
    assert max(drills) < min(others)
    assert {at.hour for at in drills} <= set(range(8, 14))
