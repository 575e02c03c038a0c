"""Calls functions at their time, all in one thread of the process."""

import heapq
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from threading import Condition, Thread
from time import monotonic


@dataclass(order=True)
class Timer:
    """One call that is due at a time of the monotonic clock. action: None once it was taken or canceled."""

    at: float
    number: int
    action: Callable[[], None] | None = field(compare=False)


class TimerThread:
    """Calls each action once, at its time or soon after, unless it was canceled.

    The thread starts with the first timer. If it fails, it calls all actions that are left at once, because nobody
    would call them later, and the next timer starts another thread.
    """

    def __init__(self) -> None:
        self.forget_all()

    def forget_all(self) -> None:
        """Begin anew without timers, in a forked process: it has no such thread, and the sockets are its parent's."""
        self._changed = Condition()
        self._timers: list[Timer] = []
        self._numbers = count()
        self._thread: Thread | None = None

    def call_at(self, at: float, action: Callable[[], None]) -> Timer:
        """Call an action at this time of the monotonic clock. It must neither block nor raise.

        Raises RuntimeError if no thread can be started. The action is then never called.
        """
        with self._changed:
            timer = Timer(at, next(self._numbers), action)
            if self._thread is None:
                self._start()
            heapq.heappush(self._timers, timer)
            if self._timers[0] is timer:
                self._changed.notify()
        return timer

    def cancel(self, timer: Timer) -> None:
        """Do not call the action any more. A call that has begun goes on.

        The timer itself stays until its time, so that the thread need not wake up for it.
        """
        with self._changed:
            timer.action = None

    def _start(self) -> None:
        thread = Thread(target=self._run, name="timers", daemon=True)
        thread.start()
        self._thread = thread

    def _run(self) -> None:
        try:
            while True:
                self._await_next()()
        finally:
            for action in self._take_all():
                action()

    def _await_next(self) -> Callable[[], None]:
        with self._changed:
            while True:
                while self._timers and self._timers[0].action is None:
                    heapq.heappop(self._timers)
                left = self._timers[0].at - monotonic() if self._timers else None
                if left is None or left > 0:
                    self._changed.wait(left)
                elif action := heapq.heappop(self._timers).action:
                    return action

    def _take_all(self) -> list[Callable[[], None]]:
        with self._changed:
            actions = [timer.action for timer in self._timers if timer.action is not None]
            self._timers.clear()
            self._thread = None
        return actions


# The timers of this process.
timers = TimerThread()
os.register_at_fork(after_in_child=timers.forget_all)
