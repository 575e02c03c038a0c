"""The stale destinations, as the database finds them."""

import random

import pytest

from tests.dashboard.random_destinations import add_random_destinations
from tests.factories import NOW, SeededIds, get_account, get_destination, on_both_databases
from webapp.dashboard.proof_gaps import ProofGap, find_gaps
from webapp.dashboard.stale_destinations import list_stale, list_with_acceptance
from webapp.dashboard.summaries import list_summaries
from webapp.destinations.editing import delete_destination
from webapp.extensions import db


@on_both_databases
@pytest.mark.parametrize("seed", range(2))
def test_those_that_the_database_finds_are_those_with_the_gap(context: None, seeded: SeededIds, seed: int) -> None:
    add_random_destinations(seeded, random.Random(seed), 200)

    found = list_stale([seeded.harbor], NOW)

    everything = list_summaries([seeded.harbor], NOW)
    stale = [one for one in everything if ProofGap.STALE in find_gaps(one, NOW)]
    assert sorted(found) == sorted((one.destination_id, one.workspace_id, one.name) for one in stale)
    assert 0 < len(stale) < len(everything)


@on_both_databases
def test_each_is_read_with_the_newest_message_it_accepted(context: None, seeded: SeededIds) -> None:
    add_random_destinations(seeded, random.Random(1), 60)
    accepted = {one.destination_id: one.proof.acceptance for one in list_summaries([seeded.harbor], NOW)}

    found = list_with_acceptance(list(accepted)[::-1])

    assert [(destination.id, acceptance) for destination, acceptance in found] == list(accepted.items())[::-1]
    assert None in accepted.values()


def test_a_deleted_one_and_those_of_other_workspaces_are_left_out(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    before = [one.destination_id for one in list_stale([seeded.harbor], NOW)]
    delete_destination(destination, get_account(seeded), NOW)
    destination.is_enabled = True
    db.session.commit()

    assert before == [destination.id]
    assert list_stale([seeded.harbor], NOW) == []
    assert list_with_acceptance([destination.id]) == []
