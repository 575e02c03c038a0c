"""The switches: what they remember, and what they never write."""

from pathlib import Path

import pytest

from webapp.demo.receiver.scenarios import Mailbox, Scenario
from webapp.demo.receiver.switches import Switches, name_host, name_path, name_recipient

PLACE = name_path("/teams/works?sig=canary")


@pytest.fixture
def switches(tmp_path: Path) -> Switches:
    return Switches(tmp_path / "inbox.sqlite")


def test_without_a_file_nothing_is_switched(switches: Switches, tmp_path: Path) -> None:
    switches.reset(PLACE)
    switches.clear()
    assert (switches.list_all(), switches.find(PLACE, Scenario)) == ({}, None)
    assert list(tmp_path.iterdir()) == []


def test_the_last_switch_of_a_place_counts(switches: Switches) -> None:
    switches.set(PLACE, Scenario.MISSING)
    switches.set(PLACE, Scenario.SLOW)
    assert switches.find(PLACE, Scenario) is Scenario.SLOW


def test_a_reset_concerns_one_place(switches: Switches) -> None:
    other = name_path("/teams/works?sig=other")
    switches.set(PLACE, Scenario.MISSING)
    switches.set(other, Scenario.SLOW)
    switches.reset(PLACE)
    assert switches.list_all() == {other: Scenario.SLOW}


def test_clearing_resets_every_place(switches: Switches) -> None:
    switches.set(PLACE, Scenario.MISSING)
    switches.clear()
    assert switches.list_all() == {}


def test_an_outcome_of_another_kind_is_none_for_this_place(switches: Switches) -> None:
    switches.set(PLACE, Mailbox.FULL)
    assert switches.find(PLACE, Scenario) is None


def test_an_address_a_recipient_and_a_host_are_three_places() -> None:
    assert len({name_path("a"), name_recipient("a"), name_host("a")}) == 3


def test_every_spelling_of_a_recipient_is_one_place() -> None:
    assert name_recipient(" Desk@Demo.example ") == name_recipient("desk@demo.example")


def test_the_file_holds_no_address(switches: Switches, tmp_path: Path) -> None:
    switches.set(PLACE, Scenario.MISSING)
    assert b"canary" not in (tmp_path / "inbox.sqlite").read_bytes()
