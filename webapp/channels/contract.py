"""Defines what a channel is: a value with a label, a guide and fields, and functions that preview and send.

A new channel is a module of this folder with a `CHANNEL`. Its `send` returns an `Accepted` or raises `DeliveryFailed`,
and raises nothing else.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from webapp.channels.fields import Field, Settings
from webapp.channels.message import Message
from webapp.failures import Code, DeliveryFailed, Protocol, codes_of
from webapp.outbound import OutboundClient
from webapp.outbound.http.response_classification import Words
from webapp.outbound.policy.counted_targets import SendTarget
from webapp.outbound.policy.hostnames import matches
from webapp.outbound.policy.urls import Target

JSON = "application/json"
JSON_HEADERS = {"Content-Type": JSON}


@dataclass(frozen=True)
class Accepted:
    """The receiver accepted the message.

    status: the receiver's HTTP status or SMTP reply code.
    warning: our own sentence about the part that was not accepted ("1 of 3 recipients was refused: 550."), or None.
    """

    status: int
    warning: str | None = None


@dataclass(frozen=True)
class Part:
    """One body part of a message, exactly as sent. media_type: "application/json" or "text/plain", for example."""

    media_type: str
    text: str

    @property
    def readable(self) -> str:
        """The text for people to read: JSON is indented, and its escaped characters are written out."""
        if self.media_type != JSON:
            return self.text
        return json.dumps(json.loads(self.text), indent=2, ensure_ascii=False)


@dataclass(frozen=True)
class Preview:
    """The message that `send` would send. It does not contain the receiver's address, nor any other secret.

    verb: the method of sending ("POST", "Mail").
    headers: the headers that describe the message. The value of a secret header is
        replaced by a description of how it is computed.
    """

    verb: str
    headers: Mapping[str, str]
    parts: tuple[Part, ...]


def _find_no_conflicts(settings: Settings) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class IdleLimit:
    """A service turns off a receiver that gets no message for long.

    rule: what it does, in a whole sentence. warn_after, turned_off_after: since the last accepted message.
    """

    rule: str
    warn_after: timedelta
    turned_off_after: timedelta


@dataclass(frozen=True)
class Channel:
    """A kind of destination.

    label: the service's name ("Microsoft Teams").
    fields: in the order of the form. One at least is an address, a server or recipients.
    guide: how to get the values of the fields, step by step, in the words of the service's own screens.
    accepted: the page's words for an accepted message, which claim no more than is known.
    after_accepted: the next step if an accepted message is not visible at the receiver.
    targets: what a message would be sent to, for the limits on test sends. Raises nothing.
    preview: raises `DeliveryFailed` in every case where `send` would fail before it connects.
    hints: next steps by code, in the words of the service's own screens. They replace the general next steps.
    protocol: how messages are sent, which decides which failures can occur.
    hosts: the patterns of the service's own hosts, whose addresses belong to no other channel.
    pages_people: whether a message wakes somebody up, a test too. Then nobody without an account may send a test, and
        whoever does has to confirm it.
    after_paging: what the channel does at once with what a test opened, in a whole sentence, if it pages people.
    find_obstacle: why this installation cannot send over the channel yet, and who can change that; None if it can.
    words: the words of the service for what went wrong, each with its code, whatever the status is.
    find_conflicts: what is wrong with valid settings together, by the field to correct: whole sentences, no secret.
    idle_limit: after which time without a message the service turns the receiver off; None if it does not.
    """

    label: str
    accepted: str
    after_accepted: str
    guide: tuple[str, ...]
    fields: tuple[Field, ...]
    targets: Callable[[Settings, OutboundClient], tuple[SendTarget, ...]]
    preview: Callable[[Settings, Message, OutboundClient], Preview]
    send: Callable[[Settings, Message, OutboundClient], Accepted]
    hints: Mapping[Code, str] = field(default_factory=dict)
    protocol: Protocol = Protocol.HTTP
    hosts: tuple[str, ...] = ()
    pages_people: bool = False
    after_paging: str = ""
    find_obstacle: Callable[[OutboundClient], str | None] = lambda outbound: None
    words: Words = field(default_factory=dict)
    find_conflicts: Callable[[Settings], Mapping[str, str]] = _find_no_conflicts
    idle_limit: IdleLimit | None = None

    @property
    def target_field(self) -> Field:
        """The field that determines the receiver."""
        return next(field for field in self.fields if field.kind.is_target)

    def owns(self, target: Target) -> bool:
        """Check whether the address belongs to this channel's service."""
        return matches(target.host, self.hosts)

    @property
    def codes(self) -> frozenset[Code]:
        """The codes that a delivery over this channel can end with."""
        return codes_of(self.protocol)


def get_setting(settings: Settings, name: str) -> str:
    """Return a required setting. Raises `DeliveryFailed` (`config_incomplete`) if it is missing or empty."""
    value = settings.get(name, "").strip()
    if not value:
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    return value


def preview_of(compose: Callable[[Message], str]) -> Callable[[Settings, Message, OutboundClient], Preview]:
    """Return the `preview` of a channel that posts the JSON of `compose` to the address in its settings."""

    def preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
        get_setting(settings, "address")
        return preview_post(compose(message))

    return preview


def preview_post(body: str, headers: Mapping[str, str] = JSON_HEADERS, method: str = "POST") -> Preview:
    """Return the preview of a POST of JSON, or of another method. The caller has checked that no setting is missing."""
    return Preview(method, headers, (Part(JSON, body),))
