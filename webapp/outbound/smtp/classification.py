"""Maps a mail server's refusal, or a broken SMTP conversation, to a failure code.

A refusal is classified by the first of these that knows it: a clear enhanced code (RFC 3463), a recognized word, a
vague enhanced code, the reply code, the step. A broken conversation has delivered nothing until the end of the data
was sent; after it, nobody knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from smtplib import SMTPServerDisconnected

from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound.smtp.recognized_words import GREYLISTED, recognize
from webapp.outbound.smtp.replies import Reply, find_enhanced_code, get_reply_class, normalize_text
from webapp.outbound.smtp.steps import EVERY_STEP, FROM_RECIPIENT, FROM_SENDER, Step

CLOSED = "closed the connection"
SILENT = "was silent for too long"
TOO_SLOW = "took too long"
UNREADABLE = "gave a reply that Alertcheck does not understand"
GREYLISTING = "perhaps because of greylisting (many mail servers delay the first message from an unknown sender)"

_AT_SIGN_IN = frozenset({Step.SIGN_IN})
_CodesAtSteps = Mapping[tuple[str, Step], Code]


def _at(code: Code, steps: frozenset[Step], *numbers: str) -> dict[tuple[str, Step], Code]:
    return dict.fromkeys(product(numbers, steps), code)


# Enhanced codes without their class. Those of RFC 3463 and 5248, and Exchange's own (7.30, 7.54, 7.57, 7.60, 7.124 to
# 7.139, 7.501 to 7.750).
_CLEAR: _CodesAtSteps = {
    **_at(Code.SMTP_SIGN_IN_REQUIRED, FROM_SENDER, "7.57"),
    **_at(Code.SMTP_DISABLED_BY_TENANT, FROM_SENDER | _AT_SIGN_IN, "7.30"),
    **_at(Code.SMTP_SENDER_NOT_OWNED, FROM_SENDER, "7.60", "2.252"),
    **_at(Code.SMTP_RELAY_DENIED, FROM_SENDER, "7.54", "7.64"),
    **_at(Code.SMTP_ENCRYPTION_REQUIRED, FROM_SENDER | _AT_SIGN_IN, "7.10", "7.11"),
    **_at(Code.SENDER_REFUSED, FROM_SENDER, "1.7", "1.8", "7.27", "7.509", "7.511", "7.515", "7.750"),
    **_at(Code.SENDER_REFUSED, FROM_SENDER, *(f"7.{number}" for number in (20, 21, 22, 23, 24, 26, 501, 502, 503))),
    **_at(Code.SMTP_HOST_REFUSED, EVERY_STEP, "7.25", "7.708", *(f"7.{number}" for number in range(606, 650))),
    **_at(Code.MAILBOX_FULL, FROM_RECIPIENT, "2.2"),
    **_at(Code.MESSAGE_REFUSED, FROM_SENDER, "2.3", "3.4"),
    **_at(Code.RECIPIENTS_REFUSED, FROM_RECIPIENT, "1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "2.4"),
    **_at(Code.RECIPIENTS_REFUSED, FROM_RECIPIENT, "7.124", "7.129", "7.133", "7.134"),
}
# Those that servers use for more than one cause, so that a word of the reply counts more.
_VAGUE: _CodesAtSteps = {
    **_at(Code.SMTP_APP_PASSWORD_REQUIRED, _AT_SIGN_IN, "7.9", "7.14"),
    **_at(Code.SMTP_DISABLED_BY_TENANT, _AT_SIGN_IN, "7.139"),
    **_at(Code.SMTP_AUTH_FAILED, _AT_SIGN_IN, "7.3", "7.8"),
    **_at(Code.SMTP_AUTH_UNAVAILABLE, _AT_SIGN_IN, "5.1", "5.4", "7.4"),
    **_at(Code.SMTP_SIGN_IN_REQUIRED, FROM_SENDER, "7.8"),
}
_REPLY_CODES: _CodesAtSteps = {
    **_at(Code.SMTP_AUTH_UNAVAILABLE, _AT_SIGN_IN, "500", "501", "502", "503", "504", "534"),
    **_at(Code.SMTP_PROTOCOL, FROM_SENDER | {Step.HELLO}, "500", "502", "503"),
    **_at(Code.SMTP_PROTOCOL, frozenset({Step.HELLO}), "530"),  # FTP servers greet like mail servers
    **_at(Code.SMTP_ENCRYPTION_REQUIRED, FROM_SENDER | _AT_SIGN_IN, "523", "524", "538"),
    **_at(Code.SMTP_SIGN_IN_REQUIRED, FROM_SENDER, "530", "534", "535"),
    **_at(Code.SMTP_HOST_REFUSED, EVERY_STEP - {Step.START_TLS}, "521"),
    **_at(Code.MAILBOX_FULL, frozenset({Step.RECIPIENT}), "552"),
    **_at(Code.RECIPIENTS_REFUSED, FROM_RECIPIENT, "556"),
}
_STEPS = {
    Step.GREETING: Code.SMTP_HOST_REFUSED,
    Step.HELLO: Code.SMTP_HOST_REFUSED,
    Step.START_TLS: Code.SMTP_TLS_UNAVAILABLE,
    Step.SIGN_IN: Code.SMTP_AUTH_FAILED,
    Step.SENDER: Code.SENDER_REFUSED,
    Step.RECIPIENT: Code.RECIPIENTS_REFUSED,
    Step.DATA: Code.MESSAGE_REFUSED,
    Step.END_OF_DATA: Code.MESSAGE_REFUSED,
}
# The causes that a 4yz reply can have too. They are tried again: the server says that it may decide otherwise later.
_LASTING = frozenset(
    {
        Code.SMTP_RELAY_DENIED,
        Code.SMTP_SENDER_NOT_OWNED,
        Code.SMTP_SIGN_IN_REQUIRED,
        Code.SMTP_ENCRYPTION_REQUIRED,
        Code.SMTP_HOST_REFUSED,
        Code.MAILBOX_FULL,
    }
)
# The domain of a recipient does not exist: Postfix says so with 450 unless it is told otherwise.
_UNKNOWN_DOMAIN = "4.1.2"
# Postgrey's, those of milters and Exim, and postscreen's; many servers send none.
_GREYLISTING_CODES = (None, "4.2.0", "4.7.0", "4.7.1", "4.3.2")


@dataclass(frozen=True)
class Situation:
    """Where a conversation stands.

    is_encrypted, is_signed_in: whether the connection is encrypted, and whether the server accepted a sign-in.
    offers_encryption: whether the server offers STARTTLS on an unencrypted connection.
    """

    step: Step
    is_encrypted: bool = False
    is_signed_in: bool = False
    offers_encryption: bool = False

    def rules_out(self, code: Code) -> bool:
        """Check whether a cause is impossible because its cure is already in place."""
        return (code is Code.SMTP_ENCRYPTION_REQUIRED and self.is_encrypted) or (
            code is Code.SMTP_SIGN_IN_REQUIRED and self.is_signed_in
        )


def classify_refusal(situation: Situation, reply: Reply, facts: Facts) -> DeliveryFailed:
    """Return the failure for a reply that the step did not expect. Adds what the reply says to the facts."""
    facts = replace(facts, status=reply[0] if reply[0] > 0 else None, token=find_enhanced_code(reply))
    match get_reply_class(reply):
        case 4:
            return _classify_delay(situation, reply, facts)
        case 5:
            return DeliveryFailed(_find_cause(situation, reply) or _STEPS[situation.step], facts)
    return _classify_unreadable(situation.step, facts)


def classify_exception(step: Step, error: Exception, facts: Facts) -> DeliveryFailed:
    """Return the failure for an exception that ended the conversation, by its type.

    facts: `seconds` is how long the server may stay silent.
    """
    # smtplib reports a timeout as a closed connection; the exception that it caught shows which it was.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return interrupted(step, SILENT, Code.READ_TIMEOUT, facts)
    facts = replace(facts, seconds=None)
    if isinstance(error, SMTPServerDisconnected | ConnectionError):
        return interrupted(step, CLOSED, Code.CONNECTION_CLOSED, facts)
    return _classify_unreadable(step, facts)


def interrupted(step: Step, event: str, code: Code, facts: Facts) -> DeliveryFailed:
    """Return the failure for a broken conversation: `code` if the server has the whole message, else interrupted."""
    if step is Step.END_OF_DATA:
        return DeliveryFailed(code, facts)
    return DeliveryFailed(Code.SMTP_INTERRUPTED, replace(facts, event=event, step=step.value))


def _classify_unreadable(step: Step, facts: Facts) -> DeliveryFailed:
    # Whoever does not even greet as a mail server does is something else, and will still be next time.
    if step is Step.GREETING:
        return DeliveryFailed(Code.SMTP_PROTOCOL, facts)
    return interrupted(step, UNREADABLE, Code.INVALID_RESPONSE, facts)


def _classify_delay(situation: Situation, reply: Reply, facts: Facts) -> DeliveryFailed:
    step = situation.step
    greylisted = step in FROM_RECIPIENT and GREYLISTED.search(normalize_text(reply)) is not None
    cause = None if greylisted or reply[0] == 421 else _find_cause(situation, reply)
    if step is Step.START_TLS and reply[0] != 421 and not (facts.token or "").startswith("4.3."):
        return DeliveryFailed(Code.SMTP_TLS_UNAVAILABLE, facts, may_retry=True)
    if cause in _LASTING or (cause is Code.RECIPIENTS_REFUSED and facts.token == _UNKNOWN_DOMAIN):
        return DeliveryFailed(cause, facts, may_retry=True)
    delayed = greylisted or (cause is None and _may_be_greylisting(step, facts))
    facts = replace(facts, step=step.value, delay_reason=GREYLISTING if delayed else None)
    return DeliveryFailed(Code.SMTP_TEMPORARY, facts)


def _may_be_greylisting(step: Step, facts: Facts) -> bool:
    """Check for the numbers that greylisting servers use. Before a recipient is named, there is nothing to list."""
    return step in FROM_RECIPIENT and facts.status in (450, 451) and facts.token in _GREYLISTING_CODES


def _find_cause(situation: Situation, reply: Reply) -> Code | None:
    step, detail = situation.step, (find_enhanced_code(reply) or "").partition(".")[2]
    found = (
        _CLEAR.get((detail, step)),
        *recognize(step, normalize_text(reply)),
        _VAGUE.get((detail, step)),
        _ask_for_encryption(situation, reply),
        _REPLY_CODES.get((str(reply[0]), step)),
    )
    return next((code for code in found if code is not None and not situation.rules_out(code)), None)


def _ask_for_encryption(situation: Situation, reply: Reply) -> Code | None:
    """530 asks for encryption (RFC 3207) or a sign-in (RFC 4954); a sign-in needs encryption first."""
    asks = reply[0] == 530 and situation.step in FROM_SENDER and situation.offers_encryption
    return Code.SMTP_ENCRYPTION_REQUIRED if asks else None
