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
from webapp.queue.problems import QueueProblem

# The first word of an error reply. redis-py has types for some only.
_BY_CODE = {
    "NOAUTH": QueueProblem.AUTH_MISSING,
    "NOPERM": QueueProblem.NO_RIGHTS,
    "READONLY": QueueProblem.READ_ONLY,
    "MASTERDOWN": QueueProblem.NO_PRIMARY,
    "NOREPLICAS": QueueProblem.NO_REPLICAS,
    "OOM": QueueProblem.FULL,
    "LOADING": QueueProblem.LOADING,
    "MISCONF": QueueProblem.CANNOT_SAVE,
    "CROSSSLOT": QueueProblem.CLUSTER,
    "MOVED": QueueProblem.CLUSTER,
    "ASK": QueueProblem.CLUSTER,
    "TRYAGAIN": QueueProblem.CLUSTER,
    "CLUSTERDOWN": QueueProblem.CLUSTER,
    "DENIED": QueueProblem.PROTECTED,
    "BUSY": QueueProblem.BUSY,
}
_BY_ERRNO = {
    errno.ECONNREFUSED: QueueProblem.REFUSED,
    errno.ENOENT: QueueProblem.NO_SOCKET,
    errno.ENOTSOCK: QueueProblem.NO_SOCKET,
    errno.EACCES: QueueProblem.FORBIDDEN_SOCKET,
    errno.EPERM: QueueProblem.FORBIDDEN_SOCKET,
    errno.ENETUNREACH: QueueProblem.UNREACHABLE,
    errno.EHOSTUNREACH: QueueProblem.UNREACHABLE,
    errno.EADDRNOTAVAIL: QueueProblem.UNREACHABLE,
    errno.ETIMEDOUT: QueueProblem.TIMEOUT,
    errno.ECONNRESET: QueueProblem.CLOSED,
    errno.EPIPE: QueueProblem.CLOSED,
}
# OpenSSL's X509_V_ERR_* numbers (x509_vfy.h).
_BY_VERIFY_CODE = {
    2: QueueProblem.UNTRUSTED,
    9: QueueProblem.NOT_YET_VALID,
    10: QueueProblem.EXPIRED,
    18: QueueProblem.UNTRUSTED,
    19: QueueProblem.UNTRUSTED,
    20: QueueProblem.UNTRUSTED,
    21: QueueProblem.UNTRUSTED,
    62: QueueProblem.WRONG_NAME,
    64: QueueProblem.WRONG_NAME,  # for an IP address
}
# OpenSSL's names for a reply that is not TLS.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})


def classify(error: BaseException, redis_url: str) -> QueueProblem:
    """Return why a command failed, as far as its error shows. See also `webapp.queue.experiments`."""
    error = _unwrap(error)
    problem = _by_code(error, redis_url) if isinstance(error, RedisError) else None
    return problem or _by_cause(error) or _by_type(error)


def _unwrap(error: BaseException) -> BaseException:
    """Return the error that Flask-Limiter's storage wraps, or the error itself."""
    storage_error = getattr(error, "storage_error", None)
    return storage_error if isinstance(storage_error, BaseException) else error


def _by_code(error: RedisError, redis_url: str) -> QueueProblem | None:
    code = error.status_code or _first_word(error)
    if code == "WRONGPASS":
        return QueueProblem.USER_REFUSED if _has_user(redis_url) else QueueProblem.AUTH_REFUSED
    if code == "ERR" and isinstance(error, AuthenticationError | AuthenticationWrongNumberOfArgsError):
        return QueueProblem.AUTH_UNEXPECTED
    if code == "ERR" and type(error) is RedisConnectionError:  # redis-py's only one with a code
        return QueueProblem.TOO_MANY_CLIENTS
    return _BY_CODE.get(code)


def _first_word(error: RedisError) -> str:
    """Return the code word of a reply that redis-py has no type for; in a pipeline, it puts its own words before it."""
    text = str(error.args[0]) if error.args else ""
    words = text.rpartition(" caused error: ")[2] if text.startswith("Command # ") else text
    return words.partition(" ")[0]


def _has_user(redis_url: str) -> bool:
    return (urlsplit(redis_url).username or "default") != "default"


def _by_cause(error: BaseException) -> QueueProblem | None:
    found = (_by_os_error(cause) for cause in _causes(error) if isinstance(cause, OSError))
    return next(filter(None, found), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _by_os_error(error: OSError) -> QueueProblem | None:
    if isinstance(error, ssl.SSLError):
        return _by_tls_error(error)
    if isinstance(error, socket.gaierror):
        is_silent = error.errno in (socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_SYSTEM)
        return QueueProblem.NO_DNS if is_silent else QueueProblem.UNKNOWN_HOST
    if isinstance(error, TimeoutError):
        return QueueProblem.TIMEOUT
    return _BY_ERRNO.get(error.errno or 0)


def _by_tls_error(error: ssl.SSLError) -> QueueProblem:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFY_CODE.get(error.verify_code, QueueProblem.BAD_CERTIFICATE)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return QueueProblem.CLOSED
    if is_certificate_rejection(error):
        return QueueProblem.CLIENT_CERTIFICATE
    return QueueProblem.NOT_TLS if error.reason in _NOT_TLS else QueueProblem.TLS_FAILED


def _by_type(error: BaseException) -> QueueProblem:
    if isinstance(error, RedisTimeout):
        return QueueProblem.TIMEOUT
    if isinstance(error, InvalidResponse | UnicodeError | ValueError):
        return QueueProblem.NOT_REDIS
    return QueueProblem.CLOSED if type(error) is RedisConnectionError else QueueProblem.OTHER
