"""Threads that work together: nobody waits for company or for a stuck group, and each gets their own result."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from benchmarks.installation.processes import wait_until
from webapp.deliveries.attempts import group_commit
from webapp.deliveries.attempts.group_commit import ALONE, Alone, Groups


@dataclass
class HeldWork:
    """Work whose groups are noted. released: lets whoever works alone go on. refused: items that no group works on."""

    groups: list[list[int]] = field(default_factory=list)
    alone: list[int] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    refused: Sequence[int] = ()
    broken: bool = False

    def work(self, items: Sequence[int]) -> list[str | Alone]:
        self.groups.append(list(items))
        if self.broken:
            raise RuntimeError
        return [ALONE if item in self.refused else f"{item} together" for item in items]

    def work_alone(self, item: int) -> str:
        self.alone.append(item)
        assert self.released.wait(30)
        return f"{item} alone"

    def join(self, pool: ThreadPoolExecutor, joined: Groups[int, str], item: int) -> "Future[str]":
        return pool.submit(joined.join, item, lambda: self.work_alone(item))


def _gather(
    held: HeldWork, pool: ThreadPoolExecutor, items: Sequence[int]
) -> "tuple[Groups[int, str], list[Future[str]]]":
    """Let the first item be worked on alone until the others have come."""
    joined: Groups[int, str] = Groups(held.work)
    results = [held.join(pool, joined, items[0])]
    wait_until(lambda: held.alone == [items[0]])
    results += [held.join(pool, joined, item) for item in items[1:]]
    wait_until(lambda: len(joined._waiting) == len(items) - 1)
    return joined, results


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_WAIT", 30.0)


def test_who_comes_first_works_alone_and_at_once() -> None:
    held = HeldWork()
    held.released.set()

    assert Groups(held.work).join(1, lambda: held.work_alone(1)) == "1 alone"
    assert held.groups == []


@pytest.mark.usefixtures("patient")
def test_who_comes_meanwhile_is_worked_on_together_and_gets_their_own_result() -> None:
    held = HeldWork()
    with ThreadPoolExecutor(4) as pool:
        _, results = _gather(held, pool, [1, 2, 3, 4])
        held.released.set()

        assert [result.result(30) for result in results] == ["1 alone", "2 together", "3 together", "4 together"]
    assert [sorted(group) for group in held.groups] == [[2, 3, 4]]


@pytest.mark.usefixtures("patient")
def test_an_item_that_the_group_leaves_out_is_worked_on_alone() -> None:
    held = HeldWork(refused=[3])
    with ThreadPoolExecutor(3) as pool:
        _, results = _gather(held, pool, [1, 2, 3])
        held.released.set()

        assert [result.result(30) for result in results] == ["1 alone", "2 together", "3 alone"]


@pytest.mark.usefixtures("patient")
def test_a_group_is_limited_and_the_next_one_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_SIZE", 2)
    held = HeldWork()
    with ThreadPoolExecutor(5) as pool:
        _, results = _gather(held, pool, [1, 2, 3, 4, 5])
        held.released.set()

        assert [result.result(30)[2:] for result in results] == ["alone", *["together"] * 4]
    assert [len(group) for group in held.groups] == [2, 2]


def test_who_waits_for_a_stuck_group_goes_on_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_WAIT", 0.2)
    held = HeldWork()
    with ThreadPoolExecutor(2) as pool:
        joined, first = Groups(held.work), held.released
        stuck = held.join(pool, joined, 1)
        wait_until(lambda: held.alone == [1])
        started = time.monotonic()

        assert joined.join(2, lambda: "2 alone") == "2 alone"
        assert time.monotonic() - started >= 0.2
        first.set()
        assert stuck.result(30) == "1 alone"
    assert held.groups == []


@pytest.mark.usefixtures("patient")
def test_an_error_of_the_work_reaches_one_thread_and_the_others_go_on_alone() -> None:
    held = HeldWork(broken=True)
    with ThreadPoolExecutor(3) as pool:
        joined, results = _gather(held, pool, [1, 2, 3])
        held.released.set()

        ended = [result.exception(30) or result.result() for result in results]
        assert sorted(map(repr, ended))[:1] == ["'1 alone'"]
        assert [type(one).__name__ for one in ended].count("RuntimeError") == 1
        assert joined.join(4, lambda: "4 alone") == "4 alone"
