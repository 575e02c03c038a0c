"""The places at the demo's receiver to which the destinations of a visitor lead, and what each place does next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from webapp.channels import CHANNELS
from webapp.demo.outcomes import CERTIFICATES, list_responses
from webapp.demo.receiver.certificates import find_certificate
from webapp.demo.receiver.inbox import Inbox
from webapp.demo.receiver.routes import find_route
from webapp.demo.receiver.scenarios import Certificate, Mailbox, Scenario, Service, mailbox_of
from webapp.demo.receiver.switches import name_host, name_recipient
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.destinations.editing import read_settings
from webapp.environment.demo_hosts import SERVICE_HOSTS
from webapp.extensions import db
from webapp.failures import DeliveryFailed
from webapp.models import Account, AlertDestination, Member, Workspace
from webapp.outbound.policy.urls import Target, read_url
from webapp.outbound.smtp.recipients import read_recipients
from webapp.settings import AppSettings, Demo

# Destinations with their workspaces.
OwnDestinations = Sequence[tuple[AlertDestination, Workspace]]


@dataclass(frozen=True)
class DestinationPlaces:
    """The places of one destination.

    selected: what its address selects. switched: what it was switched to, or None.
    certificate: words about the certificate of its host, if it is not just valid.
    """

    destination: AlertDestination
    workspace: Workspace
    selected: StrEnum
    switched: StrEnum | None
    certificate: str | None = None

    @property
    def choices(self) -> Mapping[StrEnum, str]:
        """The outcomes that it can be switched to, each with its words."""
        return list_responses(Service(self.destination.type))


@dataclass(frozen=True)
class HostCertificate:
    """The certificate that a service's host shows now."""

    service: str
    host: str
    certificate: Certificate


def list_own_destinations(account: Account) -> OwnDestinations:
    """Return the destinations in the workspaces of an account, by workspace, oldest first."""
    own = (
        select(AlertDestination, Workspace)
        .join(Workspace, Workspace.id == AlertDestination.workspace_id)
        .join(Member, Member.workspace_id == Workspace.id)
        .where(Member.account_id == account.id, AlertDestination.deleted_at.is_(None))
    )
    rows = db.session.execute(own.order_by(Workspace.name, Workspace.id, AlertDestination.id))
    return [(destination, workspace) for destination, workspace in rows]


def list_places(account: Account, app_settings: AppSettings, receiver: ReceiverAddresses) -> list[DestinationPlaces]:
    """Return the places of an account's destinations, without the destinations that lead elsewhere."""
    switches = receiver.inbox.switches
    switched, found = switches.list_all(), []
    for destination, workspace in list_own_destinations(account):
        settings = read_settings(destination, app_settings.cipher)
        places = find_places(destination.type, settings, app_settings, receiver)
        if places:
            kind = type(next(iter(places.values())))
            values = [kind(switched[place]) for place in places if switched.get(place) in list(kind)]
            target = _find_target(destination.type, settings)
            certificate = find_certificate(target.host, switches) if target and target.scheme == "https" else None
            words = CERTIFICATES[certificate] if certificate not in (None, Certificate.VALID) else None
            found.append(
                DestinationPlaces(destination, workspace, _find_worst(places), values[0] if values else None, words)
            )
    return found


def find_places(
    channel_name: str, settings: Mapping[str, str], app_settings: AppSettings, receiver: ReceiverAddresses
) -> dict[str, StrEnum]:
    """Return the places to which a destination with these settings leads, each with what its address selects."""
    if channel_name == Service.EMAIL:
        return {} if receiver.demo.has_real_receivers else _find_mailboxes(settings, receiver)
    target = _find_target(channel_name, settings)
    if target is None or not _is_receiver(target, app_settings, receiver.demo):
        return {}
    route = find_route(target.path)
    # Not where nothing is, nor in the inbox of somebody else.
    is_own = route is not None and not route.call and route.key == receiver.inbox_key
    return {route.place: route.scenario} if route and is_own else {}


def switch(
    destination: AlertDestination, outcome: StrEnum | None, app_settings: AppSettings, receiver: ReceiverAddresses
) -> None:
    """Let the places of a destination behave like this, or as its address selects if `outcome` is None."""
    switches = receiver.inbox.switches
    settings = read_settings(destination, app_settings.cipher)
    for place in find_places(destination.type, settings, app_settings, receiver):
        if outcome is None:
            switches.reset(place)
        else:
            switches.set(place, outcome)


def list_certificates(demo: Demo) -> list[HostCertificate]:
    """Return the certificate of each service's host. None in a public demo, and if the receiver has no names."""
    if not demo.has_names or demo.visitors:
        return []
    switches = Inbox(demo.inbox).switches
    return [HostCertificate(service, host, find_certificate(host, switches)) for service, host in SERVICE_HOSTS.items()]


def switch_certificate(host: str, certificate: Certificate, demo: Demo) -> None:
    """Let a host show this certificate."""
    Inbox(demo.inbox).switches.set(name_host(host), certificate)


def _find_mailboxes(settings: Mapping[str, str], receiver: ReceiverAddresses) -> dict[str, StrEnum]:
    recipients = filter(receiver.has_recipient, read_recipients(settings.get("recipients", "")))
    return {name_recipient(recipient): mailbox_of(recipient) for recipient in recipients}


def _find_worst(places: Mapping[str, StrEnum]) -> StrEnum:
    """Return what the whole message meets: the first outcome of its places that is not just acceptance."""
    outcomes = list(places.values())
    return next((outcome for outcome in outcomes if outcome not in (Scenario.WORKS, Mailbox.WORKS)), outcomes[0])


def _is_receiver(target: Target, app_settings: AppSettings, demo: Demo) -> bool:
    return target.origin in app_settings.outbound.policy.demo_routes or target.origin.url == demo.receiver


def _find_target(channel_name: str, settings: Mapping[str, str]) -> Target | None:
    try:
        return read_url(settings.get(CHANNELS[channel_name].target_field.name, ""))
    except (DeliveryFailed, KeyError):  # KeyError: a channel that this version no longer has
        return None
