"""Maps a mail server's refusal, or a broken SMTP conversation, to a failure code.

The code depends on the step: if the connection closes before the end of the data, nothing was sent; after it,
nobody knows.
"""

import re
from dataclasses import replace
from enum import Enum, auto
from smtplib import SMTPServerDisconnected

from webapp.failures import Code, DeliveryFailed, Facts

# A reply's code (-1 if it had no number) and its text, which may hold anything and is never shown.
Reply = tuple[int, bytes]

# The only part of a reply's text that is ever shown (RFC 3463).
ENHANCED_CODE = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?![\w.])")


class Step(Enum):
    """The steps of an SMTP conversation (RFC 5321, section 3)."""

    GREETING = auto()
    HELLO = auto()
    START_TLS = auto()
    SIGN_IN = auto()
    SENDER = auto()
    RECIPIENT = auto()
    DATA = auto()
    END_OF_DATA = auto()


# The code of a 5yz reply at each step. At the other steps it only shows that this server does not accept our mail.
PERMANENT_REFUSALS = {
    Step.START_TLS: Code.SMTP_TLS_UNAVAILABLE,
    Step.SIGN_IN: Code.SMTP_AUTH_FAILED,
    Step.SENDER: Code.SENDER_REFUSED,
    Step.RECIPIENT: Code.RECIPIENTS_REFUSED,
    Step.DATA: Code.MESSAGE_REFUSED,
    Step.END_OF_DATA: Code.MESSAGE_REFUSED,
}


def get_reply_class(reply: Reply) -> int:
    """Return the first digit of the reply's code, or 0 if the code is not valid."""
    return reply[0] // 100 if 200 <= reply[0] < 600 else 0


def classify_refusal(step: Step, reply: Reply, facts: Facts) -> DeliveryFailed:
    """Return the failure for a reply that the step did not expect. Adds its status and enhanced code to the facts."""
    status, text = reply
    found = ENHANCED_CODE.match(text)
    facts = replace(facts, status=status if status > 0 else None, token=found[0].decode() if found else None)
    return DeliveryFailed(_code_for(step, get_reply_class(reply)), facts)


def classify_exception(step: Step, error: Exception, facts: Facts) -> DeliveryFailed:
    """Return the failure for an exception that ended the conversation, by its type.

    facts: `seconds` is how long the server may stay silent.
    """
    # smtplib reports a timeout as a closed connection; the exception that it caught shows which it was.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return DeliveryFailed(Code.READ_TIMEOUT, facts)
    facts = replace(facts, seconds=None)
    if step is not Step.END_OF_DATA:
        return DeliveryFailed(Code.SMTP_PROTOCOL, facts)
    closed = isinstance(error, SMTPServerDisconnected)
    return DeliveryFailed(Code.CONNECTION_CLOSED if closed else Code.INVALID_RESPONSE, facts)


def _code_for(step: Step, reply_class: int) -> Code:
    if reply_class == 4:
        return Code.SMTP_TEMPORARY
    if reply_class == 5:
        return PERMANENT_REFUSALS.get(step, Code.SMTP_PROTOCOL)
    # Neither acceptance nor refusal. Before the end of the data, it is certain that nothing was sent.
    return Code.INVALID_RESPONSE if step is Step.END_OF_DATA else Code.SMTP_PROTOCOL
