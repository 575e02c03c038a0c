"""Loads an installation with presses, Test all, edits and drills, injects faults, counts what was lost or repeated.

    python -m benchmarks.endurance [--minutes 10] [--seed N]

Runs PostgreSQL, two web servers and two workers. Exit status: 0 if every row ended in time and tells the truth, else 1.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event

import requests
from sqlalchemy import func, select, update

from benchmarks.installation.faults import Faults
from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import Session
from benchmarks.installation.receiver import PATHS
from benchmarks.setup import install
from webapp.extensions import db
from webapp.failures import MEANINGS, Code
from webapp.models import (
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    DrillInterval,
    DrillNumber,
    DrillSchedule,
)
from webapp.models.delivery import IS_WAITING

DESTINATIONS = 400
VISITORS = 4

# Seconds from the press within which a row must have ended.
ENDS_WITHIN = 150.0

# Seconds between two faults.
FAULT_INTERVAL = (2.0, 8.0)


@dataclass
class Load:
    """Random presses and edits by several visitors.

    destinations: their addresses, by id. responses: how often each status was returned.
    """

    sessions: list[Session]
    destinations: dict[int, str]
    stop: Event = field(default_factory=Event)
    responses: Counter[str] = field(default_factory=Counter)

    def visit(self, number: int, chance: random.Random) -> None:
        """Press and edit until the load stops."""
        while not self.stop.is_set():
            session = self.sessions[number % len(self.sessions)]
            destination, action = chance.choice(list(self.destinations)), _choose_action(chance)
            data = self._new_settings(destination, chance) if action == "edit" else None
            path = action if action == "test-all" else f"destinations/{destination}/{action}"
            try:
                response = session.post(f"/w/harbor/{path}", data)
                self.responses[f"{action} {response.status_code}"] += 1
            except requests.RequestException as error:  # its web server was just killed
                self.responses[type(error).__name__] += 1
            self.stop.wait(chance.uniform(0, 0.2))

    def _new_settings(self, destination: int, chance: random.Random) -> dict[str, str]:
        """Return the form with a new address of the same behavior; a blank field keeps the stored secret."""
        address = f"{self.destinations[destination]}?version={chance.randrange(10**6)}"
        return {"name": f"Number {destination}", "address": address, "signing_secret": ""}


def _choose_action(chance: random.Random) -> str:
    return chance.choices(("test", "edit", "disable", "enable", "test-all"), weights=(100, 10, 5, 10, 1))[0]


@dataclass(frozen=True)
class Findings:
    """What the rows and the receiver show at the end.

    rows: deliveries by how they ended. batches, drills: how many were of Test all, and of drills.
    late: ids of rows that took longer than `ENDS_WITHIN`. stuck: rows that have not ended.
    repeated: messages that arrived more than once. false_sent: rows that claim an acceptance, although nothing arrived.
    false_failed: rows that claim that nothing was delivered, although the message arrived.
    drilled_twice: destinations with more than one first drill in the only window, without those that were canceled.
    """

    rows: Counter[str]
    batches: int
    drills: int
    late: list[int]
    stuck: int
    repeated: int
    false_sent: int
    false_failed: int
    drilled_twice: int

    @property
    def are_clean(self) -> bool:
        faults = self.late, self.stuck, self.repeated, self.false_sent, self.false_failed, self.drilled_twice
        return not any(faults)


def run(minutes: float, seed: int) -> bool:
    """Run the load and print the counts. Returns whether nothing was lost, repeated, stuck or false."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, protects no secret
    with install("postgresql") as installation:
        destinations = dict(_add_destination(installation, number, chance) for number in range(DESTINATIONS))
        _turn_drills_on(installation, datetime.now(UTC))
        faults = Faults(installation, chance)
        load = Load(faults.start(), destinations)
        _load_for(minutes * 60, load, faults, chance)
        print(f"seed {seed}, {minutes:g} minutes; faults injected: {faults.counts.total()} {dict(faults.counts)}")
        print(f"responses: {dict(sorted(load.responses.items()))}")
        findings = _wait_and_examine(installation)
    print(findings)
    return findings.are_clean


def _add_destination(installation: Installation, number: int, chance: random.Random) -> tuple[int, str]:
    address = installation.receiver.origin + chance.choices(PATHS, weights=(12, 2, 3, 1))[0]
    return installation.add_webhook(address, f"Number {number}"), address


def _turn_drills_on(installation: Installation, now: datetime) -> None:
    """Open the only window of a week, in which most destinations have a drill that is due by now."""
    opened_at = now - timedelta(hours=1)
    with installation.app.app_context():
        db.session.execute(update(AlertDestination).values(created_at=now - timedelta(days=1)))
        schedule = DrillSchedule(
            workspace_id=installation.workspace_id,
            interval=DrillInterval.WEEKLY,
            weekdays=str(opened_at.isoweekday()),
            from_hour=opened_at.hour,
            to_hour=(now + timedelta(hours=1)).hour or 24,
            time_zone="UTC",
            started_at=now - timedelta(days=1),
            updated_at=now,
        )
        db.session.add(schedule)
        db.session.commit()


def _load_for(seconds: float, load: Load, faults: Faults, chance: random.Random) -> None:
    ends = time.monotonic() + seconds
    with ThreadPoolExecutor(VISITORS) as threads:
        visits = [threads.submit(load.visit, number, random.Random(number)) for number in range(VISITORS)]  # noqa: S311
        try:
            # In the main thread, because a started process ends with the thread that started it.
            while time.monotonic() < ends:
                time.sleep(chance.uniform(*FAULT_INTERVAL))
                load.sessions = faults.inject_one()
        finally:
            load.stop.set()
            faults.end_all()
    for visit in visits:
        visit.result()


def _wait_and_examine(installation: Installation) -> Findings:
    """Wait until every row has ended, `ENDS_WITHIN` seconds at most, and compare the rows with the receiver."""
    _wait_until(installation.is_at_rest, ENDS_WITHIN)
    with installation.app.app_context():
        rows = db.session.scalars(select(AlertDelivery)).all()
        stuck = db.session.scalar(select(func.count()).select_from(AlertDelivery).where(IS_WAITING)) or 0
    messages = installation.receiver.messages
    first_drills = Counter(row.alert_destination_id for row in rows if _is_first_drill(row))
    return Findings(
        rows=Counter(row.last_error_code or row.status.value for row in rows),
        batches=sum(row.batch is not None for row in rows),
        drills=sum(row.drill is not None for row in rows),
        late=[row.id for row in rows if (row.updated_at - row.created_at).total_seconds() > ENDS_WITHIN],
        stuck=stuck,
        repeated=sum(count > 1 for count in messages.values()),
        false_sent=sum(row.status is DeliveryStatus.SENT and not messages[_message_id(row)] for row in rows),
        false_failed=sum(_claims_nothing_arrived(row) and bool(messages[_message_id(row)]) for row in rows),
        drilled_twice=sum(count > 1 for count in first_drills.values()),
    )


def _is_first_drill(row: AlertDelivery) -> bool:
    return row.drill is DrillNumber.FIRST and row.status is not DeliveryStatus.CANCELED


def _wait_until(is_true: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not is_true() and time.monotonic() < ends:
        time.sleep(1)


def _message_id(row: AlertDelivery) -> str:
    return str(row.payload["message_id"])


def _claims_nothing_arrived(row: AlertDelivery) -> bool:
    if row.status not in (DeliveryStatus.FAILED, DeliveryStatus.CANCELED) or row.last_error_code is None:
        return False
    return not MEANINGS[Code(row.last_error_code)].may_have_arrived


def main() -> int:
    """Read the options, run the load and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(datetime.now(UTC).timestamp()))
    options = parser.parse_args()
    return 0 if run(options.minutes, options.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
