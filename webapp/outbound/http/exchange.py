"""Sends one request over an open connection. The requests library uses it in place of a connection pool."""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected
from io import BufferedReader, BytesIO
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import HTTPError

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.exchange_facts import ExchangeRecorder, ExchangeStep
from webapp.outbound.http.chunks import ChunkedBody
from webapp.outbound.http.head import read_head
from webapp.outbound.policy.urls import Target
from webapp.outbound.transport.client_certificates import is_certificate_rejection
from webapp.outbound.transport.deadline import Deadline, Limits

# The first bytes of a TLS alert or handshake (RFC 8446, section 5.1).
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")


class _TlsSpoken(HTTPException):
    """The receiver answers in TLS where the address says http."""


class Exchange(ConnectionPool):
    """A connection pool that sends exactly one request.

    urllib3's pool retries and logs the path, and its connection logs the whole address of a response with
    odd headers. Here they get only what they need to write the request.
    """

    def __init__(
        self,
        target: Target,
        connection: socket.socket,
        deadline: Deadline,
        limits: Limits,
        recorder: ExchangeRecorder,
    ) -> None:
        super().__init__(target.host, target.port)
        self._connection = _Connection(target.host, target.port, timeout=limits.silence)
        self._connection.sock = connection
        self._connection.response_class = partial(_Response, recorder=recorder, max_body=limits.body)
        self._scheme = target.scheme
        self._deadline = deadline
        self._recorder = recorder
        self._limits = limits

    def urlopen(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], **_: object
    ) -> urllib3.HTTPResponse:
        """Send the request and wait for the status and the headers. Raises `DeliveryFailed`."""
        self._recorder.start(ExchangeStep.FIRST_BYTE)
        try:
            # A receiver may respond (with 413 or a TLS alert) and close without reading the whole message.
            with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                self._connection.request(method, url, body=body, headers=headers)
            response = _wrap(HTTPConnection.getresponse(self._connection))
        except (OSError, HTTPException, HTTPError, ValueError) as error:
            raise self._failure(self._classify_error(error)) from None
        if self._deadline.hit:  # a header block that was cut off can look complete
            response.close()
            raise self._failure(Code.DEADLINE_EXCEEDED)
        return response

    def _classify_error(self, error: Exception) -> Code:
        if self._deadline.hit:
            return Code.DEADLINE_EXCEEDED
        if isinstance(error, TimeoutError):
            return Code.READ_TIMEOUT
        if isinstance(error, _TlsSpoken) and self._scheme == "http":
            return Code.SCHEME_NOT_ALLOWED
        if is_certificate_rejection(error, self._connection.sock):
            return Code.CLIENT_CERTIFICATE_REQUIRED
        return Code.CONNECTION_CLOSED if isinstance(error, OSError) else Code.INVALID_RESPONSE

    def _failure(self, code: Code) -> DeliveryFailed:
        waits = {Code.READ_TIMEOUT: self._limits.silence, Code.DEADLINE_EXCEEDED: self._limits.whole}
        return DeliveryFailed(code, Facts(host=self._connection.host, seconds=waits.get(code)))


class ExchangeAdapter(HTTPAdapter):
    """Makes requests use one exchange only: no pool, no proxy, no settings from the environment."""

    def __init__(self, exchange: Exchange, path: str) -> None:
        super().__init__()
        self._exchange = exchange
        self._path = path

    def get_connection_with_tls_context(self, *_: object, **__: object) -> ConnectionPool:
        """Return the exchange."""
        return self._exchange

    def cert_verify(self, *_: object) -> None:
        """Do nothing: TLS was checked when the connection was opened."""

    def request_url(self, *_: object) -> str:
        """Return the path exactly as it was given; requests would quote it again."""
        return self._path


class _StrictLineReader(BufferedReader):
    """Raises an error if the stream ends inside a line; http.client would accept the partial line."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size:
            raise RemoteDisconnected("the stream ended inside a line")
        return line


class _Response(HTTPResponse):
    def __init__(self, *args: Any, recorder: ExchangeRecorder, max_body: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._recorder = recorder
        self._max_body = max_body
        self.fp: BufferedReader = _StrictLineReader(self.fp.detach())

    def begin(self) -> None:
        """Read and check the whole head, then let http.client parse it."""
        stream = self.fp
        start = stream.peek(1)
        if start:
            self._recorder.start(ExchangeStep.RESPONSE)
        if start.startswith(_TLS_RECORDS):
            raise _TlsSpoken
        self.fp = BufferedReader(BytesIO(read_head(stream)))
        try:
            super().begin()
        finally:
            self.fp = stream  # now at the first byte of the body; `close` needs it after a failure
        self._chunked_body = ChunkedBody(stream, self._max_body) if self.chunked else None

    def read1(self, n: int = -1) -> bytes:
        """Read a chunked body within a limit: http.client would read trailers and extensions without end."""
        return super().read1(n) if self._chunked_body is None else self._chunked_body.read1(n)


class _Connection(urllib3.connection.HTTPConnection):
    """Uses the socket it is given and never opens one."""

    response_class: Any
    auto_open = 0


def _wrap(response: HTTPResponse) -> urllib3.HTTPResponse:
    """Convert the response for requests. Raises urllib3's `HTTPError` if its framing is contradictory."""
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
