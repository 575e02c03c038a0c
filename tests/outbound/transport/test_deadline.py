"""The deadline for a whole send."""

import socket
from collections.abc import Iterator
from time import monotonic

import pytest

from webapp.outbound.transport.deadline import Deadline


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
        deadline._timer.join(1)
        deadline.watch(pair[0])
        assert pair[0].recv(1) == b""


def test_the_deadline_applies_to_a_connection_whose_descriptor_moves(pair: Pair) -> None:
    with Deadline(0.2) as deadline:
        deadline.watch(pair[0])
        with socket.socket(fileno=pair[0].detach()) as wrapped:
            assert wrapped.recv(1) == b""


def test_a_socket_stays_open_after_a_send_in_time(pair: Pair) -> None:
    with Deadline(0.1) as deadline:
        deadline.watch(pair[0])
    deadline._timer.join(1)
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
