"""What a response to a press on Send test says: its HTTP status, and why the press was refused."""

from collections.abc import Mapping

from webapp.presses.eligibility import RequestResult
from webapp.presses.press import PressResult

STATUSES: Mapping[RequestResult, int] = {
    RequestResult.ACCEPTED: 200,
    RequestResult.PLANNED: 200,
    RequestResult.NOT_ALLOWED: 403,
    RequestResult.DISABLED: 409,
    RequestResult.NOT_CONFIRMED: 409,
    RequestResult.COOLING_DOWN: 429,
    RequestResult.OTHER_TEST_WAITS: 409,
    RequestResult.MEMBER_LIMIT: 429,
    RequestResult.WORKSPACE_LIMIT: 429,
    RequestResult.TARGET_LIMIT: 429,
    RequestResult.QUEUE_UNAVAILABLE: 503,
}

# The status fragment itself explains the results that are not here. A refusal by a target's limit is the same whoever
# used it up.
REFUSALS: Mapping[RequestResult, str] = {
    RequestResult.DISABLED: "Not sent: this destination was just disabled or deleted.",
    RequestResult.NOT_CONFIRMED: (
        "Not sent: this test pages whoever is on call. To confirm that, choose Send test and then Page them now."
    ),
    RequestResult.COOLING_DOWN: "Not sent: a test was sent to this destination less than a minute ago.",
    RequestResult.MEMBER_LIMIT: "Not sent: you sent too many tests within a minute. {next}",
    RequestResult.WORKSPACE_LIMIT: "Not sent: this workspace sent too many tests within a minute. {next}",
    RequestResult.TARGET_LIMIT: (
        "Not sent: too many tests went to an address of this destination within a minute. {next}"
    ),
}

_TOO_MANY = "Not sent: too many tests were sent within a minute. {next}"

# For people without an account. Which limit refused the press is not their business.
REFUSALS_TO_CUSTOMERS: Mapping[RequestResult, str] = {
    RequestResult.NOT_ALLOWED: "Not sent: this link no longer works.",
    RequestResult.DISABLED: "Not sent: this destination is disabled.",
    RequestResult.NOT_CONFIRMED: "Not sent: this link no longer works.",
    RequestResult.COOLING_DOWN: "Not sent: a test was sent here less than a minute ago.",
    RequestResult.OTHER_TEST_WAITS: "Not sent: another test is on its way.",
    RequestResult.MEMBER_LIMIT: _TOO_MANY,
    RequestResult.WORKSPACE_LIMIT: _TOO_MANY,
    RequestResult.TARGET_LIMIT: _TOO_MANY,
}


def describe_refusal(pressed: PressResult, refusals: Mapping[RequestResult, str] = REFUSALS) -> str | None:
    """Return why a press was refused, or None. refusals: the sentences for those who pressed."""
    refusal = refusals.get(pressed.result)
    plural = "s" * (pressed.seconds != 1)
    return refusal and refusal.format(next=f"Send another test in {pressed.seconds} second{plural}.")
