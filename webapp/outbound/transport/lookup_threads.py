"""Looks up host names in a limited number of threads, which all sends of the process share.

The system's lookup cannot be interrupted. A lookup whose caller has stopped waiting is hanging: it goes on, and another
thread takes its place, up to a limit.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread

Addresses = Sequence[str]

# Lookups that run at once while somebody waits for them: more than a process has sends and mails at once.
MAX_AWAITED = 160

# Hanging lookups whose threads are replaced. The system's resolver ends each after half a minute or so.
MAX_HANGING = 256

# Threads that are kept for the next lookups.
MAX_IDLE = 4


class LookupTimedOut(Exception):
    """A lookup did not end in time, or did not even begin."""


class Lookup:
    """One lookup. results: gets the addresses, or the exception of the resolver."""

    def __init__(self, resolver: Callable[[str], Addresses], host: str) -> None:
        self.resolver, self.host = resolver, host
        self.results: SimpleQueue[Addresses | Exception] = SimpleQueue()
        self.is_hanging = False


class LookupThreads:
    """Runs lookups, each in a thread: one that is idle, or else a new one.

    awaited: the most lookups that run while somebody waits for them. hanging: the most hanging ones besides; any more
    take the places of awaited ones. A lookup without a place waits for one.
    """

    def __init__(self, awaited: int = MAX_AWAITED, hanging: int = MAX_HANGING) -> None:
        self._awaited, self._max_hanging = awaited, hanging
        self.forget_all()

    def forget_all(self) -> None:
        """Begin anew without threads, as a forked process has to."""
        self._lock = Lock()
        self._waiting: deque[Lookup] = deque()
        self._handed_over: SimpleQueue[Lookup] = SimpleQueue()
        self._idle = self._running = self._hanging = 0

    def look_up(self, resolver: Callable[[str], Addresses], host: str, seconds: float) -> Addresses:
        """Return the resolver's addresses, or raise what it raises. Raises `LookupTimedOut` after `seconds`.

        The time includes waiting for a place. A lookup that has not begun by then never begins.
        """
        lookup = Lookup(resolver, host)
        with self._lock:
            self._waiting.append(lookup)
            self._begin_waiting()
        try:
            result = lookup.results.get(timeout=seconds)
        except Empty:
            self._abandon(lookup)
            raise LookupTimedOut from None
        if isinstance(result, Exception):
            raise result
        return result

    def _begin_waiting(self) -> None:
        while self._waiting and self._has_place():
            if self._idle:
                self._idle -= 1
                self._handed_over.put(self._waiting.popleft())
            else:
                try:
                    Thread(target=self._run, args=(self._waiting[0],), name="lookup", daemon=True).start()
                except RuntimeError:  # no memory for a thread: the lookup begins when another one ends, or times out
                    return
                self._waiting.popleft()
            self._running += 1

    def _has_place(self) -> bool:
        return self._running - min(self._hanging, self._max_hanging) < self._awaited

    def _abandon(self, lookup: Lookup) -> None:
        with self._lock:
            if lookup in self._waiting:
                self._waiting.remove(lookup)
            elif lookup.results.empty():  # otherwise it has ended in this moment
                lookup.is_hanging = True
                self._hanging += 1
                self._begin_waiting()

    def _run(self, lookup: Lookup) -> None:
        while True:
            result = _call(lookup)
            with self._lock:
                lookup.results.put(result)
                self._running -= 1
                self._hanging -= lookup.is_hanging
                stays = self._idle < MAX_IDLE
                self._idle += stays
                self._begin_waiting()
            if not stays:
                return
            lookup = self._handed_over.get()


def _call(lookup: Lookup) -> Addresses | Exception:
    try:
        return lookup.resolver(lookup.host)
    except Exception as error:  # if it ended the thread, it would be printed, and the caller would wait in vain
        return error


# The lookups of this process.
lookup_threads = LookupThreads()
os.register_at_fork(after_in_child=lookup_threads.forget_all)
