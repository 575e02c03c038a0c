"""The crew: who may send when, and what becomes of what had no turn."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest

from benchmarks.installation.processes import wait_until
from webapp.deliveries.ready_deliveries import ReadyDelivery
from webapp.worker.dispatcher import ConcurrencyLimits, Dispatcher

BRIEFLY = 0.3
"""Seconds in which what must not happen would have happened."""


@dataclass
class FarEnd:
    """Sends that last until they are let go. begun: deliveries, in the order in which they were sent."""

    ready_deliveries: dict[int, ReadyDelivery] = field(default_factory=dict)
    begun: list[int] = field(default_factory=list)
    let_go: dict[int, threading.Event] = field(default_factory=dict)
    broken: bool = False

    def send(self, delivery_id: int) -> None:
        self.begun.append(delivery_id)
        assert self.let_go[delivery_id].wait(10)
        if self.broken:
            raise RuntimeError

    def look_up(self, delivery_ids: Sequence[int]) -> list[ReadyDelivery]:
        return [
            self.ready_deliveries[delivery_id] for delivery_id in delivery_ids if delivery_id in self.ready_deliveries
        ]

    def expect(self, ready: ReadyDelivery) -> int:
        self.ready_deliveries[ready.delivery_id] = ready
        self.let_go[ready.delivery_id] = threading.Event()
        return ready.delivery_id

    def man(self, limits: ConcurrencyLimits = ConcurrencyLimits()) -> Dispatcher:  # noqa: B008 - a frozen value
        return Dispatcher(self.look_up, self.send, limits)


NUMBERS = count(100)  # past the destinations that a test names


@pytest.fixture
def receiver() -> Iterator[FarEnd]:
    receiver = FarEnd()
    yield receiver
    for event in receiver.let_go.values():
        event.set()


def _errand(receiver: FarEnd, workspace: int = 1, destination: int | None = None) -> int:
    number = next(NUMBERS)
    return receiver.expect(ReadyDelivery(number, destination or number, workspace))


def _take(dispatcher: Dispatcher, receiver: FarEnd, times: int, workspace: int = 1) -> list[int]:
    taken = [_errand(receiver, workspace) for _ in range(times)]
    dispatcher.submit(*taken)
    return taken


def _take_in_thread(dispatcher: Dispatcher, delivery_id: int) -> threading.Thread:
    thread = threading.Thread(target=dispatcher.submit, args=(delivery_id,), daemon=True)
    thread.start()
    return thread


def test_sends_go_on_side_by_side_up_to_the_bound(receiver: FarEnd) -> None:
    dispatcher = receiver.man(ConcurrencyLimits(concurrent=3))

    taken = _take(dispatcher, receiver, times=4)
    wait_until(lambda: len(receiver.begun) == 3)
    assert not dispatcher.wait_until_idle(timeout=BRIEFLY)
    assert receiver.begun == taken[:3]

    receiver.let_go[taken[1]].set()
    wait_until(lambda: receiver.begun == taken)


def test_a_workspace_at_its_bound_lets_another_pass(receiver: FarEnd) -> None:
    dispatcher = receiver.man(ConcurrencyLimits(concurrent=4, per_workspace=2))

    busy = _take(dispatcher, receiver, times=3, workspace=1)
    (other,) = _take(dispatcher, receiver, times=1, workspace=2)
    wait_until(lambda: receiver.begun == [*busy[:2], other])

    receiver.let_go[busy[0]].set()
    wait_until(lambda: receiver.begun == [*busy[:2], other, busy[2]])


def test_a_destination_gets_one_message_at_a_time(receiver: FarEnd) -> None:
    dispatcher = receiver.man()
    first, second = (_errand(receiver, destination=7) for _ in range(2))

    dispatcher.submit(first)
    dispatcher.submit(second)
    assert not dispatcher.wait_until_idle(timeout=BRIEFLY)
    assert receiver.begun == [first]

    receiver.let_go[first].set()
    wait_until(lambda: receiver.begun == [first, second])


@pytest.mark.parametrize("concurrent", [1, 2], ids=["waiting", "under way"])
def test_what_is_here_already_is_not_taken_twice(receiver: FarEnd, concurrent: int) -> None:
    dispatcher = receiver.man(ConcurrencyLimits(concurrent=concurrent))
    taken = _take(dispatcher, receiver, times=1)
    ready = _errand(receiver)
    for _ in range(2):
        dispatcher.submit(ready)

    for event in receiver.let_go.values():
        event.set()

    assert dispatcher.wait_until_idle(timeout=5)
    assert receiver.begun == [*taken, ready]


def test_whoever_brings_more_waits_while_too_many_wait(receiver: FarEnd) -> None:
    dispatcher = receiver.man(ConcurrencyLimits(concurrent=1, waiting=1))
    first, _second = _take(dispatcher, receiver, times=2)

    one_too_many = _take_in_thread(dispatcher, _errand(receiver))
    one_too_many.join(BRIEFLY)
    assert one_too_many.is_alive()

    receiver.let_go[first].set()
    one_too_many.join(5)
    assert not one_too_many.is_alive()


def test_a_send_that_breaks_gives_its_place_back(receiver: FarEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)
    receiver.broken = True
    dispatcher = receiver.man(ConcurrencyLimits(concurrent=1))
    taken = _take(dispatcher, receiver, times=2)

    for event in receiver.let_go.values():
        event.set()

    assert dispatcher.wait_until_idle(timeout=5)
    assert receiver.begun == taken


def test_what_comes_on_top_of_a_workspaces_or_a_destinations_share_of_the_places_is_left_to_recovery(
    receiver: FarEnd,
) -> None:
    dispatcher = receiver.man(ConcurrencyLimits(concurrent=1, waiting_per_workspace=3, waiting_per_destination=2))
    under_way = _take(dispatcher, receiver, times=1)
    wait_until(lambda: receiver.begun == under_way)

    same = [_errand(receiver, destination=7) for _ in range(3)]
    others, foreign = [_errand(receiver) for _ in range(2)], [_errand(receiver, workspace=2)]
    dispatcher.submit(*same, *others, *foreign)
    dispatcher.wait_until_idle(timeout=BRIEFLY)

    assert dispatcher.close() == [*same[:2], others[0], *foreign]


def test_what_is_known_already_never_waits(receiver: FarEnd) -> None:
    dispatcher = receiver.man(ConcurrencyLimits(concurrent=1, waiting=1))
    taken = _take(dispatcher, receiver, times=2)
    wait_until(lambda: receiver.begun)

    reminder = _take_in_thread(dispatcher, taken[1])

    reminder.join(5)
    assert not reminder.is_alive()


def test_at_the_end_what_is_under_way_is_finished_and_the_rest_is_given_back(receiver: FarEnd) -> None:
    dispatcher = receiver.man(ConcurrencyLimits(concurrent=1))
    under_way, *waiting = _take(dispatcher, receiver, times=3)
    wait_until(lambda: receiver.begun)

    assert dispatcher.close() == waiting
    receiver.let_go[under_way].set()

    assert dispatcher.wait_until_idle(timeout=5)
    assert receiver.begun == [under_way]


def test_the_end_does_not_wait_for_ever(receiver: FarEnd) -> None:
    dispatcher = receiver.man()
    _take(dispatcher, receiver, times=1)
    wait_until(lambda: receiver.begun)

    assert dispatcher.close() == []
    assert not dispatcher.wait_until_idle(timeout=BRIEFLY)


def test_what_comes_after_the_end_is_not_begun(receiver: FarEnd) -> None:
    dispatcher = receiver.man()
    dispatcher.close()

    taken = _take(dispatcher, receiver, times=1)

    assert dispatcher.wait_until_idle(timeout=BRIEFLY)
    assert dispatcher.close() == taken
    assert receiver.begun == []


def test_the_end_frees_whoever_waits_to_hand_something_over(receiver: FarEnd) -> None:
    dispatcher = receiver.man(ConcurrencyLimits(concurrent=1, waiting=1))
    _take(dispatcher, receiver, times=2)
    number = _errand(receiver)
    waiting = _take_in_thread(dispatcher, number)
    waiting.join(BRIEFLY)
    assert waiting.is_alive()

    dispatcher.close()

    waiting.join(5)
    assert number in dispatcher.close()


def test_a_crew_that_can_no_longer_look_anything_up_stops_its_process(
    receiver: FarEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()
    monkeypatch.setattr("webapp.worker.dispatcher.os.kill", lambda *_arguments: stopped.set())
    monkeypatch.setattr(receiver, "look_up", _fail)

    receiver.man().submit(1)

    assert stopped.wait(5)


def _fail(_delivery_ids: Sequence[int]) -> list[ReadyDelivery]:
    raise MemoryError


def test_without_memory_for_a_thread_an_errand_waits_for_the_next_chance(
    receiver: FarEnd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher = receiver.man()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _refuse)
        first = _take(dispatcher, receiver, times=1)
        wait_until(lambda: "cannot start a thread" in caplog.text)

    dispatcher.submit(*first)  # recovery reminds it

    wait_until(lambda: receiver.begun == first)


def _refuse(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
