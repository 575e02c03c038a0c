"""The audit trail as CSV: its columns, its protection against formulas, and its filter."""

import csv
import re
from typing import Any

import pytest

from benchmarks.installation.processes import ROOT
from tests.factories import NOW, SeededIds, get_account, get_destination, get_workspace, on_both_databases, seconds
from webapp.audit import (
    COMMAND_LINE,
    Action,
    Actor,
    record_destination_event,
    record_instance_event,
    record_member_event,
)
from webapp.audit_trail import EVERYTHING, INSTALLATION, AuditFilter, Trail, export, write_csv
from webapp.extensions import db
from webapp.text import csv_export

pytestmark = pytest.mark.usefixtures("context")

LATER = NOW + seconds(0.25)


def _read(trail: Trail, most: int = 100, **criteria: Any) -> list[dict[str, str]]:
    text = "".join(write_csv(trail, AuditFilter(**criteria), most))
    return list(csv.DictReader(text.removeprefix(csv_export.BYTE_ORDER_MARK).splitlines(keepends=True)))


@on_both_databases
def test_an_event_is_written_with_all_that_the_page_shows(seeded: SeededIds) -> None:
    record_destination_event(get_destination(seeded), get_account(seeded), Action.CHANGED, LATER, ["name", "address"])
    db.session.commit()

    assert _read(Trail(seeded.harbor))[0] == {
        "happened_at": "2026-05-04T09:30:00.250+00:00",
        "workspace": "harbor",
        "account_id": str(seeded.admin),
        "who": "Admin",
        "action": "changed",
        "details": "name, address",
        "subject": f"Ticket system (destination {seeded.destination})",
        "destination_id": str(seeded.destination),
        "result": "done",
    }


@on_both_databases
def test_an_event_of_the_installation_has_no_workspace(seeded: SeededIds) -> None:
    record_instance_event(Action.KEYS_ROTATED, "3 destinations", LATER, COMMAND_LINE)
    db.session.commit()

    assert [(row["workspace"], row["account_id"], row["who"]) for row in _read(INSTALLATION)] == [
        ("", "", "Command line")
    ]
    assert [row["workspace"] for row in _read(EVERYTHING)] == ["", "clinic", "harbor"]


def test_a_role_is_written_before_and_after_and_no_name_starts_a_formula(seeded: SeededIds) -> None:
    account = get_account(seeded)
    account.name = "=1+1"
    actor = Actor(account.id, account.name)
    record_member_event(get_workspace(seeded), account, Action.ROLE_CHANGED, LATER, actor, ["admin", "viewer"])
    db.session.commit()

    (row,) = _read(Trail(seeded.harbor), action=Action.ROLE_CHANGED)
    assert (row["who"], row["subject"][:6], row["details"]) == ("'=1+1", "'=1+1 ", "admin → viewer")


@on_both_databases
def test_a_file_is_written_in_blocks_and_says_where_it_stops(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_export, "BLOCK_SIZE", 2)
    for number in range(5):
        record_instance_event(Action.DEMO_RESET, str(number), LATER, COMMAND_LINE)
    db.session.commit()

    assert [row["subject"] for row in _read(INSTALLATION)] == ["4", "3", "2", "1", "0"]
    assert _read(INSTALLATION, most=3)[-1]["happened_at"].startswith("The export stops after 3 rows.")


def test_every_column_is_documented_in_its_order() -> None:
    text = (ROOT / "docs" / "audit.md").read_text()
    columns = text.partition("| column |")[2].partition("\n\n")[0]

    assert tuple(re.findall(r"^\| `(\w+)` \|", columns, re.MULTILINE)) == export.HEADER
