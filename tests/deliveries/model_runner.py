"""A walk: steps taken one after the other, or one in the middle of another, by our code and by the ledger alike."""

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
from tests.deliveries.model_state import Answer, Place
from tests.deliveries.observed_state import read_badges, read_rows
from tests.deliveries.paused_attempts import Flight
from tests.deliveries.random_steps import Step
from tests.deliveries.reference_model import KEEP, Ledger
from tests.factories import NOW, SeededIds, get_account, seconds
from webapp.deliveries import (
    DestinationDisabled,
    Retention,
    WaitTracker,
    claiming,
    fail_unqueued,
    recover,
    recovery,
    request_test,
)
from webapp.deliveries.claiming import claim
from webapp.deliveries.cooldown import CoolingDown
from webapp.deliveries.overdue import list_overdue
from webapp.deliveries.recovery import end_waiting
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination
from webapp.settings import AppSettings


@dataclass
class Walk:
    """Everything there is while a walk is taken.

    queue: jobs, which may be taken twice. doubtful: presses that do not know yet whether the queue took them.
    aloft: flights that were not sent; back: those that were and are to be recorded; told: those that have been.
    """

    app: Flask
    app_settings: AppSettings
    seeded: SeededIds
    now: datetime = NOW
    ledger: Ledger = field(default_factory=Ledger)
    places: list[Place] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)
    aloft: list[Flight] = field(default_factory=list)
    back: list[Flight] = field(default_factory=list)
    told: list[Flight] = field(default_factory=list)
    watchers: list[WaitTracker] = field(default_factory=list)
    in_hand: int | None = None

    @property
    def admin(self) -> Admin:
        return Admin(self.seeded, self.app_settings)

    def take(self, steps: Sequence[Step]) -> None:
        """Take the steps; then all workers are gone but for the recovery, and every row has to end."""
        self._begin()
        self._take_each(steps)
        self._take_each([Step("recover"), Step("wait", 20), Step("recover"), Step("wait", 125), Step("recover")])
        assert [entry for entry in self.ledger.entries.values() if entry.badge[0] == "pending"] == []
        belated = [Step("job again", of) for of in range(len(self.ledger.entries))]
        self._take_each([*belated, *[Step("accept")] * len(self.aloft)])
        self._take_each([Step("record")] * len(self.back))

    def _begin(self) -> None:
        self.watchers = [WaitTracker(self._steady), WaitTracker(self._steady)]
        with self.app.app_context():
            db.session.execute(delete(AlertDelivery))
            db.session.commit()
            self.places = [self.admin.add(self.now), self.admin.add(self.now)]

    def _steady(self) -> float:
        return (self.now - NOW).total_seconds()

    def _take_each(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.ledger.happened["step"] += 1
            with self.app.app_context():
                getattr(self, "_" + step.name.replace(" ", "_"))(step)
            with self.app.app_context():
                self._compare()

    def _compare(self) -> None:
        """Hold rows, badges and the far end's mail against the ledger."""
        assert read_rows() == {entry.id: entry.row for entry in self.ledger.entries.values()}
        newest = {place.id: self.ledger.newest(place) for place in self.places if not place.is_deleted}
        assert read_badges(list(newest)) == {
            key: entry.badge if entry else ("never", None) for key, entry in newest.items()
        }
        assert self.ledger.lies() == []

    @contextmanager
    def _meanwhile(self, step: Step, module: ModuleType) -> Iterator[None]:
        """Take a step's inner steps once it has looked and before it changes anything."""
        apply_transition: Callable[..., bool] = module.apply_transition

        def take_them_first(*arguments: Any, **named: Any) -> bool:
            patch.undo()
            self.ledger.happened["meanwhile"] += len(step.meanwhile)
            self._take_each(step.meanwhile)
            return apply_transition(*arguments, **named)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "apply_transition", take_them_first)
            yield

    # Time

    def _wait(self, step: Step) -> None:
        self.now += seconds(step.of)

    # Web processes

    def _press(self, step: Step) -> None:
        place = _pick(self.places, step)
        destination = db.session.get_one(AlertDestination, place.id)
        self._take_each(step.meanwhile)
        refusal = self.ledger.refusal(place, self.now)
        answer = self._request(destination)
        if isinstance(answer, int):
            assert refusal is None
            self.ledger.press(answer, place, self.now)
            self.doubtful.append(answer)
        else:
            assert answer == refusal
            self.ledger.happened[answer] += 1

    def _request(self, destination: AlertDestination) -> int | str:
        """Return the new row's id, or why there is none."""
        try:
            return request_test(destination, get_account(self.seeded), self.now)
        except DestinationDisabled:
            return "disabled"
        except CoolingDown:
            return "cooling down"

    def _enqueue(self, step: Step) -> None:
        """The queue takes it, although the press may never learn of that."""
        self.queue += [_pick(self.doubtful, step)] if self.doubtful else []

    def _drop(self, step: Step) -> None:
        if self.doubtful:
            delivery_id = _take(self.doubtful, step)
            fail_unqueued(delivery_id, self.now)
            self.ledger.drop(delivery_id, self.now)

    def _look(self, _step: Step) -> None:
        """A page is shown while no worker is seen."""
        moves = self.ledger.overdue(self.now)
        for row in list_overdue(self.seeded.harbor, self.now):
            assert end_waiting(row, self.now)
        self.ledger.move(moves, self.now)

    def _disable(self, step: Step) -> None:
        self.admin.set_enabled(_pick(self.places, step), False, self.now)

    def _enable(self, step: Step) -> None:
        self.admin.set_enabled(_pick(self.places, step), True, self.now)

    def _edit(self, step: Step) -> None:
        self.admin.edit(_pick(self.places, step), self.now)

    def _delete(self, step: Step) -> None:
        self.admin.delete(_take(self.places, step), self.now)
        self.places.append(self.admin.add(self.now))

    # Workers

    def _job(self, step: Step) -> None:
        if self.queue:
            self._claim(_take(self.queue, step), step)

    def _job_again(self, step: Step) -> None:
        """A job that is run once more: the queue may hand it over twice."""
        if self.ledger.entries:
            self._claim(_pick(sorted(self.ledger.entries), step), step)

    def _rival(self, step: Step) -> None:
        """Another worker with the job that is being claimed right now."""
        if self.in_hand is not None:
            self._claim(self.in_hand, step)

    def _claim(self, delivery_id: int, step: Step) -> None:
        self.in_hand = delivery_id
        look = self.ledger.look(delivery_id, self.now)
        with self._meanwhile(step, claiming):
            attempt = claim(delivery_id, self.app_settings, self.now)
        assert (attempt is not None) is self.ledger.claim(look)
        if attempt is not None:
            assert attempt.number == self.ledger.entries[delivery_id].attempts
            self.aloft.append(Flight(attempt, self.app_settings))

    def _accept(self, step: Step) -> None:
        self._fly(step, Answer.ACCEPT)

    def _busy(self, step: Step) -> None:
        self._fly(step, Answer.BUSY)

    def _refuse(self, step: Step) -> None:
        self._fly(step, Answer.REFUSE)

    def _silent(self, step: Step) -> None:
        self._fly(step, Answer.SILENT)

    def _fly(self, step: Step, answer: Answer) -> None:
        if self.aloft:
            flight = _take(self.aloft, step)
            flight.send(answer, self.now, self.ledger)
            self.back.append(flight)

    def _record(self, step: Step) -> None:
        if self.back:
            flight = _take(self.back, step)
            flight.record(self.now, self.ledger)
            self.told.append(flight)

    def _record_again(self, step: Step) -> None:
        """The database took the outcome, but the worker did not hear of it. Where it could do harm, if anywhere."""
        in_the_air = {flight.attempt.delivery_id for flight in self.aloft}
        harmful = [flight for flight in self.told if flight.attempt.delivery_id in in_the_air]
        if self.told:
            _pick(harmful or self.told, step).record(self.now, self.ledger)

    def _die(self, step: Step) -> None:
        """A worker dies, before or after its message is sent."""
        hands = self.back or self.aloft
        if hands:
            _take(hands, step)
            self.ledger.happened["die"] += 1

    # Beside each worker

    def _recover(self, step: Step) -> None:
        watcher, now = int(step.of) % len(self.watchers), self.now
        moves = self.ledger.watch(watcher, now)
        with self._meanwhile(step, recovery):
            enqueued = recover(now, self.app_settings, self.watchers[watcher])
        assert sorted(enqueued) == self.ledger.move(moves, now)
        self.queue += enqueued

    def _forget(self, _step: Step) -> None:
        assert Retention(KEEP, clock=lambda: 0.0).delete_old_page(self.now) == self.ledger.forget(self.now)


def _pick(things: list[Any], step: Step) -> Any:
    return things[-1 - int(step.of) % len(things)]


def _take(things: list[Any], step: Step) -> Any:
    return things.pop(-1 - int(step.of) % len(things))
