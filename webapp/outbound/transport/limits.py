"""The time limits of one send, and the size limits of an HTTP response."""

from dataclasses import dataclass

# Bytes before the body of a response, including interim responses. A longer head is an invalid response.
MAX_HEAD = 32 * 1024

# Bytes of a receiver's response that are kept. The rest is never read.
MAX_BODY = 16 * 1024


@dataclass(frozen=True)
class Limits:
    """Time limits in seconds, and the size of a response.

    whole: for all steps together, whatever the other limits would still allow.
    lookup: for the DNS lookup.
    connect: for all tries to connect, and for each wait for bytes while TLS or a tunnel is negotiated.
    silence: for each wait until the receiver accepts bytes of the message or sends bytes of its response.
    body: bytes of a response's body that are kept.
    """

    whole: float = 8.0
    lookup: float = 3.0
    connect: float = 3.0
    silence: float = 5.0
    body: int = MAX_BODY


LIMITS = Limits()
