"""Runs a sequence of steps, some of them in the middle of others, in the application and in the reference model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from tests.deliveries.model_editing import Admin
from tests.deliveries.model_state import ModelDestination, ReceiverResponse
from tests.deliveries.observed_state import read_badges, read_rows
from tests.deliveries.paused_attempts import PausedAttempt
from tests.deliveries.random_steps import Step
from tests.deliveries.recovery.recovery_passes import recover
from tests.deliveries.reference_model import RETENTION, ReferenceModel
from tests.factories import NOW, SeededIds, get_account, seconds
from tests.queue_keys import key_of
from webapp.app_state import app_state
from webapp.deliveries import (
    DestinationDisabled,
    Retention,
    WaitTracker,
    end_overdue_tests,
    fail_unqueued,
    request_test,
)
from webapp.deliveries.attempts import claiming
from webapp.deliveries.attempts.claim_record import CLAIMS, note_claim
from webapp.deliveries.attempts.claiming import claim
from webapp.deliveries.recovery import worker_recovery
from webapp.deliveries.requesting.cooldown import CoolingDown
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination
from webapp.settings import AppSettings


@dataclass
class ModelRun:
    """The state of one run.

    queue: ids of deliveries whose jobs are in the queue. unconfirmed: ids of presses that do not know yet whether
    the queue took their job. unsent, unrecorded, recorded: the attempts, by how far they are.
    """

    app: Flask
    app_settings: AppSettings
    seeded: SeededIds
    now: datetime = NOW
    model: ReferenceModel = field(default_factory=ReferenceModel)
    destinations: list[ModelDestination] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    unconfirmed: list[int] = field(default_factory=list)
    unsent: list[PausedAttempt] = field(default_factory=list)
    unrecorded: list[PausedAttempt] = field(default_factory=list)
    recorded: list[PausedAttempt] = field(default_factory=list)
    wait_trackers: list[WaitTracker] = field(default_factory=list)
    claiming_id: int | None = None

    @property
    def admin(self) -> Admin:
        return Admin(self.seeded, self.app_settings)

    def run(self, steps: Sequence[Step]) -> None:
        """Run the steps; then run recovery alone, after which every row must have a final status."""
        self._begin()
        self._run_each(steps)
        self._run_each([Step("recover"), Step("wait", 20), Step("recover"), Step("wait", 125), Step("recover")])
        assert [send for send in self.model.sends.values() if send.badge[0] == "pending"] == []
        late_jobs = [Step("job again", value) for value in range(len(self.model.sends))]
        self._run_each([*late_jobs, *[Step("accept")] * len(self.unsent)])
        self._run_each([Step("record")] * len(self.unrecorded))

    def _begin(self) -> None:
        self.wait_trackers = [WaitTracker(self._monotonic), WaitTracker(self._monotonic)]
        with self.app.app_context():
            app_state().looks = WaitTracker(self._monotonic)
            app_state().redis.delete(key_of(CLAIMS))
            db.session.execute(delete(AlertDelivery))
            db.session.commit()
            self.destinations = [self.admin.add(self.now), self.admin.add(self.now)]

    def _monotonic(self) -> float:
        return (self.now - NOW).total_seconds()

    def _run_each(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.model.counts["step"] += 1
            with self.app.app_context():
                getattr(self, "_" + step.name.replace(" ", "_"))(step)
            with self.app.app_context():
                self._compare()

    def _compare(self) -> None:
        """Compare rows and badges with the reference model, and outcomes with what the receiver got."""
        assert read_rows() == {send.id: send.row for send in self.model.sends.values()}
        existing = [each for each in self.destinations if not each.is_deleted]
        newest = {each.id: self.model.newest(each) for each in existing}
        assert read_badges(list(newest)) == {
            key: send.badge if send else ("never", None) for key, send in newest.items()
        }
        assert self.model.list_false_outcomes() == []

    @contextmanager
    def _interrupted(self, step: Step, module: ModuleType, change: str = "apply_transition") -> Iterator[None]:
        """Run a step's interruptions after it has read the database and before its first `change`."""
        apply: Callable[..., object] = getattr(module, change)

        def interrupt_first(*arguments: Any, **keywords: Any) -> object:
            patch.undo()
            self.model.counts["interruption"] += len(step.interruptions)
            self._run_each(step.interruptions)
            return apply(*arguments, **keywords)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, change, interrupt_first)
            yield

    # Time

    def _wait(self, step: Step) -> None:
        self.now += seconds(step.value)

    # Web processes

    def _press(self, step: Step) -> None:
        expected = _pick(self.destinations, step)
        destination = db.session.get_one(AlertDestination, expected.id)
        self._run_each(step.interruptions)
        refusal = self.model.refusal(expected, self.now)
        result = self._request(destination)
        if isinstance(result, int):
            assert refusal is None
            self.model.press(result, expected, self.now)
            self.unconfirmed.append(result)
        else:
            assert result == refusal
            self.model.counts[result] += 1

    def _request(self, destination: AlertDestination) -> int | str:
        """Return the new row's id, or the reason for a refusal."""
        try:
            return request_test(destination, get_account(self.seeded), self.now)
        except DestinationDisabled:
            return "disabled"
        except CoolingDown:
            return "cooling down"

    def _enqueue(self, step: Step) -> None:
        """The queue takes the job, although the press may never learn of it."""
        self.queue += [_pick(self.unconfirmed, step)] if self.unconfirmed else []

    def _fail_unqueued(self, step: Step) -> None:
        if self.unconfirmed:
            delivery_id = _take(self.unconfirmed, step)
            fail_unqueued([delivery_id], self.now)
            self.model.fail_unqueued(delivery_id, self.now)

    def _view_page(self, _step: Step) -> None:
        """The list is viewed, while the queue server knows no live worker."""
        decisions = self.model.decide_by_look(self.now)
        end_overdue_tests(self.seeded.harbor, self.now)
        self.model.apply(decisions, self.now)

    def _disable(self, step: Step) -> None:
        self.admin.set_enabled(_pick(self.destinations, step), False, self.now)

    def _enable(self, step: Step) -> None:
        self.admin.set_enabled(_pick(self.destinations, step), True, self.now)

    def _edit(self, step: Step) -> None:
        self.admin.edit(_pick(self.destinations, step), self.now)

    def _delete(self, step: Step) -> None:
        self.admin.delete(_take(self.destinations, step), self.now)
        self.destinations.append(self.admin.add(self.now))

    # Workers

    def _job(self, step: Step) -> None:
        if self.queue:
            self._claim(_take(self.queue, step), step)

    def _job_again(self, step: Step) -> None:
        """A job runs once more, because the queue may deliver it twice."""
        if self.model.sends:
            self._claim(_pick(sorted(self.model.sends), step), step)

    def _rival(self, step: Step) -> None:
        """Another worker runs the job that is being claimed right now."""
        if self.claiming_id is not None:
            self._claim(self.claiming_id, step)

    def _claim(self, delivery_id: int, step: Step) -> None:
        self.claiming_id = delivery_id
        snapshot = self.model.read_for_claim(delivery_id, self.now)
        with self._interrupted(step, claiming):
            attempt = claim(delivery_id, self.app_settings, self.now)
        assert (attempt is not None) is self.model.claim(snapshot)
        if attempt is not None:
            assert note_claim(delivery_id, attempt.number, attempt.requested_at, self.now), "claimed twice"
            assert attempt.number == self.model.sends[delivery_id].attempts
            self.unsent.append(PausedAttempt(attempt, self.app_settings))

    def _accept(self, step: Step) -> None:
        self._send(step, ReceiverResponse.ACCEPT)

    def _busy(self, step: Step) -> None:
        self._send(step, ReceiverResponse.BUSY)

    def _refuse(self, step: Step) -> None:
        self._send(step, ReceiverResponse.REFUSE)

    def _silent(self, step: Step) -> None:
        self._send(step, ReceiverResponse.SILENT)

    def _send(self, step: Step, response: ReceiverResponse) -> None:
        if self.unsent:
            paused = _take(self.unsent, step)
            paused.send(response, self.now, self.model)
            self.unrecorded.append(paused)

    def _record(self, step: Step) -> None:
        if self.unrecorded:
            paused = _take(self.unrecorded, step)
            paused.record(self.now, self.model)
            self.recorded.append(paused)

    def _record_again(self, step: Step) -> None:
        """A worker records twice, because the first confirmation was lost: preferably during another attempt."""
        sending = {paused.attempt.delivery_id for paused in self.unsent}
        harmful = [paused for paused in self.recorded if paused.attempt.delivery_id in sending]
        if self.recorded:
            _pick(harmful or self.recorded, step).record(self.now, self.model)

    def _die(self, step: Step) -> None:
        """A worker dies, before or after its message is sent."""
        running = self.unrecorded or self.unsent
        if running:
            _take(running, step)
            self.model.counts["die"] += 1

    # Recovery

    def _recover(self, step: Step) -> None:
        tracker, now = int(step.value) % len(self.wait_trackers), self.now
        decisions = self.model.decide(tracker, now)
        with self._interrupted(step, worker_recovery, "apply_to_unchanged"):
            enqueued = recover(now, self.app_settings, self.wait_trackers[tracker])
        assert sorted(enqueued) == self.model.apply(decisions, now)
        self.queue += enqueued

    def _lose_record(self, _step: Step) -> None:
        """The queue server loses the record of claims."""
        app_state().redis.delete(key_of(CLAIMS))
        self.model.record_since = None

    def _forget(self, _step: Step) -> None:
        assert Retention(RETENTION, clock=lambda: 0.0).delete_old_page(self.now) == self.model.forget(self.now)


def _pick(items: list[Any], step: Step) -> Any:
    return items[-1 - int(step.value) % len(items)]


def _take(items: list[Any], step: Step) -> Any:
    return items.pop(-1 - int(step.value) % len(items))
