"""The error that a failed delivery raises: its code, safe facts, and the sentence composed of both."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from webapp.failures.cause import Cause
from webapp.failures.certificate import CertificateFacts, describe_certificate, format_date, quote
from webapp.failures.code import Code
from webapp.failures.meanings import CAUSES, MEANINGS
from webapp.failures.suggested_setting import Suggestion

# Characters of a sentence: the size of the column `last_error_message`.
MAX_LENGTH = 500

# Characters. A longer host of a redirect is left out, so that the sentence fits its column.
MAX_TARGET_LENGTH = 100


@dataclass(frozen=True)
class Facts:
    """The facts about one failure that a sentence may contain. None of them may come from free text.

    host: the host name as shown to the user, or None.
    status: an HTTP status or an SMTP reply code.
    seconds: the time limit that was exceeded.
    token: a word from a closed list of the channel (`no_service`, for example), or an SMTP enhanced code.
    event, step: what happened in a mail session, and when ("closed the connection", "while Alertcheck was signing in").
    delay_reason: a possible reason for a delay ("perhaps because of greylisting").
    expected: the scheme that fits the mail server's port ("smtps:// on port 465").
    refused, recipients: the number of refused email recipients, and of all recipients.
    reference: the id of an internal error in the log.
    cause: why TLS failed, if it is known more exactly than by the code.
    certificate: the receiver's certificate.
    authority: the safe name of an authority whose certificate is missing or not valid. on: the day that made it so.
    target: the host that a redirect leads to, if it may be shown.
    wait, wait_until: how long the receiver asks us to wait, in seconds and as a time; without one, it is longer.
    """

    host: str | None = None
    status: int | None = None
    seconds: float | None = None
    token: str | None = None
    event: str | None = None
    step: str | None = None
    delay_reason: str | None = None
    expected: str | None = None
    refused: int | None = None
    recipients: int | None = None
    reference: str | None = None
    cause: Cause | None = None
    certificate: CertificateFacts | None = None
    authority: str | None = None
    on: datetime | None = None
    target: str | None = None
    wait: float | None = None
    wait_until: datetime | None = None


class DeliveryFailed(Exception):
    """The only error that a channel raises. Its text is just the code, so that no log or traceback reveals more.

    retry_after: the seconds that the receiver asked us to wait, parsed and not negative, or None.
    may_retry: whether another attempt may succeed, if this is known better than from the code alone.
    suggestion: the value that the service suggests for a setting, or None.
    """

    def __init__(
        self,
        code: Code,
        facts: Facts | None = None,
        *,
        retry_after: float | None = None,
        may_retry: bool | None = None,
        suggestion: Suggestion | None = None,
    ) -> None:
        super().__init__(code.value)
        self.code = code
        self.facts = facts or Facts()
        self.retry_after = retry_after
        self.suggestion = suggestion
        self.may_retry = MEANINGS[code].may_retry if may_retry is None else may_retry

    @property
    def message(self) -> str:
        """The sentence for `last_error_message`."""
        return describe(self.code, self.facts)


def describe(code: Code, facts: Facts | None = None) -> str:
    """Compose the sentence that describes what happened, from our own words and safe facts."""
    facts = facts or Facts()
    template = MEANINGS[code].sentence if facts.cause is None else CAUSES[facts.cause]
    sentence = _compose(template, facts)
    return sentence if len(sentence) <= MAX_LENGTH else _compose(template, replace(facts, certificate=None))


def _compose(template: str, facts: Facts) -> str:
    words = {
        "host": facts.host or "An unknown host",
        "of_host": "" if facts.host is None else f" of {facts.host}",
        "to_host": " to this address" if facts.host is None else f" to {facts.host}",
        "status": "" if facts.status is None else str(facts.status),
        "wait": "" if facts.seconds is None else f" ({facts.seconds:g} s)",
        "token": _in_brackets(facts.token),
        "reply": f"{'' if facts.status is None else f': {facts.status}'}{_in_brackets(facts.token)}",
        "event": facts.event or "broke off the mail session",
        "step": facts.step or "before it had the message",
        "delay_reason": "" if facts.delay_reason is None else f", {facts.delay_reason}",
        "expected": facts.expected or "another scheme",
        "reference": facts.reference or "none",
        "certificate": "" if facts.certificate is None else f" {describe_certificate(facts.certificate)}",
        "issued": ""
        if facts.certificate is None
        else f" {describe_certificate(facts.certificate, mark_other_host=False)}",
        "authority": "" if facts.authority is None else f" ({quote(facts.authority)})",
        "on": "" if facts.on is None else f" on {format_date(facts.on)}",
        "before": " yet" if facts.on is None else f" before {format_date(facts.on)}",
        "target": _describe_target(facts),
        "asked_wait": _describe_wait(facts),
    }
    return " ".join(template.format_map(words).split())


def _describe_target(facts: Facts) -> str:
    if facts.target is None or len(facts.target) > MAX_TARGET_LENGTH:
        return ""
    return " on the same host" if facts.target == facts.host else f" on {facts.target}"


def _describe_wait(facts: Facts) -> str:
    if not facts.wait:
        return ""
    if facts.wait_until is None:
        return f" It asks to wait {format_wait(facts.wait)} or longer."
    return (
        f" It asks to wait {format_wait(facts.wait)}, until {facts.wait_until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."
    )


def format_wait(seconds: float) -> str:
    """Return a duration in words, rounded up: 30 seconds, 1 hour 30 minutes."""
    if seconds < 60:
        return _count(math.ceil(seconds), "second")
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "day"), (hours, "hour"), (minutes, "minute"))
    return " ".join(_count(number, unit) for number, unit in parts if number)


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _in_brackets(token: str | None) -> str:
    return "" if token is None else f" ({token})"
