"""The cooldown, both sides of its boundary, and the rate limits per member, workspace and target."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from redis.connection import AbstractConnection

from benchmarks.installation.servers import QueueServer
from tests.factories import NOW, seconds
from tests.presses.one_press import count_one
from webapp import queue
from webapp.application import create_app
from webapp.deliveries.requesting.cooldown import CoolingDown, cooldown_end, seconds_left
from webapp.outbound.policy.counted_targets import SendTarget, TargetKind
from webapp.presses.limit_counters import TooManyTestSends
from webapp.settings import read_settings


@pytest.mark.parametrize(
    ("age", "left"),
    [(0, 60), (0.5, 60), (1, 59), (59, 1), (59.001, 1), (60, 0), (61, 0), (-1, 60), (-60, 60), (-61, 0), (-86_400, 0)],
)
def test_the_seconds_left_count_down_to_zero(age: float, left: int) -> None:
    assert seconds_left(NOW - timedelta(seconds=age), NOW) == left


@pytest.mark.parametrize("age", [0, 0.5, 59, 60, 3600])
def test_a_cooldown_ends_at_one_instant_however_often_it_is_read(age: float) -> None:
    assert cooldown_end(NOW, NOW + seconds(age)) == NOW + seconds(60)


def test_there_is_no_cooldown_before_the_first_test() -> None:
    assert (cooldown_end(None, NOW), seconds_left(None, NOW)) == (None, 0)


def test_a_test_from_the_far_future_has_no_cooldown() -> None:
    assert cooldown_end(NOW + seconds(61), NOW) is None


def test_one_press_in_a_minute_is_allowed(context: None) -> None:
    with count_one(1, 1, 1):
        pass

    with pytest.raises(CoolingDown), count_one(1, 1, 1):
        pytest.fail("the second press was allowed")


def test_each_destination_has_its_own_cooldown(context: None) -> None:
    with count_one(1, 1, 1), count_one(2, 1, 1):
        pass


def test_a_press_that_fails_for_another_reason_does_not_count(context: None) -> None:
    with pytest.raises(RuntimeError), count_one(1, 1, 1):
        raise RuntimeError

    with count_one(1, 1, 1):
        pass


def test_a_press_that_the_database_refuses_does_not_count_in_redis(context: None) -> None:
    with pytest.raises(CoolingDown), count_one(1, 1, 1):
        raise CoolingDown

    with count_one(1, 1, 1):
        pass


def test_the_limit_in_redis_lasts_at_most_a_minute(context: None, queue_server: QueueServer) -> None:
    with count_one(1, 1, 1):
        pass

    client = queue.connect(queue_server.url)
    (key,) = client.keys("*test-send*")
    assert 59_000 < client.pttl(key) <= seconds(60) / timedelta(milliseconds=1)


def test_a_cooldown_in_redis_ends_within_a_minute_although_its_clock_is_set_back(
    context: None, queue_server: QueueServer
) -> None:
    _press(1, account_id=1, workspace_id=1)
    client = queue.connect(queue_server.url)
    (key,) = client.keys("*test-send*")
    client.expire(key, 3660)  # what is left of a minute when the clock is set back by an hour

    with pytest.raises(CoolingDown):
        _press(1, account_id=1, workspace_id=1)

    assert 59_000 < client.pttl(key) <= 60_000


def test_a_press_is_allowed_without_redis_because_the_database_decides(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"}))

    with app.app_context(), count_one(1, 1, 1):
        pass


def test_without_redis_the_log_says_why(environment: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://:canary@nosuch.invalid"}))

    with app.app_context(), count_one(1, 1, 1):
        pass

    assert queue.QueueOutage.UNKNOWN_HOST.sentence in caplog.text


def test_a_redis_that_does_not_respond_is_queried_once(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        app = create_app(read_settings(environment | {"REDIS_URL": f"redis://127.0.0.1:{frozen.getsockname()[1]}"}))
        frozen.setblocking(False)

        with app.app_context(), count_one(1, 1, 1):
            pass

        frozen.accept()[0].close()
        with pytest.raises(BlockingIOError):
            frozen.accept()


def _press(destination_id: int, account_id: int, workspace_id: int) -> None:
    with count_one(destination_id, account_id, workspace_id):
        pass


@pytest.fixture
def few_presses(environment: dict[str, str]) -> Iterator[None]:
    limits = {"PRESSES_PER_MEMBER": "2", "PRESSES_PER_WORKSPACE": "3", "TESTS_PER_TARGET": "3"}
    settings = {f"ALERTCHECK_{name}": value for name, value in limits.items()}
    with create_app(read_settings(environment | settings)).app_context():
        yield


def test_a_member_may_press_as_often_as_the_setting_allows(few_presses: None) -> None:
    _press(1, account_id=1, workspace_id=1)
    _press(2, account_id=1, workspace_id=2)

    with pytest.raises(TooManyTestSends):
        _press(3, account_id=1, workspace_id=3)
    _press(3, account_id=2, workspace_id=3)


def test_a_press_during_the_cooldown_counts_in_no_other_limit(few_presses: None) -> None:
    _press(1, account_id=1, workspace_id=1)
    with pytest.raises(CoolingDown):
        _press(1, account_id=1, workspace_id=1)

    _press(2, account_id=1, workspace_id=1)


def test_a_press_takes_one_round_trip_to_redis(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _press(1, account_id=1, workspace_id=1)  # connects, and the server learns the script
    send: Any = AbstractConnection.send_packed_command
    sent: list[object] = []

    def note_and_send(*arguments: Any, **options: Any) -> None:
        sent.append(arguments)
        send(*arguments, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", note_and_send)
    _press(2, account_id=1, workspace_id=1)

    assert len(sent) == 1


def test_a_workspace_may_press_as_often_as_the_setting_allows(few_presses: None) -> None:
    _press(1, account_id=1, workspace_id=1)
    _press(2, account_id=2, workspace_id=1)
    _press(3, account_id=3, workspace_id=1)

    with pytest.raises(TooManyTestSends):
        _press(4, account_id=4, workspace_id=1)
    _press(4, account_id=4, workspace_id=2)


TARGET = SendTarget(TargetKind.HOST, "example.com")


def test_a_press_over_the_limit_of_a_target_starts_no_cooldown(few_presses: None) -> None:
    for destination_id in range(1, 4):
        with count_one(destination_id, destination_id, destination_id, [TARGET]):
            pass

    with pytest.raises(TooManyTestSends), count_one(4, 4, 4, [TARGET]):
        pytest.fail("the press was allowed")
    _press(4, account_id=4, workspace_id=4)


def test_a_press_within_the_cooldown_counts_for_no_target(few_presses: None) -> None:
    for _ in range(5):
        with suppress(CoolingDown), count_one(1, 1, 1, [TARGET]):
            pass

    for destination_id in (2, 3):
        with count_one(destination_id, destination_id, destination_id, [TARGET]):
            pass


def test_a_press_that_the_database_refuses_counts_for_no_target(few_presses: None) -> None:
    for destination_id in range(1, 6):
        with pytest.raises(CoolingDown), count_one(destination_id, 1, 1, [TARGET]):
            raise CoolingDown

    with count_one(6, 1, 1, [TARGET]):
        pass
