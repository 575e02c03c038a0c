"""Reads what a service answers: a channel's message was accepted only if the service says so in its own words."""

import json
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from webapp.channels.contract import Accepted
from webapp.outbound import HttpResponse
from webapp.outbound.http.response_classification import Words, check_response, explain_missing_word


def read_response(
    response: HttpResponse,
    address: str,
    word: str | None = None,
    words: Words = MappingProxyType({}),
    retry_after: object = None,
) -> Accepted:
    """Return the acceptance, for any 2xx. Raises `DeliveryFailed` for every other response.

    word: the service's own word in this response, which decides before the status if `words` has it.
    retry_after: how many seconds to wait, where the service says so in its body. Anything may stand there.
    """
    warning = check_response(response, urlsplit(address).hostname, word, words, retry_after)
    return Accepted(response.status, warning)


def require_own_word(is_there: bool, response: HttpResponse, address: str, status: int = 200) -> None:
    """Raise `DeliveryFailed` for a response of 2xx without the service's own word for an accepted message.

    status: what the service answers with that word.
    """
    if not is_there or response.status != status:
        raise explain_missing_word(response, urlsplit(address).hostname, status)


def read_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object that is the whole body; empty if it is anything else."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
