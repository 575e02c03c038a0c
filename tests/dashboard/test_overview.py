"""The glance over a workspace: its state in words, and which destinations a visitor wants to see."""

import pytest

from tests.factories import NOW, Cast, add_delivery, get_account, get_destination, on_both_databases, seconds
from webapp.dashboard.overview import (
    ON_A_PAGE,
    Choice,
    Glance,
    Order,
    State,
    choose,
    count_states,
    list_glances,
    read_choice,
    tell_state,
)
from webapp.destinations.editing import delete_destination, set_enabled
from webapp.models import DeliveryStatus

MANY = [Glance(number, 1, f"Number {number:03}", "webhook", State.NEVER) for number in range(ON_A_PAGE * 2 + 1)]
FEW = [
    Glance(1, 1, "Zebra", "slack", State.SENT),
    Glance(2, 1, "apple", "email", State.FAILED),
    Glance(3, 1, "Banana", "slack", State.DISABLED),
    Glance(4, 1, "Cherry", "teams", State.PENDING),
    Glance(5, 1, "Damson", "teams", State.NEVER),
]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({State.SENT: 9}, "All 9 destinations accepted their last test."),
        ({State.SENT: 1}, "The destination accepted its last test."),
        (
            {State.SENT: 7, State.FAILED: 1, State.NEVER: 1},
            "7 of 9 destinations accepted their last test; 1 failed; 1 was never tested.",
        ),
        (
            {State.PENDING: 2, State.NEVER: 2, State.DISABLED: 1},
            "0 of 4 destinations accepted their last test; 2 are under way; 2 were never tested. 1 is disabled.",
        ),
        ({State.FAILED: 1}, "0 of 1 destination accepted its last test; 1 failed."),
        ({State.DISABLED: 2}, "No destination is in use. 2 are disabled."),
    ],
)
def test_the_state_is_said_in_one_sentence(counts: dict[State, int], words: str) -> None:
    assert tell_state({state: counts.get(state, 0) for state in State}) == words


def test_the_broken_ones_come_first_and_the_disabled_ones_last() -> None:
    assert choose(FEW, Choice()).ids == [2, 4, 5, 1, 3]


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (Choice(state=State.FAILED), [2]),
        (Choice(channel="slack"), [1, 3]),
        (Choice(text="AN"), [3]),
        (Choice(channel="teams", text="d"), [5]),
        (Choice(order=Order.NAME), [2, 3, 4, 5, 1]),
        (Choice(order=Order.CHANNEL), [2, 3, 1, 4, 5]),
        (Choice(state=State.SENT, text="no such"), []),
    ],
)
def test_a_choice_filters_and_sorts(choice: Choice, ids: list[int]) -> None:
    assert choose(FEW, choice).ids == ids


@pytest.mark.parametrize(("page", "first", "length"), [(1, 0, 50), (2, 50, 50), (3, 100, 1), (99, 100, 1)])
def test_a_page_is_cut_out_and_one_that_is_not_there_is_the_last(page: int, first: int, length: int) -> None:
    chosen = choose(MANY, Choice(page=page))

    assert (chosen.ids[0], len(chosen.ids), chosen.total, chosen.pages) == (first, length, 101, 3)


def test_a_choice_is_read_from_the_address_and_written_back() -> None:
    query = {"state": "failed", "channel": "slack", "q": "a b", "order": "name", "page": "2"}

    assert {name: str(value) for name, value in read_choice(query).as_query().items()} == query


@pytest.mark.parametrize(
    "query",
    [{"state": "lost"}, {"order": "chaos"}, {"page": "0"}, {"page": "-1"}, {"page": "\u0663"}, {"page": "9" * 9}, {}],
)
def test_words_that_mean_nothing_choose_nothing(query: dict[str, str]) -> None:
    assert read_choice(query) == Choice()


@on_both_databases
def test_a_destination_stands_in_the_state_of_its_newest_test(context: None, cast: Cast) -> None:
    destination = get_destination(cast)
    add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW)
    add_delivery(destination, status=DeliveryStatus.FAILED, last_error_code="gone", created_at=NOW + seconds(1))

    assert [(glance.name, glance.state) for glance in list_glances([cast.harbor])] == [("Ticket system", State.FAILED)]


def test_a_disabled_destination_is_listed_as_that_and_a_deleted_one_not_at_all(context: None, cast: Cast) -> None:
    destination, admin = get_destination(cast), get_account(cast)
    set_enabled(destination, admin, False, NOW)
    disabled = count_states(list_glances([cast.harbor]))
    delete_destination(destination, admin, NOW)

    assert (disabled[State.DISABLED], list_glances([cast.harbor])) == (1, [])
