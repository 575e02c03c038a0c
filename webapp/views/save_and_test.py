"""Save and test: what becomes of the test that a saved form asks for, in words for the message on the next page."""

from flask import request

from webapp.auth.access import Visit
from webapp.dashboard.status_fragment import find_block_reason
from webapp.models import AlertDestination, database_clock
from webapp.presses.eligibility import RequestResult
from webapp.presses.planned_tests import press_or_plan
from webapp.views.form_submissions import confirms_paging
from webapp.views.press_responses import describe_refusal

# What the page itself shows needs few words.
WORDS = {
    RequestResult.ACCEPTED: " A test is being sent.",
    RequestResult.PLANNED: " A test is planned, because the last one is less than a minute old.",
    RequestResult.QUEUE_UNAVAILABLE: " The test could not be sent.",
}


def run_if_asked(visit: Visit, destination: AlertDestination) -> str:
    """Test a destination that was just saved, if the form asks for it. Returns what to say about it, or nothing."""
    if request.form.get("then") != "test":
        return ""
    now = database_clock.now()
    block_reason = find_block_reason(visit, destination, None, now)
    result = press_or_plan(visit, destination, now, confirms_paging())
    refusal = block_reason or describe_refusal(result)
    return f" {refusal}" if refusal else WORDS.get(result.result, "")
