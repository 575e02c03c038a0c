"""Looking after the running demo, with processes that end when told to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.demo.supervisor.processes import Child, start
from webapp.demo.supervisor.restart_policy import RESTART_DELAY, RestartPolicy, next_restart


class Household:
    """Sleeping processes under the names of real ones, and the watch over them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.children: list[Child] = []
        self.watch = RestartPolicy(self.children, lambda: self.add("worker"))

    def add(self, name: str) -> None:
        self.children.append(start(name, ["sleep", "60"], log=self.directory / f"{name}.log"))

    def names(self) -> list[str]:
        return [child.name for child in self.children]

    def lose(self, name: str) -> None:
        next(child for child in self.children if child.name == name).kill()


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    household = Household(tmp_path)
    yield household
    for child in household.children:
        child.kill()


def test_nothing_is_printed_while_everything_runs(household: Household, capsys: pytest.CaptureFixture[str]) -> None:
    household.add("worker")
    household.watch.look(now=100.0)
    assert capsys.readouterr().out == ""


def test_a_lost_worker_is_announced_and_not_restarted_before_the_delay(
    household: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    household.add("worker")
    household.lose("worker")
    household.watch.look(now=100.0)
    household.watch.look(now=104.9)
    assert household.names() == []
    assert "The worker is started again in 5 s." in capsys.readouterr().out


def test_a_lost_worker_is_restarted_once_after_the_delay(household: Household) -> None:
    household.add("worker")
    household.lose("worker")
    household.watch.look(now=100.0)
    household.watch.look(now=105.0)
    household.watch.look(now=111.0)
    assert household.names() == ["worker"]
    assert household.watch.restarts == [105.0]


@pytest.mark.parametrize(
    ("name", "meaning"),
    [("queue server", "Presses will say so"), ("receiver", "addresses will fail"), ("web", "There are no pages")],
)
def test_any_other_lost_process_is_explained_and_not_restarted(
    household: Household, capsys: pytest.CaptureFixture[str], name: str, meaning: str
) -> None:
    household.add(name)
    household.lose(name)
    household.watch.look(now=100.0)
    household.watch.look(now=200.0)
    assert household.names() == []
    assert meaning in capsys.readouterr().out


def test_a_worker_may_restart_after_the_delay() -> None:
    assert next_restart([70.0, 80.0, 90.0, 95.0], now=100.0) == 100.0 + RESTART_DELAY


def test_the_sixth_start_within_a_minute_waits_for_the_minute_to_end() -> None:
    assert next_restart([60.0, 70.0, 80.0, 90.0, 95.0], now=100.0) == 120.0


def test_starts_of_an_earlier_minute_do_not_count() -> None:
    assert next_restart([10.0, 70.0, 80.0, 90.0, 95.0], now=100.0) == 100.0 + RESTART_DELAY
