"""Reads the settings of the outbound client. docs/settings.md describes each setting and what it gives up."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv6Network, ip_interface, ip_network
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator

from webapp.environment.deprecated_names import use_new_names
from webapp.environment.settings_reader import EnvironmentSettings, needed_with, read_model, split
from webapp.failures import DeliveryFailed
from webapp.outbound.egress_proxy import EgressProxy, read_egress_proxy
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.hostnames import NotAHost, canonical_host
from webapp.outbound.policy.public_networks import Network
from webapp.outbound.policy.urls import Origin, read_url
from webapp.outbound.smtp.mail_server import MailServer, check_mail_url, parse_mail_url
from webapp.outbound.smtp.sender import Sender, read_sender
from webapp.outbound.transport.certificate_authorities import check_ca_file

ExtraHosts = Mapping[str, tuple[str, ...]]


def _read_origins(text: str) -> frozenset[Origin]:
    return frozenset(_read_entry(number, entry) for number, entry in enumerate(split(text, ", \t"), 1))


def _read_entry(number: int, text: str) -> Origin:
    try:
        return read_origin(text)
    except ValueError as reason:
        raise ValueError(f"{str(reason).removesuffix('.')}; entry {number} has another form.") from None


def read_origin(text: str) -> Origin:
    """Read the origin of a receiver. Raises ValueError with the rest of a sentence."""
    try:
        target = read_url(text)
    except DeliveryFailed:
        target = None
    # The error does not repeat the entry, which may be a password or a whole webhook address.
    if target is None or target.path != "/":
        raise ValueError("takes scheme://host:port without a path, such as http://receiver.lan:8080.")
    return target.origin


def _read_networks(text: str) -> tuple[Network, ...]:
    return tuple(_read_network(number, entry) for number, entry in enumerate(split(text, ", \t"), 1))


def _read_network(number: int, text: str) -> Network:
    try:
        network = read_network(text)
    except ValueError as reason:
        raise ValueError(
            f"takes networks such as 198.51.100.0/24 or 2001:db8::/32; entry {number} is {reason}."
        ) from None
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:  # no connection has such an address
        raise ValueError(f"takes IPv4 networks in their own form, such as 198.51.100.0/24; entry {number} is not.")
    return network


def read_network(text: str) -> Network:
    """Read a network or an address. Raises ValueError with what the text is instead ("not a network")."""
    try:
        return ip_network(text)
    except ValueError:
        is_inside = _is_inside(text)
    raise ValueError("an address inside a network: write the network's first address" if is_inside else "not a network")


def _is_inside(text: str) -> bool:
    with suppress(ValueError):
        return bool(ip_interface(text))
    return False


def read_extra_hosts(text: str) -> ExtraHosts:
    """Read more hosts, by channel. Raises ValueError with the rest of a sentence."""
    extra: dict[str, tuple[str, ...]] = {}
    for entry in split(text, ";,"):
        channel, _, pattern = (part.strip() for part in entry.partition("="))
        extra[channel.lower()] = (*extra.get(channel.lower(), ()), _read_pattern(channel, pattern))
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


def _read_optional_sender(text: str | None) -> Sender | None:
    return None if text is None else read_sender(text)


class AuthoritySettings(EnvironmentSettings):
    """The authorities that all encrypted connections trust."""

    ca_file: Annotated[str | None, AfterValidator(check_ca_file)] = None


class MailSettings(AuthoritySettings):
    """The settings of the mail server. Without a URL, no email is sent."""

    mail_url: Annotated[str | None, AfterValidator(check_mail_url)] = Field(None, repr=False)
    mail_from: Annotated[Sender | None, PlainValidator(_read_optional_sender), needed_with("mail_url")] = Field(
        None, validate_default=True
    )

    @property
    def mail(self) -> MailServer | None:
        """The mail server that these settings describe, or None."""
        if self.mail_url is None or self.mail_from is None:
            return None
        server = parse_mail_url(self.mail_url, self.mail_from.address, self.ca_file)
        return replace(server, sender_name=self.mail_from.name)


class OutboundSettings(AuthoritySettings):
    """The settings of the outbound client except for mail. All of them are optional."""

    trusted_origins: Annotated[frozenset[Origin], PlainValidator(_read_origins)] = frozenset()
    denied_networks: Annotated[tuple[Network, ...], PlainValidator(_read_networks)] = ()
    extra_hosts: Annotated[ExtraHosts, PlainValidator(read_extra_hosts)] = Field({})
    egress_proxy: Annotated[EgressProxy | None, PlainValidator(read_egress_proxy)] = None

    @property
    def policy(self) -> Policy:
        """The policy that these settings describe."""
        return Policy(
            trusted_origins=self.trusted_origins,
            denied_networks=self.denied_networks,
            extra_hosts=self.extra_hosts,
            proxy=self.egress_proxy.origin if self.egress_proxy else None,
            proxy_authorization=self.egress_proxy.authorization if self.egress_proxy else None,
            ca_file=self.ca_file,
        )


def read_policy(environ: Mapping[str, str]) -> Policy:
    """Read the policy from the environment and ignore all other settings. Raises `Misconfigured`."""
    return read_model(OutboundSettings, environ).policy


def read_mail_server(environ: Mapping[str, str]) -> MailServer | None:
    """Read the mail server from the environment, under its old or new names. Raises `Misconfigured`."""
    renamed = use_new_names(environ)
    return read_model(MailSettings, renamed.environ, renamed.problems).mail
