"""What one failure code means: a sentence, a next step, and two facts that decide what happens next."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """What one code means. The sentence has placeholders for safe facts, such as `{host}` and `{status}`.

    next_step: the general one; a channel's `hints` replace it in the words of the service's own screens.
    may_retry: nothing was delivered, and another attempt may succeed.
    may_have_arrived: the receiver may have taken the message, so it is not sent again.
    """

    sentence: str
    next_step: str
    may_retry: bool = False
    may_have_arrived: bool = False
