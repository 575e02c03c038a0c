"""A far end on the loopback that takes connections and follows a script, however hostile."""

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

import trustme

Script = Callable[[socket.socket], None]


@dataclass
class FarEnd:
    """Where it listens, and what it was sent: the head of every request, as raw bytes."""

    port: int
    heads: list[bytes] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Its address without a path."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def listening(script: Script, context: ssl.SSLContext | None = None, read_first: bool = True) -> Iterator[FarEnd]:
    """Run `script` on every connection, after TLS if there is a context, after reading a request if `read_first`."""
    over = Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        door.settimeout(0.01)
        receiver = FarEnd(door.getsockname()[1])

        def serve(connection: socket.socket) -> None:
            connection.settimeout(15)
            with suppress(OSError), closing(_encrypt(connection, context)) as line:
                if read_first:
                    receiver.heads.append(read_request(line))
                script(line)

        def take_connections() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    Thread(target=serve, args=(door.accept()[0],), daemon=True).start()

        keeper = Thread(target=take_connections, daemon=True)
        keeper.start()
        try:
            yield receiver
        finally:
            over.set()
            keeper.join()


@contextmanager
def full_port() -> Iterator[int]:
    """Have a port whose queue of connections is full, so that the next one gets no answer."""
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(door.getsockname())
        yield int(door.getsockname()[1])


def closed_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        return int(door.getsockname()[1])


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return a server's side of TLS with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def read_request(connection: socket.socket) -> bytes:
    """Return the head of a request, its body read as well: closing with unread bytes would reset the connection."""
    head = read_head(connection)
    length = re.search(rb"(?i)content-length: (\d+)", head)
    left = int(length[1]) if length else 0
    while left > 0 and (piece := connection.recv(min(left, 65536))):
        left -= len(piece)
    return head


def read_head(connection: socket.socket) -> bytes:
    """Return everything up to the blank line."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return head


def _encrypt(connection: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
    return context.wrap_socket(connection, server_side=True) if context else connection
