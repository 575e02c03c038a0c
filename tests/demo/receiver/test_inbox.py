"""The inbox: what it stores, and for how long."""

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from webapp.demo.receiver.inbox import KEPT, Arrival, Inbox
from webapp.demo.receiver.scenarios import Scenario, Service

NOON = datetime(2026, 11, 5, 12, 0, 0, 123456, tzinfo=UTC)
ARRIVAL = Arrival(
    service=Service.WEBHOOK,
    scenario=Scenario.WORKS,
    answered=200,
    accepted=True,
    reference="AC-1234",
    headers={"webhook-id": "msg_1"},
    body='{"type": "alerts.test", "name": "Grüße"}',
    signature_ok=True,
    recipients=("works@demo.example",),
)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "demo" / "inbox.sqlite")


def fill(inbox: Inbox, count: int) -> None:
    for _ in range(count):
        inbox.add(ARRIVAL, NOON)


def test_a_file_that_does_not_exist_reads_as_empty(inbox: Inbox) -> None:
    assert inbox.list_newest() == inbox.find_by_reference("AC-1234") == []
    assert (inbox.find(1), inbox.newest_id()) == (None, 0)


def test_reading_does_not_create_the_file(inbox: Inbox, tmp_path: Path) -> None:
    inbox.list_newest()
    assert not (tmp_path / "demo").exists()


def test_a_message_is_read_as_it_was_stored(inbox: Inbox) -> None:
    inbox.add(ARRIVAL, NOON)
    (received,) = inbox.list_newest()
    assert {**vars(received)} == {**vars(ARRIVAL), "id": 1, "received_at": NOON}


@pytest.mark.parametrize("signature_ok", [True, False, None])
def test_the_verdict_on_the_signature_keeps_its_three_values(inbox: Inbox, signature_ok: bool | None) -> None:
    inbox.add(replace(ARRIVAL, signature_ok=signature_ok), NOON)
    assert inbox.list_newest()[0].signature_ok is signature_ok


def test_another_process_sees_stored_messages(inbox: Inbox, tmp_path: Path) -> None:
    inbox.add(ARRIVAL, NOON)
    assert Inbox(tmp_path / "demo" / "inbox.sqlite").newest_id() == 1


def test_the_newest_message_comes_first(inbox: Inbox) -> None:
    inbox.add(ARRIVAL, NOON)
    inbox.add(ARRIVAL, NOON - timedelta(hours=1))
    assert [received.id for received in inbox.list_newest()] == [2, 1]


def test_a_list_is_no_longer_than_requested(inbox: Inbox) -> None:
    inbox.add(ARRIVAL, NOON)
    inbox.add(ARRIVAL, NOON)
    assert [received.id for received in inbox.list_newest(1)] == [2]


def test_a_message_is_found_by_its_id(inbox: Inbox) -> None:
    inbox.add(ARRIVAL, NOON)
    inbox.add(replace(ARRIVAL, reference="AC-5678"), NOON)
    assert inbox.find(2) == inbox.find_by_reference("AC-5678")[0]


def test_a_reference_finds_every_attempt_of_its_message(inbox: Inbox) -> None:
    inbox.add(ARRIVAL, NOON)
    inbox.add(replace(ARRIVAL, reference="AC-5678"), NOON)
    inbox.add(ARRIVAL, NOON)
    assert [received.id for received in inbox.find_by_reference("AC-1234")] == [3, 1]


def test_the_oldest_message_is_removed_above_the_limit(inbox: Inbox) -> None:
    fill(inbox, KEPT + 1)
    ids = [received.id for received in inbox.list_newest(KEPT + 1)]
    assert (len(ids), ids[0], ids[-1]) == (KEPT, KEPT + 1, 2)


def test_clearing_removes_every_message(inbox: Inbox) -> None:
    inbox.add(ARRIVAL, NOON)
    inbox.clear()
    assert inbox.list_newest() == []


def test_clearing_a_missing_inbox_is_no_error(inbox: Inbox, tmp_path: Path) -> None:
    inbox.clear()
    assert not (tmp_path / "demo").exists()


def test_an_id_is_not_reused_after_clearing(inbox: Inbox) -> None:
    inbox.add(ARRIVAL, NOON)
    inbox.clear()
    inbox.add(ARRIVAL, NOON)
    assert inbox.newest_id() == 2


def test_only_the_owner_may_read_the_file(inbox: Inbox, tmp_path: Path) -> None:
    inbox.add(ARRIVAL, NOON)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "demo").iterdir()}
    assert modes == {0o600}
