"""A TLS endpoint in front of a PostgreSQL server, as managed databases and poolers have one."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from select import select

from sqlalchemy import URL, make_url

from benchmarks.installation.scripted_server import listening

# The first bytes of a client that wants TLS: the length of the message and a code.
# https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST
_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


@contextmanager
def tls_endpoint(server_url: str, context: ssl.SSLContext) -> Iterator[str]:
    """Provide the server's address behind a port of localhost that accepts encrypted connections only."""
    url = make_url(server_url)

    def serve(connection: socket.socket) -> None:
        if connection.recv(len(_SSL_REQUEST), socket.MSG_WAITALL) != _SSL_REQUEST:
            return
        connection.sendall(b"S")
        with ExitStack() as stack:
            client = stack.enter_context(context.wrap_socket(connection, server_side=True))
            _pass_on(client, stack.enter_context(_connect(url)))

    with listening(serve, read_first=False) as endpoint:
        address = url.set(drivername="postgresql", host="localhost", port=endpoint.port, query={})
        yield address.render_as_string(hide_password=False)


def _connect(url: URL) -> socket.socket:
    if url.host:
        return socket.create_connection((url.host, url.port or 5432))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{url.query['host']}/.s.PGSQL.{url.port or 5432}")
    return server


def _pass_on(client: ssl.SSLSocket, server: socket.socket) -> None:
    """Pass bytes on in both directions until one side closes."""
    while True:
        ready = [client] if client.pending() else select([client, server], [], [], 60)[0]
        for source, target in ((client, server), (server, client)):
            if source in ready:
                received = source.recv(65536)
                if not received:
                    return
                target.sendall(received)
