"""Breakpoints: steps of one delivery at which a process stops and waits to be killed."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from webapp import deliveries
from webapp.deliveries.attempts import claiming, recording, sending
from webapp.deliveries.attempts.recording import EndedAttempt
from webapp.worker import maintenance
from webapp.worker.dispatcher import Dispatcher


class Step(StrEnum):
    """Where a process can stop: seven steps of a send, a press, a recovery pass and three steps of groups."""

    LOOKING = "before the claim"
    CLAIMING = "before the commit of the claim"
    CLAIMED = "after the claim"
    ASKED = "in the middle of the request"
    ANSWERED = "after the response"
    RECORDING = "before the commit of the record"
    RECORDED = "after the record"
    PRESSED = "after the commit of the press"
    RESUMED = "after the commit of the recovery pass"
    TAKEN = "after a group of jobs was taken"
    GROUP_CLAIMED = "after the commit of the claim of a group"
    GROUP_ENDED = "before the record of a group"


@dataclass
class Breakpoints:
    """Breakpoints as files in a directory that this process shares with the processes to be stopped."""

    directory: Path
    # Its attribute `delivery_id` is the delivery that this thread is sending.
    _thread: threading.local = field(default_factory=threading.local)

    def set(self, step: Step, row_id: int) -> None:
        """Stop the first process that gets there. row_id: the delivery's, or the destination's for `PRESSED`."""
        (self.directory / f"{step.name}-{row_id}").touch()

    def clear(self, step: Step) -> None:
        """Stop no further process at this step."""
        for file in self.directory.glob(f"{step.name}-*"):
            file.unlink(missing_ok=True)

    def stopped_pids(self, step: Step, row_id: int) -> list[int]:
        """Return the id of the process that is stopped there, or an empty list."""
        return [int(file.suffix[1:]) for file in self.directory.glob(f"{step.name}-{row_id}.*")]

    def install(self) -> None:
        """Make this process and its forks stop at breakpoints."""
        self._wrap(deliveries, "send", self._send)
        self._wrap(sending, "claim", self._before(Step.LOOKING))
        self._wrap(claiming, "apply_transition", self._after(Step.CLAIMING))
        self._wrap(sending, "claim_group", self._claim_group)
        self._wrap(sending, "record_group", self._record_group)
        self._wrap(sending, "attempt_send", self._before(Step.CLAIMED))
        self._wrap(HTTPConnection, "getresponse", self._before(Step.ASKED))
        self._wrap(sending, "record_with_retries", self._before(Step.ANSWERED))
        self._wrap(recording, "apply_transition", self._after(Step.RECORDING))
        self._wrap(recording, "record", self._after(Step.RECORDED))
        self._wrap(maintenance, "enqueue_deliveries", self._enqueue)
        self._wrap(Dispatcher, "submit", self._submit)
        self._wrap(deliveries, "request_tests", self._press)

    def _wrap(self, owner: Any, name: str, wrapper: Callable[..., Any]) -> None:
        original = getattr(owner, name)
        setattr(
            owner, name, lambda *arguments, **keywords: wrapper(lambda: original(*arguments, **keywords), *arguments)
        )

    def _before(self, step: Step) -> Callable[..., Any]:
        def wrapper(proceed: Callable[[], Any], *_arguments: Any) -> Any:
            self._reach(step, self._thread.delivery_id)
            return proceed()

        return wrapper

    def _after(self, step: Step) -> Callable[..., Any]:
        def wrapper(proceed: Callable[[], Any], *_arguments: Any) -> Any:
            result = proceed()
            self._reach(step, self._thread.delivery_id)
            return result

        return wrapper

    def _send(self, proceed: Callable[[], Any], delivery_id: int, *_arguments: Any) -> Any:
        self._thread.delivery_id = delivery_id
        return proceed()

    def _claim_group(self, proceed: Callable[[], Any], delivery_ids: Sequence[int], *_arguments: Any) -> Any:
        claimed = proceed()
        for delivery_id in delivery_ids:
            self._reach(Step.GROUP_CLAIMED, delivery_id)
        return claimed

    def _record_group(self, proceed: Callable[[], Any], endings: Sequence[EndedAttempt], *_arguments: Any) -> Any:
        for ending in endings:
            self._reach(Step.GROUP_ENDED, ending.attempt.delivery_id)
        return proceed()

    def _enqueue(self, proceed: Callable[[], Any], *delivery_ids: int) -> Any:
        for delivery_id in delivery_ids:
            self._reach(Step.RESUMED, delivery_id)
        return proceed()

    def _submit(self, proceed: Callable[[], Any], _dispatcher: Dispatcher, *delivery_ids: int) -> Any:
        for delivery_id in delivery_ids:
            self._reach(Step.TAKEN, delivery_id)
        return proceed()

    def _press(self, proceed: Callable[[], Any], wanted: Any, *_arguments: Any) -> Any:
        ids = [each.destination.id for each in wanted]  # reading them after the commit would query the database
        result = proceed()
        for destination_id in ids:
            self._reach(Step.PRESSED, destination_id)
        return result

    def _reach(self, step: Step, row_id: int) -> None:
        file = self.directory / f"{step.name}-{row_id}"
        with suppress(FileNotFoundError):  # only one process can rename the file
            file.rename(file.with_suffix(f".{os.getpid()}"))
            time.sleep(60)
