"""Restarting lost processes of the demo."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.demo.supervisor.processes import Child, start
from webapp.demo.supervisor.restart_policy import RESTART_DELAY, RestartPolicy, next_restart


class SleepingDemo:
    """Sleeping processes with the names of the demo's processes, under a restart policy."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.children: list[Child] = []
        self.policy = RestartPolicy(self.children, lambda: self.add("worker"))

    def add(self, name: str) -> None:
        self.children.append(start(name, ["sleep", "60"], log=self.directory / f"{name}.log"))

    def names(self) -> list[str]:
        return [child.name for child in self.children]

    def kill(self, name: str) -> None:
        next(child for child in self.children if child.name == name).kill()


@pytest.fixture
def sleeping_demo(tmp_path: Path) -> Iterator[SleepingDemo]:
    sleeping_demo = SleepingDemo(tmp_path)
    yield sleeping_demo
    for child in sleeping_demo.children:
        child.kill()


def test_nothing_is_printed_while_everything_runs(
    sleeping_demo: SleepingDemo, capsys: pytest.CaptureFixture[str]
) -> None:
    sleeping_demo.add("worker")
    sleeping_demo.policy.check(now=100.0)
    assert capsys.readouterr().out == ""


def test_a_lost_worker_is_announced_and_not_restarted_before_the_delay(
    sleeping_demo: SleepingDemo, capsys: pytest.CaptureFixture[str]
) -> None:
    sleeping_demo.add("worker")
    sleeping_demo.kill("worker")
    sleeping_demo.policy.check(now=100.0)
    sleeping_demo.policy.check(now=104.9)
    assert sleeping_demo.names() == []
    assert "The worker restarts in 5 s." in capsys.readouterr().out


def test_a_lost_worker_is_restarted_once_after_the_delay(sleeping_demo: SleepingDemo) -> None:
    sleeping_demo.add("worker")
    sleeping_demo.kill("worker")
    sleeping_demo.policy.check(now=100.0)
    sleeping_demo.policy.check(now=105.0)
    sleeping_demo.policy.check(now=111.0)
    assert sleeping_demo.names() == ["worker"]
    assert sleeping_demo.policy.restarts == [105.0]


@pytest.mark.parametrize(
    ("name", "meaning"),
    [("queue server", "Tests fail at once"), ("receiver", "addresses fail"), ("web", "There are no pages")],
)
def test_any_other_lost_process_is_explained_and_not_restarted(
    sleeping_demo: SleepingDemo, capsys: pytest.CaptureFixture[str], name: str, meaning: str
) -> None:
    sleeping_demo.add(name)
    sleeping_demo.kill(name)
    sleeping_demo.policy.check(now=100.0)
    sleeping_demo.policy.check(now=200.0)
    assert sleeping_demo.names() == []
    assert meaning in capsys.readouterr().out


def test_a_worker_may_restart_after_the_delay() -> None:
    assert next_restart([70.0, 80.0, 90.0, 95.0], now=100.0) == 100.0 + RESTART_DELAY


def test_the_sixth_start_within_a_minute_waits_for_the_minute_to_end() -> None:
    assert next_restart([60.0, 70.0, 80.0, 90.0, 95.0], now=100.0) == 120.0


def test_starts_of_an_earlier_minute_do_not_count() -> None:
    assert next_restart([10.0, 70.0, 80.0, 90.0, 95.0], now=100.0) == 100.0 + RESTART_DELAY
