"""What followed a problem: each event is read once, however many tests ask for it."""

from typing import Any

import pytest

from tests.evidence.test_export import LATER, MAY, SENT
from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, on_both_databases, seconds
from tests.query_plans import record_statements
from webapp.destinations.editing import set_enabled
from webapp.evidence import delivery_spans, export
from webapp.evidence.follow_ups import FollowUps
from webapp.failures import Code
from webapp.models import DeliveryStatus, Receipt, ReceiptSource
from webapp.text import csv_export

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

HOUR = seconds(3600)
FAILED: dict[str, Any] = {"status": DeliveryStatus.FAILED, "last_error_code": Code.NOT_FOUND}
SEEN: dict[str, Any] = SENT | {"receipt": Receipt.SEEN, "receipt_at": NOW, "receipt_source": ReceiptSource.LINK}


def _add_seen_tests(seeded: SeededIds) -> None:
    for hour in range(4):
        add_delivery(get_destination(seeded), **SEEN, created_at=NOW + hour * HOUR)


def test_seen_tests_are_found_whether_they_are_read_at_once_or_one_after_the_other(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_spans, "SPAN_SIZE", 2)
    _add_seen_tests(seeded)
    at_once, in_turn = FollowUps(seeded.harbor), FollowUps(seeded.harbor)
    at_once.read_seen_tests(NOW)
    for hour in (3, 2, 2, 0):
        in_turn.read_seen_tests(NOW + hour * HOUR)

    moments = [NOW - HOUR, *(NOW + hour * HOUR for hour in range(4))]
    expected = [*moments[1:], None]
    assert [at_once.find_seen_test(seeded.destination, moment) for moment in moments] == expected
    assert [in_turn.find_seen_test(seeded.destination, moment) for moment in moments] == expected


def test_changes_are_found_whether_they_are_read_at_once_or_one_after_the_other(seeded: SeededIds) -> None:
    for hour in range(4):
        set_enabled(get_destination(seeded), get_account(seeded), hour % 2 == 1, NOW + hour * HOUR)
    at_once, in_turn = FollowUps(seeded.harbor), FollowUps(seeded.harbor)
    at_once.read_changes(NOW)
    for hour in (3, 2, 2, 0):
        in_turn.read_changes(NOW + hour * HOUR)

    moments = [NOW - HOUR, *(NOW + hour * HOUR for hour in range(4))]
    found = [at_once.find_change(seeded.destination, moment) for moment in moments]
    assert [change and change.happened_at for change in found] == [*moments[1:], None]
    assert [in_turn.find_change(seeded.destination, moment) for moment in moments] == found


def test_nothing_is_read_twice(seeded: SeededIds) -> None:
    _add_seen_tests(seeded)
    follow_ups = FollowUps(seeded.harbor)
    follow_ups.read_changes(NOW + HOUR)
    follow_ups.read_seen_tests(NOW + HOUR)

    def read() -> None:
        follow_ups.read_changes(NOW + 2 * HOUR)
        follow_ups.read_seen_tests(NOW + HOUR)

    assert record_statements(read) == []


def test_the_file_of_tests_says_the_same_whatever_the_size_of_its_blocks(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_seen_tests(seeded)
    for hour in range(4):
        add_delivery(get_destination(seeded), **FAILED, created_at=NOW + hour * HOUR)
    missing = SENT | {"receipt": Receipt.MISSING, "receipt_at": NOW + 2 * HOUR}
    add_delivery(get_destination(seeded), **missing, created_at=NOW)
    whole = list(export.write_tests(seeded.harbor, MAY, LATER))
    monkeypatch.setattr(csv_export, "BLOCK_SIZE", 2)

    blocks = list(export.write_tests(seeded.harbor, MAY, LATER))

    assert len(blocks) > len(whole)
    assert "".join(blocks) == "".join(whole)
    assert "missing" in "".join(whole)
