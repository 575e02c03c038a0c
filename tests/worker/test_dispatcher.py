"""The dispatcher: which delivery may be sent when, and which are returned to recovery or to the queue."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest

from benchmarks.installation.processes import wait_until
from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery
from webapp.worker.dispatcher import ConcurrencyLimits, Dispatcher, Report

# Seconds within which an unwanted effect would have shown.
BRIEFLY = 0.3


@dataclass
class HeldReceiver:
    """Sends that last until they are released.

    started: ids of deliveries, in the order in which they were sent. reports: to report those sent without a look-up.
    """

    ready_deliveries: dict[int, ReadyDelivery] = field(default_factory=dict)
    started: list[int] = field(default_factory=list)
    reports: dict[int, Report] = field(default_factory=dict)
    released: dict[int, threading.Event] = field(default_factory=dict)
    broken: bool = False

    def send(self, delivery_id: int) -> None:
        self.started.append(delivery_id)
        assert self.released[delivery_id].wait(60)
        if self.broken:
            raise RuntimeError

    def send_alone(self, delivery_id: int, report: Report) -> None:
        self.reports[delivery_id] = report
        self.send(delivery_id)

    def report(self, delivery_id: int) -> None:
        self.reports[delivery_id](self.ready_deliveries[delivery_id])

    def list_ready(self, delivery_ids: Sequence[int]) -> list[ReadyDelivery]:
        return [
            self.ready_deliveries[delivery_id] for delivery_id in delivery_ids if delivery_id in self.ready_deliveries
        ]

    def expect(self, ready: ReadyDelivery) -> int:
        self.ready_deliveries[ready.delivery_id] = ready
        self.released[ready.delivery_id] = threading.Event()
        return ready.delivery_id

    def make_dispatcher(self, limits: ConcurrencyLimits = ConcurrencyLimits()) -> Dispatcher:  # noqa: B008 - a frozen value
        return Dispatcher(self.list_ready, self.send, limits)

    def make_dispatcher_for_singles(self, limits: ConcurrencyLimits = ConcurrencyLimits()) -> Dispatcher:  # noqa: B008
        return Dispatcher(self.list_ready, self.send, limits, self.send_alone)


IDS = count(100)  # above the ids that a test chooses


@pytest.fixture
def receiver() -> Iterator[HeldReceiver]:
    receiver = HeldReceiver()
    yield receiver
    for event in receiver.released.values():
        event.set()


def _add_ready(receiver: HeldReceiver, workspace: int = 1, destination: int | None = None) -> int:
    number = next(IDS)
    return receiver.expect(ReadyDelivery(number, destination or number, workspace))


def _submit(dispatcher: Dispatcher, receiver: HeldReceiver, times: int, workspace: int = 1) -> list[int]:
    submitted = [_add_ready(receiver, workspace) for _ in range(times)]
    dispatcher.submit(*submitted)
    return submitted


def _submit_single(dispatcher: Dispatcher, receiver: HeldReceiver) -> int:
    """Submit one that starts without a lookup, in a thread, because that blocks until it is reported."""
    single = _add_ready(receiver)
    _submit_in_thread(dispatcher, single)
    wait_until(lambda: single in receiver.reports)
    return single


def _submit_in_thread(dispatcher: Dispatcher, delivery_id: int) -> threading.Thread:
    thread = threading.Thread(target=dispatcher.submit, args=(delivery_id,), daemon=True)
    thread.start()
    return thread


def test_sends_run_concurrently_up_to_the_limit(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher(ConcurrencyLimits(concurrent=3))

    submitted = _submit(dispatcher, receiver, times=4)
    wait_until(lambda: len(receiver.started) == 3)
    assert not dispatcher.wait_until_idle(timeout=BRIEFLY)
    assert receiver.started == submitted[:3]

    receiver.released[submitted[1]].set()
    wait_until(lambda: receiver.started == submitted)


def test_a_workspace_at_its_limit_does_not_block_another(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher(ConcurrencyLimits(concurrent=4, per_workspace=2))

    busy = _submit(dispatcher, receiver, times=3, workspace=1)
    (other,) = _submit(dispatcher, receiver, times=1, workspace=2)
    wait_until(lambda: set(receiver.started) == {*busy[:2], other})

    receiver.released[busy[0]].set()
    wait_until(lambda: receiver.started[3:] == [busy[2]])


def test_a_destination_gets_one_message_at_a_time(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher()
    first, second = (_add_ready(receiver, destination=7) for _ in range(2))

    dispatcher.submit(first)
    dispatcher.submit(second)
    assert not dispatcher.wait_until_idle(timeout=BRIEFLY)
    assert receiver.started == [first]

    receiver.released[first].set()
    wait_until(lambda: receiver.started == [first, second])


@pytest.mark.parametrize("concurrent", [1, 2], ids=["waiting", "running"])
def test_a_delivery_that_is_already_here_is_not_sent_twice(receiver: HeldReceiver, concurrent: int) -> None:
    dispatcher = receiver.make_dispatcher(ConcurrencyLimits(concurrent=concurrent))
    submitted = _submit(dispatcher, receiver, times=1)
    ready = _add_ready(receiver)
    for _ in range(2):
        dispatcher.submit(ready)

    for event in receiver.released.values():
        event.set()

    assert dispatcher.wait_until_idle(timeout=60)
    assert receiver.started == [*submitted, ready]


def test_submit_blocks_while_too_many_deliveries_wait(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher(ConcurrencyLimits(concurrent=1, waiting=1))
    first, _second = _submit(dispatcher, receiver, times=2)

    blocked = _submit_in_thread(dispatcher, _add_ready(receiver))
    blocked.join(BRIEFLY)
    assert blocked.is_alive()

    receiver.released[first].set()
    blocked.join(30)
    assert not blocked.is_alive()


def test_a_send_that_raises_frees_its_slot(receiver: HeldReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)
    receiver.broken = True
    dispatcher = receiver.make_dispatcher(ConcurrencyLimits(concurrent=1))
    submitted = _submit(dispatcher, receiver, times=2)

    for event in receiver.released.values():
        event.set()

    assert dispatcher.wait_until_idle(timeout=60)
    assert receiver.started == submitted


def test_deliveries_beyond_the_waiting_limit_of_a_workspace_or_destination_are_left_to_recovery(
    receiver: HeldReceiver,
) -> None:
    dispatcher = receiver.make_dispatcher(
        ConcurrencyLimits(concurrent=1, waiting_per_workspace=3, waiting_per_destination=2)
    )
    running = _submit(dispatcher, receiver, times=1)
    wait_until(lambda: receiver.started == running)

    same = [_add_ready(receiver, destination=7) for _ in range(3)]
    others, foreign = [_add_ready(receiver) for _ in range(2)], [_add_ready(receiver, workspace=2)]
    dispatcher.submit(*same, *others, *foreign)
    dispatcher.wait_until_idle(timeout=BRIEFLY)

    assert dispatcher.close() == [*same[:2], others[0], *foreign]


def test_submitting_a_known_delivery_never_blocks(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher(ConcurrencyLimits(concurrent=1, waiting=1))
    submitted = _submit(dispatcher, receiver, times=2)
    wait_until(lambda: receiver.started)

    resubmission = _submit_in_thread(dispatcher, submitted[1])

    resubmission.join(30)
    assert not resubmission.is_alive()


def test_close_finishes_running_sends_and_returns_waiting_deliveries(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher(ConcurrencyLimits(concurrent=1))
    running, *waiting = _submit(dispatcher, receiver, times=3)
    wait_until(lambda: receiver.started)

    assert dispatcher.close() == waiting
    receiver.released[running].set()

    assert dispatcher.wait_until_idle(timeout=60)
    assert receiver.started == [running]


def test_waiting_for_running_sends_ends_at_the_timeout(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher()
    _submit(dispatcher, receiver, times=1)
    wait_until(lambda: receiver.started)

    assert dispatcher.close() == []
    assert not dispatcher.wait_until_idle(timeout=BRIEFLY)


def test_a_delivery_submitted_after_close_is_not_started(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher()
    dispatcher.close()

    submitted = _submit(dispatcher, receiver, times=1)

    assert dispatcher.wait_until_idle(timeout=BRIEFLY)
    assert dispatcher.close() == submitted
    assert receiver.started == []


def test_close_releases_a_blocked_submit(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher(ConcurrencyLimits(concurrent=1, waiting=1))
    _submit(dispatcher, receiver, times=2)
    number = _add_ready(receiver)
    waiting = _submit_in_thread(dispatcher, number)
    waiting.join(BRIEFLY)
    assert waiting.is_alive()

    dispatcher.close()

    waiting.join(30)
    assert number in dispatcher.close()


def test_a_dispatcher_whose_lookup_fails_stops_its_process(
    receiver: HeldReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()
    monkeypatch.setattr("webapp.worker.dispatcher.os.kill", lambda *_arguments: stopped.set())
    monkeypatch.setattr(receiver, "list_ready", _fail)

    receiver.make_dispatcher().submit(1)

    assert stopped.wait(60)


def _fail(_delivery_ids: Sequence[int]) -> list[ReadyDelivery]:
    raise MemoryError


def test_a_delivery_waits_if_no_thread_can_be_started(
    receiver: HeldReceiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher = receiver.make_dispatcher()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _refuse)
        first = _submit(dispatcher, receiver, times=1)
        wait_until(lambda: "cannot start a thread" in caplog.text)

    dispatcher.submit(*first)  # as a requeue by recovery does

    wait_until(lambda: receiver.started == first)


def _refuse(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_single_delivery_starts_without_a_look_up(receiver: HeldReceiver) -> None:
    dispatcher = Dispatcher(lambda _ids: [], receiver.send, ConcurrencyLimits(), receiver.send_alone)

    single = _submit_single(dispatcher, receiver)

    wait_until(lambda: receiver.started == [single])


def test_a_process_takes_no_further_job_before_a_single_delivery_is_reported(receiver: HeldReceiver) -> None:
    dispatcher, single = receiver.make_dispatcher_for_singles(), _add_ready(receiver)
    submitting = _submit_in_thread(dispatcher, single)
    wait_until(lambda: receiver.reports)
    submitting.join(BRIEFLY)
    assert submitting.is_alive()

    receiver.report(single)

    wait_until(lambda: not submitting.is_alive())


def test_no_other_delivery_starts_before_a_single_one_is_reported(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher_for_singles()
    single = _submit_single(dispatcher, receiver)
    (other,) = _submit(dispatcher, receiver, times=1)
    assert not dispatcher.wait_until_idle(timeout=BRIEFLY)
    assert receiver.started == [single]

    receiver.report(single)

    wait_until(lambda: receiver.started == [single, other])
    assert [*receiver.reports] == [single]


def test_a_delivery_that_is_sent_beside_a_single_one_keeps_its_limits(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher_for_singles(ConcurrencyLimits(per_workspace=1))
    same_destination, same_workspace = _add_ready(receiver, destination=7), _add_ready(receiver)
    single, other = _add_ready(receiver, destination=7), _add_ready(receiver, workspace=2)
    _submit_in_thread(dispatcher, single)
    wait_until(lambda: receiver.started)

    receiver.report(single)
    dispatcher.submit(same_destination, same_workspace, other)
    wait_until(lambda: len(receiver.started) == 2)
    assert not dispatcher.wait_until_idle(timeout=BRIEFLY)
    assert receiver.started == [single, other]

    receiver.released[single].set()
    wait_until(lambda: receiver.started == [single, other, same_destination])


def test_a_single_delivery_that_ends_without_a_report_holds_up_no_other_one(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher_for_singles()
    single = _submit_single(dispatcher, receiver)
    (other,) = _submit(dispatcher, receiver, times=1)

    receiver.released[single].set()

    wait_until(lambda: receiver.started == [single, other])


def test_a_delivery_is_looked_up_while_another_one_runs(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher_for_singles()
    single = _submit_single(dispatcher, receiver)
    receiver.report(single)
    (other,) = _submit(dispatcher, receiver, times=1)

    wait_until(lambda: receiver.started == [single, other])
    assert [*receiver.reports] == [single]


def test_a_single_delivery_starts_neither_twice_nor_beyond_the_limit_nor_after_close(receiver: HeldReceiver) -> None:
    dispatcher = receiver.make_dispatcher_for_singles(ConcurrencyLimits(concurrent=1))
    single = _submit_single(dispatcher, receiver)
    dispatcher.submit(single)
    wait_until(lambda: receiver.started)
    full, closed = (receiver.make_dispatcher_for_singles(ConcurrencyLimits(concurrent=number)) for number in (0, 1))
    closed.close()

    for other in (full, closed):
        _submit(other, receiver, times=1)
        assert other.close() != []

    assert not dispatcher.wait_until_idle(timeout=BRIEFLY)
    assert receiver.started == [single]
