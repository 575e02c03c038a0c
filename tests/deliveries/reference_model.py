"""A second implementation of a test send's states: from the events alone it derives every row and badge.

It reads no row and uses none of the application's code. Its rules are those of docs/delivery-states.md.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.deliveries.model_state import (
    CODES,
    PENDING_STATES,
    ClaimSnapshot,
    ExpectedSend,
    ModelDestination,
    ReceiverResponse,
    RecoveryDecision,
)
from tests.factories import seconds

COOLDOWN, TIME_LIMIT, LOST_AFTER, REQUEUE_AFTER, RETENTION = map(seconds, (60, 120, 20, 10, 300))

# How long one process must have watched an attempt that is older than `LOST_AFTER`; how much later a page acts than a
# worker; the age from which a list shows an attempt; and that from which the processes of a host watch it together.
WATCHED, MARGIN, LISTED_AFTER, SLOW_AFTER = map(seconds, (9, 1, 10, 9))

# With this much time left, an attempt that delivered nothing and was not the last must be followed by another.
MIN_TIME_FOR_RETRY = seconds(30)

NO_MARGIN = timedelta(0)

ATTEMPTS = 3


@dataclass
class ReferenceModel:
    """All test sends of one run.

    counts: how often each kind of event happened. received: for each test send, the messages that the receiver got,
    each with its attempt's number and its response. lost: the attempt of a test send that was given up. first_seen:
    since when each recovery process has seen each state. looked_at: the same for the web process.
    watched_since: since when any of them has seen an attempt that takes too long. record_since: since
    when the record of claims is complete, or None without one.
    """

    counts: Counter[str] = field(default_factory=Counter)
    sends: dict[int, ExpectedSend] = field(default_factory=dict)
    received: defaultdict[int, list[tuple[int, ReceiverResponse]]] = field(default_factory=lambda: defaultdict(list))
    lost: dict[int, int] = field(default_factory=dict)
    record_since: datetime | None = None
    looked_at: dict[tuple[int, int], datetime] = field(default_factory=dict)
    watched_since: dict[tuple[int, int], datetime] = field(default_factory=dict)
    first_seen: defaultdict[int, dict[tuple[int, int], datetime]] = field(default_factory=lambda: defaultdict(dict))

    def newest(self, destination: ModelDestination) -> ExpectedSend | None:
        own = [send for send in self.sends.values() if send.destination is destination]
        return max(own, key=lambda send: (send.pressed_at, send.id), default=None)

    # The press

    def refusal(self, destination: ModelDestination, now: datetime) -> str | None:
        """Return why a press is refused now, or None."""
        newest = self.newest(destination)
        if destination.is_deleted or not destination.is_enabled:
            return "disabled"
        return "cooling down" if newest and now - newest.pressed_at < COOLDOWN else None

    def press(self, delivery_id: int, destination: ModelDestination, now: datetime) -> None:
        earlier = self.newest(destination)
        if earlier and earlier.state in ("waiting", "deferred"):
            self._change_state(earlier, "supersede", "canceled", now, code="superseded")
        self.counts["press"] += 1
        self.sends[delivery_id] = ExpectedSend(delivery_id, destination, destination.version, now, now)

    def fail_unqueued(self, delivery_id: int, now: datetime) -> None:
        send = self.sends.get(delivery_id)
        if send and send.state == "waiting":
            self._change_state(send, "fail unqueued", "failed", now, code="queue_unavailable")
        else:
            self.counts["late fail unqueued"] += 1

    # The worker

    def read_for_claim(self, delivery_id: int, now: datetime) -> ClaimSnapshot | None:
        send = self.sends.get(delivery_id)
        if send is None or send.state != "waiting" or now - send.pressed_at >= TIME_LIMIT:
            self.counts["unneeded job"] += 1
            return None
        return ClaimSnapshot(replace(send), replace(send.destination), now, self._find_obstacle(send))

    def _find_obstacle(self, send: ExpectedSend) -> str | None:
        obstacles = {
            "destination_deleted": send.destination.is_deleted,
            "destination_disabled": not send.destination.is_enabled,
            "destination_changed": send.version != send.destination.version,
            "superseded": send is not self.newest(send.destination),
        }
        return next((code for code, is_met in obstacles.items() if is_met), None)

    def claim(self, snapshot: ClaimSnapshot | None) -> bool:
        """Return whether the worker has claimed the row."""
        if snapshot is None:
            return False
        send = self.sends.get(snapshot.seen.id)
        if send is None or send.state != "waiting":
            self.counts["late cancel" if snapshot.obstacle else "late claim"] += 1
            return False
        if snapshot.obstacle:
            self._change_state(send, snapshot.obstacle, "canceled", snapshot.at, code=snapshot.obstacle)
            return False
        if send.attempts != snapshot.seen.attempts or send.destination != snapshot.destination:
            self.counts[f"claim after {self._find_obstacle(send) or 'another attempt'}"] += 1
            return False
        attempts = send.attempts + 1
        self._change_state(send, "claim", "sending", snapshot.at, started_at=snapshot.at, attempts=attempts)
        return True

    def arrive(self, delivery_id: int, attempt: int, response: ReceiverResponse) -> None:
        """Note a message at the receiver: the first of its attempt, after no attempt that may have delivered it."""
        earlier = self.received[delivery_id]
        assert all(number < attempt and got is ReceiverResponse.BUSY for number, got in earlier), "sent again"
        assert self.lost.get(delivery_id, attempt) == attempt, "sent again after an attempt that was lost"
        earlier.append((attempt, response))
        self.counts[response] += 1

    def record(
        self,
        delivery_id: int,
        attempt: int,
        response: ReceiverResponse,
        responded_at: datetime,
        retry_at: datetime | None,
        now: datetime,
    ) -> None:
        send = self.sends.get(delivery_id)
        if send is None or send.state != "sending" or send.attempts != attempt:
            is_sending = send is not None and send.state == "sending"
            self.counts["record during another attempt" if is_sending else "late record"] += 1
            return
        past_codes = (*send.past_codes, CODES.get(response))
        if response is ReceiverResponse.ACCEPT:
            self._change_state(send, "sent", "sent", now, code=None, sent_at=responded_at, past_codes=past_codes)
        elif retry_at is None:
            assert response is not ReceiverResponse.BUSY or self._is_last(send, responded_at), "not tried again"
            name = "fail" if response is not ReceiverResponse.BUSY else "out of attempts"
            self._change_state(send, name, "failed", now, code=CODES[response], past_codes=past_codes)
        else:
            assert response is ReceiverResponse.BUSY, "to be tried again, although it may have arrived"
            assert send.attempts < ATTEMPTS
            assert responded_at < retry_at < send.pressed_at + TIME_LIMIT
            facts = {"code": CODES[response], "send_after": retry_at, "past_codes": past_codes}
            self._change_state(send, "defer", "deferred", now, **facts)

    def _is_last(self, send: ExpectedSend, now: datetime) -> bool:
        return send.attempts == ATTEMPTS or now > send.pressed_at + TIME_LIMIT - MIN_TIME_FOR_RETRY

    # The recovery

    def decide(self, tracker: int, now: datetime) -> list[RecoveryDecision]:
        """Return what a recovery process decides about all pending rows, given what it saw in earlier passes."""
        self.record_since = self.record_since or now
        pending = [send for send in self.sends.values() if send.state in PENDING_STATES]
        before = self.first_seen[tracker]
        since = {(send.id, send.changes): before.get((send.id, send.changes), now) for send in pending}
        self.first_seen[tracker] = since
        due = [(send, self._due(send, now, since[send.id, send.changes])) for send in pending]
        return [RecoveryDecision(replace(send), name) for send, name in due if name]

    def _due(self, send: ExpectedSend, now: datetime, seen_since: datetime) -> str | None:
        if send.state == "sending":
            return "mark lost" if self._is_lost(send, now, seen_since) else None
        if now - send.pressed_at >= TIME_LIMIT:
            return "expire"
        if send.state == "deferred":
            return "resume" if send.send_after and now >= send.send_after else None
        return "requeue" if now - send.updated_at >= REQUEUE_AFTER else None

    def _is_lost(self, send: ExpectedSend, now: datetime, seen_since: datetime, margin: timedelta = NO_MARGIN) -> bool:
        assert send.started_at is not None
        if now - send.started_at >= SLOW_AFTER:
            seen_since = min(seen_since, self.watched_since.setdefault((send.id, send.changes), now))
        watched = now - seen_since
        return watched >= LOST_AFTER or (watched >= WATCHED and now - margin - send.started_at >= LOST_AFTER)

    def decide_by_look(self, now: datetime) -> list[RecoveryDecision]:
        """Return what a list decides, while the queue server knows no live worker."""
        pending = [send for send in self.sends.values() if send.state in PENDING_STATES]
        decisions = []
        for send in [send for send in pending if self._is_listed(send, now)]:
            seen_since = self.looked_at.setdefault((send.id, send.changes), now)
            is_over = now - MARGIN - send.pressed_at >= TIME_LIMIT
            if send.state == "sending" and (self._is_lost(send, now, seen_since, MARGIN) or is_over):
                decisions.append(RecoveryDecision(replace(send), "mark lost"))
            elif send.state != "sending" and is_over:
                decisions.append(RecoveryDecision(replace(send), "expire"))
        return decisions

    def _is_listed(self, send: ExpectedSend, now: datetime) -> bool:
        is_slow = send.started_at is not None and now - send.started_at >= LISTED_AFTER
        return is_slow or now - send.pressed_at >= TIME_LIMIT

    def apply(self, decisions: Iterable[RecoveryDecision], now: datetime) -> list[int]:
        """Apply the decisions that are not outdated, and return the ids to enqueue."""
        sends = [(self.sends.get(decision.seen.id), decision) for decision in decisions]
        current = [(send, decision.name) for send, decision in sends if send and send.changes == decision.seen.changes]
        self.counts["outdated decision"] += len(sends) - len(current)
        for send, name in current:
            self._apply(send, name, now)
        return sorted(send.id for send, name in current if name in ("resume", "requeue"))

    def _apply(self, send: ExpectedSend, name: str, now: datetime) -> None:
        if name == "mark lost":
            self.lost[send.id] = send.attempts
            past_codes = (*send.past_codes, "worker_lost")
            self._change_state(send, name, "failed", now, code="worker_lost", past_codes=past_codes)
        elif name == "expire":
            code = send.code if send.attempts else "not_started"
            if self.record_since is None or self.record_since > send.pressed_at:
                self.counts["expire without record"] += 1
                code = "worker_lost"
            self._change_state(send, name, "failed", now, code=code)
        else:
            self._change_state(send, name, "waiting", now)

    def forget(self, now: datetime) -> int:
        """Delete old rows, but no pending row and no destination's newest. Returns how many were deleted."""
        completed = [send for send in self.sends.values() if send.state not in PENDING_STATES]
        old = [send for send in completed if now - send.pressed_at > RETENTION]
        deleted = [send.id for send in old if send is not self.newest(send.destination)]
        self.sends = {key: send for key, send in self.sends.items() if key not in deleted}
        self.counts["forget"] += len(deleted)
        return len(deleted)

    # What must hold at any time

    def _change_state(self, send: ExpectedSend, name: str, state: str, now: datetime, **facts: Any) -> None:
        assert send.state in PENDING_STATES, "a completed delivery never changes"
        self.counts[name] += 1
        send.state, send.updated_at, send.changes = state, now, send.changes + 1
        for key, value in ({"started_at": None, "send_after": None} | facts).items():
            setattr(send, key, value)

    def list_false_outcomes(self) -> list[int]:
        """List the completed test sends whose outcome contradicts what the receiver got."""
        completed = [send for send in self.sends.values() if send.state not in PENDING_STATES]
        return [send.id for send in completed if not self._is_true(send)]

    def _is_true(self, send: ExpectedSend) -> bool:
        responses = [response for _, response in self.received[send.id]]
        if send.code == "worker_lost":
            return True
        if send.code in ("read_timeout", "not_found"):
            return CODES.get(responses[-1]) == send.code
        return (ReceiverResponse.ACCEPT in responses) is (send.state == "sent") and len(responses) == send.attempts
