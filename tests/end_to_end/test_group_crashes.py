"""A process is killed while it works on a group of deliveries: each of them ends truthfully, and none is sent twice."""

import os
from collections import Counter
from contextlib import closing
from pathlib import Path
from signal import SIGKILL

import pytest
from redis import Redis

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import ENDS_WITHIN, wait_until
from tests.databases import new_database
from tests.end_to_end.breakpoints import Breakpoints, Step
from tests.forked_processes import installed

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
        _warm_up(site)
        ids = _request(site, breakpoints, step)
        site.enqueue(*ids)
        outcomes = _kill_at(site, breakpoints, step, ids)

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
        ids = _request(site, breakpoints, Step.TAKEN)
        for delivery_id in ids:
            site.enqueue(delivery_id)
        site.stack.start_worker(processes=1)
        outcomes = _kill_at(site, breakpoints, Step.TAKEN, ids)
        with closing(Redis.from_url(site.queue_server.url)) as redis:
            jobs = [key for key in redis.scan_iter() if b":job:" in key]

    assert outcomes == {("sent", None, 1): COUNT}
    assert jobs == [], "nothing deletes a job that nobody knows"


def _warm_up(site: Installation) -> None:
    """Start a worker and let it send once, so that it is connected: threads wait for their group for a second only."""
    site.stack.start_worker(processes=1)
    site.enqueue(site.request_test(site.add_destination("/takes")))
    wait_until(site.is_at_rest)


def _request(site: Installation, breakpoints: Breakpoints, step: Step) -> list[int]:
    """Request tests at whose step the first process stops. Returns their ids."""
    ids = [site.request_test(site.add_destination("/takes")) for _ in range(COUNT)]
    for delivery_id in ids:
        breakpoints.set(step, delivery_id)
    return ids


def _kill_at(
    site: Installation, breakpoints: Breakpoints, step: Step, ids: list[int]
) -> Counter[tuple[str, str | None, int]]:
    """Return how many of the deliveries ended how, with which code, and how many messages arrived of each."""
    wait_until(lambda: _list_stopped(breakpoints.directory, step))
    (pid,) = _list_stopped(breakpoints.directory, step)
    breakpoints.clear(step)
    os.kill(pid, SIGKILL)
    wait_until(site.is_at_rest, ENDS_WITHIN)
    rows = [site.get(delivery_id) for delivery_id in ids]
    return Counter((row.status.value, row.last_error_code, site.count_messages(row)) for row in rows)


def _list_stopped(directory: Path, step: Step) -> list[int]:
    return [int(file.suffix[1:]) for file in directory.glob(f"{step.name}-*.*")]
