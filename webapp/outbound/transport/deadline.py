"""How long one send may take, and the `Deadline` that ends it even if the receiver never stops sending."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Self

from webapp.outbound.transport.timers import Timer, timers

# Bytes of a receiver's response that are kept. The rest is never read.
MAX_BODY = 16 * 1024


@dataclass(frozen=True)
class Limits:
    """Time limits in seconds, and the size of a response.

    whole: for all steps together, whatever the other limits would still allow.
    lookup: for the DNS lookup.
    connect: for all tries to connect, and for each wait for bytes while TLS or a tunnel is negotiated.
    silence: for each wait until the receiver accepts bytes of the message or sends bytes of its response.
    body: bytes of a response's body that are kept.
    """

    whole: float = 8.0
    lookup: float = 3.0
    connect: float = 3.0
    silence: float = 5.0
    body: int = MAX_BODY


LIMITS = Limits()


class Deadline:
    """Shuts down the watched sockets when the time is up, which ends every call that is blocked on them.

    A socket's own timeout restarts with every byte, so it never ends a response that arrives byte by byte.
    Use it as a context manager: the time starts on creation, and the watching ends on exit. One thread of the process
    watches all deadlines.
    Check `hit` after each call on a socket: a socket that was shut down looks like an orderly end of the stream.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds
        self._timer: Timer | None = None
        self._lock = Lock()
        self._watched: list[socket.socket] = []
        self._hit = False

    def __enter__(self) -> Self:
        self._timer = timers.call_at(self._ends, self._cut)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._timer is not None:
            timers.cancel(self._timer)
        self._release()

    @property
    def hit(self) -> bool:
        """Whether the time was up before the send ended."""
        return self._hit

    def left(self) -> float:
        """Return the seconds that remain, never less than 0."""
        return max(0.0, self._ends - monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Shut down this connected socket when the time is up, even if TLS is wrapped around it later.

        Raises OSError if the socket is already closed.
        """
        # A descriptor of our own: wrapping detaches the first one, and the number of a closed one may be reused.
        watched = socket.socket(fileno=socket.dup(connection.fileno()))
        with self._lock:
            self._watched.append(watched)
            if self._hit:
                _shut(watched)

    def disconnect(self) -> None:
        """Shut down the watched connections and watch them no longer. The time goes on, for the next connection."""
        with self._lock:
            for watched in self._watched:
                _shut(watched)
        self._release()

    def _release(self) -> None:
        with self._lock:
            for watched in self._watched:
                watched.close()
            self._watched.clear()

    def _cut(self) -> None:
        with self._lock:
            self._hit = True
            for watched in self._watched:
                _shut(watched)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the receiver may have disconnected already
        connection.shutdown(socket.SHUT_RDWR)
