"""The addresses of the demo's receiver: those of its services, and of the mailboxes behind its mail server."""

from dataclasses import dataclass, field

from webapp.environment.demo_mail import DEMO_MAIL_DOMAIN
from webapp.settings import Demo


@dataclass(frozen=True)
class ReceiverAddresses:
    """inbox_key: in a public demo, that of the visitor's inbox, which is part of each address. Secret."""

    demo: Demo
    inbox_key: str | None = field(default=None, repr=False)

    def get_url(self, route: str) -> str:
        """Return the address of `service/scenario`."""
        return "/".join(filter(None, (self.demo.receiver, self.inbox_key, route)))

    def get_recipients(self, recipients: str) -> str:
        """Return a list of email addresses: in a public demo, with the same mailboxes behind the visitor's inbox."""
        if self.inbox_key is None:
            return recipients
        mailboxes = [address.strip().partition("@")[0] for address in recipients.split(",")]
        return ", ".join(f"{mailbox}@{self.inbox_key}.{DEMO_MAIL_DOMAIN}" for mailbox in mailboxes)
