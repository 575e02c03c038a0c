"""The threads that look up host names."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread, Timer, active_count
from time import monotonic, sleep

import pytest

from benchmarks.installation.processes import wait_until
from tests.outbound.transport.forks import holds_in_fork
from webapp.failures import Code, DeliveryFailed
from webapp.outbound.transport.dns import resolve
from webapp.outbound.transport.lookup_threads import MAX_IDLE, LookupThreads, LookupTimedOut, lookup_threads

ADDRESS = ["192.0.2.1"]


class HangingResolver:
    """A resolver that hangs until it is released. begun: the hosts that it was asked for."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.release = Event()

    def __call__(self, host: str) -> Sequence[str]:
        self.begun.append(host)
        self.release.wait(60)
        return ADDRESS


@pytest.fixture
def hanging() -> Iterator[HangingResolver]:
    resolver = HangingResolver()
    yield resolver
    resolver.release.set()


def find(host: str) -> Sequence[str]:
    return ADDRESS


def give_up_on(threads: LookupThreads, resolver: HangingResolver, count: int, seconds: float = 0.3) -> None:
    """Give up so many lookups that hang, all at once."""

    def give_up(number: int) -> None:
        with pytest.raises(LookupTimedOut):
            threads.look_up(resolver, f"hanging-{number}", seconds)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(give_up, range(count)))


def test_a_lookup_uses_the_thread_of_an_earlier_one() -> None:
    threads = LookupThreads()
    before = active_count()
    for _ in range(20):
        threads.look_up(find, "host", 5)
    assert active_count() <= before + 1


def test_threads_that_are_no_longer_needed_end() -> None:
    threads, together, before = LookupThreads(), Barrier(20), active_count()

    def meet(host: str) -> Sequence[str]:
        together.wait(20)
        return ADDRESS

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda number: threads.look_up(meet, str(number), 20), range(20)))
    wait_until(lambda: active_count() <= before + MAX_IDLE, 20)
    assert threads.look_up(find, "host", 5) == ADDRESS


@pytest.mark.slow
def test_fifty_sends_are_not_slowed_by_a_resolver_that_hangs(hanging: HangingResolver) -> None:
    """Through the process's own threads, with as many hanging lookups beside them."""
    give_up = ThreadPoolExecutor(50)
    lost = [give_up.submit(resolve, f"lost-{number}", hanging, 1.0) for number in range(50)]
    wait_until(lambda: len(hanging.begun) == 50, 20)
    with ThreadPoolExecutor(50) as pool:
        started = monotonic()
        found = list(pool.map(lambda number: resolve(str(number), find, 20), range(50)))
        assert monotonic() - started < 10
    failures = [future.exception(20) for future in lost]
    give_up.shutdown()
    assert found == [ADDRESS] * 50
    assert {failure.code for failure in failures if isinstance(failure, DeliveryFailed)} == {Code.DNS_TIMEOUT}
    assert all(failures)


def test_a_lookup_that_finds_no_place_in_time_fails_and_never_begins(hanging: HangingResolver) -> None:
    threads = LookupThreads(awaited=2, hanging=0)
    give_up_on(threads, hanging, 2)
    started, asked = monotonic(), []
    with pytest.raises(LookupTimedOut):
        threads.look_up(lambda host: asked.append(host) or ADDRESS, "late", 0.3)  # type: ignore[func-returns-value]
    assert 0.3 <= monotonic() - started < 5
    hanging.release.set()
    assert threads.look_up(find, "host", 5) == ADDRESS
    assert asked == []


def test_a_lookup_waits_for_a_place_within_its_time(hanging: HangingResolver) -> None:
    threads = LookupThreads(awaited=1, hanging=0)
    give_up_on(threads, hanging, 1)
    Timer(0.3, hanging.release.set).start()
    assert threads.look_up(find, "host", 20) == ADDRESS


@pytest.mark.slow
def test_hanging_lookups_are_replaced_up_to_their_limit(hanging: HangingResolver) -> None:
    threads = LookupThreads(awaited=1, hanging=2)
    for _ in range(2):
        give_up_on(threads, hanging, 1)
    assert threads.look_up(find, "host", 5) == ADDRESS
    give_up_on(threads, hanging, 1)  # the third one: it takes the only place
    with pytest.raises(LookupTimedOut):
        threads.look_up(find, "host", 0.3)


def test_a_hanging_lookup_that_ends_makes_room_again(hanging: HangingResolver) -> None:
    threads = LookupThreads(awaited=1, hanging=1)
    for _ in range(2):
        give_up_on(threads, hanging, 1)
    hanging.release.set()
    wait_until(lambda: threads._hanging == 0, 20)
    another = HangingResolver()
    give_up_on(threads, another, 1)
    assert threads.look_up(find, "host", 5) == ADDRESS
    another.release.set()


def test_a_lookup_waits_if_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    threads = LookupThreads()
    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", refuse)
        with pytest.raises(LookupTimedOut):
            threads.look_up(find, "host", 0.2)
    assert threads.look_up(find, "host", 5) == ADDRESS


def test_the_count_of_threads_survives_lookups_that_end_as_they_are_given_up() -> None:
    threads, usual = LookupThreads(awaited=4, hanging=4), sys.getswitchinterval()

    def find_slowly(host: str) -> Sequence[str]:
        sleep(0.002)
        return ADDRESS

    def look_up(number: int) -> None:
        try:
            threads.look_up(find_slowly, str(number), 0.002 * (number % 3))
        except LookupTimedOut:
            return

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(look_up, range(1500)))
    finally:
        sys.setswitchinterval(usual)
    wait_until(lambda: threads._running == 0, 20)
    assert threads._hanging == 0
    assert threads.look_up(find, "host", 5) == ADDRESS


def test_a_forked_process_starts_its_own_threads(hanging: HangingResolver) -> None:
    lookup_threads.look_up(find, "host", 5)  # leaves an idle thread, which a fork does not have

    def finds_the_address() -> bool:
        return lookup_threads.look_up(find, "host", 5) == ADDRESS

    assert holds_in_fork(finds_the_address)
    with lookup_threads._lock, ThreadPoolExecutor(1) as pool:
        assert pool.submit(holds_in_fork, finds_the_address).result(30)
