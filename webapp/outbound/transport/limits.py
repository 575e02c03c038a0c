"""How long the steps of one HTTP send may take, and how much of an answer is kept."""

from dataclasses import dataclass

MAX_HEAD = 32 * 1024
"""Bytes of an answer before its body begins, interim answers included; a longer one is no answer."""

MAX_BODY = 16 * 1024
"""Bytes of an answer's body that are kept; the rest is never read."""


@dataclass(frozen=True)
class Limits:
    """Seconds. `whole` holds over all steps together, whatever the others would still allow.

    lookup: for the name's addresses.
    connect: for the connection over all tries, and for each silence while TLS or a tunnel is agreed on.
    silence: for the far end to take the message, and between the bytes of its answer.
    """

    whole: float = 8.0
    lookup: float = 3.0
    connect: float = 3.0
    silence: float = 5.0


LIMITS = Limits()
