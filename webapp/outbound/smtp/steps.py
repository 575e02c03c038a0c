"""The steps of an SMTP conversation."""

from collections.abc import Callable
from enum import Enum


class Step(Enum):
    """A step (RFC 5321, section 3). Its value says in plain words when something happened, seen from the server."""

    GREETING = "before it greeted Alertcheck"
    HELLO = "after its greeting"
    START_TLS = "while Alertcheck was starting the encryption"
    SIGN_IN = "while Alertcheck was signing in"
    SENDER = "when Alertcheck named the sender"
    RECIPIENT = "when Alertcheck named the recipients"
    DATA = "before it had the whole message"
    END_OF_DATA = "after it had the whole message"


# The steps at which a reply can be about the sender, and those at which it can be about a recipient or the message.
FROM_SENDER = frozenset({Step.SENDER, Step.RECIPIENT, Step.DATA, Step.END_OF_DATA})
FROM_RECIPIENT = FROM_SENDER - {Step.SENDER}
EVERY_STEP = frozenset(Step)

# Is told each step of a conversation as it begins.
OnStep = Callable[[Step], object]


def ignore_step(step: Step) -> None:
    """Note nothing."""
