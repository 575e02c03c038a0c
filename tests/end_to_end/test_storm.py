"""Workers are killed at random while 2,000 tests are sent: no message arrives twice, and no row lies about it."""

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

from benchmarks.installation.processes import Session, Stack, run_processes
from benchmarks.installation.scripted_server import ScriptedServer, listening
from benchmarks.installation.servers import QueueServer
from tests.end_to_end.scenarios import YES
from tests.factories import SIGNING_SECRET, SeededIds, get_account, get_workspace
from webapp import queue
from webapp.demo.supervisor.processes import Child, session_members
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.models.delivery import IS_WAITING
from webapp.settings import AppSettings

SEED = 20_260_504
ROUNDS, DESTINATIONS, FAIL_FAST = 4, 500, 50
"""How often each destination is tested, how many there are, and how many of them are pressed twice at once."""

WORKERS, FINGERS = 4, 6
"""How many workers are killed, and how many threads press, half of them at each web process."""

STUCK_AFTER = 150.0
"""Seconds within which the rows of a round have to end by themselves."""


@dataclass(frozen=True)
class Tally:
    """What was pressed, what the rows say, and what the far end got.

    answers: to presses, by status.
    lost: rows that say `worker_lost`; otherwise: rows that ended as anything else but sent; stuck: those that wait.
    arrived: different messages, by their `webhook-id`; duplicates: those that came on top.
    sent_in_vain: rows that say sent, though nothing arrived.
    denied: messages that arrived, though no row says that they may have.
    """

    answers: Counter[int]
    rows: int
    sent: int
    lost: int
    otherwise: int
    stuck: int
    arrived: int
    duplicates: int
    sent_in_vain: int
    denied: int


@dataclass
class Storm:
    """What kills the workers of an installation, one after the other."""

    stack: Stack
    workers: list[Child]
    chance: Random = field(default_factory=lambda: Random(SEED))
    kills: int = 0

    def strike(self) -> None:
        """Kill a whole worker outright, and start it again, or one of its processes.

        To be called in the main thread: what is started here ends with the thread that starts it.
        """
        number = self.chance.randrange(len(self.workers))
        if self.chance.random() < 0.5:
            self.workers[number].kill()
            self.workers[number] = self.stack.start_worker()
            self.kills += 1
        else:
            self._kill_one_process(self.workers[number])

    def _kill_one_process(self, worker: Child) -> None:
        members = [pid for pid in session_members(worker.pid) if pid != worker.pid]
        with suppress(ProcessLookupError, IndexError):  # those of a worker that has just been started are yet to come
            os.kill(self.chance.choice(members), signal.SIGKILL)
            self.kills += 1


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_whoever_is_killed_each_message_arrives_at_most_once_and_each_row_tells_how_it_ended(
    app: Flask,
    seeded: SeededIds,
    app_settings: AppSettings,
    environment: dict[str, str],
    owner: tuple[str, str],
    queue_server: QueueServer,
    tmp_path: Path,
) -> None:
    answers = Counter[int]()
    with _far_end() as receiver, run_processes(environment | _settings(receiver), tmp_path / "logs") as stack:
        destinations = _add_destinations(app, seeded, app_settings, receiver)
        fingers = _sign_in(stack, owner)
        storm = Storm(stack, [stack.start_worker() for _ in range(WORKERS)])
        for _ in range(ROUNDS):
            answers += _press_in_the_storm(app, storm, fingers, _plan_presses(destinations, storm.chance))
            _let_a_minute_pass(app, queue_server)
    tally = _count(app, answers, Counter(_message_ids(receiver)))
    print(f"\nseed={SEED} kills={storm.kills} {tally}")

    assert tally == replace(
        tally,
        answers=Counter({200: ROUNDS * DESTINATIONS, 429: ROUNDS * FAIL_FAST}),
        rows=ROUNDS * DESTINATIONS,
        stuck=0,
        duplicates=0,
        sent_in_vain=0,
        denied=0,
    )
    assert storm.kills >= 20
    assert tally.lost > 0, "no kill hit a send in hand: this run has shown nothing"


@contextmanager
def _far_end() -> Iterator[ScriptedServer]:
    """Have a receiver that takes every message, after 0 to 50 ms."""
    chance = Random(SEED)

    def answer(connection: socket) -> None:
        time.sleep(chance.uniform(0, 0.05))
        YES(connection)

    with listening(answer) as receiver:
        yield receiver


def _settings(receiver: ScriptedServer) -> dict[str, str]:
    limits = {"ALERTCHECK_PRESSES_PER_MEMBER": "100000", "ALERTCHECK_PRESSES_PER_WORKSPACE": "100000"}
    return limits | {"ALERTCHECK_TRUSTED_ORIGINS": receiver.origin}


def _add_destinations(app: Flask, seeded: SeededIds, app_settings: AppSettings, receiver: ScriptedServer) -> list[int]:
    settings, now = {"address": receiver.origin, "signing_secret": SIGNING_SECRET}, datetime.now(UTC)
    with app.app_context():
        place = get_workspace(seeded), get_account(seeded)
        names = [f"Number {number}" for number in range(DESTINATIONS)]
        return [add_destination(*place, "webhook", name, settings, app_settings.cipher, now).id for name in names]


def _sign_in(stack: Stack, owner: tuple[str, str]) -> list[Session]:
    """Open a session for each thread that presses, in turns at the one and the other web process."""
    visitor = stack.start_web().sign_in(*owner)
    origins = cycle([visitor.origin, stack.start_web().origin])
    return [visitor.with_origin(origin) for origin in islice(origins, FINGERS)]


def _plan_presses(destinations: list[int], chance: Random) -> list[int]:
    """Say which destinations are pressed, in which order; who presses twice does so at once."""
    order = chance.sample(destinations, k=len(destinations))
    return [*(number for number in order[:FAIL_FAST] for _ in range(2)), *order[FAIL_FAST:]]


def _press_in_the_storm(app: Flask, storm: Storm, fingers: list[Session], presses: Sequence[int]) -> Counter[int]:
    """Press them all while one kill follows the other, until every row has ended; return the answers by status.

    A row that waits for too long is left to the tally.
    """
    deadline = time.monotonic() + STUCK_AFTER
    with ThreadPoolExecutor() as threads:
        shares = [presses[number :: len(fingers)] for number in range(len(fingers))]
        answers = [threads.submit(_press, *hand) for hand in zip(fingers, shares, strict=True)]
        while time.monotonic() < deadline and not (all(map(Future.done, answers)) and _count_waiting(app) == 0):
            time.sleep(storm.chance.uniform(1, 2))
            storm.strike()
    return sum((answer.result() for answer in answers), Counter())


def _press(session: Session, destinations: Sequence[int]) -> Counter[int]:
    paths = [f"/w/harbor/destinations/{number}/test" for number in destinations]
    return Counter(session.post(path).status_code for path in paths)


def _count_waiting(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(AlertDelivery).where(IS_WAITING)) or 0


def _let_a_minute_pass(app: Flask, queue_server: QueueServer) -> None:
    """Make all that has ended a minute older, and the limiter forget it."""
    columns = ("created_at", "updated_at")  # when it was sent, the database lets nobody change
    older = ", ".join(f"{column} = {column} - interval '61 seconds'" for column in columns)
    with app.app_context():
        db.session.execute(text(f"UPDATE alert_deliveries SET {older} WHERE NOT ({IS_WAITING})"))
        db.session.commit()
    client = queue.connect(queue_server.url)
    for key in client.scan_iter("*test-send*", count=1000):
        client.delete(key)


def _count(app: Flask, answers: Counter[int], arrived: Counter[str]) -> Tally:
    with app.app_context():
        rows = db.session.scalars(select(AlertDelivery)).all()
    sent = {row.payload["message_id"] for row in rows if row.status is DeliveryStatus.SENT}
    lost = {row.payload["message_id"] for row in rows if row.last_error_code == "worker_lost"}
    stuck = _count_waiting(app)
    return Tally(
        answers=answers,
        rows=len(rows),
        sent=len(sent),
        lost=len(lost),
        otherwise=len(rows) - len(sent) - len(lost) - stuck,
        stuck=stuck,
        arrived=len(arrived),
        duplicates=arrived.total() - len(arrived),
        sent_in_vain=len(sent - arrived.keys()),
        denied=len(arrived.keys() - sent - lost),
    )


def _message_ids(receiver: ScriptedServer) -> list[str]:
    return [found[1].decode() for head in receiver.heads if (found := re.search(rb"(?i)webhook-id: (\S+)", head))]
