"""What the operator sets, read from the environment once; a missing or wrong value is said plainly."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet
from flask import current_app

from webapp.outbound import WayOut
from webapp.outbound.mail_server import MailServer, parse_mail_url
from webapp.outbound.operator import policy_from
from webapp.sealing import Sealer


class Misconfigured(Exception):
    """A setting is missing or wrong; the text says which, and what to do."""


@dataclass(frozen=True)
class Demo:
    """Where the demo's far end keeps what it gets, and where it listens."""

    inbox: Path
    receiver: str
    signing_secret_file: Path | None


@dataclass(frozen=True)
class Presses:
    """How many tests a minute one member, and one workspace, may send: a test button must not become a cannon."""

    per_member: int
    per_workspace: int


@dataclass(frozen=True)
class Config:
    """The operator's settings. `demo` is None in production."""

    secret_key: str = field(repr=False)
    sealer: Sealer = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    way_out: WayOut
    presses: Presses
    https: bool
    proxies: int
    demo: Demo | None


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """Read every setting. Raises `Misconfigured`."""
    secret_key = _require(environ, "SECRET_KEY", "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'")
    return Config(
        secret_key=secret_key,
        sealer=Sealer(_read_keys(environ), fingerprint_key=secret_key),
        database_url=_require(environ, "DATABASE_URL"),
        redis_url=_require(environ, "REDIS_URL"),
        way_out=_read_way_out(environ),
        presses=Presses(
            per_member=_read_number(environ, "PRESSES_PER_MEMBER", 120),
            per_workspace=_read_number(environ, "PRESSES_PER_WORKSPACE", 600),
        ),
        https=environ.get("HTTPS", "0") == "1",
        proxies=_read_number(environ, "TRUSTED_PROXIES", 0),
        demo=_read_demo(environ),
    )


def current_config() -> Config:
    """The settings of the application in charge."""
    config: Config = current_app.extensions["alertcheck"]
    return config


def _require(environ: Mapping[str, str], name: str, how: str | None = None) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise Misconfigured(f"{name} is not set." + (f" Make one with: {how}" if how else " See the README, Settings."))
    return value


def _read_number(environ: Mapping[str, str], name: str, usual: int) -> int:
    text = environ.get(name, str(usual)).strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Misconfigured(f"{name} has to be a whole number, such as {usual}.")
    return int(text)


def _read_keys(environ: Mapping[str, str]) -> list[str]:
    how = "python3 -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
    file = environ.get("CONFIG_KEYS_FILE")
    text = _read_key_file(Path(file)) if file else _require(environ, "CONFIG_KEYS", how)
    keys = [key for key in text.replace(",", " ").split() if key]
    try:
        for key in keys:
            Fernet(key)
    except ValueError:
        keys = []
    if not keys:
        raise Misconfigured(f"CONFIG_KEYS holds something that is not a key. Make one with: {how}")
    return keys


def _read_key_file(file: Path) -> str:
    """Read the keys of a file that its owner alone may read; a new file gets a new key."""
    try:
        with (
            suppress(FileExistsError),
            os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new,
        ):
            new.write(Fernet.generate_key().decode() + "\n")
        if file.stat().st_mode & 0o077:
            raise Misconfigured(f"CONFIG_KEYS_FILE can be read by others. Say: chmod 600 {file}")
        return file.read_text()
    except OSError as error:
        raise Misconfigured(f"CONFIG_KEYS_FILE {file} cannot be used: {error.strerror}.") from None


def _read_way_out(environ: Mapping[str, str]) -> WayOut:
    try:
        policy = policy_from(environ)
        return WayOut(policy=policy, mail=_read_mail(environ, policy.ca_file))
    except ValueError as error:
        raise Misconfigured(str(error)) from None


def _read_mail(environ: Mapping[str, str], ca_file: str | None) -> MailServer | None:
    url = environ.get("MAIL_URL", "")
    return parse_mail_url(url, _require(environ, "MAIL_FROM"), ca_file) if url else None


def _read_demo(environ: Mapping[str, str]) -> Demo | None:
    if environ.get("DEMO", "0") != "1":
        return None
    secret_file = environ.get("DEMO_SIGNING_SECRET_FILE")
    return Demo(
        inbox=Path(_require(environ, "DEMO_INBOX")),
        receiver=_require(environ, "DEMO_RECEIVER_HTTP"),
        signing_secret_file=Path(secret_file) if secret_file else None,
    )
