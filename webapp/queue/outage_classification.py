"""Finds why the queue server cannot be used from an exception's type and code word. Texts differ by version."""

import errno
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from redis.exceptions import AuthenticationError, AuthenticationWrongNumberOfArgsError, InvalidResponse, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeout

from webapp.outbound.transport.client_certificates import is_certificate_rejection
from webapp.queue.outage_reasons import QueueOutage

# The first word of an error reply. redis-py has types for some only.
_BY_CODE = {
    "NOAUTH": QueueOutage.AUTH_MISSING,
    "NOPERM": QueueOutage.NO_RIGHTS,
    "READONLY": QueueOutage.READ_ONLY,
    "MASTERDOWN": QueueOutage.NO_PRIMARY,
    "NOREPLICAS": QueueOutage.NO_REPLICAS,
    "OOM": QueueOutage.FULL,
    "LOADING": QueueOutage.LOADING,
    "MISCONF": QueueOutage.CANNOT_SAVE,
    "CROSSSLOT": QueueOutage.CLUSTER,
    "MOVED": QueueOutage.CLUSTER,
    "ASK": QueueOutage.CLUSTER,
    "TRYAGAIN": QueueOutage.CLUSTER,
    "CLUSTERDOWN": QueueOutage.CLUSTER,
    "DENIED": QueueOutage.PROTECTED,
    "BUSY": QueueOutage.BUSY,
}
_BY_ERRNO = {
    errno.ECONNREFUSED: QueueOutage.REFUSED,
    errno.ENOENT: QueueOutage.NO_SOCKET,
    errno.ENOTSOCK: QueueOutage.NO_SOCKET,
    errno.EACCES: QueueOutage.FORBIDDEN_SOCKET,
    errno.EPERM: QueueOutage.FORBIDDEN_SOCKET,
    errno.ENETUNREACH: QueueOutage.UNREACHABLE,
    errno.EHOSTUNREACH: QueueOutage.UNREACHABLE,
    errno.EADDRNOTAVAIL: QueueOutage.UNREACHABLE,
    errno.ETIMEDOUT: QueueOutage.TIMEOUT,
    errno.ECONNRESET: QueueOutage.CLOSED,
    errno.EPIPE: QueueOutage.CLOSED,
}
# OpenSSL's X509_V_ERR_* numbers (x509_vfy.h).
_BY_VERIFY_CODE = {
    2: QueueOutage.UNTRUSTED,
    9: QueueOutage.NOT_YET_VALID,
    10: QueueOutage.EXPIRED,
    18: QueueOutage.UNTRUSTED,
    19: QueueOutage.UNTRUSTED,
    20: QueueOutage.UNTRUSTED,
    21: QueueOutage.UNTRUSTED,
    62: QueueOutage.WRONG_NAME,
    64: QueueOutage.WRONG_NAME,  # for an IP address
}
# OpenSSL's names for a reply that is not TLS.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})


def classify(error: BaseException, redis_url: str) -> QueueOutage:
    """Return why a command failed, as far as its error shows. See also `webapp.queue.outage_experiments`."""
    error = _unwrap(error)
    outage = _by_code(error, redis_url) if isinstance(error, RedisError) else None
    return outage or _by_cause(error) or _by_type(error)


def _unwrap(error: BaseException) -> BaseException:
    """Return the error that Flask-Limiter's storage wraps, or the error itself."""
    storage_error = getattr(error, "storage_error", None)
    return storage_error if isinstance(storage_error, BaseException) else error


def _by_code(error: RedisError, redis_url: str) -> QueueOutage | None:
    code = error.status_code or _first_word(error)
    if code == "WRONGPASS":
        return QueueOutage.USER_REFUSED if _has_user(redis_url) else QueueOutage.AUTH_REFUSED
    if code == "ERR" and isinstance(error, AuthenticationError | AuthenticationWrongNumberOfArgsError):
        return QueueOutage.AUTH_UNEXPECTED
    if code == "ERR" and type(error) is RedisConnectionError:  # redis-py's only one with a code
        return QueueOutage.TOO_MANY_CLIENTS
    return _BY_CODE.get(code)


def _first_word(error: RedisError) -> str:
    """Return the code word of a reply that redis-py has no type for; in a pipeline, it puts its own words before it."""
    text = str(error.args[0]) if error.args else ""
    words = text.rpartition(" caused error: ")[2] if text.startswith("Command # ") else text
    return words.partition(" ")[0]


def _has_user(redis_url: str) -> bool:
    return (urlsplit(redis_url).username or "default") != "default"


def _by_cause(error: BaseException) -> QueueOutage | None:
    found = (_by_os_error(cause) for cause in _causes(error) if isinstance(cause, OSError))
    return next(filter(None, found), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _by_os_error(error: OSError) -> QueueOutage | None:
    if isinstance(error, ssl.SSLError):
        return _by_tls_error(error)
    if isinstance(error, socket.gaierror):
        is_silent = error.errno in (socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_SYSTEM)
        return QueueOutage.NO_DNS if is_silent else QueueOutage.UNKNOWN_HOST
    if isinstance(error, TimeoutError):
        return QueueOutage.TIMEOUT
    return _BY_ERRNO.get(error.errno or 0)


def _by_tls_error(error: ssl.SSLError) -> QueueOutage:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFY_CODE.get(error.verify_code, QueueOutage.BAD_CERTIFICATE)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return QueueOutage.CLOSED
    if is_certificate_rejection(error):
        return QueueOutage.CLIENT_CERTIFICATE
    return QueueOutage.NOT_TLS if error.reason in _NOT_TLS else QueueOutage.TLS_FAILED


def _by_type(error: BaseException) -> QueueOutage:
    if isinstance(error, RedisTimeout):
        return QueueOutage.TIMEOUT
    if isinstance(error, InvalidResponse | UnicodeError | ValueError):
        return QueueOutage.NOT_REDIS
    return QueueOutage.CLOSED if type(error) is RedisConnectionError else QueueOutage.OTHER
