"""Says what a mail server's no, or the end of all talk with it, means at each step of the conversation.

The same closed connection means "nothing was sent" before the end of the data, and "nobody knows" after it.
"""

import re
from dataclasses import replace
from enum import Enum, auto
from smtplib import SMTPServerDisconnected

from webapp.failures import Code, DeliveryFailed, Facts

Reply = tuple[int, bytes]
"""A reply's code (-1: there was no number) and its text, which may hold anything and is never shown."""

ENHANCED_CODE = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?![\w.])")
"""All that is ever told of a reply's text (RFC 3463)."""


class Step(Enum):
    """How far the conversation has come (RFC 5321, section 3)."""

    GREETING = auto()
    HELLO = auto()
    START_TLS = auto()
    SIGN_IN = auto()
    SENDER = auto()
    RECIPIENT = auto()
    DATA = auto()
    END_OF_DATA = auto()


REFUSED_FOR_GOOD = {
    Step.START_TLS: Code.SMTP_TLS_UNAVAILABLE,
    Step.SIGN_IN: Code.SMTP_AUTH_FAILED,
    Step.SENDER: Code.SENDER_REFUSED,
    Step.RECIPIENT: Code.RECIPIENTS_REFUSED,
    Step.DATA: Code.MESSAGE_REFUSED,
    Step.END_OF_DATA: Code.MESSAGE_REFUSED,
}
"""What a 5yz reply means at each step; at the others it only says that this is no place to send mail."""


def class_of(reply: Reply) -> int:
    """Return the first of a code's three digits, or 0 for what is no code at all."""
    return reply[0] // 100 if 200 <= reply[0] < 600 else 0


def classify_refusal(step: Step, reply: Reply, facts: Facts) -> DeliveryFailed:
    """Say what a reply means that isn't the yes the step asks for; its number and enhanced code join the facts."""
    status, text = reply
    found = ENHANCED_CODE.match(text)
    told = replace(facts, status=status if status > 0 else None, token=found[0].decode() if found else None)
    return DeliveryFailed(_code_for(step, class_of(reply)), told)


def classify_breakdown(step: Step, error: Exception, facts: Facts) -> DeliveryFailed:
    """Say by its type what an exception means that ended the conversation.

    facts: its `seconds` are how long the server may keep silent.
    """
    # smtplib makes a closed connection of a silent one; the exception it had caught tells them apart.
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
        return REFUSED_FOR_GOOD.get(step, Code.SMTP_PROTOCOL)
    # Neither yes nor no. Before the end of the data it is at least sure that nothing was sent.
    return Code.INVALID_RESPONSE if step is Step.END_OF_DATA else Code.SMTP_PROTOCOL
