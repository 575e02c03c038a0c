"""Traps: steps in the life of one delivery at which a process stops, and waits to be killed."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from webapp import deliveries, queue
from webapp.deliveries import claiming, sending


class Step(StrEnum):
    """Where a process may be: seven places in a send, in their order, one in a press and one in a recovery pass."""

    LOOKING = "before the claim"
    CLAIMING = "before the commit of the claim"
    CLAIMED = "after the claim"
    ASKED = "in the middle of the request"
    ANSWERED = "after the answer"
    RECORDING = "before the commit of the record"
    RECORDED = "after the record"
    PRESSED = "after the commit of the press"
    RESUMED = "after the commit of the recovery pass"


@dataclass
class Traps:
    """A directory that this process shares with those that are to be caught."""

    directory: Path
    _mine: threading.local = field(default_factory=threading.local)
    """in_hand: the delivery that this thread is sending."""

    def lay(self, step: Step, row_id: int) -> None:
        """Catch the first process that gets there. row_id: the delivery's, or the destination's for `PRESSED`."""
        (self.directory / f"{step.name}-{row_id}").touch()

    def caught(self, step: Step, row_id: int) -> list[int]:
        """Return the id of the process that waits there, if there is one yet."""
        return [int(file.suffix[1:]) for file in self.directory.glob(f"{step.name}-{row_id}.*")]

    def arm(self) -> None:
        """Have this process, and those that it forks, be caught."""
        self._around(sending, "claim", self._begin)
        self._around(claiming, "apply_transition", self._after(Step.CLAIMING))
        self._around(sending, "attempt_send", self._before(Step.CLAIMED))
        self._around(HTTPConnection, "getresponse", self._before(Step.ASKED))
        self._around(sending, "_record_with_retries", self._before(Step.ANSWERED))
        self._around(sending, "apply_transition", self._after(Step.RECORDING))
        self._around(sending, "record", self._after(Step.RECORDED))
        self._around(queue, "enqueue_deliveries", self._hand_over)
        self._around(deliveries, "request_test", self._press)

    def _around(self, owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
        whole = getattr(owner, name)
        setattr(owner, name, lambda *arguments, **named: wrapper(lambda: whole(*arguments, **named), *arguments))

    def _before(self, step: Step) -> Callable[..., Any]:
        def wrapper(go_on: Callable[[], Any], *_arguments: Any) -> Any:
            self._reach(step, self._mine.in_hand)
            return go_on()

        return wrapper

    def _after(self, step: Step) -> Callable[..., Any]:
        def wrapper(go_on: Callable[[], Any], *_arguments: Any) -> Any:
            result = go_on()
            self._reach(step, self._mine.in_hand)
            return result

        return wrapper

    def _begin(self, go_on: Callable[[], Any], delivery_id: int, *_arguments: Any) -> Any:
        self._mine.in_hand = delivery_id
        self._reach(Step.LOOKING, delivery_id)
        return go_on()

    def _hand_over(self, go_on: Callable[[], Any], *delivery_ids: int) -> Any:
        for delivery_id in delivery_ids:
            self._reach(Step.RESUMED, delivery_id)
        return go_on()

    def _press(self, go_on: Callable[[], Any], destination: Any, *_arguments: Any) -> Any:
        destination_id = destination.id  # after the commit it would have to be read again
        result = go_on()
        self._reach(Step.PRESSED, destination_id)
        return result

    def _reach(self, step: Step, row_id: int) -> None:
        trap = self.directory / f"{step.name}-{row_id}"
        with suppress(FileNotFoundError):  # whoever gets this done is the one
            trap.rename(trap.with_suffix(f".{os.getpid()}"))
            time.sleep(60)
