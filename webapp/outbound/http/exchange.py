"""One request and its answer over a connection that is open already, for requests to use in place of a pool."""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected
from io import BufferedReader, BytesIO
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import HTTPError

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.http.head import read_head
from webapp.outbound.policy.urls import Target
from webapp.outbound.transport.deadline import Deadline
from webapp.outbound.transport.limits import Limits

_CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Exchange(ConnectionPool):
    """Makes the one call it is made for.

    urllib3's own pool retries and logs the path, and its connection logs the whole address of an answer with
    odd headers. Here neither gets to see more than it needs to write the request.
    """

    def __init__(self, target: Target, connection: socket.socket, deadline: Deadline, limits: Limits) -> None:
        super().__init__(target.host, target.port)
        self._connection = _Connection(target.host, target.port, timeout=limits.silence)
        self._connection.sock = connection
        self._deadline = deadline
        self._limits = limits

    def urlopen(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], **_: object
    ) -> urllib3.HTTPResponse:
        """Send the request, wait for status and headers. Raises `DeliveryFailed`."""
        try:
            # A far end may answer (413, say) and hang up without reading all of a message.
            with suppress(BrokenPipeError, ConnectionResetError):
                self._connection.request(method, url, body=body, headers=headers)
            response = _wrap(HTTPConnection.getresponse(self._connection))
        except (OSError, HTTPException, HTTPError, ValueError) as error:
            raise self._failure(self._classify_error(error)) from None
        if self._deadline.hit:  # a header block that was cut here can look like one that ended
            response.close()
            raise self._failure(Code.DEADLINE_EXCEEDED)
        return response

    def _classify_error(self, error: Exception) -> Code:
        if self._deadline.hit:
            return Code.DEADLINE_EXCEEDED
        if isinstance(error, TimeoutError):
            return Code.READ_TIMEOUT
        if isinstance(error, _CLOSED):
            return Code.CONNECTION_CLOSED
        if isinstance(error, ssl.SSLError):
            return Code.TLS_FAILED
        return Code.CONNECTION_CLOSED if isinstance(error, OSError) else Code.INVALID_RESPONSE

    def _failure(self, code: Code) -> DeliveryFailed:
        waits = {Code.READ_TIMEOUT: self._limits.silence, Code.DEADLINE_EXCEEDED: self._limits.whole}
        return DeliveryFailed(code, Facts(host=self._connection.host, seconds=waits.get(code)))


class ExchangeAdapter(HTTPAdapter):
    """Lets requests talk over one exchange and over nothing else: no pool, no proxy, no settings of the environment."""

    def __init__(self, exchange: Exchange, path: str) -> None:
        super().__init__()
        self._exchange = exchange
        self._path = path

    def get_connection_with_tls_context(self, *_: object, **__: object) -> ConnectionPool:
        """Return the exchange."""
        return self._exchange

    def cert_verify(self, *_: object) -> None:
        """Leave TLS alone: the connection has been checked when it was opened."""

    def request_url(self, *_: object) -> str:
        """Return the path exactly as it was given; requests would quote it anew."""
        return self._path


class _WholeLines(BufferedReader):
    """Takes an end inside a line for what it is; http.client takes it for the end of the line."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size:
            raise RemoteDisconnected("inside a line")
        return line


class _Response(HTTPResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp: BufferedReader = _WholeLines(self.fp.detach())

    def begin(self) -> None:
        """Let http.client parse the head, once all of it is here and known to be harmless."""
        answer = self.fp
        self.fp = BufferedReader(BytesIO(read_head(answer)))
        try:
            super().begin()
        finally:
            self.fp = answer  # at the first byte of the body; also for `close` after a failure


class _Connection(urllib3.connection.HTTPConnection):
    """Speaks over the socket it is given; never opens one."""

    response_class = _Response
    auto_open = 0


def _wrap(response: HTTPResponse) -> urllib3.HTTPResponse:
    """Give the answer the shape requests expects. Raises urllib3's `HTTPError` if its framing is contradictory."""
    try:
        return urllib3.HTTPResponse(
            body=response,
            headers=urllib3.HTTPHeaderDict(response.msg.items()),
            status=response.status,
            preload_content=False,
            decode_content=False,
            request_method="POST",
        )
    except HTTPError:
        response.close()
        raise
