"""Every process is killed at every step of a send: the badge tells the truth, and no message goes out twice.

All of it happens in two installations side by side; each test looks at what came of one crash.
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

from benchmarks.installation.installation import Installation, installed
from benchmarks.installation.processes import Session, wait_until
from tests.databases import new_database
from tests.end_to_end.breakpoints import Step, Traps
from webapp.demo.supervisor.processes import Child, session_members

pytestmark = pytest.mark.slow

IN_A_SEND = (Step.LOOKING, Step.CLAIMING, Step.CLAIMED, Step.ASKED, Step.ANSWERED, Step.RECORDING, Step.RECORDED)

BATCH_SIZE = (
    (Step.CLAIMED, Step.ASKED, Step.ANSWERED, Step.RECORDED, Step.RECORDING),
    (Step.LOOKING, Step.CLAIMING),
)
"""Steps that one worker can be killed at: the last may hold the database. What is begun again comes last, or a further
kill could meet it in the air."""


class Victim(StrEnum):
    """Who is killed."""

    PROCESS = "one process"
    WORKER = "the whole worker"


@dataclass(frozen=True)
class Outcome:
    """What came of a delivery. messages: how many the receiver has got. shown: the status fragment."""

    status: str
    code: str | None
    attempts: int
    messages: int
    shown: str


Outcomes = Mapping[tuple[Step, Victim], Outcome]


@dataclass(frozen=True)
class Play:
    """An installation in which processes are killed. deliveries: those that they had in hand."""

    site: Installation
    traps: Traps
    visitor: Session
    deliveries: dict[Step, int] = field(default_factory=dict)

    def press(self, step: Step) -> int:
        """Request a test whose send is stopped at this step, and wait until it is. Returns the process that has it."""
        self.request(step, "/silent" if step is Step.ASKED else "/takes")
        return self.wait_for_victim(step, self.deliveries[step])

    def request(self, step: Step, path: str) -> None:
        delivery_id = self.site.request_test(self.site.add_destination(path))
        self.deliveries[step] = delivery_id
        self.traps.lay(step, delivery_id)
        self.site.enqueue(delivery_id)

    def press_in_browser(self) -> None:
        """Press in a page whose web process is killed before it answers."""
        destination_id = self.site.add_destination("/takes")
        self.traps.lay(Step.PRESSED, destination_id)
        Thread(target=self._press_in_vain, args=(destination_id,)).start()
        os.kill(self.wait_for_victim(Step.PRESSED, destination_id), SIGKILL)
        self.deliveries[Step.PRESSED] = self.site.newest(destination_id).id

    def wait_for_victim(self, step: Step, row_id: int) -> int:
        wait_until(lambda: self.traps.caught(step, row_id))
        return self.traps.caught(step, row_id)[0]

    def tell(self, victim: Victim) -> Outcomes:
        """Wait until everything has ended, and say how."""
        wait_until(self.site.is_at_rest, patience=60)
        return {(step, victim): self._tell(delivery_id) for step, delivery_id in self.deliveries.items()}

    def _press_in_vain(self, destination_id: int) -> None:
        with pytest.raises(requests.ConnectionError):
            self.visitor.post(f"/w/harbor/destinations/{destination_id}/test")

    def _tell(self, delivery_id: int) -> Outcome:
        delivery = self.site.get(delivery_id)
        shown = self.visitor.get(f"/w/harbor/destinations/{delivery.alert_destination_id}/status").text
        messages = self.site.count_messages(delivery)
        return Outcome(delivery.status.value, delivery.last_error_code, delivery.attempt_count, messages, shown)


def _kill_processes(play: Play) -> Outcomes:
    """Kill one process of a worker at each step, a web process, and the worker's parent."""
    worker = play.site.stack.start_worker(processes=len(IN_A_SEND) + 1)
    play.request(Step.RESUMED, "/busy")
    for step in IN_A_SEND:
        os.kill(play.press(step), SIGKILL)
    play.press_in_browser()
    assert play.wait_for_victim(Step.RESUMED, play.deliveries[Step.RESUMED]) == worker.pid
    os.kill(worker.pid, SIGKILL)
    _wait_for_death(worker)
    play.site.stack.start_worker()
    return play.tell(Victim.PROCESS)


def _kill_workers(play: Play) -> Outcomes:
    """Kill a worker with all of its processes while they are at each step."""
    for steps in BATCH_SIZE:
        worker = play.site.stack.start_worker(processes=len(steps))
        for step in steps:
            play.press(step)
        worker.kill()
        _wait_for_death(worker)
    play.site.stack.start_worker()
    return play.tell(Victim.WORKER)


def _wait_for_death(worker: Child) -> None:
    worker.process.wait(timeout=20)
    wait_until(lambda: session_members(worker.pid) == [])


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """What came of every crash on one kind of database."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        plays = [stack.enter_context(_stage(request, tmp_path_factory.mktemp("c"))) for _ in range(2)]
        first, second = pool.submit(_kill_processes, plays[0]), pool.submit(_kill_workers, plays[1])
        yield {**first.result(), **second.result()}


@contextmanager
def _stage(request: pytest.FixtureRequest, directory: Path) -> Iterator[Play]:
    traps = Traps(directory / "traps")
    traps.directory.mkdir()
    with (
        new_database(request.param, request, directory) as url,
        installed(url, directory, f"{__package__}.trapped_wsgi", TRAPS=str(traps.directory)) as site,
    ):
        yield Play(site, traps, site.sign_in())


both_victims = pytest.mark.parametrize("victim", Victim)


@both_victims
@pytest.mark.parametrize("step", [Step.LOOKING, Step.CLAIMING])
def test_what_nobody_has_claimed_yet_is_sent_once(outcomes: Outcomes, step: Step, victim: Victim) -> None:
    outcome = outcomes[step, victim]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("sent", None, 1, 1)


@both_victims
def test_a_message_that_was_claimed_and_not_sent_is_not_sent_later(outcomes: Outcomes, victim: Victim) -> None:
    outcome = outcomes[Step.CLAIMED, victim]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("failed", "worker_lost", 1, 0)


@both_victims
@pytest.mark.parametrize("step", [Step.ASKED, Step.ANSWERED, Step.RECORDING])
def test_a_message_that_went_out_and_was_not_recorded_is_not_sent_again(
    outcomes: Outcomes, step: Step, victim: Victim
) -> None:
    outcome = outcomes[step, victim]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("failed", "worker_lost", 1, 1)


@both_victims
@pytest.mark.parametrize("step", [Step.CLAIMED, Step.ASKED, Step.ANSWERED, Step.RECORDING])
def test_after_a_claim_the_badge_says_that_the_message_may_have_arrived(
    outcomes: Outcomes, step: Step, victim: Victim
) -> None:
    shown = outcomes[step, victim].shown

    assert 'data-last-test="failed"' in shown
    assert "The message may or may not have arrived." in shown


@both_victims
def test_what_was_recorded_as_sent_stays_so_and_is_not_sent_again(outcomes: Outcomes, victim: Victim) -> None:
    outcome = outcomes[Step.RECORDED, victim]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("sent", None, 1, 1)


def test_a_press_that_the_web_process_did_not_live_to_hand_over_is_sent_once(outcomes: Outcomes) -> None:
    outcome = outcomes[Step.PRESSED, Victim.PROCESS]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("sent", None, 1, 1)


def test_a_retry_that_the_workers_parent_did_not_live_to_hand_over_is_made_once(outcomes: Outcomes) -> None:
    outcome = outcomes[Step.RESUMED, Victim.PROCESS]

    assert (outcome.status, outcome.code, outcome.attempts, outcome.messages) == ("sent", None, 2, 1)
