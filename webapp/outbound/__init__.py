"""The outbound client: the only code that connects to receivers. It does not know about destinations or deliveries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from webapp.outbound.exchange_facts import ExchangeFacts, ExchangeRecorder
from webapp.outbound.http.client import HttpResponse, get, post
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import Target
from webapp.outbound.smtp.client import MailResponse, MailServer, check_mail_server, send_mail
from webapp.outbound.transport.allowed_addresses import find_addresses
from webapp.outbound.transport.connect import HTTP_ALPN, open_plain_connection
from webapp.outbound.transport.deadline import LIMITS, Deadline, Limits
from webapp.outbound.transport.dns import Resolver, system_resolver
from webapp.outbound.transport.tls import make_context

__all__ = [
    "ExchangeFacts",
    "ExchangeRecorder",
    "HttpResponse",
    "MailResponse",
    "MailServer",
    "OutboundClient",
    "Policy",
    "check_mail_server",
    "send_mail",
]


@dataclass(frozen=True)
class OutboundClient:
    """Sends HTTP requests and email, within what the administrator allows.

    mail: the mail server that sends email, or None if none is set up.
    resolver, limits: the DNS resolver and the time limits of HTTP requests.
    recorder: collects the facts of the exchange, or None. Whoever sets one uses it for one attempt.
    """

    policy: Policy = field(default_factory=Policy)
    mail: MailServer | None = None
    resolver: Resolver = system_resolver
    limits: Limits = LIMITS
    recorder: ExchangeRecorder | None = None

    def prepare(self) -> None:
        """Load the certificate authorities that TLS trusts, so that forked processes do not have to."""
        make_context(self.policy.ca_file, *HTTP_ALPN)
        if self.mail is not None:
            make_context(self.mail.ca_file)

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        hosts: tuple[str, ...] | None = None,
        *,
        method: str = "POST",
    ) -> HttpResponse:
        """Send `body` to `url` once, if the policy allows it. See `webapp.outbound.http.client.post`."""
        return post(url, body, headers, self.policy, hosts, self.resolver, self.limits, self.recorder, method)

    def get(self, url: str) -> HttpResponse:
        """Ask for `url` once, if the policy allows it. See `webapp.outbound.http.client.get`."""
        return get(url, {}, self.policy, self.resolver, self.limits)

    def look_up(self, host: str) -> None:
        """Look up a public host as `post` does. Raises `DeliveryFailed`."""
        target = Target("https", host, 443, path="/")
        find_addresses(target, self.policy, self.resolver, self.limits.lookup, ExchangeRecorder())

    def try_connection(self, host: str) -> None:
        """Connect to port 443 of a public host as `post` does, through the proxy, but send nothing.

        Raises `DeliveryFailed`.
        """
        target = Target("https", host, 443, path="/")
        with Deadline(self.limits.whole) as deadline:
            recorder = ExchangeRecorder()
            connection, _ = open_plain_connection(target, self.policy, self.resolver, deadline, self.limits, recorder)
            connection.close()
