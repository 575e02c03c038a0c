"""One failure: its code, the safe facts, and the sentence made of both."""

from dataclasses import dataclass

from webapp.failures.code import Code
from webapp.failures.explanations import EXPLANATIONS


@dataclass(frozen=True)
class Facts:
    """All that a message may tell of one failure besides its code. Nothing here may come from free text.

    host: the host name as shown to the user, or None.
    status: an HTTP status or an SMTP reply code.
    seconds: how long something took, or is asked to take.
    token: one word recognised from a closed list of the channel's own (an SMTP enhanced code, `no_service`, ...).
    refused, recipients: how many of how many e-mail recipients were refused.
    reference: the id under which an internal error stands in the log.
    """

    host: str | None = None
    status: int | None = None
    seconds: float | None = None
    token: str | None = None
    refused: int | None = None
    recipients: int | None = None
    reference: str | None = None


class DeliveryFailed(Exception):
    """The one error a channel raises. Its text is the code alone, so that no log or traceback says more.

    retry_after: seconds the far end asked us to wait, already parsed and not negative, or None.
    """

    def __init__(self, code: Code, facts: Facts | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.facts = facts or Facts()
        self.retry_after = retry_after

    @property
    def message(self) -> str:
        """The sentence for `last_error_message`."""
        return describe(self.code, self.facts)


def describe(code: Code, facts: Facts | None = None) -> str:
    """Compose the sentence on what happened, from our own words and safe facts."""
    facts = facts or Facts()
    words = {
        "host": facts.host or "The far end",
        "status": "" if facts.status is None else str(facts.status),
        "wait": "" if facts.seconds is None else f" ({facts.seconds:g} s)",
        "token": "" if facts.token is None else f" ({facts.token})",
        "reference": facts.reference or "none",
    }
    return " ".join(EXPLANATIONS[code].sentence.format_map(words).split())
