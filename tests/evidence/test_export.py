"""The evidence as CSV: its columns, its rows, and its protection against formulas."""

import csv
import re
from datetime import UTC, date
from typing import Any

import pytest

from benchmarks.installation.processes import ROOT
from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.evidence import Period, RetentionPeriods, export, make_report, write_destinations, write_tests
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import DeliveryStatus, DrillNumber, Receipt, ReceiptSource
from webapp.text import csv_export
from webapp.text.csv_export import BYTE_ORDER_MARK

pytestmark = pytest.mark.usefixtures("context")

MAY = Period(date(2026, 5, 1), date(2026, 5, 31), UTC)
LATER = NOW + seconds(90 * 86400)
SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": NOW}
FAILED: dict[str, Any] = {"status": DeliveryStatus.FAILED, "last_error_code": Code.GATEWAY_GAVE_UP}
SEEN = {"receipt": Receipt.SEEN, "receipt_at": NOW, "receipt_source": ReceiptSource.LINK}


def _read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.removeprefix(BYTE_ORDER_MARK).splitlines(keepends=True)))


def _read_destinations(seeded: SeededIds) -> list[dict[str, str]]:
    report = make_report(seeded.harbor, MAY, RetentionPeriods(None, None), LATER)
    return _read("".join(write_destinations(report)))


def _read_tests(seeded: SeededIds) -> list[dict[str, str]]:
    return _read("".join(write_tests(seeded.harbor, MAY, LATER)))


@pytest.mark.parametrize(("part", "header"), [(0, export.DESTINATIONS_HEADER), (1, export.TESTS_HEADER)])
def test_every_column_is_documented_in_its_order(part: int, header: tuple[str, ...]) -> None:
    text = (ROOT / "docs" / "evidence.md").read_text().partition("### Destinations")[2].split("### Tests")[part]
    assert tuple(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == header


@on_both_databases
def test_a_destination_has_the_counts_of_its_tests(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **FAILED, drill=DrillNumber.FIRST)
    add_delivery(destination, **SENT, **SEEN, drill=DrillNumber.SECOND, created_at=NOW + seconds(3600))
    add_real_alert(destination, **SENT)

    (row,) = _read_destinations(seeded)

    numbers = {
        name: int(row[name]) for name in ("tests", "first_drills", "second_drills", "accepted", "failed", "seen")
    }
    assert numbers == {"tests": 2, "first_drills": 1, "second_drills": 1, "accepted": 1, "failed": 1, "seen": 1}
    assert (row["may_have_arrived"], row["alerts_accepted"], row["added_by"]) == ("1", "1", "Admin")
    assert (row["last_test_status"], row["receipt"], row["receipt_source"]) == ("sent", "seen", "link")
    assert (row["period_from"], row["period_ends_at"]) == ("2026-05-01", "2026-06-01T00:00:00.000+00:00")
    assert row["incomplete"] == "yes"  # the workspace was added in this month


@on_both_databases
def test_a_test_has_its_problem_and_what_was_done(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **FAILED, requested_by_id=seeded.support)
    add_delivery(destination, **SENT, created_at=NOW + seconds(3600))

    newest, oldest = _read_tests(seeded)

    assert (newest["problem"], newest["next_accepted_at"]) == ("", "")
    assert (oldest["problem"], oldest["next_accepted_at"]) == ("failed", "2026-05-04T10:30:00.000+00:00")
    assert (oldest["requested_by"], oldest["may_have_arrived"]) == ("Support", "yes")


def test_real_alerts_and_other_periods_are_not_in_the_file_of_tests(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_real_alert(destination, **SENT)
    add_delivery(destination, **SENT, created_at=MAY.ends_at)
    assert _read_tests(seeded) == []


def test_no_name_starts_a_formula(seeded: SeededIds) -> None:
    get_destination(seeded).name = "=1+1"
    add_delivery(get_destination(seeded), **SENT)
    names = {row["destination"] for row in (*_read_destinations(seeded), *_read_tests(seeded))}
    assert names == {"'=1+1"}
    db.session.rollback()


@on_both_databases
def test_the_next_test_that_was_seen_is_the_first_one_after_the_problem_was_known(seeded: SeededIds) -> None:
    destination, hour = get_destination(seeded), seconds(3600)
    seen = SENT | SEEN
    add_delivery(destination, **seen, created_at=NOW)
    add_delivery(destination, **FAILED, created_at=NOW + hour)
    add_delivery(
        destination, **SENT | {"receipt": Receipt.MISSING, "receipt_at": NOW + 4 * hour}, created_at=NOW + 2 * hour
    )
    add_delivery(destination, **seen, created_at=NOW + 3 * hour)
    add_delivery(destination, **seen, created_at=NOW + 5 * hour)
    add_delivery(destination, **seen, created_at=NOW + 6 * hour)

    found = {row["problem"]: row["next_seen_at"] for row in _read_tests(seeded)}

    first, second = (csv_export.format_moment(NOW + number * hour) for number in (3, 5))
    assert found == {"failed": first, "missing": second, "": ""}
