"""The way out: the only code that opens a connection to a far end. Knows nothing of destinations or deliveries."""

from dataclasses import dataclass, field

from webapp.outbound.addresses import Policy
from webapp.outbound.http import Answer, post
from webapp.outbound.mail import MailAnswer, MailServer, send_mail

__all__ = ["Answer", "MailAnswer", "MailServer", "Policy", "WayOut", "post", "send_mail"]


@dataclass(frozen=True)
class WayOut:
    """What the operator allows: where HTTP may go, and through which mail server e-mail goes (None: not set up)."""

    policy: Policy = field(default_factory=Policy)
    mail: MailServer | None = None
