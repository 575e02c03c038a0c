"""A server on loopback that runs a script on each connection, including hostile ones."""

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
class ScriptedServer:
    """Its port, and the head of each request that it has read, as raw bytes."""

    port: int
    heads: list[bytes] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Its http address without a path."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def listening(
    script: Script, context: ssl.SSLContext | None = None, read_first: bool = True
) -> Iterator[ScriptedServer]:
    """Run `script` on each connection, after the TLS handshake if `context` is given.

    read_first: read a request before the script runs.
    """
    stopped = Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = ScriptedServer(listener.getsockname()[1])

        def serve(connection: socket.socket) -> None:
            connection.settimeout(15)
            with suppress(OSError), closing(_encrypt(connection, context)) as stream:
                if read_first:
                    server.heads.append(read_request(stream))
                script(stream)

        acceptor = Thread(target=_accept_connections, args=(listener, serve, stopped), daemon=True)
        acceptor.start()
        try:
            yield server
        finally:
            stopped.set()
            with socket.socket() as waker:  # not `create_connection`, which a test may have replaced
                waker.connect(("127.0.0.1", server.port))
            acceptor.join()


def _accept_connections(listener: socket.socket, serve: Callable[[socket.socket], None], stopped: Event) -> None:
    """Serve each connection in its own thread, but not the first one after the end, which wakes this thread."""
    while True:
        connection, _ = listener.accept()
        if stopped.is_set():
            connection.close()
            return
        Thread(target=serve, args=(connection,), daemon=True).start()


@contextmanager
def full_port() -> Iterator[int]:
    """Provide a port whose queue of connections is full, so that the next connection gets no response."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return a server's TLS context with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def read_request(connection: socket.socket) -> bytes:
    """Read a whole request and return its head. Closing with unread bytes would reset the connection."""
    head = read_head(connection)
    length = re.search(rb"(?i)content-length: (\d+)", head)
    left = int(length[1]) if length else 0
    while left > 0 and (piece := connection.recv(min(left, 65536))):
        left -= len(piece)
    return head


def read_head(connection: socket.socket) -> bytes:
    """Read up to the blank line, or to the end of the stream, and return it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return head


def _encrypt(connection: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
    return context.wrap_socket(connection, server_side=True) if context else connection
