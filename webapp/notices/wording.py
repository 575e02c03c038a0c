"""What is said about a problem of a destination: cause, next step and end, without secrets."""

from webapp.channels import CHANNELS
from webapp.deliveries.badge import known_code, next_step
from webapp.deliveries.drill_confirmation import CONFIRM_WITHIN
from webapp.failures.certificate import format_date
from webapp.models import DestinationProblem, ProblemEnd, ProblemKind
from webapp.text.counting import count

KINDS = {
    ProblemKind.FAILING: "Messages fail",
    ProblemKind.MISSING: "Reported missing",
    ProblemKind.UNCONFIRMED: "Not confirmed",
}
_ENDS = {
    ProblemEnd.ACCEPTED: "A later message was accepted, and nobody has reported it missing.",
    ProblemEnd.SEEN: "Somebody confirmed that a message arrived.",
    ProblemEnd.DISABLED: "The destination was disabled.",
    ProblemEnd.DELETED: "The destination was deleted.",
    ProblemEnd.CHANGED: "The settings were changed, so the earlier drill says nothing about them.",
    ProblemEnd.NOT_NEEDED: "No confirmation is needed any more.",
}


def describe_cause(problem: DestinationProblem) -> str:
    """Return why a problem is one."""
    match problem.kind:
        case ProblemKind.MISSING:
            return "A message was accepted, but somebody reported that it did not arrive."
        case ProblemKind.UNCONFIRMED:
            return f"Nobody confirmed the drill of {format_date(problem.message_at)} within {CONFIRM_WITHIN.days} days."
    return problem.error_message or problem.error_code or "No reason was recorded."


def describe_next_step(problem: DestinationProblem, channel_name: str, settings_version: int) -> str:
    """Return what to do about an open problem. settings_version: the destination's current one."""
    if problem.kind is ProblemKind.UNCONFIRMED:
        return "Look for the newest message at the destination, and confirm it on the destination's page."
    if problem.settings_version != settings_version:
        return "The settings were changed since. Send a test to see whether the destination works now."
    if problem.kind is ProblemKind.MISSING:
        channel = CHANNELS.get(channel_name)
        return (channel.after_accepted if channel else "") or "Look for the message at the destination."
    code = known_code(problem.error_code)
    return next_step(code, channel_name) if code else "Send a test to see whether the destination works."


def describe_count(problem: DestinationProblem) -> str:
    """Return how many messages a run of failures has, or an empty text where that says nothing."""
    if problem.kind is ProblemKind.UNCONFIRMED:
        return ""
    failed = "failed" if problem.kind is ProblemKind.FAILING else "reported missing"
    return f"{count(problem.failure_count, 'message')} {failed}"


def describe_end(problem: DestinationProblem) -> str:
    """Return how a closed problem ended."""
    return _ENDS[problem.end_reason] if problem.end_reason else ""
