"""Every process is killed at every step of a send: the badge stays true, and no message is sent twice.

All crashes happen in two installations at once; each test checks the outcome of one crash.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from signal import SIGKILL
from threading import Thread

import pytest
import requests

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import ENDS_WITHIN, TIME_LIMIT, Session, wait_until
from tests.databases import new_database
from tests.end_to_end.breakpoints import Breakpoints, Step
from tests.forked_processes import installed
from webapp.demo.supervisor.processes import Child, session_members

pytestmark = pytest.mark.slow

SEND_STEPS = (Step.LOOKING, Step.CLAIMING, Step.CLAIMED, Step.ASKED, Step.ANSWERED, Step.RECORDING, Step.RECORDED)

# The steps at which one worker can be killed together. Only the last step of each may lock the database. Deliveries
# that are sent again come last, because another kill could interrupt them.
STEPS_PER_WORKER = (
    (Step.CLAIMED, Step.ASKED, Step.ANSWERED, Step.RECORDED, Step.RECORDING),
    (Step.LOOKING, Step.CLAIMING),
)


class Victim(StrEnum):
    """The processes that are killed."""

    PROCESS = "one process"
    WORKER = "the whole worker"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a delivery. messages: how many the receiver got. shown: the status fragment."""

    status: str
    code: str | None
    attempts: int
    messages: int
    shown: str


Outcomes = Mapping[tuple[Step, Victim], Outcome]


@dataclass(frozen=True)
class CrashRun:
    """An installation in which processes are killed. deliveries: the delivery at each step."""

    site: Installation
    breakpoints: Breakpoints
    visitor: Session
    deliveries: dict[Step, int] = field(default_factory=dict)

    def press(self, step: Step) -> int:
        """Request a test, wait until its send stops at this step, and return the id of the stopped process."""
        self.request(step, "/silent" if step is Step.ASKED else "/takes")
        return self.wait_for_victim(step, self.deliveries[step])

    def request(self, step: Step, path: str) -> None:
        delivery_id = self.site.request_test(self.site.add_destination(path))
        self.deliveries[step] = delivery_id
        self.breakpoints.set(step, delivery_id)
        self.site.enqueue(delivery_id)

    def press_in_browser(self) -> None:
        """Press on a page whose web process is killed before it responds."""
        destination_id = self.site.add_destination("/takes")
        self.breakpoints.set(Step.PRESSED, destination_id)
        Thread(target=self._press_and_lose_connection, args=(destination_id,)).start()
        os.kill(self.wait_for_victim(Step.PRESSED, destination_id), SIGKILL)
        self.deliveries[Step.PRESSED] = self.site.newest(destination_id).id

    def wait_for_victim(self, step: Step, row_id: int) -> int:
        wait_until(lambda: self.breakpoints.stopped_pids(step, row_id))
        return self.breakpoints.stopped_pids(step, row_id)[0]

    def collect_outcomes(self, victim: Victim) -> Outcomes:
        """Wait until every delivery has completed, and return the outcomes."""
        wait_until(self.site.is_at_rest, ENDS_WITHIN)
        return {(step, victim): self._read_outcome(delivery_id) for step, delivery_id in self.deliveries.items()}

    def _press_and_lose_connection(self, destination_id: int) -> None:
        with pytest.raises(requests.ConnectionError):
            self.visitor.post(f"/w/harbor/destinations/{destination_id}/test")

    def _read_outcome(self, delivery_id: int) -> Outcome:
        delivery = self.site.get(delivery_id)
        shown = self.visitor.get(f"/w/harbor/destinations/{delivery.alert_destination_id}/status").text
        messages = self.site.count_messages(delivery)
        return Outcome(delivery.status.value, delivery.last_error_code, delivery.attempt_count, messages, shown)


def _kill_processes(run: CrashRun) -> Outcomes:
    """Kill one process of a worker at each step, a web process, and the worker's parent."""
    worker = run.site.stack.start_worker(processes=len(SEND_STEPS) + 1)
    for step in SEND_STEPS:
        os.kill(run.press(step), SIGKILL)
    run.press_in_browser()
    # The last step, because it stops the parent: a job that a dying process still took from the queue is lost until
    # the parent requeues it.
    run.request(Step.RESUMED, "/busy")
    assert run.wait_for_victim(Step.RESUMED, run.deliveries[Step.RESUMED]) == worker.pid
    os.kill(worker.pid, SIGKILL)
    _wait_for_death(worker)
    run.site.stack.start_worker()
    return run.collect_outcomes(Victim.PROCESS)


def _kill_workers(run: CrashRun) -> Outcomes:
    """Kill a worker with all of its processes while they are at each step."""
    for steps in STEPS_PER_WORKER:
        worker = run.site.stack.start_worker(processes=len(steps))
        for step in steps:
            run.press(step)
        worker.kill()
        _wait_for_death(worker)
    run.site.stack.start_worker()
    return run.collect_outcomes(Victim.WORKER)


def _wait_for_death(worker: Child) -> None:
    worker.process.wait(timeout=TIME_LIMIT)
    wait_until(lambda: session_members(worker.pid) == [])


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """The outcomes of all crashes on one kind of database."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        runs = [stack.enter_context(_install(request, tmp_path_factory.mktemp("c"))) for _ in range(2)]
        first, second = pool.submit(_kill_processes, runs[0]), pool.submit(_kill_workers, runs[1])
        yield {**first.result(), **second.result()}


@contextmanager
def _install(request: pytest.FixtureRequest, directory: Path) -> Iterator[CrashRun]:
    breakpoints = Breakpoints(directory / "breakpoints")
    breakpoints.directory.mkdir()
    with (
        new_database(request.param, request, directory) as url,
        installed(url, directory, f"{__package__}.breakpoint_wsgi", BREAKPOINTS=str(breakpoints.directory)) as site,
    ):
        yield CrashRun(site, breakpoints, site.sign_in())


both_victims = pytest.mark.parametrize("victim", Victim)


@both_victims
@pytest.mark.parametrize("step", [Step.LOOKING, Step.CLAIMING])
def test_an_unclaimed_delivery_is_sent_once(outcomes: Outcomes, step: Step, victim: Victim) -> None:
    outcome = outcomes[step, victim]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("sent", None, 1, 1)


@both_victims
def test_a_message_that_was_claimed_and_not_sent_is_not_sent_later(outcomes: Outcomes, victim: Victim) -> None:
    outcome = outcomes[Step.CLAIMED, victim]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("failed", "worker_lost", 1, 0)


@both_victims
@pytest.mark.parametrize("step", [Step.ASKED, Step.ANSWERED, Step.RECORDING])
def test_a_message_that_was_sent_and_not_recorded_is_not_sent_again(
    outcomes: Outcomes, step: Step, victim: Victim
) -> None:
    outcome = outcomes[step, victim]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("failed", "worker_lost", 1, 1)


@both_victims
@pytest.mark.parametrize("step", [Step.CLAIMED, Step.ASKED, Step.ANSWERED, Step.RECORDING])
def test_after_a_claim_the_page_shows_that_the_message_may_have_arrived(
    outcomes: Outcomes, step: Step, victim: Victim
) -> None:
    shown = outcomes[step, victim].shown

    assert 'data-last-test="failed"' in shown
    assert "The message may or may not have arrived." in shown


@both_victims
def test_a_recorded_delivery_stays_sent_and_is_not_sent_again(outcomes: Outcomes, victim: Victim) -> None:
    outcome = outcomes[Step.RECORDED, victim]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("sent", None, 1, 1)


def test_a_press_whose_web_process_died_before_it_was_queued_is_sent_once(outcomes: Outcomes) -> None:
    outcome = outcomes[Step.PRESSED, Victim.PROCESS]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("sent", None, 1, 1)


def test_a_retry_whose_supervisor_died_before_it_was_queued_is_sent_once(outcomes: Outcomes) -> None:
    outcome = outcomes[Step.RESUMED, Victim.PROCESS]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("sent", None, 2, 1)
