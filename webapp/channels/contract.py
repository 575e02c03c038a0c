"""Defines what a channel is: a value with a label, a guide and fields, and functions that preview and send.

A channel's `send` returns an `Accepted` or raises `DeliveryFailed`, and raises nothing else.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from webapp.channels.message import Message
from webapp.failures import Code, DeliveryFailed, Protocol, codes_of
from webapp.outbound import HttpResponse, OutboundClient
from webapp.outbound.http.classification import Words, check_response
from webapp.outbound.policy.hostnames import matches
from webapp.outbound.policy.send_targets import SendTarget
from webapp.outbound.policy.urls import Target

# A destination's decrypted settings: field names to values. The first field of a channel determines the receiver.
Settings = Mapping[str, str]

# The value of a flag that is on. One that is off is blank, or missing if it was stored before the flag existed.
FLAG_ON = "yes"

JSON = "application/json"
JSON_HEADERS = {"Content-Type": JSON}


class FieldKind(StrEnum):
    """How a field is entered and shown."""

    ADDRESS = "address"  # a URL, secret as a whole: shown as host and fingerprint
    SECRET = "secret"  # noqa: S105 - never shown
    RECIPIENTS = "recipients"  # email addresses: in full to admins, masked to support, counted to viewers
    FLAG = "flag"  # a checkbox: `FLAG_ON` or blank, shown to everyone


class SettingInvalid(ValueError):
    """The value of a field cannot be used. The text is a sentence for the person who typed it, without any secret."""


@dataclass(frozen=True)
class Field:
    """One setting of a channel, which determines the form, the validation and the masking.

    check: returns the value to store (trimmed, normalized) or raises `SettingInvalid`.
    generate: makes a new value of a secret that the receiver is then given; None if the value comes from the receiver.
    """

    name: str
    label: str
    kind: FieldKind
    help: str
    check: Callable[[str, OutboundClient], str]
    required: bool = True
    generate: Callable[[], str] | None = None

    @property
    def is_secret(self) -> bool:
        """Whether no page shows the value again, not even to the person who typed it."""
        return self.kind not in (FieldKind.RECIPIENTS, FieldKind.FLAG)


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
    """The message that `send` would send. It does not contain the receiver's address, which is secret.

    verb: the method of sending ("POST", "Mail").
    headers: the headers that describe the message. The value of a secret header is
        replaced by a description of how it is computed.
    """

    verb: str
    headers: Mapping[str, str]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Channel:
    """A kind of destination.

    label: the service's name ("Microsoft Teams").
    guide: how to get the values of the fields, step by step, in the words of the service's own screens.
    accepted: the page's words for an accepted message, which claim no more than is known.
    after_accepted: the next step if an accepted message is not visible at the receiver.
    targets: what a message would be sent to, for the limits on test sends. Raises nothing.
    preview: raises `DeliveryFailed` in every case where `send` would fail before it connects.
    hints: next steps by code, in the words of the service's own screens. They replace the general next steps.
    protocol: how messages are sent, which decides which failures can occur.
    hosts: the patterns of the service's own hosts, whose addresses belong to no other channel.
    pages_people: whether a message wakes somebody up, a test too. Then nobody without an account may send one.
    find_obstacle: why this installation cannot send over the channel yet, and who can change that; None if it can.
    is_retired: recognizes an address of the service that no longer works, and belongs to no other channel either.
    words: the words of the service for what went wrong, each with its code, whatever the status is.
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
    find_obstacle: Callable[[OutboundClient], str | None] = lambda outbound: None
    is_retired: Callable[[Target], bool] = lambda target: False
    words: Words = field(default_factory=dict)

    def owns(self, target: Target) -> bool:
        """Check whether the address belongs to this channel's service."""
        return matches(target.host, self.hosts) or self.is_retired(target)

    @property
    def codes(self) -> frozenset[Code]:
        """The codes that a delivery over this channel can end with."""
        return codes_of(self.protocol) - (frozenset() if self.hosts else {Code.HOST_NOT_EXPECTED})


def check_flag(text: str, outbound: OutboundClient) -> str:
    """Return the value of a flag. Raises `SettingInvalid`."""
    if text not in ("", FLAG_ON):
        raise SettingInvalid("Tick the box, or leave it blank.")
    return text


def get_setting(settings: Settings, name: str) -> str:
    """Return a required setting. Raises `DeliveryFailed` (`config_incomplete`) if it is missing or empty."""
    value = settings.get(name, "").strip()
    if not value:
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    return value


def preview_post(settings: Settings, body: str, headers: Mapping[str, str] = JSON_HEADERS) -> Preview:
    """Return the preview of a JSON POST. Raises `DeliveryFailed` if no address is set."""
    get_setting(settings, "address")
    return Preview("POST", headers, (Part(JSON, body),))


def read_response(
    response: HttpResponse, address: str, word: str | None = None, words: Words = MappingProxyType({})
) -> Accepted:
    """Return the acceptance, for any 2xx. Raises `DeliveryFailed` for every other response.

    word: the service's own word in this response, which decides before the status if `words` has it.
    """
    return Accepted(response.status, check_response(response, urlsplit(address).hostname, word, words))
