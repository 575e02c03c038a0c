"""The settings of one installation, as the application uses them."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from webapp.encryption.settings_cipher import SettingsCipher
from webapp.environment.demo_hosts import MAIL_HOST, SERVICE_HOSTS
from webapp.outbound import OutboundClient
from webapp.receipt_links import ReceiptLinks
from webapp.settings.private_receivers import PrivateReceivers
from webapp.settings.single_sign_on import SingleSignOn

# How long a visitor's workspace in a public demo lasts. Nothing extends it.
VISIT_TIME = timedelta(hours=2)

# The database refuses to delete a younger audit event.
MIN_AUDIT_AGE = timedelta(days=30)


@dataclass(frozen=True)
class DemoVisitors:
    """The visitors of a public demo: how many there may be at once, in total and from one network."""

    most: int
    most_per_network: int


@dataclass(frozen=True)
class Demo:
    """The demo receiver.

    inbox: the file with its messages, or in a public demo the folder with a file for each visitor.
    receiver: its origin.
    signing_secret_file: the file with the secret that signs the demo's webhooks.
    has_real_receivers: whether messages may go to other receivers too.
    has_names: whether the outbound client knows the receiver under the names of `webapp.environment.demo_hosts` too.
    visitors: of a public demo; None in one that only its own machine can open.
    """

    inbox: Path
    receiver: str
    signing_secret_file: Path | None
    has_real_receivers: bool = False
    has_names: bool = False
    visitors: DemoVisitors | None = None

    @property
    def mail_host(self) -> str | None:
        """The name of the receiver's mail server."""
        return MAIL_HOST if self.has_names else urlsplit(self.receiver).hostname

    def find_origin(self, service: str) -> str:
        """Return the origin of the receiver for the addresses of a service: `teams`, `webhook` or `slack`."""
        return f"https://{SERVICE_HOSTS[service]}" if self.has_names else self.receiver


@dataclass(frozen=True)
class SendLimits:
    """How many tests a minute a member and a workspace may send, and a target and an email recipient may get.

    The limits of a target and of a recipient count the tests of all workspaces.
    """

    per_member: int
    per_workspace: int
    per_target: int
    per_recipient: int


@dataclass(frozen=True)
class AppSettings:
    """The settings of one installation.

    real_alert_retry_delays: the delay before each retry of a real alert. Empty if another program sends real alerts.
    keep_deliveries, keep_audit: how long completed deliveries and audit events are kept, or None for forever.
    redis_prefix: the beginning of every key in Redis. ca_file: authorities to trust besides the public ones, or None.
    outbound: for what belongs to no workspace. private_receivers: the networks that single workspaces may send to.
    links: the "I see it" links. proxies: the number of trusted proxies in front of the web server.
    hosts: the host names that the pages respond to. Empty for any name.
    single_sign_on: the provider whose accounts sign people in, or None.
    ping_url: the address that shows that a worker works, or None.
    metrics_token: the bearer token for /metrics, or None. Without a token, only the demo serves /metrics.
    demo: None in production. variables: the names of the variables that are set.
    """

    secret_key: str = field(repr=False)
    cipher: SettingsCipher = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    redis_prefix: str
    ca_file: str | None
    outbound: OutboundClient
    send_limits: SendLimits
    real_alert_retry_delays: tuple[timedelta, ...]
    keep_deliveries: timedelta | None
    keep_audit: timedelta | None
    links: ReceiptLinks = field(repr=False)
    https: bool
    hosts: tuple[str, ...]
    proxies: int
    single_sign_on: SingleSignOn | None
    ping_url: str | None = field(repr=False)
    metrics_token: str | None = field(repr=False)
    demo: Demo | None
    variables: tuple[str, ...]
    private_receivers: PrivateReceivers

    def outbound_for(self, slug: str) -> OutboundClient:
        """Return the outbound client of a workspace, with the private networks that it may send to."""
        return replace(self.outbound, policy=self.private_receivers.open_for(slug, self.outbound.policy))

    @property
    def is_public_demo(self) -> bool:
        """Whether this is a demo for the internet, in which each visitor has a workspace of their own for a while."""
        return self.demo is not None and self.demo.visitors is not None

    @property
    def are_passwords_allowed(self) -> bool:
        """Whether people may sign in by password, and set or reset one."""
        return self.single_sign_on is None or not self.single_sign_on.is_only
