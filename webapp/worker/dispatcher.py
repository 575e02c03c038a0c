"""Runs one worker process's deliveries concurrently, within global, per-workspace and per-destination limits.

Each send has its own thread, because it mostly waits for the receiver. A delivery that only waits here is not lost with
the process: its row is still unclaimed, so recovery enqueues it again.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from signal import SIGTERM
from threading import Condition, Thread

from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery
from webapp.worker.waiting_deliveries import WaitingDeliveries

log = logging.getLogger(__name__)

Report = Callable[[ReadyDelivery], None]


@dataclass(frozen=True)
class ConcurrencyLimits:
    """The most deliveries that run or wait at once. A destination never has more than one running.

    concurrent, per_workspace: running deliveries, in total and per workspace.
    waiting: waiting deliveries, beyond which `Dispatcher.submit` blocks. Each uses little memory.
    waiting_per_workspace, waiting_per_destination: waiting deliveries of one workspace or destination. More are
        dropped from memory: their rows stay unclaimed, and recovery enqueues them again.
    """

    concurrent: int = 96
    per_workspace: int = 64
    waiting: int = 5000
    waiting_per_workspace: int = 2000
    waiting_per_destination: int = 500


class Dispatcher:
    """Sends deliveries, each in a thread of its own that ends with the delivery.

    look_up: returns the ready deliveries among these ids; the others no longer need sending.
    send: sends the delivery with this id.
    send_alone: sends one that was not looked up, and reports its workspace and destination before it is claimed; None
        if all are looked up.
    None of them may raise: an exception ends its thread.
    """

    def __init__(
        self,
        look_up: Callable[[Sequence[int]], Sequence[ReadyDelivery]],
        send: Callable[[int], None],
        limits: ConcurrencyLimits,
        send_alone: Callable[[int, Report], None] | None = None,
    ) -> None:
        self._look_up = look_up
        self._send = send
        self._send_alone = send_alone
        self._limits = limits
        self._changed = Condition()
        # An ordered set of ids. They stay here during the lookup, so that a second submit does not add them again.
        self._incoming: dict[int, None] = {}
        self._waiting = WaitingDeliveries()
        # None for a delivery that has not been reported yet. Until then, no other one starts.
        self._running: dict[int, ReadyDelivery | None] = {}
        self._workspaces: Counter[int] = Counter()
        self._destinations: set[int] = set()
        self._is_closed = False
        Thread(target=self._look_up_or_stop, daemon=True).start()

    def submit(self, *delivery_ids: int) -> None:
        """Accept deliveries, except those accepted before and not finished. Blocks while too many wait.

        A single one that starts at once blocks until it is reported: other processes take what follows meanwhile.
        """
        with self._changed:
            if self._list_new(delivery_ids):
                self._accept(delivery_ids)
            self._start_all()

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until no delivery runs or waits for its lookup. Returns False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._running and (self._is_closed or not self._incoming), timeout
            )

    def close(self) -> list[int]:
        """Start no further delivery, and return the ids of those not started. Safe to call in a signal handler."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            return [*(ready.delivery_id for ready in self._waiting), *self._incoming]

    def _accept(self, delivery_ids: Sequence[int]) -> None:
        if self._start_alone(delivery_ids):
            self._changed.wait_for(self._are_all_reported)
            return
        self._changed.wait_for(self._has_capacity)
        self._incoming |= dict.fromkeys(self._list_new(delivery_ids))
        self._changed.notify_all()

    def _are_all_reported(self) -> bool:
        return self._is_closed or None not in self._running.values()

    def _has_capacity(self) -> bool:
        return self._is_closed or len(self._incoming) + len(self._waiting) < self._limits.waiting

    def _list_new(self, delivery_ids: Sequence[int]) -> list[int]:
        known = (self._incoming, self._waiting, self._running)
        return [delivery_id for delivery_id in delivery_ids if not any(delivery_id in each for each in known)]

    def _look_up_or_stop(self) -> None:
        try:
            self._look_up_incoming()
        except BaseException as error:  # such as MemoryError: no delivery would start any more, so end the process
            log.critical("dispatcher failed, the process stops", extra={"error": type(error).__name__})
            os.kill(os.getpid(), SIGTERM)

    def _look_up_incoming(self) -> None:
        """Look up all incoming deliveries in one query, so that the cost of each falls under load."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._incoming and not self._is_closed)
                delivery_ids = list(self._incoming)
            ready_deliveries = self._look_up(delivery_ids)
            with self._changed:
                for delivery_id in delivery_ids:
                    del self._incoming[delivery_id]
                self._queue(ready_deliveries)
                self._start_all()
                self._changed.notify_all()

    def _queue(self, ready_deliveries: Sequence[ReadyDelivery]) -> None:
        for ready in ready_deliveries:
            if self._is_over_limit(ready):
                log.info("too many deliveries wait, left to recovery", extra={"delivery": ready.delivery_id})
            else:
                self._waiting.add(ready)

    def _is_over_limit(self, ready: ReadyDelivery) -> bool:
        return (
            self._waiting.count_of_workspace(ready.workspace_id) >= self._limits.waiting_per_workspace
            or self._waiting.count_of_destination(ready) >= self._limits.waiting_per_destination
        )

    def _start_all(self) -> None:
        while (ready := self._find_startable()) and self._start(ready):
            pass

    def _start_alone(self, delivery_ids: Sequence[int]) -> bool:
        """Start a single delivery without looking it up, if there is no other one that a limit could apply to."""
        is_alone = len(delivery_ids) == 1 and not (self._incoming or self._waiting or self._running)
        if self._send_alone is None or not is_alone or self._is_full():
            return False
        (delivery_id,) = delivery_ids
        if not _start_thread(partial(self._run, delivery_id, partial(self._send_alone, delivery_id, self._report))):
            return False
        self._running[delivery_id] = None
        return True

    def _report(self, ready: ReadyDelivery) -> None:
        with self._changed:
            if self._running[ready.delivery_id] is None:
                self._enter(ready)
                self._start_all()
                self._changed.notify_all()

    def _find_startable(self) -> ReadyDelivery | None:
        if self._is_full() or None in self._running.values():
            return None
        return self._waiting.find(self._has_room, self._destinations.__contains__)

    def _is_full(self) -> bool:
        return self._is_closed or len(self._running) >= self._limits.concurrent

    def _has_room(self, workspace_id: int) -> bool:
        return self._workspaces[workspace_id] < self._limits.per_workspace

    def _start(self, ready: ReadyDelivery) -> bool:
        delivery_id = ready.delivery_id
        if not _start_thread(partial(self._run, delivery_id, partial(self._send, delivery_id))):
            return False  # the delivery starts when another one ends
        self._waiting.remove(ready)
        self._enter(ready)
        return True

    def _enter(self, ready: ReadyDelivery) -> None:
        self._running[ready.delivery_id] = ready
        self._workspaces[ready.workspace_id] += 1
        self._destinations.add(ready.destination_id)

    def _run(self, delivery_id: int, send: Callable[[], None]) -> None:
        try:
            send()
        finally:
            with self._changed:
                ready = self._running.pop(delivery_id)
                if ready is not None:
                    self._workspaces[ready.workspace_id] -= 1
                    self._destinations.discard(ready.destination_id)
                self._start_all()
                self._changed.notify_all()


def list_independent(ids: Sequence[int]) -> list[ReadyDelivery]:
    """Return mails or notices as a dispatcher takes them: none waits for another. Their claims decide what is sent."""
    return [ReadyDelivery(delivery_id=each, destination_id=each, workspace_id=0) for each in ids]


def _start_thread(target: Callable[[], None]) -> bool:
    """Start a thread. Returns False if there is no memory for one."""
    try:
        # A daemon thread: a hanging send must not keep the process from ending.
        Thread(target=target, daemon=True).start()
    except RuntimeError:
        log.error("cannot start a thread")
        return False
    return True
