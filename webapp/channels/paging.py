"""What channels that page people share: the incident of a test is closed at once, by the same key that opened it."""

from collections.abc import Callable
from dataclasses import replace
from logging import getLogger
from time import monotonic

from webapp.channels.contract import Accepted
from webapp.channels.hosted_service import make_hints, make_server_hints
from webapp.failures import MAX_LENGTH, MEANINGS, Code, DeliveryFailed
from webapp.outbound import OutboundClient

log = getLogger(__name__)

# The share of an attempt's time for the request that opens the incident. The rest is left for the one that closes it.
OPENING_SHARE = 0.75

# Sends one request.
Post = Callable[[OutboundClient], Accepted]

_WRONG_KEY = (Code.CONFIG_INCOMPLETE, Code.BAD_REQUEST, Code.AUTH_FAILED, Code.REMOTE_REJECTED)


def open_and_close(outbound: OutboundClient, open_incident: Post, close_incident: Post, still_open: str) -> Accepted:
    """Open an incident, close it at once, and return the acceptance of the first request.

    Only that request decides whether the message was sent: if the other one fails, nobody is paged again because of
    it, and the acceptance has a warning. Both together stay within the time limit of one attempt. The recorded
    exchange is the first one. still_open: that the incident may be open, and what to do.
    """
    limits, began = outbound.limits, monotonic()
    accepted = open_incident(replace(outbound, limits=replace(limits, whole=limits.whole * OPENING_SHARE)))
    left = limits.whole - (monotonic() - began)
    try:
        close_incident(replace(outbound, limits=replace(limits, whole=round(max(left, 0.0), 1)), recorder=None))
    except Exception as error:  # whatever it is, the message was accepted, and nobody may be paged again
        if not isinstance(error, DeliveryFailed):
            log.error("an alert cannot be closed", extra={"error": type(error).__name__})
        message = error.message if isinstance(error, DeliveryFailed) else None
        warning = " ".join(filter(None, [accepted.warning, still_open, message]))
        return replace(accepted, warning=warning if len(warning) <= MAX_LENGTH else still_open)
    return accepted


def cut(text: str, length: int) -> str:
    """Shorten a text to a number of characters, counted as UTF-16 does, which counts the most."""
    if len(text.encode("utf-16-le")) <= 2 * length:
        return text
    return text.encode("utf-16-le")[: 2 * length - 2].decode("utf-16-le", "ignore") + "…"


def make_pager_hints(service: str, incident: str, status_page: str, server: str, get_key: str) -> dict[Code, str]:
    """Return the next steps that such services have in common.

    incident: what a message opens there, with its article, and how it is closed ("an incident, resolve it").
    server: the usual address of the service. get_key: how to get a new key, in whole sentences.
    """
    correct_server = f"Enter {server} as the server in the settings of the destination."
    hints = make_hints(service, service, status_page, get_key) | make_server_hints(correct_server, status_page)
    hints |= dict.fromkeys(_WRONG_KEY, f"The key is missing or not valid. {get_key}")
    hints[Code.SIGN_IN_PAGE] = (
        f"Check in {service} whether the message arrived before you send another test. {correct_server}"
    )
    uncertain = {code for code, meaning in MEANINGS.items() if meaning.may_have_arrived}
    steps = {code: hints.get(code, MEANINGS[code].next_step) for code in uncertain}
    return hints | {code: f"{step} If it opened {incident}." for code, step in steps.items()}
