"""What is broken, of random destinations, compared with what their summaries say."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from tests.dashboard.random_destinations import add_random_destinations
from tests.factories import NOW, SeededIds, get_account, on_both_databases
from webapp.auth.access import Visit, list_memberships
from webapp.dashboard import broken
from webapp.dashboard.broken import list_broken, load_broken_page
from webapp.dashboard.proof_gaps import ProofGap, find_gaps
from webapp.dashboard.summaries import DestinationSummary, Tab, list_summaries


@pytest.fixture
def visits(context: None, seeded: SeededIds) -> dict[int, Visit]:
    """The workspaces of the admin, one of which has random destinations."""
    add_random_destinations(seeded, random.Random(3), 200)
    account = get_account(seeded)
    return {one.workspace_id: Visit(account, one.workspace, one.role) for one in list_memberships(account)}


def _list_all(visits: dict[int, Visit]) -> list[DestinationSummary]:
    """Return the summaries of all, in the order of the page."""
    names = {key: visit.workspace.name.casefold() for key, visit in visits.items()}
    everything = list_summaries(list(visits), NOW, NOW - timedelta(minutes=10))
    return sorted(everything, key=lambda one: (names[one.workspace_id], one.name.casefold(), one.destination_id))


@on_both_databases
def test_the_broken_ones_are_those_with_a_broken_state(visits: dict[int, Visit]) -> None:
    states = {one.destination_id: one.state for one in _list_all(visits)}

    found = list_broken(list(visits), NOW)

    assert {key for ids in found.values() for key in ids} == {key for key, state in states.items() if state.is_broken}
    assert load_broken_page(visits, None, NOW).total == Counter(state.is_broken for state in states.values())[True]


@on_both_databases
def test_the_stale_ones_are_those_that_are_neither_broken_nor_being_tested(
    visits: dict[int, Visit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broken, "MAX_LISTED", 5)
    is_shown_otherwise = {state: state.is_broken or state is Tab.PENDING for state in Tab}
    stale = [
        one for one in _list_all(visits) if not is_shown_otherwise[one.state] and ProofGap.STALE in find_gaps(one, NOW)
    ]

    page = load_broken_page(visits, None, NOW)

    assert page.stale_total == len(stale)
    assert [(row.destination.id, row.acceptance) for row in page.stale] == [
        (one.destination_id, one.proof.acceptance) for one in stale[:5]
    ]
    assert {one.state for one in stale} == {Tab.NEVER, Tab.SENT}
