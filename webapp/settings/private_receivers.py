"""Reads which private networks each workspace may send to, and lists the installation's own servers, which none may."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from pydantic import ValidationInfo

from webapp.environment.server_urls import list_database_hosts, list_server_hosts
from webapp.environment.settings_reader import split
from webapp.outbound import Policy
from webapp.outbound.policy.opened_networks import DEFAULT_PORTS, explain_closed
from webapp.outbound.policy.public_networks import Network
from webapp.outbound.settings import read_network
from webapp.outbound.transport.own_servers import parse_own_address
from webapp.text.slugs import is_slug

# Stands for the slug of every workspace.
EVERY_WORKSPACE = "*"

_PORT = re.compile(r"[0-9]{1,5}")
_FORM = "takes workspace=network entries, such as harbor=10.0.0.0/8"

Networks = Mapping[str, tuple[Network, ...]]


@dataclass(frozen=True)
class PrivateReceivers:
    """networks: what is opened, by the slug of a workspace or `EVERY_WORKSPACE`. ports: the ports allowed there."""

    networks: Networks = field(default_factory=dict)
    ports: frozenset[int] = DEFAULT_PORTS

    @property
    def slugs(self) -> frozenset[str]:
        """The slugs that the setting names."""
        return frozenset(self.networks) - {EVERY_WORKSPACE}

    def open_for(self, slug: str, policy: Policy) -> Policy:
        """Return the policy of one workspace."""
        opened = (*self.networks.get(slug, ()), *self.networks.get(EVERY_WORKSPACE, ()))
        return replace(policy, opened_networks=opened, opened_ports=self.ports) if opened else policy


def read_allowed_networks(text: str) -> Networks:
    """Read the networks, by workspace. Raises ValueError with the rest of a sentence."""
    networks: dict[str, tuple[Network, ...]] = {}
    for number, entry in enumerate(split(text, ", \t"), 1):
        slug, _, network = entry.partition("=")
        if slug != EVERY_WORKSPACE and not is_slug(slug):
            raise ValueError(f"{_FORM}; entry {number} has no slug of a workspace, nor *, in front of an equals sign.")
        networks[slug] = (*networks.get(slug, ()), _read_network(number, network))
    return networks


def _read_network(number: int, text: str) -> Network:
    try:
        network = read_network(text)
    except ValueError as reason:
        raise ValueError(f"{_FORM}; that of entry {number} is {reason}.") from None
    closed = explain_closed(network)
    if closed:
        raise ValueError(f"cannot allow every network: that of entry {number} {closed}.")
    return network


def read_allowed_ports(text: str) -> frozenset[int]:
    """Read the ports. Raises ValueError with the rest of a sentence."""
    entries = split(text, ", \t")
    if not all(_PORT.fullmatch(entry) and 0 < int(entry) < 65536 for entry in entries):
        raise ValueError("takes a list of ports from 1 to 65535, such as 80,443,8080.")
    return frozenset(map(int, entries)) or DEFAULT_PORTS


def refuse_own_servers(networks: Networks, info: ValidationInfo) -> Networks:
    """Refuse a network that is nothing but the address of a server in a setting above this one.

    A larger one that contains it is fine: no message reaches the server (`webapp.outbound.transport.own_servers`).
    """
    own = {ip_network(address) for address in map(parse_own_address, list_own_servers(info.data, {})) if address}
    if own.intersection(network for opened in networks.values() for network in opened):
        raise ValueError("cannot allow the address of Alertcheck's own database, queue, mail server or proxy.")
    return networks


def list_own_servers(settings: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts of the database, the queue, the mail server and the proxy, by the fields of `SettingsModel`.

    environ: see `list_database_hosts`, which may raise ValueError.
    """
    database, queue, mail = (settings.get(name) for name in ("database_url", "redis_url", "mail_url"))
    proxy = settings.get("egress_proxy")
    return tuple(
        dict.fromkeys(
            [
                *(list_database_hosts(database, environ) if database else ()),
                *(list_server_hosts(queue) if queue else ()),
                *(list_server_hosts(mail) if mail else ()),
                *([proxy.origin.host] if proxy else []),
            ]
        )
    )
