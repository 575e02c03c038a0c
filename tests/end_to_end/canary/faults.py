"""Exceptions of every library that a send uses, each with a secret in it, and the functions that raise them."""

import errno
import http.client
import random
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pkgutil import resolve_name
from typing import Any

import pytest
import requests.exceptions
import urllib3.exceptions
from cryptography.fernet import InvalidToken
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import OperationalError

from webapp.outbound.transport.tls import make_context

# Makes an exception that contains a secret.
MakeException = Callable[[str], Exception]


@dataclass(frozen=True)
class Step:
    """A function that fails, and a channel whose messages pass through it. secure: only over TLS."""

    target: str
    channel: str
    secure: bool = False


@dataclass(frozen=True)
class Fault:
    """A function that fails, and the exception that it raises."""

    step: Step
    make: MakeException


# Passed once by all sends of a process, which then share what it loads, except where this step fails.
LOAD_AUTHORITIES = "ssl.SSLContext.load_verify_locations"

STEPS = (
    Step("webapp.channels.teams._compose", "teams"),
    Step("webapp.channels.slack._text", "slack"),
    Step("webapp.channels.webhook.sign", "webhook"),
    Step("webapp.channels.google_chat._text", "google_chat"),
    Step("webapp.channels.ntfy._make_headers", "ntfy"),
    Step("webapp.channels.pushover._compose", "pushover"),
    Step("webapp.channels.email._compose", "email"),
    Step("standardwebhooks.Webhook.sign", "webhook"),
    Step("webapp.encryption.settings_cipher.SettingsCipher.decrypt", "teams"),
    Step("cryptography.fernet.MultiFernet.decrypt", "slack"),
    Step("cryptography.fernet.Fernet._decrypt_data", "email"),
    Step("webapp.channels.message.Message.__init__", "webhook"),
    Step("sqlalchemy.orm.Session.commit", "teams"),
    Step("webapp.outbound.http.client.check_url", "slack"),
    Step("socket.getaddrinfo", "webhook"),
    Step("socket.create_connection", "teams"),
    Step("socket.create_connection", "email"),
    Step("webapp.outbound.transport.deadline.Deadline.watch", "slack"),
    Step(LOAD_AUTHORITIES, "webhook", secure=True),
    Step("ssl.SSLContext.wrap_socket", "teams", secure=True),
    Step("ssl.SSLContext.wrap_socket", "email", secure=True),
    Step("requests.models.PreparedRequest.prepare", "slack"),
    Step("requests.adapters.HTTPAdapter.send", "webhook"),
    Step("requests.adapters.HTTPAdapter.build_response", "teams"),
    Step("urllib3.connection.HTTPConnection.request", "slack"),
    Step("urllib3.connection.HTTPConnection.endheaders", "webhook"),
    Step("http.client.HTTPConnection.getresponse", "teams"),
    Step("http.client.parse_headers", "slack"),
    Step("urllib3.response.HTTPResponse.read1", "webhook"),
    Step("smtplib.SMTP.getreply", "email"),
    Step("smtplib.SMTP.ehlo", "email"),
    Step("smtplib.SMTP.auth", "email", secure=True),
    Step("smtplib.SMTP.mail", "email"),
    Step("smtplib.SMTP.rcpt", "email"),
    Step("smtplib.SMTP.docmd", "email"),
    Step("smtplib.SMTP.send", "email"),
    Step("smtplib.SMTP.quit", "email"),
)


def _request(secret: str) -> requests.PreparedRequest:
    return requests.Request("POST", f"https://hooks.example.com/{secret}", headers={"X-Key": secret}).prepare()


def _pool(secret: str) -> urllib3.HTTPConnectionPool:
    return urllib3.HTTPConnectionPool(f"{secret}.example.com")


def _connection(secret: str) -> urllib3.connection.HTTPConnection:
    return urllib3.connection.HTTPConnection(f"{secret}.example.com")


OF_PYTHON: Sequence[MakeException] = (
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    AssertionError,
    RecursionError,
    MemoryError,
    lambda secret: UnicodeDecodeError("ascii", secret.encode(), 0, 1, secret),
    lambda secret: ExceptionGroup(secret, [ValueError(secret)]),
)
OF_THE_SYSTEM: Sequence[MakeException] = (
    lambda secret: OSError(errno.EIO, secret, secret),
    lambda secret: FileNotFoundError(errno.ENOENT, "no such file", secret),
    lambda secret: PermissionError(errno.EACCES, secret),
    ConnectionRefusedError,
    ConnectionResetError,
    BrokenPipeError,
    TimeoutError,
    InterruptedError,
    lambda secret: socket.gaierror(socket.EAI_NONAME, secret),
    lambda secret: socket.herror(1, secret),
)
OF_SSL: Sequence[MakeException] = (
    lambda secret: ssl.SSLError(1, secret),
    lambda secret: ssl.SSLCertVerificationError(1, secret),
    lambda secret: ssl.SSLEOFError(8, secret),
    lambda secret: ssl.SSLZeroReturnError(6, secret),
    lambda secret: ssl.SSLWantReadError(2, secret),
)
OF_HTTP_CLIENT: Sequence[MakeException] = (
    http.client.BadStatusLine,
    http.client.LineTooLong,
    http.client.InvalidURL,
    http.client.RemoteDisconnected,
    lambda secret: http.client.IncompleteRead(secret.encode(), 10),
)
OF_URLLIB3: Sequence[MakeException] = (
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.DecodeError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.LocationParseError,
    lambda secret: urllib3.exceptions.MaxRetryError(_pool(secret), f"/{secret}", ValueError(secret)),
    lambda secret: urllib3.exceptions.NewConnectionError(_connection(secret), secret),
    lambda secret: urllib3.exceptions.ReadTimeoutError(_pool(secret), f"/{secret}", secret),
)
OF_REQUESTS: Sequence[MakeException] = (
    lambda secret: requests.exceptions.ConnectionError(secret, request=_request(secret)),
    lambda secret: requests.exceptions.SSLError(secret, request=_request(secret)),
    lambda secret: requests.exceptions.ReadTimeout(secret, request=_request(secret)),
    lambda secret: requests.exceptions.ChunkedEncodingError(secret, request=_request(secret)),
    lambda secret: requests.exceptions.InvalidURL(secret, request=_request(secret)),
    lambda secret: requests.exceptions.InvalidHeader(secret, request=_request(secret)),
)
OF_SMTPLIB: Sequence[MakeException] = (
    smtplib.SMTPServerDisconnected,
    smtplib.SMTPNotSupportedError,
    lambda secret: smtplib.SMTPSenderRefused(550, secret.encode(), secret),
    lambda secret: smtplib.SMTPRecipientsRefused({secret: (550, secret.encode())}),
    lambda secret: smtplib.SMTPDataError(554, secret.encode()),
    lambda secret: smtplib.SMTPConnectError(421, secret),
    lambda secret: smtplib.SMTPAuthenticationError(535, secret.encode()),
)
OF_OTHERS: Sequence[MakeException] = (
    InvalidToken,
    JobTimeoutException,
    lambda secret: OperationalError(f"UPDATE {secret}", {"config": secret}, OSError(secret)),
)


EXCEPTIONS = (
    *OF_PYTHON,
    *OF_THE_SYSTEM,
    *OF_SSL,
    *OF_HTTP_CLIENT,
    *OF_URLLIB3,
    *OF_REQUESTS,
    *OF_SMTPLIB,
    *OF_OTHERS,
)


def pick_faults(count: int, seed: int) -> list[Fault]:
    """Pick this many different faults, the same ones for the same seed."""
    every = [Fault(step, make) for step, make in product(STEPS, EXCEPTIONS)]
    return random.Random(seed).sample(every, count)


@contextmanager
def broken(fault: Fault, secret: str) -> Iterator[list[Fault]]:
    """Make a step raise the exception, with the secret in its cause and note too. The list gets each fault raised."""
    raised: list[Fault] = []
    original = resolve_name(fault.step.target)

    def fail(*arguments: Any, **keywords: Any) -> Any:
        if keywords.get("server_side"):  # the receiver's, which runs in this process too
            return original(*arguments, **keywords)
        raised.append(fault)
        error = fault.make(secret)
        error.add_note(secret)
        raise error from RuntimeError(secret)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fault.step.target, fail)
        if fault.step.target == LOAD_AUTHORITIES:
            patch.setattr("webapp.outbound.transport.connect.make_context", make_context.__wrapped__)
        yield raised
