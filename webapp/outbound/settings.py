"""Reads the settings of the outbound client. docs/settings.md describes each setting and what it gives up."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator

from webapp.environment.deprecated_names import use_new_names
from webapp.environment.model import EnvironmentSettings, needed_with, read_model, split
from webapp.failures import DeliveryFailed
from webapp.outbound.policy.hostnames import NotAHost, canonical_host
from webapp.outbound.policy.networks import Network
from webapp.outbound.policy.urls import Origin, Policy, read_url
from webapp.outbound.smtp.mail_server import MailServer, check_mail_url, check_sender, parse_mail_url
from webapp.outbound.transport.authorities import check_ca_file

Sender = Annotated[str, AfterValidator(check_sender)]


def _read_origins(text: str) -> frozenset[Origin]:
    return frozenset(_read_origin(entry) for entry in split(text))


def _read_origin(text: str) -> Origin:
    try:
        target = read_url(text)
    except DeliveryFailed:
        target = None
    # The error does not repeat the entry, which may be a password or a whole webhook address.
    if target is None or target.path != "/":
        raise ValueError("takes scheme://host:port without a path, such as http://receiver.lan:8080.")
    return target.origin


def _read_networks(text: str) -> tuple[Network, ...]:
    return tuple(_read_network(number, entry) for number, entry in enumerate(split(text), 1))


def _read_network(number: int, text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(
            f"takes networks such as 198.51.100.0/24 or 2001:db8::/32; entry {number} is not a network."
        ) from None


def _read_extra_hosts(text: str) -> dict[str, tuple[str, ...]]:
    extra: dict[str, tuple[str, ...]] = {}
    for entry in split(text, ";"):
        channel, _, pattern = (part.strip() for part in entry.partition("="))
        extra[channel] = (*extra.get(channel, ()), _read_pattern(channel, pattern))
    return extra


def _read_pattern(channel: str, pattern: str) -> str:
    prefix = "*." if pattern.startswith("*.") else ""
    try:
        host = canonical_host(pattern.removeprefix("*."))
    except NotAHost:
        host = ""
    if not channel or not host:
        raise ValueError("takes channel=host pairs, such as teams=flows.example.com; slack=*.example.org.")
    return prefix + host


def _read_proxy(text: str) -> Origin:
    proxy = _read_origin(text)
    if proxy.scheme != "http":
        raise ValueError("takes http://host:port; messages are encrypted inside the tunnel anyway.")
    return proxy


class AuthoritySettings(EnvironmentSettings):
    """The authorities that all encrypted connections trust."""

    ca_file: Annotated[str | None, AfterValidator(check_ca_file)] = None


class MailSettings(AuthoritySettings):
    """The settings of the mail server. Without a URL, no email is sent."""

    mail_url: Annotated[str | None, AfterValidator(check_mail_url)] = Field(None, repr=False)
    mail_from: Annotated[Sender | None, needed_with("mail_url")] = Field(None, validate_default=True)

    @property
    def mail(self) -> MailServer | None:
        """The mail server that these settings describe, or None."""
        if self.mail_url is None or self.mail_from is None:
            return None
        return parse_mail_url(self.mail_url, self.mail_from, self.ca_file)


class OutboundSettings(AuthoritySettings):
    """The settings of the outbound client except for mail. All of them are optional."""

    trusted_origins: Annotated[frozenset[Origin], PlainValidator(_read_origins)] = frozenset()
    denied_networks: Annotated[tuple[Network, ...], PlainValidator(_read_networks)] = ()
    extra_hosts: Annotated[Mapping[str, tuple[str, ...]], PlainValidator(_read_extra_hosts)] = Field({})
    egress_proxy: Annotated[Origin | None, PlainValidator(_read_proxy)] = None

    @property
    def policy(self) -> Policy:
        """The policy that these settings describe."""
        return Policy(
            trusted_origins=self.trusted_origins,
            denied_networks=self.denied_networks,
            extra_hosts=self.extra_hosts,
            proxy=self.egress_proxy,
            ca_file=self.ca_file,
        )


def read_policy(environ: Mapping[str, str]) -> Policy:
    """Read the policy from the environment and ignore all other settings. Raises `Misconfigured`."""
    return read_model(OutboundSettings, environ).policy


def read_mail_server(environ: Mapping[str, str]) -> MailServer | None:
    """Read the mail server from the environment, under its old or new names. Raises `Misconfigured`."""
    renamed = use_new_names(environ)
    return read_model(MailSettings, renamed.environ, renamed.problems).mail
