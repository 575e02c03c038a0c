"""The way out: the only code that opens a connection to a far end. Knows nothing of destinations or deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from webapp.outbound.http.client import HttpResponse, post
from webapp.outbound.policy.urls import Policy
from webapp.outbound.smtp.client import MailResponse, MailServer, send_mail
from webapp.outbound.transport.connect import HTTP
from webapp.outbound.transport.dns import Resolver, system_resolver
from webapp.outbound.transport.limits import LIMITS, Limits
from webapp.outbound.transport.tls import make_context

__all__ = ["HttpResponse", "MailResponse", "MailServer", "OutboundClient", "Policy", "send_mail"]


@dataclass(frozen=True)
class OutboundClient:
    """What the operator allows: where HTTP may go, and through which mail server e-mail goes (None: not set up).

    resolver, limits: how HTTP looks names up, and how long it may take.
    """

    policy: Policy = field(default_factory=Policy)
    mail: MailServer | None = None
    resolver: Resolver = system_resolver
    limits: Limits = LIMITS

    def prepare(self) -> None:
        """Read the authorities that TLS trusts, so that processes which are forked from this one have them already."""
        make_context(self.policy.ca_file, *HTTP)
        if self.mail is not None:
            make_context(self.mail.ca_file)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], hosts: tuple[str, ...] | None = None
    ) -> HttpResponse:
        """Send `body` to `url` once, if that is allowed. See `webapp.outbound.http.client.post`."""
        return post(url, body, headers, self.policy, hosts, self.resolver, self.limits)
