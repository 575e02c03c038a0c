"""A receiver of webhooks that does what the path says, and knows which messages it has."""

import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from benchmarks.installation.scripted_server import listening, read_request

BUSY_FOR = 8
"""Seconds after which a busy receiver asks to be tried again: time enough to do something to the installation."""

PATHS = ("/takes", "/holds", "/busy", "/silent")
"""Answers at once; answers once it is let go; is too busy for each message's first try; never answers."""


@dataclass
class Receiver:
    """messages: how often it has got each one, by the message's id. Those that it was too busy for do not count."""

    origin: str = ""
    messages: Counter[str] = field(default_factory=Counter)
    let_go: Event = field(default_factory=Event)
    refused: set[str] = field(default_factory=set)

    def serve(self, connection: socket.socket) -> None:
        """Take one message."""
        head = read_request(connection).decode()
        path, message = head.split()[1], re.findall(r"(?i)webhook-id: (\S+)", head)[0]
        if path == "/busy" and message not in self.refused:
            self.refused.add(message)
            return _answer(connection, 503, {"Retry-After": str(BUSY_FOR)})
        self.messages[message] += 1
        if path == "/silent":
            return _stay_silent(connection)
        if path == "/holds":
            self.let_go.wait(20)
        return _answer(connection, 200, {})


def _answer(connection: socket.socket, status: int, headers: dict[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} Status", "Content-Length: 2", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    connection.sendall("\r\n".join([*lines, "", "ok"]).encode())


def _stay_silent(connection: socket.socket) -> None:
    """Return once the client hangs up."""
    connection.recv(1)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Have a receiver for the length of a `with`."""
    receiver = Receiver()
    with listening(receiver.serve, read_first=False) as listener:
        receiver.origin = listener.origin
        try:
            yield receiver
        finally:
            receiver.let_go.set()
