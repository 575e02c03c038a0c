"""The life of test sends, written a second time: from what happened alone, it says what every row and badge must say.

It reads no row and uses none of our code. What it holds to stands in docs/delivery-states.md.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.deliveries.model_state import CODES, OPEN, Answer, Entry, Look, Move, Place
from tests.factories import seconds

COOLDOWN, PATIENCE, LOST_AFTER, REQUEUE_AFTER, KEEP = map(seconds, (60, 120, 20, 10, 300))
TIME_FOR_ONE_MORE = seconds(30)
"""With this much time left, an attempt that delivered nothing, and was not the last, has to be followed by another."""

ATTEMPTS = 3


@dataclass
class Ledger:
    """All test sends of one walk.

    happened: how often each kind of thing did. mail: what the far end got, each attempt's number and its answer.
    lost: which attempt of a test send was given up on. watched: since when each recovery process has seen what.
    """

    happened: Counter[str] = field(default_factory=Counter)
    entries: dict[int, Entry] = field(default_factory=dict)
    mail: defaultdict[int, list[tuple[int, Answer]]] = field(default_factory=lambda: defaultdict(list))
    lost: dict[int, int] = field(default_factory=dict)
    watched: defaultdict[int, dict[tuple[int, int], datetime]] = field(default_factory=lambda: defaultdict(dict))

    def newest(self, place: Place) -> Entry | None:
        own = [entry for entry in self.entries.values() if entry.place is place]
        return max(own, key=lambda entry: (entry.pressed_at, entry.id), default=None)

    # The press

    def refusal(self, place: Place, now: datetime) -> str | None:
        """Why a press is refused now, or None."""
        newest = self.newest(place)
        if place.is_deleted or not place.is_enabled:
            return "disabled"
        return "cooling down" if newest and now - newest.pressed_at < COOLDOWN else None

    def press(self, delivery_id: int, place: Place, now: datetime) -> None:
        earlier = self.newest(place)
        if earlier and earlier.stands in ("waiting", "deferred"):
            self._turn(earlier, "supersede", "canceled", now, code="superseded")
        self.happened["press"] += 1
        self.entries[delivery_id] = Entry(delivery_id, place, place.version, now, now)

    def drop(self, delivery_id: int, now: datetime) -> None:
        entry = self.entries.get(delivery_id)
        if entry and entry.stands == "waiting":
            self._turn(entry, "fail unqueued", "failed", now, code="queue_unavailable")
        else:
            self.happened["late fail unqueued"] += 1

    # The worker

    def look(self, delivery_id: int, now: datetime) -> Look | None:
        entry = self.entries.get(delivery_id)
        if entry is None or entry.stands != "waiting" or now - entry.pressed_at >= PATIENCE:
            self.happened["job in vain"] += 1
            return None
        return Look(replace(entry), replace(entry.place), now, self._obstacle(entry))

    def _obstacle(self, entry: Entry) -> str | None:
        reasons = {
            "destination_deleted": entry.place.is_deleted,
            "destination_disabled": not entry.place.is_enabled,
            "destination_changed": entry.version != entry.place.version,
            "superseded": entry is not self.newest(entry.place),
        }
        return next((code for code, is_so in reasons.items() if is_so), None)

    def claim(self, look: Look | None) -> bool:
        """Say whether the worker has the row to itself now."""
        if look is None:
            return False
        entry = self.entries.get(look.seen.id)
        if entry is None or entry.stands != "waiting":
            self.happened["late cancel" if look.obstacle else "late claim"] += 1
            return False
        if look.obstacle:
            self._turn(entry, look.obstacle, "canceled", look.at, code=look.obstacle)
            return False
        if entry.attempts != look.seen.attempts or entry.place != look.place:
            self.happened[f"claim after {self._obstacle(entry) or 'another attempt'}"] += 1
            return False
        self._turn(entry, "claim", "sending", look.at, started_at=look.at, attempts=entry.attempts + 1)
        return True

    def arrive(self, delivery_id: int, attempt: int, answer: Answer) -> None:
        """A message is at the far end: it must be the first of its attempt, and no earlier one may have got through."""
        earlier = self.mail[delivery_id]
        assert all(number < attempt and got is Answer.BUSY for number, got in earlier), "sent again"
        assert self.lost.get(delivery_id, attempt) == attempt, "sent again after an attempt that was lost"
        earlier.append((attempt, answer))
        self.happened[answer] += 1

    def record(
        self,
        delivery_id: int,
        attempt: int,
        answer: Answer,
        answered_at: datetime,
        retry_at: datetime | None,
        now: datetime,
    ) -> None:
        entry = self.entries.get(delivery_id)
        if entry is None or entry.stands != "sending" or entry.attempts != attempt:
            rival = entry is not None and entry.stands == "sending"
            self.happened["record during another attempt" if rival else "late record"] += 1
            return
        past = (*entry.past, CODES.get(answer))
        if answer is Answer.ACCEPT:
            self._turn(entry, "sent", "sent", now, code=None, sent_at=answered_at, past=past)
        elif retry_at is None:
            assert answer is not Answer.BUSY or self._is_last(entry, answered_at), "not tried again"
            name = "fail" if answer is not Answer.BUSY else "out of attempts"
            self._turn(entry, name, "failed", now, code=CODES[answer], past=past)
        else:
            assert answer is Answer.BUSY, "to be tried again, although it may have arrived"
            assert entry.attempts < ATTEMPTS
            assert answered_at < retry_at < entry.pressed_at + PATIENCE
            self._turn(entry, "defer", "deferred", now, code=CODES[answer], send_after=retry_at, past=past)

    def _is_last(self, entry: Entry, now: datetime) -> bool:
        return entry.attempts == ATTEMPTS or now > entry.pressed_at + PATIENCE - TIME_FOR_ONE_MORE

    # The recovery

    def watch(self, watcher: int, now: datetime) -> list[Move]:
        """One recovery process looks at all that waits, and decides. It goes on with what it saw before."""
        waiting = [entry for entry in self.entries.values() if entry.stands in OPEN]
        before = self.watched[watcher]
        since = {(entry.id, entry.turns): before.get((entry.id, entry.turns), now) for entry in waiting}
        self.watched[watcher] = since
        named = [(entry, self._due(entry, now, since[entry.id, entry.turns])) for entry in waiting]
        return [Move(replace(entry), name) for entry, name in named if name]

    def _due(self, entry: Entry, now: datetime, watched_since: datetime) -> str | None:
        if entry.stands == "sending":
            return "mark lost" if now - watched_since >= LOST_AFTER else None
        if now - entry.pressed_at >= PATIENCE:
            return "expire"
        if entry.stands == "deferred":
            return "resume" if entry.send_after and now >= entry.send_after else None
        return "requeue" if now - entry.touched_at >= REQUEUE_AFTER else None

    def overdue(self, now: datetime) -> list[Move]:
        """What a page ends where no worker is seen."""
        late = [entry for entry in self.entries.values() if now - entry.pressed_at >= PATIENCE and entry.stands in OPEN]
        return [Move(replace(entry), "mark lost" if entry.stands == "sending" else "expire") for entry in late]

    def move(self, moves: Iterable[Move], now: datetime) -> list[int]:
        """Make the moves that still apply, and return what has to be enqueued."""
        entries = [(self.entries.get(move.seen.id), move) for move in moves]
        still = [(entry, move.name) for entry, move in entries if entry and entry.turns == move.seen.turns]
        self.happened["late move"] += len(entries) - len(still)
        for entry, name in still:
            self._move(entry, name, now)
        return sorted(entry.id for entry, name in still if name in ("resume", "requeue"))

    def _move(self, entry: Entry, name: str, now: datetime) -> None:
        if name == "mark lost":
            self.lost[entry.id] = entry.attempts
            self._turn(entry, name, "failed", now, code="worker_lost", past=(*entry.past, "worker_lost"))
        elif name == "expire":
            self._turn(entry, name, "failed", now, code=entry.code if entry.attempts else "not_started")
        else:
            self._turn(entry, name, "waiting", now)

    def forget(self, now: datetime) -> int:
        """Old rows go, but never one that waits, nor the newest of a destination. Returns how many."""
        old = [entry for entry in self.entries.values() if now - entry.pressed_at > KEEP and entry.stands not in OPEN]
        gone = [entry.id for entry in old if entry is not self.newest(entry.place)]
        self.entries = {key: entry for key, entry in self.entries.items() if key not in gone}
        self.happened["forget"] += len(gone)
        return len(gone)

    # What has to be true at any moment

    def _turn(self, entry: Entry, name: str, stands: str, now: datetime, **facts: Any) -> None:
        assert entry.stands in OPEN, "what has ended changes no more"
        self.happened[name] += 1
        entry.stands, entry.touched_at, entry.turns = stands, now, entry.turns + 1
        for key, value in ({"started_at": None, "send_after": None} | facts).items():
            setattr(entry, key, value)

    def lies(self) -> list[int]:
        """Test sends whose end does not agree with what the far end got."""
        return [entry.id for entry in self.entries.values() if entry.stands not in OPEN and not self._is_true(entry)]

    def _is_true(self, entry: Entry) -> bool:
        answers = [answer for _, answer in self.mail[entry.id]]
        if entry.code == "worker_lost":
            return True
        if entry.code in ("read_timeout", "not_found"):
            return CODES.get(answers[-1]) == entry.code
        return (Answer.ACCEPT in answers) is (entry.stands == "sent") and len(answers) == entry.attempts
