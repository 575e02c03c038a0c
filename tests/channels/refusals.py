"""Sends a message that the receiver refuses, and reads what the failure says."""

from collections.abc import Callable
from typing import ParamSpec

import pytest

from webapp.failures import MEANINGS, Code, DeliveryFailed

P = ParamSpec("P")


def find_failure(send: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> DeliveryFailed:
    """Return the failure of a send. Its sentence does not repeat a secret of the receiver's response."""
    with pytest.raises(DeliveryFailed) as caught:
        send(*arguments, **named)
    assert "s3cr-tWord" not in caught.value.message
    return caught.value


def find_refusal(
    send: Callable[P, object], *arguments: P.args, **named: P.kwargs
) -> tuple[Code, int | None, str | None]:
    """Return the code of a response of the receiver, its status, and the service's own word in it."""
    failure = find_failure(send, *arguments, **named)
    assert failure.facts.host == "127.0.0.1"
    return failure.code, failure.facts.status, failure.facts.token


def may_have_arrived(send: Callable[P, object], *arguments: P.args, **named: P.kwargs) -> bool:
    """Return whether a message that was not accepted may have arrived."""
    return MEANINGS[find_failure(send, *arguments, **named).code].may_have_arrived
