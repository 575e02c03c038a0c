"""What a channel is: a value that describes itself (label, guide, fields), and functions that preview and send.

A channel's `send` returns an `Accepted` or raises `DeliveryFailed`, and nothing else.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from webapp.failures import EXPLANATIONS, Code, DeliveryFailed, describe
from webapp.outbound import HttpResponse, OutboundClient
from webapp.outbound.http.status_codes import raise_for_status
from webapp.outbound.policy.urls import check_url

Settings = Mapping[str, str]
"""A destination's decrypted settings: the name of a field to its value. The first field says where messages go."""

LONGEST_NAME = 200
"""Characters of a name that a message repeats, so that no name makes it too large for a channel."""

I_SEE_IT = "I see it"
"""What a message's link says."""


JSON = "application/json"
JSON_HEADERS = {"Content-Type": JSON}


class FieldKind(StrEnum):
    """How a field is asked for and shown."""

    ADDRESS = "address"  # a URL, secret as a whole: shown as host and fingerprint
    SECRET = "secret"  # noqa: S105 - never shown
    RECIPIENTS = "recipients"  # e-mail addresses: in full to admins only


class SettingInvalid(ValueError):
    """A field's value can't be used; the text is a sentence for the person who typed it, without the value."""


@dataclass(frozen=True)
class Field:
    """One setting of a channel; drives the form, the validation and the masking.

    check: returns the value to keep (trimmed, normalised) or raises `SettingInvalid`.
    """

    name: str
    label: str
    kind: FieldKind
    help: str
    check: Callable[[str, OutboundClient], str]
    required: bool = True


@dataclass(frozen=True)
class Message:
    """What is sent. Holds nothing secret but the link: the rest is stored as the delivery's payload.

    event_type: `alerts.test` for a test send.
    reference: the short code that the page shows too.
    message_id: the same for every attempt of one delivery.
    requested_by: who pressed, or the rule of a real alert.
    alert: what a real alert is about; None for a test send.
    receipt_link: where whoever sees the message can say so; None: nowhere.
    """

    event_type: str
    message_id: str
    reference: str
    workspace: str
    destination: str
    requested_by: str
    requested_at: datetime
    alert: str | None = None
    receipt_link: str | None = field(default=None, repr=False)

    @property
    def title(self) -> str:
        """Say in one line what this is about, and whose it is; a test says that it is one."""
        workspace = _on_one_line(self.workspace)
        if self.alert is not None:
            return f"{_on_one_line(self.alert)} ({workspace})"
        return f"[TEST] Test alert from {workspace}"

    @property
    def explanation(self) -> str:
        """Tell whoever reads it at the far end what to make of it."""
        if self.alert is not None:
            return "An alert rule of this workspace was met."
        return "Someone pressed Send test to see whether alerts arrive here. There is nothing to do."

    @property
    def facts(self) -> dict[str, str]:
        """Say where the message comes from: a label to what stands beside it, both on one line each."""
        return {
            "Workspace": _on_one_line(self.workspace),
            "Destination": _on_one_line(self.destination),
            "Sent by" if self.alert is None else "Rule": _on_one_line(self.requested_by),
            "Sent at": f"{self.requested_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            "Reference": self.reference,
        }


@dataclass(frozen=True)
class Accepted:
    """The far end's yes.

    status: its HTTP status or SMTP reply code.
    warning: our own sentence on what was not accepted ("1 of 3 recipients refused"), or None.
    """

    status: int
    warning: str | None = None


@dataclass(frozen=True)
class Part:
    """A text of a message, exactly as it is sent. media_type: "application/json", "text/plain"."""

    media_type: str
    text: str

    @property
    def readable(self) -> str:
        """Say the same with room to read: JSON on many lines, its letters written out."""
        if self.media_type != JSON:
            return self.text
        return json.dumps(json.loads(self.text), indent=2, ensure_ascii=False)


@dataclass(frozen=True)
class Preview:
    """What would be sent, composed as `send` composes it. Where to is left to whoever shows it: that is secret.

    verb: how it is handed over ("POST").
    headers: those that say something of the message; of a secret one, our own words on how it is made.
    """

    verb: str
    headers: Mapping[str, str]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Channel:
    """A kind of destination.

    label: the service's name ("Microsoft Teams").
    guide: how to get what the fields ask for, step by step, in the words of this service's own screens.
    accepted: what the page says of a sent message; claims no more than is known.
    after_accepted: what to do if nothing shows up at the far end although it was accepted.
    preview: raises `DeliveryFailed` where `send` would before it connects.
    hints: next steps in the words of this service's own screens, by code; the general ones apply otherwise.
    """

    label: str
    accepted: str
    after_accepted: str
    guide: tuple[str, ...]
    fields: tuple[Field, ...]
    preview: Callable[[Settings, Message, OutboundClient], Preview]
    send: Callable[[Settings, Message, OutboundClient], Accepted]
    hints: Mapping[Code, str] = field(default_factory=dict)


def get_setting(settings: Settings, name: str) -> str:
    """Return a setting that sending needs; raises `DeliveryFailed` (`config_incomplete`) if it is missing or empty."""
    value = settings.get(name, "").strip()
    if not value:
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE)
    return value


def preview_post(settings: Settings, body: str, headers: Mapping[str, str] = JSON_HEADERS) -> Preview:
    """Show a POST of JSON to the address that is set; raises `DeliveryFailed` if none is."""
    get_setting(settings, "address")
    return Preview("POST", headers, (Part(JSON, body),))


def check_address(text: str, outbound: OutboundClient, hosts: tuple[str, ...] | None = None) -> str:
    """Return the canonical form of an address that messages may be posted to; raises `SettingInvalid`.

    hosts: the host patterns of a service that has its own; None for any public host.
    """
    try:
        return check_url(text.strip(), outbound.policy, hosts).url
    except DeliveryFailed as failure:
        explanation = EXPLANATIONS[failure.code]
        raise SettingInvalid(f"{describe(failure.code)} {explanation.next_step}") from None


def require_2xx(response: HttpResponse, address: str, token: str | None = None) -> None:
    """Return for any 2xx; raises `DeliveryFailed` for every other status.

    token: the one word of the answer that the channel recognised, to be shown with the failure.
    """
    try:
        raise_for_status(response, urlsplit(address).hostname)
    except DeliveryFailed as failure:
        facts = replace(failure.facts, token=token)
        raise DeliveryFailed(failure.code, facts, retry_after=failure.retry_after) from None


def _on_one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:LONGEST_NAME]
