"""Checks the queue server by writing a key that expires."""

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from webapp.app_state import app_state

KEY, KEY_TTL = "alertcheck:readiness", 5

# The first that matches: some of these are subclasses of later ones, or of a connection error.
_REASONS: tuple[tuple[type[RedisError], str], ...] = (
    (OutOfMemoryError, "is full: it accepts no writes"),
    (ReadOnlyError, "accepts no changes: it is a replica"),
    (BusyLoadingError, "is still starting"),
    (AuthenticationError, "refuses the password of REDIS_URL"),
    (NoPermissionError, "does not allow the user of REDIS_URL to write"),
    (ResponseError, "refuses writes"),
    (RedisError, "does not respond"),
)


def check_queue() -> str:
    """Return "ok", or what is wrong, without an address or the text of an error."""
    try:
        app_state().redis.set(KEY, 1, ex=KEY_TTL)
    except RedisError as error:
        return next(reason for kind, reason in _REASONS if isinstance(error, kind))
    return "ok"
