"""Many rows with one statement: in their order, each with its own values, and refused where one would be."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DataError

from tests.factories import NOW, SeededIds, on_both_databases
from webapp.extensions import db
from webapp.models import AuditEvent
from webapp.models.insertion import insert_rows

on_postgres = pytest.mark.parametrize("database", ["postgres"], indirect=True)


def _describe(subject: str, changed: list[str], account_id: int | None = None) -> dict[str, object]:
    facts = {"workspace_id": None, "account_id": account_id, "account_name": "Olivia", "action": "added"}
    return facts | {"subject": subject, "result": "done", "changed": changed, "happened_at": NOW}


@on_both_databases
@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("count", [1, 3, 250])
def test_each_row_has_its_own_values_in_the_order_given(seeded: SeededIds, count: int) -> None:
    rows = [_describe(f'"{number}", {{}}', ["a", "b"][: number % 3], None) for number in range(count)]
    rows[-1]["account_id"] = seeded.admin

    ids = {row[0] for row in insert_rows(AuditEvent, rows, AuditEvent.id)}
    db.session.commit()

    written = db.session.scalars(select(AuditEvent).where(AuditEvent.id.in_(ids)).order_by(AuditEvent.id)).all()
    assert [(row.subject, row.changed, row.account_id, row.happened_at) for row in written] == [
        (row["subject"], row["changed"], row["account_id"], NOW) for row in rows
    ]


@on_postgres
@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("count", [1, 2])
def test_a_text_that_is_too_long_is_refused_and_not_cut_off(count: int) -> None:
    rows = [_describe("Ops", []), _describe("x" * 301, [])][-count:]

    with pytest.raises(DataError):
        insert_rows(AuditEvent, rows, AuditEvent.id)
