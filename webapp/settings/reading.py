"""Reads the installation's settings from the environment. Missing or invalid settings are reported at startup."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from logging import getLogger
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator

from webapp.channels import CHANNELS
from webapp.encryption.keys import read_key_file
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.environment.deprecated_names import use_new_names
from webapp.environment.model import PREFIX, needed_with, read_model, variables_of
from webapp.environment.redis_prefix import check_redis_prefix, derive_redis_prefix
from webapp.environment.server_urls import read_database_url, read_queue_url
from webapp.environment.values import (
    GENERATE_RANDOM_COMMAND,
    check_metrics_token,
    check_secret_key,
    read_config_keys,
    read_flag,
    read_number,
    read_retry_delays,
)
from webapp.outbound import OutboundClient
from webapp.outbound.policy.urls import read_url
from webapp.outbound.settings import ExtraHosts, MailSettings, OutboundSettings, read_extra_hosts, read_origin
from webapp.outbound.smtp.mail_server import check_mail_url
from webapp.outbound.transport.authorities import describe_outdated
from webapp.receipt_links import ReceiptLinks
from webapp.site.allowed_hosts import read_allowed_hosts
from webapp.site.public_url import read_public_url

log = getLogger(__name__)

# Variables that the application does not read, but that are not misspelled settings either.
EXTERNAL_VARIABLES = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "WEB_ADDRESS",  # compose.yaml
        *("CHROMIUM", "NO_SKIP", "MODEL_RUNS", "REDIS_SERVER"),  # tests and benchmarks
    )
)
# The names by which health checks on this machine reach the pages.
_DEMO_HOSTS = ("127.0.0.1", "localhost")
OWN_HOSTS = (*_DEMO_HOSTS, "::1")
Count = Annotated[int, PlainValidator(read_number(most=999_999_999, example=60))]
Days = Annotated[int, PlainValidator(read_number(most=36_500, example=90, note="0 keeps deliveries forever."))]
Proxies = Annotated[int, PlainValidator(read_number(most=20, example=1, note="Do not list their addresses."))]
Flag = Annotated[bool, PlainValidator(read_flag)]
Keys = tuple[str, ...]


def _read_receiver(text: str | None) -> str | None:
    """Return the canonical form of the demo receiver's origin."""
    return None if text is None else read_origin(text).url


def _read_extra_hosts(text: str) -> ExtraHosts:
    """Read the hosts, and refuse those of a channel that has no list of hosts: they would have no effect."""
    extra_hosts = read_extra_hosts(text)
    channels = {name for name, channel in CHANNELS.items() if channel.hosts}
    if not extra_hosts.keys() <= channels:
        raise ValueError(f"names a channel without a list of hosts. Those with one: {', '.join(sorted(channels))}.")
    return extra_hosts


class SettingsModel(OutboundSettings, MailSettings):
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
    https: Flag = False
    allowed_hosts: Annotated[tuple[str, ...], PlainValidator(read_allowed_hosts)] = ()
    public_url: Annotated[str | None, AfterValidator(read_public_url)] = None
    trusted_proxies: Proxies = 0
    presses_per_member: Count = 120
    presses_per_workspace: Count = 600
    tests_per_target: Count = 60
    tests_per_recipient: Count = 6
    metrics_token: Annotated[str | None, AfterValidator(check_metrics_token)] = Field(None, repr=False)
    real_alert_waits: Annotated[tuple[timedelta, ...], PlainValidator(read_retry_delays)] = ()
    keep_deliveries_days: Days = 0
    demo: Flag = False
    demo_inbox: Annotated[Path | None, needed_with("demo")] = Field(None, validate_default=True)
    demo_receiver_http: Annotated[str | None, AfterValidator(_read_receiver), needed_with("demo")] = Field(
        None, validate_default=True
    )
    demo_receiver_smtp: Annotated[str | None, AfterValidator(check_mail_url)] = None
    demo_signing_secret_file: Path | None = None
    demo_real_receivers: Flag = False


@dataclass(frozen=True)
class Demo:
    """The demo receiver.

    inbox: the file with its messages. receiver: its origin.
    signing_secret_file: the file with the secret that signs the demo's webhooks.
    has_real_receivers: whether messages may go to other receivers too.
    """

    inbox: Path
    receiver: str
    signing_secret_file: Path | None
    has_real_receivers: bool = False


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
    keep_deliveries: how long completed deliveries are kept, or None for forever.
    redis_prefix: the beginning of every key in Redis. ca_file: authorities to trust besides the public ones, or None.
    links: the "I see it" links. proxies: the number of trusted proxies in front of the web server.
    hosts: the host names that the pages respond to. Empty for any name.
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
    links: ReceiptLinks = field(repr=False)
    https: bool
    hosts: tuple[str, ...]
    proxies: int
    metrics_token: str | None = field(repr=False)
    demo: Demo | None
    variables: tuple[str, ...]


def read_settings(environ: Mapping[str, str] = os.environ) -> AppSettings:
    """Read every setting, and log a warning for each old or unknown name and each outdated authority.

    Raises `Misconfigured`.
    """
    renamed = use_new_names(environ)
    for warning in (*renamed.warnings, *_describe_unknown(renamed.environ)):
        log.warning("setting name needs attention", extra={"advice": warning})
    problems = (*renamed.problems, *_describe_path(renamed.environ))
    settings = read_model(SettingsModel, renamed.environ, problems)
    for warning in describe_outdated(settings.ca_file, datetime.now(UTC)):
        log.warning("certificate needs attention", extra={"advice": warning})
    return _make_app_settings(settings)


def _describe_path(environ: Mapping[str, str]) -> list[str]:
    """Describe the path under which gunicorn would serve the pages, whose links lead to the root of the host."""
    if not environ.get("SCRIPT_NAME", "").strip(" /"):
        return []
    return [
        "SCRIPT_NAME has to be removed. Alertcheck needs a host name of its own, and cannot be served under a path."
    ]


def _describe_unknown(environ: Mapping[str, str]) -> list[str]:
    known = EXTERNAL_VARIABLES | set(variables_of(SettingsModel).values())
    unknown = sorted(name for name in environ.keys() - known if name.startswith(PREFIX) and environ[name].strip())
    return [f"{name} is not a setting, so it is ignored.{_suggest(name, known)}" for name in unknown]


def _suggest(name: str, known: frozenset[str]) -> str:
    """Suggest the nearest setting. The comparison ignores the prefix, which would make all names similar."""
    names = [other.removeprefix(PREFIX) for other in known if other.startswith(PREFIX)]
    nearest = get_close_matches(name.removeprefix(PREFIX), names, n=1)
    return f" Did you mean {PREFIX}{nearest[0]}?" if nearest else ""


def _make_app_settings(settings: SettingsModel) -> AppSettings:
    return AppSettings(
        secret_key=settings.secret_key,
        cipher=SettingsCipher(settings.config_keys_file or settings.config_keys, fingerprint_key=settings.secret_key),
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        redis_prefix=settings.redis_prefix or derive_redis_prefix(settings.secret_key),
        ca_file=settings.ca_file,
        outbound=_outbound(settings),
        send_limits=_send_limits(settings),
        real_alert_retry_delays=settings.real_alert_waits,
        keep_deliveries=timedelta(days=settings.keep_deliveries_days) or None,
        links=ReceiptLinks(settings.secret_key, settings.public_url),
        https=settings.https,
        hosts=_hosts(settings),
        proxies=settings.trusted_proxies,
        metrics_token=settings.metrics_token,
        demo=_demo(settings),
        variables=tuple(sorted(variables_of(SettingsModel)[field] for field in settings.model_fields_set)),
    )


def _send_limits(settings: SettingsModel) -> SendLimits:
    return SendLimits(
        per_member=settings.presses_per_member,
        per_workspace=settings.presses_per_workspace,
        per_target=settings.tests_per_target,
        per_recipient=settings.tests_per_recipient,
    )


def _outbound(settings: SettingsModel) -> OutboundClient:
    demo = _demo(settings)
    if demo is None or demo.has_real_receivers:
        return OutboundClient(settings.policy, settings.mail)
    policy = replace(settings.policy, demo_receiver=read_url(demo.receiver).origin)
    return OutboundClient(policy, settings.model_copy(update={"mail_url": settings.demo_receiver_smtp}).mail)


def _hosts(settings: SettingsModel) -> tuple[str, ...]:
    if settings.demo:  # it has no passwords, so it allows no other names
        return _DEMO_HOSTS
    return (*settings.allowed_hosts, *OWN_HOSTS) if settings.allowed_hosts else ()


def _demo(settings: SettingsModel) -> Demo | None:
    if not settings.demo or settings.demo_inbox is None or settings.demo_receiver_http is None:
        return None
    return Demo(
        settings.demo_inbox,
        settings.demo_receiver_http,
        settings.demo_signing_secret_file,
        settings.demo_real_receivers,
    )
