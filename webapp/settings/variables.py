"""The variables, each with its rule. Missing or invalid ones are reported at startup."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo

from webapp.channels import CHANNELS
from webapp.encryption.keys import read_key_file
from webapp.environment.redis_prefix import check_redis_prefix
from webapp.environment.server_urls import read_database_url, read_queue_url
from webapp.environment.settings_reader import needed_with
from webapp.environment.values import (
    GENERATE_RANDOM_COMMAND,
    check_metrics_token,
    check_secret_key,
    read_config_keys,
    read_flag,
    read_number,
    read_retry_delays,
)
from webapp.failures import DeliveryFailed
from webapp.outbound.policy.opened_networks import DEFAULT_PORTS
from webapp.outbound.policy.urls import read_url
from webapp.outbound.settings import ExtraHosts, MailSettings, OutboundSettings, read_extra_hosts, read_origin
from webapp.outbound.smtp.mail_server import check_mail_url
from webapp.outbound.transport.certificate_authorities import check_ca_file
from webapp.settings.allowed_hosts import read_allowed_hosts
from webapp.settings.app_settings import MIN_AUDIT_AGE
from webapp.settings.private_receivers import (
    Networks,
    PrivateReceivers,
    read_allowed_networks,
    read_allowed_ports,
    refuse_own_servers,
)
from webapp.settings.public_url import read_demo_url, read_public_url
from webapp.settings.single_sign_on import SingleSignOnSettings

Count = Annotated[int, PlainValidator(read_number(most=999_999_999, example=60))]
Days = Annotated[int, PlainValidator(read_number(most=36_500, example=90, note="0 keeps deliveries forever."))]
Proxies = Annotated[int, PlainValidator(read_number(most=20, example=1, note="Do not list their addresses."))]
Flag = Annotated[bool, PlainValidator(read_flag)]
Visitors = Annotated[int, PlainValidator(read_number(most=1000, example=50))]
Keys = tuple[str, ...]


def _read_receiver(text: str | None) -> str | None:
    """Return the canonical form of the demo receiver's origin."""
    return None if text is None else read_origin(text).url


def _read_audit_days(text: str) -> int:
    """Read for how many days audit events are kept; 0 for ever."""
    days = read_number(most=36_500, example=365, note="0 keeps audit events forever.")(text)
    if 0 < days < MIN_AUDIT_AGE.days:
        least = f"has to be {MIN_AUDIT_AGE.days} or more, because the database deletes no younger audit event."
        raise ValueError(f"{least} 0 keeps audit events forever.")
    return days


def _read_optional_public_url(text: str | None) -> str | None:
    return None if text is None else read_public_url(text)


def _refuse_if_public(is_on: bool, info: ValidationInfo) -> bool:
    """Refuse to let strangers send messages to others."""
    if is_on and info.data.get("demo_url"):
        raise ValueError("cannot be set together with DEMO_URL: a public demo sends to its own receiver only.")
    return is_on


def _check_ping_url(url: str | None) -> str | None:
    """Refuse what is not an address. Where it may be is checked when it is requested, as for every address."""
    if url is None:
        return None
    try:
        read_url(url)
    except DeliveryFailed:
        raise ValueError("takes an address that begins with https://, as a monitoring service shows it.") from None
    return url


def _check_ca_file(path: str | None) -> str | None:
    return None if path is None else check_ca_file(path)


def _read_extra_hosts(text: str) -> ExtraHosts:
    """Read the hosts, and refuse those of a channel that has no list of hosts: they would have no effect."""
    extra_hosts = read_extra_hosts(text)
    channels = {name for name, channel in CHANNELS.items() if channel.hosts}
    if not extra_hosts.keys() <= channels:
        raise ValueError(f"names a channel without a list of hosts. Those with one: {', '.join(sorted(channels))}.")
    return extra_hosts


class SettingsModel(OutboundSettings, MailSettings, SingleSignOnSettings):
    """Every setting, as described in docs/settings.md. Settings that may hold a secret are not in its repr."""

    secret_key: Annotated[str, AfterValidator(check_secret_key)] = Field(
        validation_alias="SECRET_KEY", description=f"Make one with: {GENERATE_RANDOM_COMMAND}", repr=False
    )
    config_keys_file: Annotated[Keys, PlainValidator(read_key_file)] = Field((), repr=False)
    config_keys: Annotated[Keys, PlainValidator(read_config_keys)] = Field((), validate_default=True, repr=False)
    database_url: Annotated[str, AfterValidator(read_database_url)] = Field(validation_alias="DATABASE_URL", repr=False)
    redis_url: Annotated[str, AfterValidator(read_queue_url)] = Field(validation_alias="REDIS_URL", repr=False)
    redis_prefix: Annotated[str | None, PlainValidator(check_redis_prefix)] = Field(
        None, validation_alias="REDIS_PREFIX"
    )
    extra_hosts: Annotated[ExtraHosts, PlainValidator(_read_extra_hosts)] = Field({})
    allowed_networks: Annotated[Networks, PlainValidator(read_allowed_networks), AfterValidator(refuse_own_servers)] = (
        Field({})
    )
    allowed_ports: Annotated[frozenset[int], PlainValidator(read_allowed_ports)] = DEFAULT_PORTS
    https: Flag = False
    allowed_hosts: Annotated[tuple[str, ...], PlainValidator(read_allowed_hosts)] = ()
    public_url: Annotated[
        str | None, AfterValidator(_read_optional_public_url), needed_with("oidc_issuer", "OIDC_ISSUER")
    ] = Field(None, validate_default=True)
    trusted_proxies: Proxies = 0
    presses_per_member: Count = 120
    presses_per_workspace: Count = 600
    tests_per_target: Count = 60
    tests_per_recipient: Count = 6
    ping_url: Annotated[str | None, AfterValidator(_check_ping_url)] = Field(None, repr=False)
    metrics_token: Annotated[str | None, AfterValidator(check_metrics_token)] = Field(None, repr=False)
    real_alert_waits: Annotated[tuple[timedelta, ...], PlainValidator(read_retry_delays)] = ()
    keep_deliveries_days: Days = 0
    keep_audit_days: Annotated[int, PlainValidator(_read_audit_days)] = 0
    demo: Flag = False
    demo_inbox: Annotated[Path | None, needed_with("demo")] = Field(None, validate_default=True)
    demo_receiver_http: Annotated[str | None, AfterValidator(_read_receiver), needed_with("demo")] = Field(
        None, validate_default=True
    )
    demo_receiver_https: Annotated[str | None, AfterValidator(_read_receiver)] = None
    demo_ca_file: Annotated[str | None, AfterValidator(_check_ca_file), needed_with("demo_receiver_https")] = Field(
        None, validate_default=True
    )
    demo_receiver_smtp: Annotated[str | None, AfterValidator(check_mail_url)] = None
    demo_signing_secret_file: Path | None = None
    demo_url: Annotated[str | None, AfterValidator(read_demo_url)] = Field(None, validation_alias="DEMO_URL")
    demo_real_receivers: Annotated[Flag, AfterValidator(_refuse_if_public)] = False
    demo_visitors: Visitors = 50
    demo_visitors_per_network: Visitors = 10

    @property
    def private_receivers(self) -> PrivateReceivers:
        """The private networks that these settings open: none in a public demo."""
        if self.demo and self.demo_url:
            return PrivateReceivers()
        return PrivateReceivers(self.allowed_networks, self.allowed_ports)
