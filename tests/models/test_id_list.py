"""Rows are found by many ids, which are one parameter on PostgreSQL."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from tests.factories import on_both_databases
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.models.id_list import IsOneOf

_CHOSEN = select(AlertDestination.id).where(IsOneOf(AlertDestination.id, "chosen")).order_by(AlertDestination.id)


def _find(ids: Sequence[int]) -> Sequence[int]:
    return db.session.scalars(_CHOSEN, {"chosen": ids}).all()


@on_both_databases
@pytest.mark.usefixtures("context", "seeded")
def test_finds_the_rows_of_these_ids_and_no_others() -> None:
    ids = db.session.scalars(select(AlertDestination.id).order_by(AlertDestination.id)).all()

    assert len(ids) > 1
    assert _find(ids[:1]) == ids[:1]
    assert _find([*ids[::-1], 2**40, *range(10_001, 10_300)]) == ids
    assert _find([]) == []
    assert _find([2**40]) == []


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
@pytest.mark.usefixtures("context", "seeded")
def test_the_statement_is_as_long_for_many_ids() -> None:
    assert "= ANY (" in str(_CHOSEN.compile(db.engine))
