"""What the mail server accepted, and what it did not."""

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.outbound.smtp.replies import Reply, find_enhanced_code, get_reply_class


@dataclass(frozen=True)
class RecipientRefusal:
    """One recipient did not get the message.

    is_put_off: the server asked to try again later. token: the enhanced code, or None.
    """

    is_put_off: bool
    status: int
    token: str | None = None

    @classmethod
    def of(cls, reply: Reply) -> "RecipientRefusal":
        """Return the refusal that a reply to RCPT contains."""
        return cls(get_reply_class(reply) == 4, reply[0], find_enhanced_code(reply))

    def __str__(self) -> str:
        return f"{self.status} ({self.token})" if self.token else str(self.status)


@dataclass(frozen=True)
class MailResponse:
    """The mail server accepted the message for at least one recipient.

    status: the reply code after the end of the data. recipients: the number of all recipients.
    refusals: one for each recipient that the server did not accept. Recipients that were put off are not tried again:
        the message is one for all, so the others, who have it, would get it twice.
    seconds: the duration of the whole conversation.
    """

    status: int
    recipients: int
    refusals: tuple[RecipientRefusal, ...]
    seconds: float

    @property
    def warning(self) -> str | None:
        """A sentence for each kind of refusal, or None if all recipients were accepted."""
        refused = [refusal for refusal in self.refusals if not refusal.is_put_off]
        put_off = [refusal for refusal in self.refusals if refusal.is_put_off]
        sentences = [
            *([self._describe(refused, "refused")] if refused else []),
            *([self._describe(put_off, "put off and will not be tried again")] if put_off else []),
        ]
        return " ".join(sentences) or None

    def _describe(self, refusals: Sequence[RecipientRefusal], words: str) -> str:
        numbers = ", ".join(dict.fromkeys(map(str, refusals)))
        was = "was" if len(refusals) == 1 else "were"
        return f"{len(refusals)} of {self.recipients} recipients {was} {words}: {numbers}."
