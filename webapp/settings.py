"""What the operator sets, read from the environment once; a missing or wrong value is said plainly."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from webapp.encryption.keys import NoKeys, read_keys
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.outbound import OutboundClient
from webapp.outbound.policy.environment import read_policy
from webapp.outbound.smtp.mail_server import MailServer, parse_mail_url
from webapp.receipt_links import ReceiptLinks, read_public_url

MAKE_RANDOM = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"

UNREADABLE = "cannot be read. In a password, write / as %2F, : as %3A, @ as %40, # as %23 and ? as %3F."


_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("", "0", "false", "no", "off"), False)


class Misconfigured(Exception):
    """A setting is missing or wrong; the text says which, and what to do."""


@dataclass(frozen=True)
class Demo:
    """Where the demo's far end keeps what it gets, and where it listens."""

    inbox: Path
    receiver: str
    signing_secret_file: Path | None


@dataclass(frozen=True)
class TestSendLimits:
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
    presses: TestSendLimits
    real_alert_retry_delays: tuple[timedelta, ...]
    keep_deliveries: timedelta | None
    links: ReceiptLinks = field(repr=False)
    https: bool
    hosts: tuple[str, ...]
    proxies: int
    metrics_token: str | None = field(repr=False)
    demo: Demo | None


def read_settings(environ: Mapping[str, str] = os.environ) -> AppSettings:
    """Read every setting. Raises `Misconfigured`."""
    secret_key = _require(environ, "SECRET_KEY", MAKE_RANDOM)
    return AppSettings(
        secret_key=secret_key,
        cipher=_read_sealer(environ, secret_key),
        database_url=_require_database_url(environ),
        redis_url=_require_queue_url(environ),
        outbound=_read_way_out(environ),
        presses=TestSendLimits(
            per_member=_read_number(environ, "PRESSES_PER_MEMBER", 120),
            per_workspace=_read_number(environ, "PRESSES_PER_WORKSPACE", 600),
        ),
        real_alert_retry_delays=_read_waits(environ),
        keep_deliveries=_read_keep(environ),
        links=_read_links(environ, secret_key),
        https=_read_flag(environ, "HTTPS"),
        hosts=_read_hosts(environ),
        proxies=_read_number(environ, "TRUSTED_PROXIES", 0),
        metrics_token=_read_metrics_token(environ),
        demo=_read_demo(environ),
    )


def current_settings() -> AppSettings:
    """The settings of the application in charge."""
    app_settings: AppSettings = current_app.extensions["alertcheck"]
    return app_settings


def _require(environ: Mapping[str, str], name: str, how: str | None = None) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise Misconfigured(f"{name} is not set." + (f" Make one with: {how}" if how else " See the README, Settings."))
    return value


def _require_url(environ: Mapping[str, str], name: str, *schemes: str) -> str:
    url = _require(environ, name)
    if not url.startswith(schemes):  # not repeated: it may hold a password
        raise Misconfigured(f"{name} has to begin with {' or '.join(schemes)}.")
    return url


def _require_database_url(environ: Mapping[str, str]) -> str:
    url = _require_url(environ, "DATABASE_URL", "postgresql://", "postgresql+psycopg://", "sqlite://")
    try:
        read = make_url(url)
        if "@" in (read.host or ""):
            raise ValueError("part of the password was taken for the host")
    except (ArgumentError, ValueError):  # not told: the error quotes what may be a piece of the password
        raise Misconfigured(f"DATABASE_URL {UNREADABLE}") from None
    if read.get_backend_name() == "sqlite" and not _is_file(read):
        raise Misconfigured("DATABASE_URL has to name a file, such as sqlite:////var/lib/alertcheck/alertcheck.sqlite.")
    return url


def _is_file(url: URL) -> bool:
    """Say whether an SQLite database is a file, and not in memory, where each process would have one for itself."""
    is_in_memory = not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
    return not (url.host or is_in_memory)


def _require_queue_url(environ: Mapping[str, str]) -> str:
    url = _require_url(environ, "REDIS_URL", "redis://", "rediss://", "unix://")
    try:
        urlsplit(url).port  # noqa: B018 - as the queue's client reads it
    except ValueError:
        raise Misconfigured(f"REDIS_URL {UNREADABLE}") from None
    return url


def _read_hosts(environ: Mapping[str, str]) -> tuple[str, ...]:
    named = [host.strip() for host in environ.get("ALLOWED_HOSTS", "").split(",") if host.strip()]
    # This machine may always ask: health checks do. A demo, which asks for no password, answers nobody else.
    return (*named, "127.0.0.1", "localhost") if named or _read_flag(environ, "DEMO") else ()


def _read_metrics_token(environ: Mapping[str, str]) -> str | None:
    token = environ.get("METRICS_TOKEN", "").strip()
    # Nothing slows down whoever guesses it, and a header has to carry it.
    if token and not re.fullmatch("[!-~]{16,}", token):
        raise Misconfigured(
            f"METRICS_TOKEN needs 16 characters or more, in ASCII without spaces. Make one with: {MAKE_RANDOM}"
        )
    return token or None


def _read_flag(environ: Mapping[str, str], name: str) -> bool:
    word = environ.get(name, "").strip().lower()
    if word not in _FLAGS:
        raise Misconfigured(f"{name} has to be 1, true, yes or on, or else 0, false, no, off or empty.")
    return _FLAGS[word]


def _read_number(environ: Mapping[str, str], name: str, usual: int) -> int:
    text = environ.get(name, "").strip() or str(usual)
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Misconfigured(f"{name} has to be a whole number, such as {usual}.")
    return int(text)


def _read_waits(environ: Mapping[str, str]) -> tuple[timedelta, ...]:
    parts = [part.strip() for part in environ.get("REAL_ALERT_WAITS", "").split(",") if part.strip()]
    are_numbers = all(part.isascii() and part.isdecimal() and 0 < len(part) < 6 for part in parts)
    waits = tuple(timedelta(seconds=int(part)) for part in parts) if are_numbers else ()
    if not are_numbers or sum(waits, timedelta()) > timedelta(hours=12):
        raise Misconfigured("REAL_ALERT_WAITS has to be seconds, such as 60,300,1800, and 12 hours in all at most.")
    return waits


def _read_keep(environ: Mapping[str, str]) -> timedelta | None:
    days = _read_number(environ, "KEEP_DELIVERIES_DAYS", 0)
    if days > 36_500:
        raise Misconfigured("KEEP_DELIVERIES_DAYS has to be 36500 at most; 0 keeps deliveries for ever.")
    return timedelta(days=days) if days else None


def _read_sealer(environ: Mapping[str, str], secret_key: str) -> SettingsCipher:
    try:
        return SettingsCipher(read_keys(environ), fingerprint_key=secret_key)
    except NoKeys as error:
        raise Misconfigured(str(error)) from None


def _read_links(environ: Mapping[str, str], secret_key: str) -> ReceiptLinks:
    try:
        return ReceiptLinks(secret_key, read_public_url(environ.get("PUBLIC_URL", "")))
    except ValueError as error:
        raise Misconfigured(str(error)) from None


def _read_way_out(environ: Mapping[str, str]) -> OutboundClient:
    try:
        policy = read_policy(environ)
        return OutboundClient(policy=policy, mail=_read_mail(environ, policy.ca_file))
    except ValueError as error:
        raise Misconfigured(str(error)) from None


def _read_mail(environ: Mapping[str, str], ca_file: str | None) -> MailServer | None:
    url = environ.get("MAIL_URL", "")
    return parse_mail_url(url, _require(environ, "MAIL_FROM"), ca_file) if url else None


def _read_demo(environ: Mapping[str, str]) -> Demo | None:
    if not _read_flag(environ, "DEMO"):
        return None
    secret_file = environ.get("DEMO_SIGNING_SECRET_FILE")
    return Demo(
        inbox=Path(_require(environ, "DEMO_INBOX")),
        receiver=_require(environ, "DEMO_RECEIVER_HTTP"),
        signing_secret_file=Path(secret_file) if secret_file else None,
    )
