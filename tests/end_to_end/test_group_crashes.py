"""A process is killed while it works on a group of deliveries: each of them ends truthfully, and none is sent twice."""

import os
from collections import Counter
from contextlib import closing
from pathlib import Path
from signal import SIGKILL

import pytest
from redis import Redis

from benchmarks.installation.installation import Installation, installed
from benchmarks.installation.processes import ENDS_WITHIN, wait_until
from tests.databases import new_database
from tests.end_to_end.breakpoints import Breakpoints, Step

pytestmark = pytest.mark.slow

# As many as share a job.
COUNT = 20


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    ("step", "messages"), [(Step.GROUP_CLAIMED, 0), (Step.GROUP_ENDED, 1)], ids=["after the claim", "before the record"]
)
def test_a_group_whose_process_is_killed_is_lost_visibly_and_not_sent_again(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, kind: str, step: Step, messages: int
) -> None:
    directory = tmp_path_factory.mktemp("g")
    breakpoints = Breakpoints(directory / "breakpoints")
    breakpoints.directory.mkdir()
    with (
        new_database(kind, request, directory) as url,
        installed(url, directory, f"{__package__}.breakpoint_wsgi", BREAKPOINTS=str(breakpoints.directory)) as site,
    ):
        outcomes = _kill_during_group(site, breakpoints, step)

    lost = outcomes[("failed", "worker_lost", messages)]
    assert lost >= 2, outcomes
    # Those of no group were sent, or were being sent by themselves.
    others = {("sent", None, 1), ("failed", "worker_lost", 0), ("failed", "worker_lost", 1)}
    assert outcomes.keys() <= others, outcomes


def test_deliveries_of_jobs_that_a_killed_process_had_taken_are_sent_once(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("g")
    breakpoints = Breakpoints(directory / "breakpoints")
    breakpoints.directory.mkdir()
    with (
        new_database("sqlite", request, directory) as url,
        installed(url, directory, f"{__package__}.breakpoint_wsgi", BREAKPOINTS=str(breakpoints.directory)) as site,
    ):
        outcomes = _kill_during_group(site, breakpoints, Step.TAKEN, per_job=1)
        with closing(Redis.from_url(site.queue_server.url)) as redis:
            jobs = [key for key in redis.scan_iter() if b":job:" in key]

    assert outcomes == {("sent", None, 1): COUNT}
    assert jobs == [], "nothing deletes a job that nobody knows"


def _kill_during_group(
    site: Installation, breakpoints: Breakpoints, step: Step, per_job: int = COUNT
) -> Counter[tuple[str, str | None, int]]:
    """Return how many of the deliveries ended how, with which code, and how many messages arrived of each."""
    ids = [site.request_test(site.add_destination("/takes")) for _ in range(COUNT)]
    for delivery_id in ids:
        breakpoints.set(step, delivery_id)
    for first in range(0, COUNT, per_job):
        site.enqueue(*ids[first : first + per_job])
    site.stack.start_worker(processes=1)
    wait_until(lambda: _list_stopped(breakpoints.directory, step))
    (pid,) = _list_stopped(breakpoints.directory, step)
    breakpoints.clear(step)
    os.kill(pid, SIGKILL)
    wait_until(site.is_at_rest, ENDS_WITHIN)
    rows = [site.get(delivery_id) for delivery_id in ids]
    return Counter((row.status.value, row.last_error_code, site.count_messages(row)) for row in rows)


def _list_stopped(directory: Path, step: Step) -> list[int]:
    return [int(file.suffix[1:]) for file in directory.glob(f"{step.name}-*.*")]
