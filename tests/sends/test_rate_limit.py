"""The 60 seconds: both sides of the boundary, and the enforce_limits."""

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest

from benchmarks.installation.servers import QueueServer
from tests.factories import NOW, seconds
from webapp import queue
from webapp.application import create_app
from webapp.deliveries.cooldown import CoolingDown, seconds_left
from webapp.sends.rate_limit import TooManyTestSends, enforce_limits
from webapp.settings import read_settings


@pytest.mark.parametrize(
    ("age", "left"),
    [(0, 60), (0.5, 60), (1, 59), (59, 1), (59.001, 1), (60, 0), (61, 0), (-1, 60), (-60, 60), (-61, 0), (-86_400, 0)],
)
def test_the_seconds_left_count_down_to_nothing(age: float, left: int) -> None:
    assert seconds_left(NOW - timedelta(seconds=age), NOW) == left


def test_where_there_was_no_test_there_is_nothing_to_wait_for() -> None:
    assert seconds_left(None, NOW) == 0


def test_the_door_lets_one_press_in_a_minute_through(context: None) -> None:
    with enforce_limits(1, 1, 1):
        pass

    with pytest.raises(CoolingDown), enforce_limits(1, 1, 1):
        pytest.fail("the enforce_limits was open")


def test_each_destination_has_a_door_of_its_own(context: None) -> None:
    with enforce_limits(1, 1, 1), enforce_limits(2, 1, 1):
        pass


def test_a_press_that_broke_for_another_reason_is_given_back(context: None) -> None:
    with pytest.raises(RuntimeError), enforce_limits(1, 1, 1):
        raise RuntimeError

    with enforce_limits(1, 1, 1):
        pass


def test_a_press_that_the_database_refused_is_given_back_since_the_database_remembers_better(context: None) -> None:
    with pytest.raises(CoolingDown), enforce_limits(1, 1, 1):
        raise CoolingDown

    with enforce_limits(1, 1, 1):
        pass


def test_the_door_closes_for_no_longer_than_a_minute(context: None, queue_server: QueueServer) -> None:
    with enforce_limits(1, 1, 1):
        pass

    client = queue.connect(queue_server.url)
    (key,) = client.keys("*test-send*")
    assert 59_000 < client.pttl(key) <= seconds(60) / timedelta(milliseconds=1)


def test_without_redis_the_door_stands_open_since_the_database_decides(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"}))

    with app.app_context(), enforce_limits(1, 1, 1):
        pass


def test_a_redis_that_does_not_answer_is_asked_once(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        app = create_app(read_settings(environment | {"REDIS_URL": f"redis://127.0.0.1:{frozen.getsockname()[1]}"}))
        frozen.setblocking(False)

        with app.app_context(), enforce_limits(1, 1, 1):
            pass

        frozen.accept()[0].close()
        with pytest.raises(BlockingIOError):
            frozen.accept()


def _press(destination_id: int, account_id: int, workspace_id: int) -> None:
    with enforce_limits(destination_id, account_id, workspace_id):
        pass


@pytest.fixture
def few_presses(environment: dict[str, str]) -> Iterator[None]:
    with create_app(
        read_settings(environment | {"ALERTCHECK_PRESSES_PER_MEMBER": "2", "ALERTCHECK_PRESSES_PER_WORKSPACE": "3"})
    ).app_context():
        yield


def test_a_member_may_press_as_often_as_the_operator_says_and_not_once_more(few_presses: None) -> None:
    _press(1, account_id=1, workspace_id=1)
    _press(2, account_id=1, workspace_id=2)

    with pytest.raises(TooManyTestSends):
        _press(3, account_id=1, workspace_id=3)
    _press(3, account_id=2, workspace_id=3)


def test_a_workspace_may_press_as_often_as_the_operator_says_and_not_once_more(few_presses: None) -> None:
    _press(1, account_id=1, workspace_id=1)
    _press(2, account_id=2, workspace_id=1)
    _press(3, account_id=3, workspace_id=1)

    with pytest.raises(TooManyTestSends):
        _press(4, account_id=4, workspace_id=1)
    _press(4, account_id=4, workspace_id=2)
