"""A walk: steps taken one after the other, or one in the middle of another, by our code and by the ledger alike."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import ModuleType
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select

from tests.cast import NOW, SIGNING_SECRET, Cast, get_account, get_workspace, seconds
from tests.deliveries.ledger import CODES, KEEP, Answer, Ledger, Look, Place
from webapp.channels.contract import Accepted, Message, Settings
from webapp.config import Config
from webapp.cooldown import CoolingDown
from webapp.deliveries import (
    DestinationDisabled,
    Retention,
    Sightings,
    claiming,
    end_overdue,
    fail_unqueued,
    list_attempts,
    list_overdue,
    recover,
    recovery,
    request_test,
)
from webapp.deliveries.claiming import Attempt, claim
from webapp.deliveries.sending import Outcome, record, try_once
from webapp.destinations import add_destination, change_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.failures import Code, DeliveryFailed, Facts
from webapp.last_test import list_with_newest_test, tell_last_test
from webapp.models import AlertDelivery, AlertDestination
from webapp.outbound import WayOut

STATUSES = {Answer.BUSY: 503, Answer.REFUSE: 404}


@dataclass(frozen=True)
class Step:
    """One thing that happens. of: which of those it can happen to, the latest first; of a wait, the seconds.

    meanwhile: what happens between its look at the database and its change.
    """

    name: str
    of: float = 0
    meanwhile: tuple["Step", ...] = ()

    def __repr__(self) -> str:
        return f"{self.name} {self.of:g}" + (f" {list(self.meanwhile)}" if self.meanwhile else "")


@dataclass
class Flight:
    """A worker with a row that it has claimed. answer, outcome: None before the message is sent."""

    attempt: Attempt
    answer: Answer | None = None
    answered_at: datetime = NOW
    outcome: Outcome | None = None


@dataclass
class Walk:
    """Everything there is while a walk is taken.

    queue: jobs, which may be taken twice. doubtful: presses that do not know yet whether the queue took them.
    aloft: flights that were not sent; back: those that were and are to be recorded; told: those that have been.
    """

    app: Flask
    config: Config
    cast: Cast
    now: datetime = NOW
    ledger: Ledger = field(default_factory=Ledger)
    places: list[Place] = field(default_factory=list)
    queue: list[int] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)
    aloft: list[Flight] = field(default_factory=list)
    back: list[Flight] = field(default_factory=list)
    told: list[Flight] = field(default_factory=list)
    watchers: list[Sightings] = field(default_factory=list)
    in_hand: int | None = None

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
        self.watchers = [Sightings(self._steady), Sightings(self._steady)]
        with self.app.app_context():
            db.session.execute(delete(AlertDelivery))
            db.session.commit()
        self._add_place()
        self._add_place()

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
        rows = {row.id: _read(row) for row in db.session.scalars(select(AlertDelivery))}
        assert rows == {entry.id: entry.row for entry in self.ledger.entries.values()}
        newest = {place.id: self.ledger.newest(place) for place in self.places if not place.is_deleted}
        shown = {place.id: _show(test) for place, test in list_with_newest_test(list(newest))}
        assert shown == {key: entry.badge if entry else ("never", None) for key, entry in newest.items()}
        assert self.ledger.lies() == []

    @contextmanager
    def _meanwhile(self, step: Step, module: ModuleType) -> Iterator[None]:
        """Take a step's inner steps once it has looked and before it changes anything."""
        make_change = module.make_change

        def take_them_first(*arguments: Any, **named: Any) -> bool:
            patch.undo()
            self.ledger.happened["meanwhile"] += len(step.meanwhile)
            self._take_each(step.meanwhile)
            return make_change(*arguments, **named)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "make_change", take_them_first)
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
        try:
            delivery_id = request_test(destination, get_account(self.cast), self.now)
        except (DestinationDisabled, CoolingDown) as refused:
            assert refusal == {DestinationDisabled: "disabled", CoolingDown: "cooling down"}[type(refused)]
            self.ledger.happened[refusal] += 1
            return
        assert refusal is None
        self.ledger.press(delivery_id, place, self.now)
        self.doubtful.append(delivery_id)

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
        for row in list_overdue(self.cast.harbor, self.now):
            assert end_overdue(row, self.now)
        self.ledger.move(moves, self.now)

    def _disable(self, step: Step) -> None:
        self._set_enabled(_pick(self.places, step), False)

    def _enable(self, step: Step) -> None:
        self._set_enabled(_pick(self.places, step), True)

    def _set_enabled(self, place: Place, is_enabled: bool) -> None:
        if not place.is_deleted:
            destination = db.session.get_one(AlertDestination, place.id)
            set_enabled(destination, get_account(self.cast), is_enabled, self.now)
            place.is_enabled = is_enabled

    def _edit(self, step: Step) -> None:
        place = _pick(self.places, step)
        if not place.is_deleted:
            destination = db.session.get_one(AlertDestination, place.id)
            typed = {"address": f"https://example.com/{place.version}", "signing_secret": ""}
            change_destination(destination, get_account(self.cast), "Any", typed, self.config.sealer, self.now)
            place.version += 1

    def _delete(self, step: Step) -> None:
        place = _take(self.places, step)
        delete_destination(db.session.get_one(AlertDestination, place.id), get_account(self.cast), self.now)
        place.is_deleted = True
        self._add_place()

    def _add_place(self) -> None:
        with self.app.app_context():
            settings = {"address": "https://example.com/", "signing_secret": SIGNING_SECRET}
            workspace, account = get_workspace(self.cast), get_account(self.cast)
            added = add_destination(workspace, account, "webhook", "Any", settings, self.config.sealer, self.now)
            self.places.append(Place(added.id))

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
        look: Look | None = self.ledger.look(delivery_id, self.now)
        with self._meanwhile(step, claiming):
            attempt = claim(delivery_id, self.config, self.now)
        assert (attempt is not None) is self.ledger.claim(look)
        if attempt is not None:
            assert attempt.number == self.ledger.entries[delivery_id].attempts
            self.aloft.append(Flight(attempt))

    def _accept(self, step: Step) -> None:
        self._fly(step, Answer.ACCEPT)

    def _busy(self, step: Step) -> None:
        self._fly(step, Answer.BUSY)

    def _refuse(self, step: Step) -> None:
        self._fly(step, Answer.REFUSE)

    def _silent(self, step: Step) -> None:
        self._fly(step, Answer.SILENT)

    def _fly(self, step: Step, answer: Answer) -> None:
        if not self.aloft:
            return
        flight = _take(self.aloft, step)

        def answers(_settings: Settings, _message: Message, _way_out: WayOut) -> Accepted:
            self.ledger.arrive(flight.attempt.delivery_id, flight.attempt.number, answer)
            if answer is Answer.ACCEPT:
                return Accepted(204)
            raise DeliveryFailed(Code(CODES[answer]), Facts(status=STATUSES.get(answer)))

        flight.answer, flight.answered_at = answer, self.now
        played = replace(flight.attempt, channel=replace(flight.attempt.channel, send=answers))
        with time_machine.travel(self.now, tick=False):
            flight.outcome = try_once(played, self.config.way_out)
        self.back.append(flight)

    def _record(self, step: Step) -> None:
        if self.back:
            flight = _take(self.back, step)
            self._tell(flight)
            self.told.append(flight)

    def _record_again(self, step: Step) -> None:
        """The database took the outcome, but the worker did not hear of it."""
        if self.told:
            self._tell(_pick(self.told, step))

    def _tell(self, flight: Flight) -> None:
        assert flight.answer is not None
        assert flight.outcome is not None
        record(flight.attempt, flight.outcome, 0.1, self.now)
        retry_at = flight.outcome.facts.get("send_after")
        number = flight.attempt.number
        self.ledger.record(
            flight.attempt.delivery_id, number, flight.answer, flight.answered_at, retry_at, self.now
        )

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
            enqueued = recover(now, self.config, self.watchers[watcher])
        assert sorted(enqueued) == self.ledger.move(moves, now)
        self.queue += enqueued

    def _forget(self, _step: Step) -> None:
        assert Retention(KEEP, steady=lambda: 0.0).forget_some(self.now) == self.ledger.forget(self.now)


def _pick(things: list[Any], step: Step) -> Any:
    return things[-1 - int(step.of) % len(things)]


def _take(things: list[Any], step: Step) -> Any:
    return things.pop(-1 - int(step.of) % len(things))


def _read(row: AlertDelivery) -> dict[str, Any]:
    return {
        "status": row.status,
        "attempts": row.attempt_count,
        "past": tuple(attempt.code for attempt in list_attempts(row)),
        "code": row.last_error_code,
        "started_at": row.attempt_started_at,
        "send_after": row.send_after,
        "sent_at": row.sent_at,
        "touched_at": row.updated_at,
    }


def _show(newest: AlertDelivery | None) -> tuple[str, datetime | None]:
    last_test = tell_last_test(newest, "webhook")
    return last_test.badge, last_test.at
