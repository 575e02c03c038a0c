"""Name a mistake of ours without its words: an exception's text may hold an address."""

import logging
import secrets

from webapp.failures import Code, DeliveryFailed, Facts

log = logging.getLogger(__name__)


def log_unexpected(error: Exception, delivery_id: int) -> DeliveryFailed:
    """Log the type and the place of an unexpected exception; the failure returned carries the reference to that."""
    reference = secrets.token_hex(4)
    log.error("attempt broke", extra={"delivery": delivery_id, "reference": reference, "error": _location(error)})
    return DeliveryFailed(Code.INTERNAL_ERROR, Facts(reference=reference))


def _location(error: Exception) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    where = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}" if traceback else "nowhere"
    return f"{type(error).__name__} at {where}"
