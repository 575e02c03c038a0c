"""Lets threads do the same work together (group commit): a thread that comes while one group works joins the next one.

No thread waits for others to come: one that finds no group at work begins at once, by itself. So groups form only while
threads would otherwise compete for the database.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from threading import Event, Lock
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# The most items of a group: few enough for one short transaction.
MAX_SIZE = 32

# Seconds that a thread waits for its group to begin. After that, something holds up the others, and it works by itself.
MAX_WAIT = 1.0


class Alone(Enum):
    """What a group returns for an item that its own thread has to work on."""

    ALONE = "alone"


ALONE: Final = Alone.ALONE


@dataclass(eq=False)
class _Waiter(Generic[Item, Result]):
    """One waiting thread. leads: whether it does the work of the next group."""

    item: Item
    woken: Event = field(default_factory=Event)
    leads: bool = False
    result: Result | Alone = ALONE


class Groups(Generic[Item, Result]):
    """Groups of items, one group at a time, each worked on by one of the threads that brought them.

    work: returns a result for each item, in order, or `ALONE`. May raise: then nothing is done, and each thread works
        on its own item.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result | Alone]]) -> None:
        self._work = work
        self._lock = Lock()
        self._waiting: list[_Waiter[Item, Result]] = []
        self._is_busy = False

    def join(self, item: Item, alone: Callable[[], Result]) -> Result:
        """Return the item's result once it is known: that of its group, or else what `alone` returns.

        alone: works on this item only. Called at most once, in this thread.
        """
        member: _Waiter[Item, Result] = _Waiter(item)
        with self._lock:
            self._waiting.append(member)
            member.leads, self._is_busy = not self._is_busy, True
        if member.leads or self._is_chosen(member):
            return self._lead(member, alone)
        return alone() if member.result is ALONE else member.result

    def _is_chosen(self, member: _Waiter[Item, Result]) -> bool:
        """Wait until the group of this member has ended, or the member has to lead one. Returns whether it has to."""
        if not member.woken.wait(MAX_WAIT):
            with self._lock:
                if member in self._waiting and not member.leads:
                    self._waiting.remove(member)
                    return False
            member.woken.wait()  # its group is at work
        return member.leads

    def _lead(self, leader: _Waiter[Item, Result], alone: Callable[[], Result]) -> Result:
        with self._lock:
            group, self._waiting = self._waiting[:MAX_SIZE], self._waiting[MAX_SIZE:]
        try:
            if group == [leader]:
                return alone()
            for member, result in zip(group, self._work([member.item for member in group]), strict=True):
                member.result = result
        finally:
            self._end(group)
        return alone() if leader.result is ALONE else leader.result

    def _end(self, group: Sequence[_Waiter[Item, Result]]) -> None:
        with self._lock:
            successors = self._waiting[:1]
            self._is_busy = bool(successors)
            for successor in successors:
                successor.leads = True
        for member in (*group, *successors):
            member.woken.set()
