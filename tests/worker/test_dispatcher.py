"""The crew: who may send when, and what becomes of what had no turn."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest

from benchmarks.installation.processes import wait_until
from webapp.worker.dispatcher import Bounds, Crew, Errand

BRIEFLY = 0.3
"""Seconds in which what must not happen would have happened."""


@dataclass
class FarEnd:
    """Sends that last until they are let go. begun: deliveries, in the order in which they were sent."""

    errands: dict[int, Errand] = field(default_factory=dict)
    begun: list[int] = field(default_factory=list)
    let_go: dict[int, threading.Event] = field(default_factory=dict)
    broken: bool = False

    def send(self, delivery_id: int) -> None:
        self.begun.append(delivery_id)
        assert self.let_go[delivery_id].wait(10)
        if self.broken:
            raise RuntimeError

    def look_up(self, delivery_ids: Sequence[int]) -> list[Errand]:
        return [self.errands[delivery_id] for delivery_id in delivery_ids if delivery_id in self.errands]

    def expect(self, errand: Errand) -> int:
        self.errands[errand.delivery_id] = errand
        self.let_go[errand.delivery_id] = threading.Event()
        return errand.delivery_id

    def man(self, bounds: Bounds = Bounds()) -> Crew:  # noqa: B008 - a frozen value
        return Crew(self.look_up, self.send, bounds)


NUMBERS = count(1)


@pytest.fixture
def far_end() -> Iterator[FarEnd]:
    far_end = FarEnd()
    yield far_end
    for event in far_end.let_go.values():
        event.set()


def _errand(far_end: FarEnd, workspace: int = 1, destination: int | None = None) -> int:
    number = next(NUMBERS)
    return far_end.expect(Errand(number, destination or number, workspace))


def _take(crew: Crew, far_end: FarEnd, times: int, workspace: int = 1) -> list[int]:
    taken = [_errand(far_end, workspace) for _ in range(times)]
    crew.take(*taken)
    return taken


def _take_in_thread(crew: Crew, delivery_id: int) -> threading.Thread:
    thread = threading.Thread(target=crew.take, args=(delivery_id,), daemon=True)
    thread.start()
    return thread


def test_sends_go_on_side_by_side_up_to_the_bound(far_end: FarEnd) -> None:
    crew = far_end.man(Bounds(at_once=3))

    taken = _take(crew, far_end, times=4)
    wait_until(lambda: len(far_end.begun) == 3)
    assert not crew.rest(within=BRIEFLY)
    assert far_end.begun == taken[:3]

    far_end.let_go[taken[1]].set()
    wait_until(lambda: far_end.begun == taken)


def test_a_workspace_at_its_bound_lets_another_pass(far_end: FarEnd) -> None:
    crew = far_end.man(Bounds(at_once=4, per_workspace=2))

    busy = _take(crew, far_end, times=3, workspace=1)
    (other,) = _take(crew, far_end, times=1, workspace=2)
    wait_until(lambda: far_end.begun == [*busy[:2], other])

    far_end.let_go[busy[0]].set()
    wait_until(lambda: far_end.begun == [*busy[:2], other, busy[2]])


def test_a_destination_gets_one_message_at_a_time(far_end: FarEnd) -> None:
    crew = far_end.man()
    first, second = (_errand(far_end, destination=7) for _ in range(2))

    crew.take(first)
    crew.take(second)
    assert not crew.rest(within=BRIEFLY)
    assert far_end.begun == [first]

    far_end.let_go[first].set()
    wait_until(lambda: far_end.begun == [first, second])


@pytest.mark.parametrize("at_once", [1, 2], ids=["waiting", "under way"])
def test_what_is_here_already_is_not_taken_twice(far_end: FarEnd, at_once: int) -> None:
    crew = far_end.man(Bounds(at_once=at_once))
    taken = _take(crew, far_end, times=1)
    errand = _errand(far_end)
    for _ in range(2):
        crew.take(errand)

    for event in far_end.let_go.values():
        event.set()

    assert crew.rest(within=5)
    assert far_end.begun == [*taken, errand]


def test_whoever_brings_more_waits_while_too_many_wait(far_end: FarEnd) -> None:
    crew = far_end.man(Bounds(at_once=1, waiting=1))
    first, _second = _take(crew, far_end, times=2)

    one_too_many = _take_in_thread(crew, _errand(far_end))
    one_too_many.join(BRIEFLY)
    assert one_too_many.is_alive()

    far_end.let_go[first].set()
    one_too_many.join(5)
    assert not one_too_many.is_alive()


def test_a_send_that_breaks_gives_its_place_back(far_end: FarEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)
    far_end.broken = True
    crew = far_end.man(Bounds(at_once=1))
    taken = _take(crew, far_end, times=2)

    for event in far_end.let_go.values():
        event.set()

    assert crew.rest(within=5)
    assert far_end.begun == taken


def test_what_comes_on_top_of_a_workspaces_or_a_destinations_share_of_the_places_is_left_to_recovery(
    far_end: FarEnd,
) -> None:
    crew = far_end.man(Bounds(at_once=1, waiting_of_workspace=3, waiting_of_destination=2))
    under_way = _take(crew, far_end, times=1)
    wait_until(lambda: far_end.begun == under_way)

    same = [_errand(far_end, destination=7) for _ in range(3)]
    others, foreign = [_errand(far_end) for _ in range(2)], [_errand(far_end, workspace=2)]
    crew.take(*same, *others, *foreign)
    crew.rest(within=BRIEFLY)

    assert crew.close() == [*same[:2], others[0], *foreign]


def test_what_is_known_already_never_waits(far_end: FarEnd) -> None:
    crew = far_end.man(Bounds(at_once=1, waiting=1))
    taken = _take(crew, far_end, times=2)
    wait_until(lambda: far_end.begun)

    reminder = _take_in_thread(crew, taken[1])

    reminder.join(5)
    assert not reminder.is_alive()


def test_at_the_end_what_is_under_way_is_finished_and_the_rest_is_given_back(far_end: FarEnd) -> None:
    crew = far_end.man(Bounds(at_once=1))
    under_way, *waiting = _take(crew, far_end, times=3)
    wait_until(lambda: far_end.begun)

    assert crew.close() == waiting
    far_end.let_go[under_way].set()

    assert crew.rest(within=5)
    assert far_end.begun == [under_way]


def test_the_end_does_not_wait_for_ever(far_end: FarEnd) -> None:
    crew = far_end.man()
    _take(crew, far_end, times=1)
    wait_until(lambda: far_end.begun)

    assert crew.close() == []
    assert not crew.rest(within=BRIEFLY)


def test_what_comes_after_the_end_is_not_begun(far_end: FarEnd) -> None:
    crew = far_end.man()
    crew.close()

    taken = _take(crew, far_end, times=1)

    assert crew.rest(within=BRIEFLY)
    assert crew.close() == taken
    assert far_end.begun == []


def test_the_end_frees_whoever_waits_to_hand_something_over(far_end: FarEnd) -> None:
    crew = far_end.man(Bounds(at_once=1, waiting=1))
    _take(crew, far_end, times=2)
    number = _errand(far_end)
    waiting = _take_in_thread(crew, number)
    waiting.join(BRIEFLY)
    assert waiting.is_alive()

    crew.close()

    waiting.join(5)
    assert number in crew.close()


def test_a_crew_that_can_no_longer_look_anything_up_stops_its_process(
    far_end: FarEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()
    monkeypatch.setattr("webapp.worker.dispatcher.os.kill", lambda *_arguments: stopped.set())
    monkeypatch.setattr(far_end, "look_up", _fail)

    far_end.man().take(1)

    assert stopped.wait(5)


def _fail(_delivery_ids: Sequence[int]) -> list[Errand]:
    raise MemoryError


def test_without_memory_for_a_thread_an_errand_waits_for_the_next_chance(
    far_end: FarEnd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crew = far_end.man()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _refuse)
        first = _take(crew, far_end, times=1)
        wait_until(lambda: "no further thread could be started" in caplog.text)

    crew.take(*first)  # recovery reminds it

    wait_until(lambda: far_end.begun == first)


def _refuse(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
