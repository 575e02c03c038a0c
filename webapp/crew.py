"""The sends of one worker process that are under way at once: so many in all, and so many for one workspace.

A send waits for a far end most of its time, so each has a thread of its own. What is only waiting here is not lost with
the process: its row still says that nobody has claimed it, and recovery hands it to the queue again.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
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

    waiting: how many may wait for their turn before `Crew.take` waits too. They hold an id each.
    """

    at_once: int = 96
    per_workspace: int = 64
    waiting: int = 1000


class Crew:
    """Threads that send. Each begins with its errand and ends with it.

    send: sends the delivery of that id; whatever it raises ends its thread alone.
    """

    def __init__(self, send: Callable[[int], None], bounds: Bounds) -> None:
        self._send = send
        self._bounds = bounds
        self._changed = Condition()
        self._waiting: dict[int, Errand] = {}
        self._under_way: dict[int, Errand] = {}
        self._workspaces: Counter[int] = Counter()
        self._destinations: set[int] = set()
        self._is_closed = False

    def take(self, errand: Errand) -> None:
        """Take an errand over; one that is here already is not taken twice. Waits while too many wait."""
        with self._changed:
            if errand.delivery_id in self._waiting or errand.delivery_id in self._under_way:
                return
            self._changed.wait_for(lambda: len(self._waiting) < self._bounds.waiting)
            self._waiting[errand.delivery_id] = errand
            self._begin_next()

    def finish(self, within: float) -> list[int]:
        """Begin nothing more, wait for what is under way, and return the deliveries that were not begun.

        within: seconds after which it waits no longer.
        """
        with self._changed:
            self._is_closed = True
            self.rest(within)
            return list(self._waiting)

    def rest(self, within: float) -> bool:
        """Wait until nothing is under way, for so many seconds at most, and say whether that came true."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, within)

    def _begin_next(self) -> None:
        errand = self._find_next()
        if errand is None:
            return
        try:
            # A daemon: one that hangs must not keep the process from ending.
            Thread(target=self._run, args=(errand,), daemon=True).start()
        except RuntimeError:  # no memory for a thread: the errand waits for the next one that ends
            log.error("no further thread could be started")
            return
        del self._waiting[errand.delivery_id]
        self._under_way[errand.delivery_id] = errand
        self._workspaces[errand.workspace_id] += 1
        self._destinations.add(errand.destination_id)

    def _find_next(self) -> Errand | None:
        if self._is_closed or len(self._under_way) >= self._bounds.at_once:
            return None
        return next(filter(self._may_begin, self._waiting.values()), None)

    def _may_begin(self, errand: Errand) -> bool:
        has_room = self._workspaces[errand.workspace_id] < self._bounds.per_workspace
        return has_room and errand.destination_id not in self._destinations

    def _run(self, errand: Errand) -> None:
        try:
            self._send(errand.delivery_id)
        finally:
            with self._changed:
                del self._under_way[errand.delivery_id]
                self._workspaces[errand.workspace_id] -= 1
                self._destinations.discard(errand.destination_id)
                self._begin_next()
                self._changed.notify_all()
