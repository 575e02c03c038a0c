"""Finds the destination of each message in the demo's inbox, as far as the visitor may see it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select

from webapp.demo.places import OwnDestinations, find_places
from webapp.demo.receiver.inbox import Received
from webapp.demo.receiver.messages.incidents import Incident
from webapp.demo.receiver.messages.mail import ParsedMail
from webapp.demo.receiver.messages.parsing import ParsedMessage, read_text
from webapp.demo.receiver.scenarios import Service
from webapp.demo.receiver.switches import name_recipient
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.destinations.editing import read_settings
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, Workspace
from webapp.receipt_links import Forged
from webapp.settings import AppSettings


@dataclass(frozen=True)
class ReadMessage:
    """A message as the inbox shows it.

    token: that of its receipt link, or None if it has none that may be followed: a refused message was not delivered.
    source: the destination that it was sent to, or None if that is not known.
    """

    received: Received
    parsed: ParsedMessage
    token: str | None
    source: tuple[AlertDestination, Workspace] | None


def read_messages(
    parsed: Sequence[tuple[Received, ParsedMessage]],
    own: OwnDestinations,
    app_settings: AppSettings,
    receiver: ReceiverAddresses,
) -> list[ReadMessage]:
    """Return the messages, each with its destination if that is one of the visitor's `own`."""
    by_id = {destination.id: (destination, workspace) for destination, workspace in own}
    tokens = {received.id: app_settings.links.find_token(_find_text(received, body)) for received, body in parsed}
    by_token = _find_by_token([token for token in tokens.values() if token], app_settings)
    by_recipient = _find_by_recipient([received for received, _ in parsed], own, app_settings, receiver)
    by_incident = _find_by_incident(parsed, {id_: by_token.get(token or "") for id_, token in tokens.items()})
    found = []
    for received, body in parsed:
        token = tokens[received.id]
        destination_id = by_token.get(token or "") or by_recipient.get(received.id)
        destination_id = destination_id or by_incident.get(_name_incident(body))
        was_refused = bool(received.answered) and not received.accepted
        found.append(ReadMessage(received, body, None if was_refused else token, by_id.get(destination_id or 0)))
    return found


def _find_text(received: Received, parsed: ParsedMessage) -> str:
    return parsed.text if isinstance(parsed, ParsedMail) else read_text(received.service, received.body)


def _find_by_incident(
    parsed: Sequence[tuple[Received, ParsedMessage]], by_message: Mapping[int, int | None]
) -> Mapping[tuple[str, str], int]:
    """Return the destination's id of each alert: only the request that opens one contains a receipt link."""
    found = {_name_incident(body): by_message[received.id] for received, body in parsed if by_message[received.id]}
    return {incident: id_ for incident, id_ in found.items() if incident[1] and id_}


def _name_incident(parsed: ParsedMessage) -> tuple[str, str]:
    """Return what all requests about one alert have in common."""
    return (parsed.kind, parsed.key if isinstance(parsed, Incident) else "")


def _find_by_token(tokens: Sequence[str], app_settings: AppSettings) -> dict[str, int]:
    """Return the destination's id of each token that this installation has signed for a delivery that still exists."""
    links = {}
    for token in tokens:
        with suppress(Forged):
            links[token] = app_settings.links.read(token)
    ids = {delivery_id for delivery_id, _ in links.values()}
    deliveries = {
        delivery.id: delivery for delivery in db.session.scalars(select(AlertDelivery).where(AlertDelivery.id.in_(ids)))
    }
    return {
        token: deliveries[delivery_id].alert_destination_id
        for token, (delivery_id, reference) in links.items()
        if delivery_id in deliveries and deliveries[delivery_id].reference == reference
    }


def _find_by_recipient(
    messages: Sequence[Received],
    own: OwnDestinations,
    app_settings: AppSettings,
    receiver: ReceiverAddresses,
) -> Mapping[int, int]:
    """Return the destination's id of each email that was refused before it had any content, if only one can be it."""
    bare = [message for message in messages if message.service is Service.EMAIL and not message.body]
    if not bare:
        return {}
    owners: dict[str, list[int]] = {}
    for destination, _ in own:
        if destination.type == Service.EMAIL:
            settings = read_settings(destination, app_settings.cipher)
            for place in find_places(destination.type, settings, app_settings, receiver):
                owners.setdefault(place, []).append(destination.id)
    ids = {message.id: owners.get(name_recipient(message.recipients[0]), []) for message in bare if message.recipients}
    return {message_id: found[0] for message_id, found in ids.items() if len(found) == 1}
