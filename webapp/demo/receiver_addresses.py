"""The addresses of the demo's receiver: those of its services, and of the mailboxes behind its mail server."""

from dataclasses import dataclass, field

from webapp.demo.receiver.inbox import Inbox
from webapp.demo.receiver.inboxes import Inboxes
from webapp.demo.receiver.routes import compose_ending
from webapp.demo.receiver.scenarios import Service
from webapp.environment.demo_hosts import MAIL_DOMAIN, VISITOR_MAIL_DOMAIN
from webapp.settings import Demo


@dataclass(frozen=True)
class ReceiverAddresses:
    """What one visitor has at the demo's receiver.

    inbox_key: in a public demo, that of the visitor's inbox, which is part of each address. Secret.
    """

    demo: Demo
    inbox_key: str | None = field(default=None, repr=False)

    @property
    def inbox(self) -> Inbox:
        """The inbox for the messages to these addresses, with the switches of the addresses."""
        return Inbox(self.demo.inbox) if self.inbox_key is None else Inboxes(self.demo.inbox, True).get(self.inbox_key)

    @property
    def mail_domain(self) -> str:
        """The domain of new recipients."""
        return MAIL_DOMAIN if self.inbox_key is None else f"{self.inbox_key}.{VISITOR_MAIL_DOMAIN}"

    def get_path(self, service: str, scenario: str) -> str:
        """Return the path of a service that behaves like this."""
        return "/".join(("", *filter(None, (self.inbox_key, service, scenario))))

    def get_url(self, service: str, scenario: str, mark: str, certificate: str = "") -> str:
        """Return a new address of a service that behaves like this, in the form of the service's own.

        mark: a random text, which makes it a place of its own that can be switched.
        certificate: which certificate its host shows; empty for a valid one.
        """
        origin = self.demo.find_origin(service)
        if certificate:
            origin = origin.replace("://", f"://{certificate}.")
        return f"{origin}{self.get_path(service, scenario)}{compose_ending(Service(service), mark)}"

    def get_recipients(self, recipients: str) -> str:
        """Return a list of email addresses: in a public demo, with the same mailboxes behind the visitor's inbox."""
        if self.inbox_key is None:
            return recipients
        mailboxes = [address.strip().partition("@")[0] for address in recipients.split(",")]
        return ", ".join(f"{mailbox}@{self.mail_domain}" for mailbox in mailboxes)

    def has_recipient(self, address: str) -> bool:
        """Check whether mail to this address gets into the inbox."""
        return self.inbox_key is None or address.rpartition("@")[2].lower() == self.mail_domain
