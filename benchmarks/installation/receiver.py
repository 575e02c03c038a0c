"""A webhook receiver whose behavior the path selects, and which counts the messages it receives."""

import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from benchmarks.installation.scripted_server import listening, read_request

# The Retry-After of a busy receiver in seconds: enough time to stop or kill parts of the installation.
BUSY_FOR = 8

# Accepts at once; accepts once `release` is set; returns 503 to the first attempt of each message; never responds.
PATHS = ("/takes", "/holds", "/busy", "/silent")


@dataclass
class Receiver:
    """messages: how often each message was received, by its id, without attempts refused as busy."""

    origin: str = ""
    messages: Counter[str] = field(default_factory=Counter)
    release: Event = field(default_factory=Event)
    refused: set[str] = field(default_factory=set)

    def serve(self, connection: socket.socket) -> None:
        """Receive one message, unless the sender ends in the middle of it."""
        head = read_request(connection).decode(errors="replace")  # a stranger may send anything to a port used before
        if not head.endswith("\r\n\r\n"):
            return None
        path, message = head.split()[1].partition("?")[0], re.findall(r"(?i)webhook-id: (\S+)", head)[0]
        if path == "/busy" and message not in self.refused:
            self.refused.add(message)
            return _respond(connection, 503, {"Retry-After": str(BUSY_FOR)})
        self.messages[message] += 1
        if path == "/silent":
            return _stay_silent(connection)
        if path == "/holds":
            self.release.wait(20)
        return _respond(connection, 200, {})


def _respond(connection: socket.socket, status: int, headers: dict[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} Status", "Content-Length: 2", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    connection.sendall("\r\n".join([*lines, "", "ok"]).encode())


def _stay_silent(connection: socket.socket) -> None:
    """Return when the client closes the connection."""
    connection.recv(1)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    with listening(receiver.serve, read_first=False) as server:
        receiver.origin = server.origin
        try:
            yield receiver
        finally:
            receiver.release.set()
