"""The time limit over one whole send, kept even against a far end that never stops answering."""

import socket
from contextlib import suppress
from threading import Lock, Timer
from time import monotonic
from types import TracebackType
from typing import Self


class Deadline:
    """Shuts the watched sockets when the time is up, which ends any call that is blocked on them.

    A socket's own timeout starts again with every byte that arrives, so it alone never ends a slow dribble.
    Use it as a context manager: the clock starts on creation, the watching ends on exit.
    After a call on the socket, ask `hit` before believing the result: a shut socket reads as an orderly end.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True
        self._lock = Lock()
        self._watched: list[socket.socket] = []
        self._hit = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for watched in self._watched:
                watched.close()
            self._watched.clear()

    @property
    def hit(self) -> bool:
        """Whether the time was up before the send was over."""
        return self._hit

    def left(self) -> float:
        """Return the seconds that remain, never less than 0."""
        return max(0.0, self._ends - monotonic())

    def watch(self, connection: socket.socket) -> None:
        """Shut this connected socket when the time is up, also if TLS is wrapped around it later on.

        Raises OSError when the socket is closed already.
        """
        # A second descriptor: wrapping detaches the first one, and a closed one's number may soon be another file.
        watched = socket.socket(fileno=socket.dup(connection.fileno()))
        with self._lock:
            self._watched.append(watched)
            if self._hit:
                _shut(watched)

    def _cut(self) -> None:
        with self._lock:
            self._hit = True
            for watched in self._watched:
                _shut(watched)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the far end may have gone already
        connection.shutdown(socket.SHUT_RDWR)
