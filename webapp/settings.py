"""What the operator sets, read from the environment once; a missing or wrong value is said plainly."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from logging import getLogger
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator

from webapp.encryption.keys import read_key_file
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.environment.deprecated_names import use_new_names
from webapp.environment.model import PREFIX, needed_with, read_model, split, variables_of
from webapp.environment.values import (
    MAKE_RANDOM,
    check_database_url,
    check_days,
    check_metrics_token,
    check_queue_url,
    check_secret_key,
    read_config_keys,
    read_flag,
    read_waits,
)
from webapp.extensions import app_state
from webapp.outbound import OutboundClient
from webapp.outbound.settings import OutboundSettings
from webapp.outbound.smtp.mail_server import MailServer, check_mail_url, check_sender, parse_mail_url
from webapp.receipt_links import ReceiptLinks, read_public_url

log = getLogger(__name__)

READ_ELSEWHERE = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "WEB_ADDRESS",  # compose.yaml
        *("CHROMIUM", "NO_SKIP", "WALKS"),  # tests and benchmarks
    )
)
"""Variables that are no misspelt settings, although the application does not read them."""

Count = Annotated[int, Field(ge=0, lt=10**9)]
Flag = Annotated[bool, PlainValidator(read_flag)]
Keys = tuple[str, ...]
Sender = Annotated[str, AfterValidator(check_sender)]


class OperatorSettings(OutboundSettings):
    """Every setting, as docs/settings.md explains it. What may hold a secret is not in its repr."""

    secret_key: Annotated[str, AfterValidator(check_secret_key)] = Field(
        validation_alias="SECRET_KEY", description=f"Make one with: {MAKE_RANDOM}", repr=False
    )
    config_keys_file: Annotated[Keys, PlainValidator(read_key_file)] = Field((), repr=False)
    config_keys: Annotated[Keys, PlainValidator(read_config_keys)] = Field((), validate_default=True, repr=False)
    database_url: Annotated[str, AfterValidator(check_database_url)] = Field(
        validation_alias="DATABASE_URL", repr=False
    )
    redis_url: Annotated[str, AfterValidator(check_queue_url)] = Field(validation_alias="REDIS_URL", repr=False)
    mail_url: Annotated[str | None, AfterValidator(check_mail_url)] = Field(None, repr=False)
    mail_from: Annotated[Sender | None, needed_with("mail_url")] = Field(None, validate_default=True)
    https: Flag = False
    allowed_hosts: Annotated[tuple[str, ...], PlainValidator(lambda text: tuple(split(text)))] = ()
    public_url: Annotated[str | None, AfterValidator(read_public_url)] = None
    trusted_proxies: Count = 0
    presses_per_member: Count = 120
    presses_per_workspace: Count = 600
    metrics_token: Annotated[str | None, AfterValidator(check_metrics_token)] = Field(None, repr=False)
    real_alert_waits: Annotated[tuple[timedelta, ...], PlainValidator(read_waits)] = ()
    keep_deliveries_days: Annotated[Count, AfterValidator(check_days)] = 0
    demo: Flag = False
    demo_inbox: Annotated[Path | None, needed_with("demo")] = Field(None, validate_default=True)
    demo_receiver_http: Annotated[str | None, needed_with("demo")] = Field(None, validate_default=True)
    demo_signing_secret_file: Path | None = None


@dataclass(frozen=True)
class Demo:
    """Where the demo's far end keeps what it gets, and where it listens."""

    inbox: Path
    receiver: str
    signing_secret_file: Path | None


@dataclass(frozen=True)
class SendLimits:
    """How many tests a minute one member, and one workspace, may send: a test button must not become a cannon."""

    per_member: int
    per_workspace: int


@dataclass(frozen=True)
class AppSettings:
    """The operator's settings.

    real_alert_retry_delays: how long after each failed attempt a real alert is tried again. Empty: another program
        sends them.
    keep_deliveries: how long ended deliveries are kept; None: for ever.
    hosts: the names under which the pages may be asked for; none: any. demo: None in production.
    metrics_token: what whoever asks for /metrics has to know; None: nobody may, but for the demo's visitors.
    """

    secret_key: str = field(repr=False)
    cipher: SettingsCipher = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    outbound: OutboundClient
    presses: SendLimits
    real_alert_retry_delays: tuple[timedelta, ...]
    keep_deliveries: timedelta | None
    links: ReceiptLinks = field(repr=False)
    https: bool
    hosts: tuple[str, ...]
    proxies: int
    metrics_token: str | None = field(repr=False)
    demo: Demo | None


def read_settings(environ: Mapping[str, str] = os.environ) -> AppSettings:
    """Read every setting; warn of old and unknown names. Raises `Misconfigured`."""
    renamed = use_new_names(environ)
    for warning in (*renamed.warnings, *_name_unknown(renamed.environ)):
        log.warning(warning)
    return _make_app_settings(read_model(OperatorSettings, renamed.environ, renamed.problems))


def current_settings() -> AppSettings:
    """Return the settings of the current application."""
    return app_state().settings


def _name_unknown(environ: Mapping[str, str]) -> list[str]:
    known = READ_ELSEWHERE | set(variables_of(OperatorSettings).values())
    unknown = sorted(name for name in environ.keys() - known if name.startswith(PREFIX) and environ[name].strip())
    return [f"{name} is not a setting, so it is ignored.{_suggest(name, known)}" for name in unknown]


def _suggest(name: str, known: frozenset[str]) -> str:
    """Name the nearest setting. The prefix is left out of the comparison: it makes any two names alike."""
    names = [other.removeprefix(PREFIX) for other in known if other.startswith(PREFIX)]
    nearest = get_close_matches(name.removeprefix(PREFIX), names, n=1)
    return f" Did you mean {PREFIX}{nearest[0]}?" if nearest else ""


def _make_app_settings(settings: OperatorSettings) -> AppSettings:
    return AppSettings(
        secret_key=settings.secret_key,
        cipher=SettingsCipher(settings.config_keys_file or settings.config_keys, fingerprint_key=settings.secret_key),
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        outbound=OutboundClient(policy=settings.policy, mail=_mail_server(settings)),
        presses=SendLimits(settings.presses_per_member, settings.presses_per_workspace),
        real_alert_retry_delays=settings.real_alert_waits,
        keep_deliveries=timedelta(days=settings.keep_deliveries_days) or None,
        links=ReceiptLinks(settings.secret_key, settings.public_url),
        https=settings.https,
        hosts=_hosts(settings),
        proxies=settings.trusted_proxies,
        metrics_token=settings.metrics_token,
        demo=_demo(settings),
    )


def _mail_server(settings: OperatorSettings) -> MailServer | None:
    if settings.mail_url is None or settings.mail_from is None:
        return None
    return parse_mail_url(settings.mail_url, settings.mail_from, settings.ca_file)


def _hosts(settings: OperatorSettings) -> tuple[str, ...]:
    named = settings.allowed_hosts
    # This machine may always ask: health checks do. A demo, which asks for no password, answers nobody else.
    return (*named, "127.0.0.1", "localhost") if named or settings.demo else ()


def _demo(settings: OperatorSettings) -> Demo | None:
    if not settings.demo or settings.demo_inbox is None or settings.demo_receiver_http is None:
        return None
    return Demo(settings.demo_inbox, settings.demo_receiver_http, settings.demo_signing_secret_file)
