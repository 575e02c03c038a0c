"""The overview of a workspace: its summary in words, and its filtered, sorted list."""

from datetime import timedelta

import pytest

from tests.factories import NOW, seconds
from webapp.dashboard.overview import (
    PAGE_SIZE,
    ListQuery,
    Order,
    build_list_page,
    build_overview,
    describe_overview,
    parse_list_query,
)
from webapp.dashboard.proof_gaps import ProofGap
from webapp.dashboard.summaries import DestinationSummary, Tab
from webapp.deliveries.last_acceptance import Acceptance
from webapp.deliveries.proof import Proof

MANY = [
    DestinationSummary(number, 1, f"Number {number:03}", "webhook", Tab.NEVER) for number in range(PAGE_SIZE * 2 + 1)
]
FEW = [
    DestinationSummary(1, 1, "Zebra", "slack", Tab.SENT),
    DestinationSummary(2, 1, "apple", "email", Tab.FAILED),
    DestinationSummary(3, 1, "Banana", "slack", Tab.DISABLED),
    DestinationSummary(4, 1, "Cherry", "teams", Tab.PENDING),
    DestinationSummary(5, 1, "Damson", "teams", Tab.NEVER),
    DestinationSummary(6, 1, "Elder", "email", Tab.MISSING),
]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({Tab.SENT: 9}, "All 9 destinations accepted their last test."),
        ({Tab.SENT: 1}, "The destination accepted its last test."),
        (
            {Tab.SENT: 7, Tab.FAILED: 1, Tab.NEVER: 1},
            "7 of 9 destinations accepted their last test; 1 failed; 1 was never tested.",
        ),
        (
            {Tab.PENDING: 2, Tab.NEVER: 2, Tab.DISABLED: 1},
            "0 of 4 destinations accepted their last test; 2 are under way; 2 were never tested. 1 is disabled.",
        ),
        (
            {Tab.SENT: 7, Tab.FAILED: 1, Tab.MISSING: 1},
            "7 of 9 destinations accepted their last test; 1 failed; 1 message was reported missing.",
        ),
        (
            {Tab.SENT: 7, Tab.MISSING: 2},
            "7 of 9 destinations accepted their last test; 2 messages were reported missing.",
        ),
        ({Tab.FAILED: 1}, "0 of 1 destination accepted its last test; 1 failed."),
        ({Tab.DISABLED: 2}, "No destination is enabled. 2 are disabled."),
    ],
)
def test_the_state_is_described_in_one_sentence(counts: dict[Tab, int], words: str) -> None:
    assert describe_overview({state: counts.get(state, 0) for state in Tab}) == words


def _accepted(number: int, age: timedelta, state: Tab = Tab.SENT) -> DestinationSummary:
    at = NOW - age
    proof = Proof(Acceptance(number, at, is_outdated=False))
    return DestinationSummary(number, 1, f"Number {number}", "webhook", state, tested_at=at, proof=proof)


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("summaries", "words"),
    [
        ([_accepted(1, 64.9 * DAY)], "The destination accepted its last test 64 days ago."),
        ([_accepted(1, DAY)], "The destination accepted its last test 1 day ago."),
        ([_accepted(1, DAY - seconds(1))], "The destination accepted its last test."),
        (
            [_accepted(1, 64 * DAY), _accepted(2, DAY)],
            "All 2 destinations accepted their last test, the oldest 64 days ago.",
        ),
        ([_accepted(1, seconds(9)), _accepted(2, seconds(8))], "All 2 destinations accepted their last test."),
        (
            [_accepted(1, 3 * DAY), _accepted(2, 2 * DAY), _accepted(3, 64 * DAY, Tab.FAILED)],
            "2 of 3 destinations accepted their last test, the oldest 3 days ago; 1 failed.",
        ),
        (
            [_accepted(1, 3 * DAY), _accepted(2, 64 * DAY, Tab.FAILED)],
            "1 of 2 destinations accepted their last test, 3 days ago; 1 failed.",
        ),
        ([_accepted(1, 64 * DAY, Tab.FAILED)], "0 of 1 destination accepted its last test; 1 failed."),
        ([_accepted(1, 64 * DAY, Tab.DISABLED)], "No destination is enabled. 1 is disabled."),
    ],
)
def test_the_headline_names_the_age_of_the_oldest_accepted_test(
    summaries: list[DestinationSummary], words: str
) -> None:
    assert build_overview(summaries, NOW).sentence == words


def test_the_tab_of_stale_destinations_counts_what_it_lists() -> None:
    summaries = [
        _accepted(1, 30 * DAY),
        _accepted(2, 30 * DAY - seconds(1)),
        _accepted(3, 64 * DAY, Tab.FAILED),
        _accepted(4, 64 * DAY, Tab.DISABLED),
        DestinationSummary(5, 1, "Number 5", "webhook", Tab.NEVER),
    ]

    assert build_list_page(summaries, ListQuery(gap=ProofGap.STALE, order=Order.NAME), NOW).rows == [1, 3, 5]
    assert build_overview(summaries, NOW).gaps == {ProofGap.STALE: 3, ProofGap.UNCONFIRMED: 0}


def test_broken_destinations_come_first_and_disabled_ones_last() -> None:
    assert build_list_page(FEW, ListQuery(), NOW).rows == [2, 6, 4, 5, 1, 3]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (ListQuery(state=Tab.FAILED), [2]),
        (ListQuery(state=Tab.MISSING), [6]),
        (ListQuery(channel="slack"), [1, 3]),
        (ListQuery(text="AN"), [3]),
        (ListQuery(channel="teams", text="d"), [5]),
        (ListQuery(order=Order.NAME), [2, 3, 4, 5, 6, 1]),
        (ListQuery(order=Order.CHANNEL), [2, 6, 3, 1, 4, 5]),
        (ListQuery(state=Tab.SENT, text="no such"), []),
    ],
)
def test_a_list_query_filters_and_sorts(query: ListQuery, ids: list[int]) -> None:
    assert build_list_page(FEW, query, NOW).rows == ids


@pytest.mark.parametrize(("page", "first", "length"), [(1, 0, 100), (2, 100, 100), (3, 200, 1), (99, 200, 1)])
def test_a_page_number_beyond_the_end_selects_the_last_page(page: int, first: int, length: int) -> None:
    list_page = build_list_page(MANY, ListQuery(page=page), NOW)

    assert (list_page.rows[0], len(list_page.rows), list_page.total, list_page.pages) == (first, length, 201, 3)


def test_a_list_query_is_read_from_the_url_and_written_back() -> None:
    query = {"state": "failed", "gap": "stale", "channel": "slack", "q": "a b", "order": "name", "page": "2"}

    assert {name: str(value) for name, value in parse_list_query(query).as_query().items()} == query


@pytest.mark.parametrize(
    "query",
    [
        {"state": "lost"},
        {"gap": "wide"},
        {"order": "chaos"},
        {"page": "0"},
        {"page": "-1"},
        {"page": "\u0663"},
        {"page": "9" * 30},
        {},
    ],
)
def test_unknown_words_filter_nothing(query: dict[str, str]) -> None:
    assert parse_list_query(query) == ListQuery()
