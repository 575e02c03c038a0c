"""Summaries without a proof, compared with whole ones."""

import random

import pytest
from sqlalchemy import text

from tests.dashboard.random_destinations import add_random_destinations
from tests.factories import NOW, SeededIds, get_account, get_destination, on_both_databases
from webapp.dashboard.summaries import Tab, list_summaries
from webapp.dashboard.summaries_without_proof import list_without_proof
from webapp.deliveries.proof import NO_PROOF
from webapp.destinations.editing import delete_destination
from webapp.extensions import db


@on_both_databases
@pytest.mark.parametrize("seed", range(2))
def test_they_are_the_whole_ones_with_less(context: None, seeded: SeededIds, seed: int) -> None:
    add_random_destinations(seeded, random.Random(seed), 100)

    found = list_without_proof([seeded.harbor])

    whole = list_summaries([seeded.harbor], NOW)
    less = [one._replace(changed=None, tested_at=None, proof=NO_PROOF) for one in whole]
    assert sorted(found) == sorted(less)
    assert {one.state for one in found} == set(Tab)


def test_a_deleted_destination_is_left_out(context: None, seeded: SeededIds) -> None:
    delete_destination(get_destination(seeded), get_account(seeded), NOW)

    assert list_without_proof([seeded.harbor]) == []


@on_both_databases
def test_a_name_that_another_program_wrote_is_cleaned(context: None, seeded: SeededIds) -> None:
    db.session.execute(text("UPDATE alert_destinations SET name = :name"), {"name": "b\u200be"})

    assert [one.name for one in list_without_proof([seeded.harbor])] == ["be"]
