"""An exception is classified by its type and code word, also where a real server cannot be made to send it."""

import errno
import os
import socket
import ssl

import pytest
from limits.errors import StorageError
from redis import exceptions
from redis.exceptions import AuthenticationError, ExecAbortError, InvalidResponse, RedisError, ResponseError

from webapp.queue import QueueOutage, classify

URL = "redis://:canary@queue.example"


def caused_by(cause: OSError) -> RedisError:
    """Return the error that redis-py raises for an error of the operating system."""
    error = exceptions.ConnectionError("Error connecting to queue.example:6379")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (AuthenticationError("invalid password", status_code="ERR"), "AUTH_UNEXPECTED"),
        (AuthenticationError("AUTH called without any password configured", status_code="ERR"), "AUTH_UNEXPECTED"),
        (AuthenticationError("invalid username-password pair", status_code="WRONGPASS"), "AUTH_REFUSED"),
        (exceptions.ConnectionError("max number of clients reached", status_code="ERR"), "TOO_MANY_CLIENTS"),
        (ResponseError("MISCONF Errors writing to the AOF file: No space left on device"), "CANNOT_SAVE"),
        (ResponseError("Command # 1 (SET x 1) of pipeline caused error: MISCONF Redis is configured"), "CANNOT_SAVE"),
        (ResponseError("Command # 1 (SET caused error: OOM) of pipeline caused error: BUSY Redis is busy"), "BUSY"),
        (ResponseError("BUSYGROUP Consumer Group name already exists"), "OTHER"),
        (ResponseError(""), "OTHER"),
        (ExecAbortError("Transaction discarded", status_code="EXECABORT"), "OTHER"),
        (StorageError(ResponseError("DENIED Redis is running in protected mode")), "PROTECTED"),
        (StorageError(exceptions.TimeoutError("Timeout reading from socket")), "TIMEOUT"),
        (exceptions.TimeoutError("Timeout connecting to server"), "TIMEOUT"),
        (InvalidResponse("Protocol Error: b'HTTP/1.1 400'"), "NOT_REDIS"),
        (exceptions.ConnectionError("Connection closed by server."), "CLOSED"),
    ],
)
def test_an_error_of_redis_is_classified(error: Exception, outage: str) -> None:
    assert classify(error, URL) is QueueOutage[outage]


@pytest.mark.parametrize(
    ("number", "outage"),
    [
        (errno.ECONNREFUSED, "REFUSED"),
        (errno.ECONNRESET, "CLOSED"),
        (errno.ENETUNREACH, "UNREACHABLE"),
        (errno.EHOSTUNREACH, "UNREACHABLE"),
        (errno.ETIMEDOUT, "TIMEOUT"),
        (errno.ENOENT, "NO_SOCKET"),
        (errno.EACCES, "FORBIDDEN_SOCKET"),
    ],
)
def test_an_error_of_the_operating_system_is_classified(number: int, outage: str) -> None:
    assert classify(caused_by(OSError(number, os.strerror(number))), URL) is QueueOutage[outage]


@pytest.mark.parametrize(
    ("number", "outage"),
    [(socket.EAI_NONAME, "UNKNOWN_HOST"), (socket.EAI_AGAIN, "NO_DNS"), (socket.EAI_FAIL, "NO_DNS")],
)
def test_an_unknown_host_is_told_from_dns_that_does_not_answer(number: int, outage: str) -> None:
    assert classify(caused_by(socket.gaierror(number, "failed")), URL) is QueueOutage[outage]


@pytest.mark.parametrize(
    ("verify_code", "outage"),
    [
        (9, "NOT_YET_VALID"),
        (10, "EXPIRED"),
        (18, "UNTRUSTED"),
        (19, "UNTRUSTED"),
        (20, "UNTRUSTED"),
        (62, "WRONG_NAME"),
        (64, "WRONG_NAME"),
        (26, "BAD_CERTIFICATE"),
    ],
)
def test_a_refused_certificate_is_classified_by_openssls_number(verify_code: int, outage: str) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = verify_code

    assert classify(caused_by(error), URL) is QueueOutage[outage]


@pytest.mark.parametrize(
    ("reason", "outage"),
    [
        ("WRONG_VERSION_NUMBER", "NOT_TLS"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "CLIENT_CERTIFICATE"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "TLS_FAILED"),
    ],
)
def test_an_error_of_tls_is_classified_by_its_name(reason: str, outage: str) -> None:
    error = ssl.SSLError(1, "failed")
    error.reason = reason

    assert classify(caused_by(error), URL) is QueueOutage[outage]


@pytest.mark.parametrize(
    ("url", "outage"),
    [
        ("redis://:canary@queue.example", "AUTH_REFUSED"),
        ("redis://default:canary@queue.example", "AUTH_REFUSED"),
        ("redis://ann:canary@queue.example", "USER_REFUSED"),
        ("unix://ann:canary@/run/queue.sock", "USER_REFUSED"),
    ],
)
def test_a_refused_user_is_told_from_a_refused_password_by_the_url(url: str, outage: str) -> None:
    error = AuthenticationError("invalid username-password pair or user is disabled.", status_code="WRONGPASS")

    assert classify(error, url) is QueueOutage[outage]
