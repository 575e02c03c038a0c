"""A link to a server on which the news that the server has closed a connection takes a while, as between machines."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Seconds.
DELAY = 0.7


@contextmanager
def slow_link(port: int) -> Iterator[int]:
    """Link a port of this machine to another one, and yield it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, port: int) -> None:
    with suppress(OSError):  # the link has ended
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=_pass_on, args=(client, server, 0), daemon=True).start()
            threading.Thread(target=_pass_on, args=(server, client, DELAY), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, delay: float) -> None:
    """Pass on what arrives, and later that nothing more will."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        time.sleep(delay)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
