"""Workers are killed at random while 2,000 tests are sent: no message arrives twice, and every row is true."""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from random import Random
from socket import socket

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from benchmarks.installation.processes import Session, Stack
from benchmarks.installation.scripted_server import ScriptedServer, listening
from benchmarks.installation.servers import QueueServer
from tests.end_to_end.scenarios import ACCEPT_ALL
from tests.factories import SIGNING_SECRET, SeededIds, get_account, get_workspace
from tests.forked_processes import run_processes
from webapp import queue
from webapp.demo.supervisor.processes import Child, session_members
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.models.delivery import IS_WAITING
from webapp.settings import AppSettings

SEED = 20_260_504
# How often each destination is tested.
ROUNDS = 4
DESTINATIONS = 500
# How many of the destinations are pressed twice at once.
PRESSED_TWICE = 50
WORKERS = 4
# How many threads press; half of them use each web process.
PRESS_THREADS = 6
# Seconds within which the rows of a round must end by themselves.
STUCK_AFTER = 150.0


@dataclass(frozen=True)
class Summary:
    """Counts of presses, rows and messages.

    responses: to presses, by status.
    lost: rows that ended as `worker_lost`; other: rows that ended otherwise and are not sent; stuck: pending rows.
    arrived: different messages, by their `webhook-id`; duplicates: further copies of them.
    sent_without_arrival: rows that are sent, although no message arrived.
    arrived_without_record: messages that arrived, although no row is sent or lost.
    """

    responses: Counter[int]
    rows: int
    sent: int
    lost: int
    other: int
    stuck: int
    arrived: int
    duplicates: int
    sent_without_arrival: int
    arrived_without_record: int


@dataclass
class Killer:
    """Kills the workers of an installation at random."""

    stack: Stack
    workers: list[Child]
    random: Random = field(default_factory=lambda: Random(SEED))
    kills: int = 0

    def kill_one(self) -> None:
        """Kill a whole worker and start it again, or kill one of its processes.

        Call it in the main thread, because a started worker ends with the thread that started it.
        """
        number = self.random.randrange(len(self.workers))
        if self.random.random() < 0.5:
            self.workers[number].kill()
            self.workers[number] = self.stack.start_worker()
            self.kills += 1
        else:
            self._kill_one_process(self.workers[number])

    def _kill_one_process(self, worker: Child) -> None:
        members = [pid for pid in session_members(worker.pid) if pid != worker.pid]
        with suppress(ProcessLookupError, IndexError):  # a new worker has no processes yet
            os.kill(self.random.choice(members), signal.SIGKILL)
            self.kills += 1


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_each_message_arrives_at_most_once_and_each_row_is_true_although_workers_are_killed(
    app: Flask,
    seeded: SeededIds,
    app_settings: AppSettings,
    environment: dict[str, str],
    owner: tuple[str, str],
    queue_server: QueueServer,
    tmp_path: Path,
) -> None:
    responses = Counter[int]()
    with _slow_receiver() as receiver, run_processes(environment | _settings(receiver), tmp_path / "logs") as stack:
        destinations = _add_destinations(app, seeded, app_settings, receiver)
        sessions = _sign_in(stack, owner)
        killer = Killer(stack, [stack.start_worker() for _ in range(WORKERS)])
        for _ in range(ROUNDS):
            responses += _press_while_killing(app, killer, sessions, _plan_presses(destinations, killer.random))
            _age_rows_by_a_minute(app, queue_server)
    summary = _summarize(app, responses, Counter(_message_ids(receiver)))
    print(f"\nseed={SEED} kills={killer.kills} {summary}")

    assert summary == replace(
        summary,
        responses=Counter({200: ROUNDS * DESTINATIONS, 429: ROUNDS * PRESSED_TWICE}),
        rows=ROUNDS * DESTINATIONS,
        stuck=0,
        duplicates=0,
        sent_without_arrival=0,
        arrived_without_record=0,
    )
    assert killer.kills >= 20
    assert summary.lost > 0, "no kill hit a running send, so this run proves nothing"


@contextmanager
def _slow_receiver() -> Iterator[ScriptedServer]:
    """Run a receiver that accepts every message after 0 to 50 ms."""
    random = Random(SEED)

    def respond(connection: socket) -> None:
        time.sleep(random.uniform(0, 0.05))
        ACCEPT_ALL(connection)

    with listening(respond) as receiver:
        yield receiver


def _settings(receiver: ScriptedServer) -> dict[str, str]:
    limits = {"ALERTCHECK_PRESSES_PER_MEMBER": "100000", "ALERTCHECK_PRESSES_PER_WORKSPACE": "100000"}
    return limits | {"ALERTCHECK_TRUSTED_ORIGINS": receiver.origin}


def _add_destinations(app: Flask, seeded: SeededIds, app_settings: AppSettings, receiver: ScriptedServer) -> list[int]:
    settings, now = {"address": receiver.origin, "signing_secret": SIGNING_SECRET}, datetime.now(UTC)
    with app.app_context():
        owner_and_actor = get_workspace(seeded), get_account(seeded)
        names = [f"Number {number}" for number in range(DESTINATIONS)]
        return [
            add_destination(*owner_and_actor, "webhook", name, settings, app_settings.cipher, now).id for name in names
        ]


def _sign_in(stack: Stack, owner: tuple[str, str]) -> list[Session]:
    """Open a session for each pressing thread, alternating between the two web processes."""
    visitor = stack.start_web().sign_in(*owner)
    origins = cycle([visitor.origin, stack.start_web().origin])
    return [visitor.with_origin(origin) for origin in islice(origins, PRESS_THREADS)]


def _plan_presses(destinations: list[int], random: Random) -> list[int]:
    """Return the destinations to press, in random order; a destination that is pressed twice is repeated at once."""
    order = random.sample(destinations, k=len(destinations))
    return [*(number for number in order[:PRESSED_TWICE] for _ in range(2)), *order[PRESSED_TWICE:]]


def _press_while_killing(app: Flask, killer: Killer, sessions: list[Session], presses: Sequence[int]) -> Counter[int]:
    """Press all of them and kill workers until every row has ended. Returns the responses by status.

    Rows that are still pending after `STUCK_AFTER` seconds are counted in the summary.
    """
    deadline = time.monotonic() + STUCK_AFTER
    with ThreadPoolExecutor() as threads:
        shares = [presses[number :: len(sessions)] for number in range(len(sessions))]
        responses = [threads.submit(_press, *share) for share in zip(sessions, shares, strict=True)]
        while time.monotonic() < deadline and not (all(map(Future.done, responses)) and _count_waiting(app) == 0):
            time.sleep(killer.random.uniform(1, 2))
            killer.kill_one()
    return sum((response.result() for response in responses), Counter())


def _press(session: Session, destinations: Sequence[int]) -> Counter[int]:
    paths = [f"/w/harbor/destinations/{number}/test" for number in destinations]
    return Counter(session.post(path).status_code for path in paths)


def _count_waiting(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(AlertDelivery).where(IS_WAITING)) or 0


def _age_rows_by_a_minute(app: Flask, queue_server: QueueServer) -> None:
    """Make all completed rows a minute older, and delete the limiter's keys."""
    columns = ("created_at", "updated_at")  # the database does not allow a change of sent_at
    older = ", ".join(f"{column} = {column} - interval '61 seconds'" for column in columns)
    with app.app_context():
        db.session.execute(text(f"UPDATE alert_deliveries SET {older} WHERE NOT ({IS_WAITING})"))
        db.session.commit()
    client = queue.connect(queue_server.url)
    for key in client.scan_iter("*test-send*", count=1000):
        client.delete(key)


def _summarize(app: Flask, responses: Counter[int], arrived: Counter[str]) -> Summary:
    with app.app_context():
        rows = db.session.scalars(select(AlertDelivery)).all()
    sent = {row.payload["message_id"] for row in rows if row.status is DeliveryStatus.SENT}
    lost = {row.payload["message_id"] for row in rows if row.last_error_code == "worker_lost"}
    stuck = _count_waiting(app)
    return Summary(
        responses=responses,
        rows=len(rows),
        sent=len(sent),
        lost=len(lost),
        other=len(rows) - len(sent) - len(lost) - stuck,
        stuck=stuck,
        arrived=len(arrived),
        duplicates=arrived.total() - len(arrived),
        sent_without_arrival=len(sent - arrived.keys()),
        arrived_without_record=len(arrived.keys() - sent - lost),
    )


def _message_ids(receiver: ScriptedServer) -> list[str]:
    return [found[1].decode() for head in receiver.heads if (found := re.search(rb"(?i)webhook-id: (\S+)", head))]
