"""Logs unexpected exceptions without their text, which may contain an address or a secret."""

import logging
import secrets

from webapp.failures import Code, DeliveryFailed, Facts

log = logging.getLogger(__name__)


def log_unexpected(error: Exception, **subject: int) -> DeliveryFailed:
    """Log an exception's type and location, and return a failure whose reference leads to that log line.

    subject: the id of what was attempted, by what it is.
    """
    reference = secrets.token_hex(4)
    log.error(
        "unexpected error during an attempt",
        extra=subject | {"reference": reference, "error": _location(error)},
    )
    return DeliveryFailed(Code.INTERNAL_ERROR, Facts(reference=reference))


def _location(error: Exception) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    location = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}" if traceback else "unknown location"
    return f"{type(error).__name__} at {location}"
