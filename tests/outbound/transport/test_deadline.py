"""The deadline for a whole send."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread, active_count
from time import monotonic

import pytest

from benchmarks.installation.processes import wait_until
from webapp.outbound.transport import deadline as deadline_module
from webapp.outbound.transport.deadline import Deadline
from webapp.outbound.transport.timers import TimerThread


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def test_a_blocked_read_ends_at_the_deadline(pair: Pair) -> None:
    started = monotonic()
    with Deadline(0.2) as deadline:
        deadline.watch(pair[0])
        assert pair[0].recv(1) == b""
        assert deadline.hit
    assert 0.15 < monotonic() - started < 1


def test_a_socket_watched_after_the_deadline_is_shut_at_once(pair: Pair) -> None:
    with Deadline(0.0) as deadline:
        wait_until(lambda: deadline.hit, 1)
        deadline.watch(pair[0])
        assert pair[0].recv(1) == b""


def test_the_deadline_applies_to_a_connection_whose_descriptor_moves(pair: Pair) -> None:
    with Deadline(0.2) as deadline:
        deadline.watch(pair[0])
        with socket.socket(fileno=pair[0].detach()) as wrapped:
            assert wrapped.recv(1) == b""


def test_a_socket_stays_open_after_a_send_in_time(pair: Pair) -> None:
    with Deadline(0.1) as deadline, Deadline(0.2) as later:
        deadline.watch(pair[0])
        deadline.__exit__(None, None, None)
        wait_until(lambda: later.hit, 1)
    pair[0].sendall(b"x")
    assert pair[1].recv(1) == b"x"
    assert not deadline.hit


def test_the_receiver_sees_the_connection_end_when_we_close_it(pair: Pair) -> None:
    with Deadline(5) as deadline:
        deadline.watch(pair[0])
    pair[0].close()
    pair[1].settimeout(1)
    assert pair[1].recv(1) == b""


def test_the_time_left_decreases_to_zero() -> None:
    assert 4.9 < Deadline(5).left() <= 5
    assert Deadline(-1).left() == 0


def test_a_deadline_with_time_left_outlives_one_that_was_hit(pair: Pair) -> None:
    with Deadline(5) as later, Deadline(0.1) as earlier:
        later.watch(pair[0])
        wait_until(lambda: earlier.hit, 1)
        pair[1].sendall(b"x")
        assert pair[0].recv(1) == b"x"
        assert not later.hit


@pytest.mark.slow
def test_a_thousand_blocked_reads_end_at_their_own_deadlines() -> None:
    """Each ends at its own time, not with the first or the last one, and one thread serves all of them."""
    with ExitStack() as stack:
        deadlines = []
        for number in range(1000):
            ours, theirs = socket.socketpair()
            stack.callback(ours.close)
            stack.callback(theirs.close)
            deadlines.append(stack.enter_context(Deadline(3 + number % 2)))
            deadlines[-1].watch(ours)
        threads = active_count()
        wait_until(lambda: all(deadline.hit for deadline in deadlines[::2]), 20)
        are_early = [deadline.hit and deadline.left() > 0 for deadline in deadlines]
        wait_until(lambda: all(deadline.hit for deadline in deadlines), 20)
        assert not any(are_early)
        assert active_count() <= threads


def test_a_send_whose_deadline_cannot_be_watched_does_not_begin(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(deadline_module, "timers", TimerThread())
    monkeypatch.setattr(Thread, "start", refuse)
    with pytest.raises(RuntimeError), Deadline(5):
        pytest.fail("the send began")
