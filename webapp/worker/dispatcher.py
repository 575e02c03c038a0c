"""Runs one worker process's deliveries concurrently, within global, per-workspace and per-destination limits.

Each send has its own thread, because it mostly waits for the receiver. A delivery that only waits here is not lost with
the process: its row is still unclaimed, so recovery enqueues it again.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from signal import SIGTERM
from threading import Condition, Thread

from webapp.deliveries.ready_deliveries import ReadyDelivery

log = logging.getLogger(__name__)


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
    send: sends the delivery with this id. Neither may raise: an exception ends its thread.
    """

    def __init__(
        self,
        look_up: Callable[[Sequence[int]], Sequence[ReadyDelivery]],
        send: Callable[[int], None],
        limits: ConcurrencyLimits,
    ) -> None:
        self._look_up = look_up
        self._send = send
        self._limits = limits
        self._changed = Condition()
        # An ordered set of ids. They stay here during the lookup, so that a second submit does not add them again.
        self._incoming: dict[int, None] = {}
        self._waiting: dict[int, ReadyDelivery] = {}
        self._running: dict[int, ReadyDelivery] = {}
        self._workspaces: Counter[int] = Counter()
        self._destinations: set[int] = set()
        self._is_closed = False
        Thread(target=self._look_up_or_stop, daemon=True).start()

    def submit(self, *delivery_ids: int) -> None:
        """Accept deliveries, except those accepted before and not finished. Blocks while too many wait."""
        with self._changed:
            if self._list_new(delivery_ids):
                self._changed.wait_for(self._has_capacity)
                self._incoming |= dict.fromkeys(self._list_new(delivery_ids))
                self._changed.notify_all()
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
            return [*self._waiting, *self._incoming]

    def _has_capacity(self) -> bool:
        return self._is_closed or len(self._incoming) + len(self._waiting) < self._limits.waiting

    def _list_new(self, delivery_ids: Sequence[int]) -> list[int]:
        known = self._incoming.keys() | self._waiting.keys() | self._running.keys()
        return [delivery_id for delivery_id in delivery_ids if delivery_id not in known]

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
        workspaces = Counter(ready.workspace_id for ready in self._waiting.values())
        destinations = Counter(ready.destination_id for ready in self._waiting.values())
        for ready in ready_deliveries:
            is_over_limit = (
                workspaces[ready.workspace_id] >= self._limits.waiting_per_workspace
                or destinations[ready.destination_id] >= self._limits.waiting_per_destination
            )
            if is_over_limit:
                log.info("too many deliveries wait, left to recovery", extra={"delivery": ready.delivery_id})
                continue
            workspaces[ready.workspace_id] += 1
            destinations[ready.destination_id] += 1
            self._waiting[ready.delivery_id] = ready

    def _start_all(self) -> None:
        while (ready := self._find_startable()) and self._start(ready):
            pass

    def _find_startable(self) -> ReadyDelivery | None:
        if self._is_closed or len(self._running) >= self._limits.concurrent:
            return None
        return next(filter(self._can_start, self._waiting.values()), None)

    def _can_start(self, ready: ReadyDelivery) -> bool:
        has_room = self._workspaces[ready.workspace_id] < self._limits.per_workspace
        return has_room and ready.destination_id not in self._destinations

    def _start(self, ready: ReadyDelivery) -> bool:
        try:
            # A daemon thread: a hanging send must not keep the process from ending.
            Thread(target=self._run, args=(ready,), daemon=True).start()
        except RuntimeError:  # no memory for a thread: the delivery starts when another one ends
            log.error("cannot start a thread")
            return False
        del self._waiting[ready.delivery_id]
        self._running[ready.delivery_id] = ready
        self._workspaces[ready.workspace_id] += 1
        self._destinations.add(ready.destination_id)
        return True

    def _run(self, ready: ReadyDelivery) -> None:
        try:
            self._send(ready.delivery_id)
        finally:
            with self._changed:
                del self._running[ready.delivery_id]
                self._workspaces[ready.workspace_id] -= 1
                self._destinations.discard(ready.destination_id)
                self._start_all()
                self._changed.notify_all()
