"""The limits per minute: counted in every window or in none, in moving windows, with keys that reveal nothing."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from benchmarks.installation.servers import QueueServer
from tests.queue_keys import key_of
from webapp import queue
from webapp.application import create_app
from webapp.outbound.policy.counted_targets import SendTarget, TargetKind
from webapp.presses.eligibility import RequestResult
from webapp.presses.limit_counters import (
    WINDOW,
    PressLimit,
    TooManyTestSends,
    count_press,
    list_limits,
    uncount_presses,
)
from webapp.settings import read_settings

HOST = SendTarget(TargetKind.HOST, "canary.example.com")
URL = SendTarget(TargetKind.URL, "https://hooks.example.com/canary")
RECIPIENT = SendTarget(TargetKind.RECIPIENT, "canary@example.com")


def limit(key: str, amount: int, reason: RequestResult = RequestResult.TARGET_LIMIT) -> PressLimit:
    return PressLimit(reason, key, amount)


def count_until_refused(limits: Sequence[PressLimit]) -> tuple[int, TooManyTestSends]:
    for counted in range(1000):
        try:
            count_press(limits)
        except TooManyTestSends as refusal:
            return counted, refusal
    pytest.fail("nothing was refused")


@pytest.mark.parametrize("amount", [0, 1, 3])
def test_a_limit_accepts_as_many_as_it_says(context: None, amount: int) -> None:
    assert count_until_refused([limit("a", amount)])[0] == amount


def test_a_refused_press_counts_in_no_window(context: None) -> None:
    count_press([limit("full", 1)])

    for _ in range(5):
        with pytest.raises(TooManyTestSends):
            count_press([limit("a", 2), limit("full", 1), limit("b", 2)])

    assert count_until_refused([limit("a", 2), limit("b", 2)])[0] == 2


def test_a_press_that_is_uncounted_frees_its_place_and_no_other(context: None) -> None:
    limits = [limit("a", 2), limit("b", 2)]
    count_press(limits)
    uncount_presses([(count_press(limits), limits)])

    assert count_until_refused(limits)[0] == 1


def test_the_first_full_limit_gives_the_reason(context: None) -> None:
    full = [limit("a", 0, RequestResult.MEMBER_LIMIT), limit("b", 0, RequestResult.WORKSPACE_LIMIT)]

    assert count_until_refused([limit("c", 1), *full])[1].reason is RequestResult.MEMBER_LIMIT


def _age(queue_server: QueueServer, key: str, *ages: float) -> None:
    """Replace what was counted with presses of these ages in seconds."""
    client = queue.connect(queue_server.url)
    now = client.time()[0] * 1000
    client.delete(key_of(f"presses:{key}"))
    client.zadd(key_of(f"presses:{key}"), {str(age): now - age * 1000 for age in ages})


@pytest.mark.parametrize(("age", "counted"), [(58, 1), (61, 2)])
def test_a_press_counts_for_a_minute(context: None, queue_server: QueueServer, age: float, counted: int) -> None:
    _age(queue_server, "a", age)

    assert count_until_refused([limit("a", 2)])[0] == counted


def test_a_refusal_gives_the_seconds_to_the_next_and_to_all(context: None, queue_server: QueueServer) -> None:
    _age(queue_server, "a", 50, 40, 30, 20)
    refusal = count_until_refused([limit("a", 3)])[1]  # the limit was lowered: two have to age before the next

    assert refusal.seconds in (19, 20)
    assert refusal.seconds_to_all in (39, 40)


def test_the_seconds_are_those_of_the_slowest_limit(context: None, queue_server: QueueServer) -> None:
    _age(queue_server, "a", 50)
    _age(queue_server, "b", 20)
    refusal = count_until_refused([limit("a", 1), limit("b", 1)])[1]

    assert (refusal.seconds in (39, 40), refusal.seconds_to_all in (39, 40)) == (True, True)


@pytest.mark.parametrize(("ahead", "counted", "seconds"), [(30, 0, 60), (61, 1, 60)])
def test_after_the_clock_was_set_back_a_press_counts_for_a_minute_or_not_at_all(
    context: None, queue_server: QueueServer, ahead: float, counted: int, seconds: int
) -> None:
    _age(queue_server, "a", -ahead)
    accepted, refusal = count_until_refused([limit("a", 1)])

    assert (accepted, refusal.seconds) == (counted, seconds)


def test_the_windows_leave_nothing_behind(context: None, queue_server: QueueServer) -> None:
    count_press([limit("a", 1)])

    assert 0 < queue.connect(queue_server.url).pttl(key_of("presses:a")) <= WINDOW


def test_presses_at_the_same_instant_are_counted_one_by_one(app: Flask, context: None) -> None:
    """Each press counts for two targets. The last place of one must not be taken by a press that the other refuses."""

    def press(number: int) -> str:
        with app.app_context():
            limits = [limit("shared", 7), limit("full" if number % 2 else "free", 0 if number % 2 else 100)]
            try:
                count_press(limits)
            except TooManyTestSends:
                return "refused"
            return "counted"

    with ThreadPoolExecutor(8) as threads:
        results = Counter(threads.map(press, range(60)))

    assert results == {"counted": 7, "refused": 53}


def test_no_key_contains_a_target(context: None, queue_server: QueueServer) -> None:
    count_press(list_limits(1, 2, [HOST, URL, RECIPIENT]))

    keys = [str(key) for key in queue.connect(queue_server.url).keys("*")]
    assert len(keys) == 5
    assert not [key for key in keys if "canary" in key or "example" in key]


def test_the_keys_of_targets_depend_on_the_secret_key(context: None, environment: dict[str, str]) -> None:
    with create_app(read_settings(environment | {"SECRET_KEY": "another key, long enough to sign with"})).app_context():
        others = list_limits(None, 1, [HOST])

    assert list_limits(None, 1, [HOST])[-1] != others[-1]


@pytest.fixture
def few_tests(environment: dict[str, str]) -> Iterator[None]:
    settings = {"ALERTCHECK_TESTS_PER_TARGET": "3", "ALERTCHECK_TESTS_PER_RECIPIENT": "2"}
    with create_app(read_settings(environment | settings)).app_context():
        yield


@pytest.mark.parametrize(("target", "counted"), [(HOST, 3), (URL, 3), (RECIPIENT, 2)])
def test_a_target_gets_as_many_tests_as_the_settings_allow_from_all_workspaces(
    few_tests: None, target: SendTarget, counted: int
) -> None:
    for workspace_id in range(counted):
        count_press(list_limits(workspace_id, workspace_id, [target]))

    with pytest.raises(TooManyTestSends) as refused:
        count_press(list_limits(9, 9, [target]))
    assert refused.value.reason is RequestResult.TARGET_LIMIT


def test_without_a_member_only_the_workspace_and_the_targets_count(context: None) -> None:
    assert [limit.reason for limit in list_limits(None, 1, [HOST])] == [
        RequestResult.WORKSPACE_LIMIT,
        RequestResult.TARGET_LIMIT,
    ]


def test_one_press_takes_one_round_trip(context: None, queue_server: QueueServer) -> None:
    limits = [limit(str(number), 10) for number in range(22)]
    count_press(limits)
    client = queue.connect(queue_server.url)
    before, started = client.info("commandstats")["cmdstat_evalsha"]["calls"], time.monotonic()

    count_press(limits)

    assert client.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 1
    assert time.monotonic() - started < 1
