"""The sends of one worker process that are under way at once: so many in all, and so many for one workspace.

A send waits for a far end most of its time, so each has a thread of its own. What only waits here is not lost with the
process: its row still says that nobody has claimed it, and recovery hands it to the queue again.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from signal import SIGTERM
from threading import Condition, Thread

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Errand:
    """A delivery to send, and whose it is."""

    delivery_id: int
    destination_id: int
    workspace_id: int


@dataclass(frozen=True)
class Bounds:
    """How many sends may be under way: in all, and for one workspace; for one destination it is always one.

    waiting: how many may wait for their turn before `Crew.take` waits too. They hold a few numbers each.
    waiting_of_workspace, waiting_of_destination: how many of these may be of one. What comes on top is let go of: its
        row waits on, and recovery brings it again.
    """

    at_once: int = 96
    per_workspace: int = 64
    waiting: int = 5000
    waiting_of_workspace: int = 2000
    waiting_of_destination: int = 500


class Crew:
    """Threads that send. Each begins with its errand and ends with it.

    look_up: returns the errands of deliveries by their ids; those that need no sending any more may be missing.
    send: sends the delivery of that id. Neither is expected to raise: it would end its thread.
    """

    def __init__(
        self, look_up: Callable[[Sequence[int]], Sequence[Errand]], send: Callable[[int], None], bounds: Bounds
    ) -> None:
        self._look_up = look_up
        self._send = send
        self._bounds = bounds
        self._changed = Condition()
        self._new: dict[int, None] = {}
        """Ids in the order in which they came; those that are being looked up stay here until they are errands."""
        self._waiting: dict[int, Errand] = {}
        self._under_way: dict[int, Errand] = {}
        self._workspaces: Counter[int] = Counter()
        self._destinations: set[int] = set()
        self._is_closed = False
        Thread(target=self._sort_or_stop, daemon=True).start()

    def take(self, *delivery_ids: int) -> None:
        """Take deliveries over; one that is here already is not taken twice. Waits while too many wait."""
        with self._changed:
            if self._list_unknown(delivery_ids):
                self._changed.wait_for(self._has_room)
                self._new |= dict.fromkeys(self._list_unknown(delivery_ids))
                self._changed.notify_all()
            self._begin_all()

    def rest(self, within: float) -> bool:
        """Wait until nothing is under way, for so many seconds at most, and say whether that came true."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way and (self._is_closed or not self._new), within)

    def close(self) -> list[int]:
        """Begin nothing more, and return the deliveries that were not begun. A signal's handler may call it."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            return [*self._waiting, *self._new]

    def _has_room(self) -> bool:
        return self._is_closed or len(self._new) + len(self._waiting) < self._bounds.waiting

    def _list_unknown(self, delivery_ids: Sequence[int]) -> list[int]:
        known = self._new.keys() | self._waiting.keys() | self._under_way.keys()
        return [delivery_id for delivery_id in delivery_ids if delivery_id not in known]

    def _sort_or_stop(self) -> None:
        try:
            self._sort()
        except BaseException as error:  # no memory, for one: what comes would never be begun, so the process has to go
            log.critical("crew broke", extra={"error": type(error).__name__})
            os.kill(os.getpid(), SIGTERM)

    def _sort(self) -> None:
        """Look up what has come, all of it at once: the more there is to do, the less each costs."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._new and not self._is_closed)
                delivery_ids = list(self._new)
            errands = self._look_up(delivery_ids)
            with self._changed:
                for delivery_id in delivery_ids:
                    del self._new[delivery_id]
                self._queue(errands)
                self._begin_all()
                self._changed.notify_all()

    def _queue(self, errands: Sequence[Errand]) -> None:
        workspaces = Counter(errand.workspace_id for errand in self._waiting.values())
        destinations = Counter(errand.destination_id for errand in self._waiting.values())
        for errand in errands:
            is_over = (
                workspaces[errand.workspace_id] >= self._bounds.waiting_of_workspace
                or destinations[errand.destination_id] >= self._bounds.waiting_of_destination
            )
            if is_over:
                log.info("too many wait, left to recovery", extra={"delivery": errand.delivery_id})
                continue
            workspaces[errand.workspace_id] += 1
            destinations[errand.destination_id] += 1
            self._waiting[errand.delivery_id] = errand

    def _begin_all(self) -> None:
        while (errand := self._find_next()) and self._begin(errand):
            pass

    def _find_next(self) -> Errand | None:
        if self._is_closed or len(self._under_way) >= self._bounds.at_once:
            return None
        return next(filter(self._may_begin, self._waiting.values()), None)

    def _may_begin(self, errand: Errand) -> bool:
        has_room = self._workspaces[errand.workspace_id] < self._bounds.per_workspace
        return has_room and errand.destination_id not in self._destinations

    def _begin(self, errand: Errand) -> bool:
        try:
            # A daemon: one that hangs must not keep the process from ending.
            Thread(target=self._run, args=(errand,), daemon=True).start()
        except RuntimeError:  # no memory for a thread: the errand has its chance when another one ends
            log.error("no further thread could be started")
            return False
        del self._waiting[errand.delivery_id]
        self._under_way[errand.delivery_id] = errand
        self._workspaces[errand.workspace_id] += 1
        self._destinations.add(errand.destination_id)
        return True

    def _run(self, errand: Errand) -> None:
        try:
            self._send(errand.delivery_id)
        finally:
            with self._changed:
                del self._under_way[errand.delivery_id]
                self._workspaces[errand.workspace_id] -= 1
                self._destinations.discard(errand.destination_id)
                self._begin_all()
                self._changed.notify_all()
