"""The HTTP receiver over TLS, so that the outbound client checks its certificate as it checks any other."""

import ssl
from pathlib import Path
from socket import SHUT_WR, socket
from typing import Any

from webapp.demo.receiver.certificates import load_context
from webapp.demo.receiver.http_server import READ_SECONDS, HttpReceiver
from webapp.demo.receiver.inboxes import Inboxes


class HttpsReceiver(HttpReceiver):
    """Listens on loopback. certificates: the directory that `make_certificates` wrote."""

    def __init__(self, port: int, inboxes: Inboxes, signing_secret_file: Path | None, certificates: Path) -> None:
        self._context = load_context(certificates, inboxes.host_switches)
        super().__init__(port, inboxes, signing_secret_file)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the thread of the request, so that a slow client keeps nobody waiting. Raises OSError."""
        request.settimeout(READ_SECONDS)
        with self._context.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client_address)
            _end(encrypted)


def _end(encrypted: ssl.SSLSocket) -> None:
    socket.shutdown(encrypted, SHUT_WR)  # the response says that the connection ends with it
