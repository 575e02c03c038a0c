"""The history as CSV: its columns, its protection against formulas, and its row limit."""

import csv
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from benchmarks.installation.processes import ROOT
from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.extensions import db
from webapp.history import DeliveryFilter, DeliveryKind, export, write_csv
from webapp.models import DeliveryStatus, Receipt, ReceiptSource
from webapp.text import csv_export

pytestmark = pytest.mark.usefixtures("context")

GONE: dict[str, Any] = {
    "status": DeliveryStatus.FAILED,
    "last_error_code": "gone",
    "last_error_message": "hooks.example.com answered 410.",
    "answer_status": 410,
    "answer_seconds": 0.25,
    "attempt_count": 1,
}


def _read(seeded: SeededIds, most: int = 100, **wanted: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(write_csv_lines(seeded, most, **wanted)))


def write_csv_lines(seeded: SeededIds, most: int = 100, **wanted: Any) -> list[str]:
    text = "".join(write_csv(seeded.harbor, DeliveryFilter(**wanted), most))
    return text.removeprefix(csv_export.BYTE_ORDER_MARK).splitlines(keepends=True)


@on_both_databases
def test_a_test_send_is_written_with_every_known_fact(seeded: SeededIds) -> None:
    moment = datetime(2026, 5, 4, 9, 30, 0, 123000, tzinfo=UTC)
    facts = GONE | {"created_at": moment, "requested_by_id": seeded.support, "payload": {"reference": "K7QM"}}
    add_delivery(get_destination(seeded), **facts)

    assert _read(seeded) == [
        {
            "created_at": "2026-05-04T09:30:00.123+00:00",
            "kind": "test",
            "event_type": "alerts.test",
            "rule": "",
            "tenant": "",
            "destination_id": str(seeded.destination),
            "destination": "Ticket system",
            "channel": "Webhook",
            "status": "failed",
            "sent_at": "",
            "updated_at": "2026-05-04T09:30:00.123+00:00",
            "code": "gone",
            "what_happened": "hooks.example.com answered 410.",
            "attempts": "1",
            "answer_status": "410",
            "answer_seconds": "0.25",
            "reference": "K7QM",
            "requested_by": "Support",
            "by_customer_link": "",
            "receipt": "",
            "receipt_at": "",
            "receipt_by": "",
            "receipt_source": "",
            "receipt_recorded_by": "",
            "drill": "",
        }
    ]


def test_a_test_that_a_customers_link_requested_is_marked(seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), **GONE | {"requested_by_id": seeded.support, "by_customer_link": True})

    (row,) = _read(seeded)
    assert (row["requested_by"], row["by_customer_link"]) == ("Support", "yes")


@on_both_databases
def test_a_receipt_is_written_with_who_gave_and_who_recorded_it(seeded: SeededIds) -> None:
    receipt = {"receipt": Receipt.SEEN, "receipt_at": NOW + seconds(60), "receipt_source": ReceiptSource.CUSTOMER}
    names = {"receipt_by": "=Ann", "receipt_recorded_by": "Support"}
    add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW, **receipt, **names)

    (row,) = _read(seeded)
    assert {name: value for name, value in row.items() if name.startswith("receipt")} == {
        "receipt": "seen",
        "receipt_at": "2026-05-04T09:31:00.000+00:00",
        "receipt_by": "'=Ann",
        "receipt_source": "customer",
        "receipt_recorded_by": "Support",
    }


def test_every_column_is_documented_in_its_order() -> None:
    text = (ROOT / "docs" / "csv.md").read_text()

    assert tuple(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == export.HEADER


def test_a_real_alert_is_written_with_its_rule_and_tenant_and_without_another_programs_words(seeded: SeededIds) -> None:
    add_real_alert(
        get_destination(seeded), **GONE | {"last_error_message": "POST https://hooks.example.com/canary: 410"}
    )

    (row,) = _read(seeded)
    assert (row["kind"], row["event_type"], row["rule"], row["tenant"]) == (
        "real",
        "heartbeat.missing",
        "A rule",
        "A customer",
    )
    assert (row["code"], row["what_happened"]) == ("gone", "gone")


def test_a_file_holds_the_filtered_deliveries_newest_first(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_real_alert(destination)
    add_delivery(destination, status=DeliveryStatus.CANCELED)
    add_delivery(destination, created_at=NOW + seconds(1))

    assert [row["status"] for row in _read(seeded, kind=DeliveryKind.TEST)] == ["queued", "canceled"]


def test_a_file_without_rows_has_its_header(seeded: SeededIds) -> None:
    assert write_csv_lines(seeded) == [",".join(export.HEADER) + "\r\n"]


def test_a_file_begins_with_a_byte_order_mark_and_contains_no_other(seeded: SeededIds) -> None:
    get_destination(seeded).name = "\ufeffOps\ufeff"
    add_delivery(get_destination(seeded))

    text = "".join(write_csv(seeded.harbor, DeliveryFilter()))

    assert text.encode().startswith(b"\xef\xbb\xbfcreated_at,")
    assert text.count("\ufeff") == 1


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1", "＠x", '=HYPERLINK("https://example.com")']
)
def test_no_text_starts_a_formula(seeded: SeededIds, name: str) -> None:
    assert _write_name(seeded, name) == f"'{name.strip()}"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a;=1+1;b", "a;'=1+1;b"),
        ("a; =1+1", "a; '=1+1"),
        ("a;;-1;@x", "a;;'-1;'@x"),
        ("a,=1+1", "a,'=1+1"),
        ("a|+1", "a|'+1"),
        ('a;"=1+1";b', 'a;"\'=1+1";b'),
        ("a;'=1+1", "a;''=1+1"),
        ("a;＝1", "a;'＝1"),
        # A tab or a line break becomes a space, which separates no cells.
        ("a\t=1+1", "a =1+1"),
        ("a\n=1+1", "a =1+1"),
        ("\t=1+1", "'=1+1"),
        ("a;\t=1+1", "a; '=1+1"),
        ("\u200b=1+1", "'=1+1"),
        ("a;\u202e=1+1", "a;'=1+1"),
    ],
)
def test_no_part_of_a_text_starts_a_formula_where_a_spreadsheet_splits_it(
    seeded: SeededIds, name: str, written: str
) -> None:
    assert _write_name(seeded, name) == written


@pytest.mark.parametrize("column", ["event_type", "last_error_code"])
def test_what_another_program_wrote_starts_no_formula_and_no_line(seeded: SeededIds, column: str) -> None:
    add_real_alert(get_destination(seeded), **{column: "=1\n=2;=3\u2028=4"})

    (row,) = _read(seeded)

    assert row[{"last_error_code": "code"}.get(column, column)] == "'=1 =2;'=3 =4"


@pytest.mark.parametrize("name", ["A, B", 'The "other" one', "1-1", "a=b", "a; b-c", "Überseehafen 🚢", "'quoted'"])
def test_any_other_text_is_unchanged(seeded: SeededIds, name: str) -> None:
    assert _write_name(seeded, name) == name


def _write_name(seeded: SeededIds, name: str) -> str:
    """Return a destination's name as it is in the file."""
    get_destination(seeded).name = name
    add_delivery(get_destination(seeded))
    (row,) = _read(seeded)
    return row["destination"]


@pytest.mark.parametrize(("count", "last"), [(3, "queued"), (4, None)])
def test_a_truncated_file_ends_with_a_line_that_explains_it(seeded: SeededIds, count: int, last: str | None) -> None:
    _ = [add_delivery(get_destination(seeded)) for _ in range(count)]

    rows = _read(seeded, most=3)

    assert [row["status"] for row in rows[:3]] == ["queued"] * 3
    assert rows[-1]["status"] == last
    assert rows[-1]["created_at"].startswith("The export stops after 3 rows") is (last is None)


@on_both_databases
def test_blocks_follow_each_other_without_a_gap(seeded: SeededIds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_export, "BLOCK_SIZE", 2)
    moments = [NOW + seconds(number) for number in (4, 3, 3, 3, 1)]
    _ = [add_delivery(get_destination(seeded), created_at=moment) for moment in moments]

    assert [row["created_at"] for row in _read(seeded)] == [
        f"{moment:%Y-%m-%dT%H:%M:%S}.000+00:00" for moment in moments
    ]


def test_no_transaction_is_open_while_a_block_is_being_read(seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded))
    db.session.rollback()
    open_ones: list[int] = []
    event.listen(db.engine, "checkout", lambda *_: open_ones.append(1))
    event.listen(db.engine, "checkin", lambda *_: open_ones.pop())

    held = [len(open_ones) for _ in write_csv(seeded.harbor, DeliveryFilter())]

    assert held == [0, 0]
