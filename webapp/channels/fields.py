"""Defines the settings of a channel: how each is entered, checked and shown."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from webapp.outbound import OutboundClient

# A destination's decrypted settings: field names to values.
Settings = Mapping[str, str]

# What checks a value: it returns the value to store (trimmed, normalized) or raises `SettingInvalid`.
Check = Callable[[str, OutboundClient], str]

# The value of a flag that is on. One that is off is blank, or missing if it was stored before the flag existed.
FLAG_ON = "yes"


class FieldKind(StrEnum):
    """How a field is entered and shown."""

    ADDRESS = "address"  # a URL, secret as a whole: shown as host and fingerprint
    SERVER = "server"  # the URL of a service's API, which is the same for everyone who uses it: no secret
    SECRET = "secret"  # noqa: S105 - never shown
    HEADERS = "headers"  # lines `Name: value`, secret: only the names are shown
    RECIPIENTS = "recipients"  # email addresses: in full to admins, masked to support, counted to viewers
    TEXT = "text"  # one line that is not secret, shown to everyone
    CHOICE = "choice"  # one of the field's `choices`, shown to everyone
    FLAG = "flag"  # a checkbox: `FLAG_ON` or blank, shown to everyone

    @property
    def is_target(self) -> bool:
        """Whether such a field determines the receiver."""
        return self in (FieldKind.ADDRESS, FieldKind.SERVER, FieldKind.RECIPIENTS)


class SettingInvalid(ValueError):
    """The value of a field cannot be used. The text is a sentence for the person who typed it, without any secret."""


@dataclass(frozen=True)
class Field:
    """One setting of a channel, which determines the form, the validation and the masking.

    generate: makes a new value of a secret that the receiver is then given; None if the value comes from the receiver.
    default: the value of a field that is not secret and is left blank. The form of a new destination shows it.
    choices: the values of a CHOICE, each with its words; the first one is the default.
    is_folded: whether a form folds it away with the others that few people need. The last fields of a channel.
    """

    name: str
    label: str
    kind: FieldKind
    help: str
    check: Check
    required: bool = True
    generate: Callable[[], str] | None = None
    default: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    is_folded: bool = False

    @property
    def is_secret(self) -> bool:
        """Whether no page shows the value again, not even to the person who typed it."""
        return self.kind in (FieldKind.ADDRESS, FieldKind.SECRET, FieldKind.HEADERS)

    @property
    def has_lines(self) -> bool:
        """Whether a value may have several lines."""
        return self.kind in (FieldKind.HEADERS, FieldKind.RECIPIENTS)

    @property
    def is_removable(self) -> bool:
        """Whether the form has a box that removes the stored value: a blank field keeps it."""
        return self.is_secret and not self.required

    @property
    def request(self) -> str:
        """The sentence for somebody who left the field blank."""
        label = self.label if self.label[:2].isupper() else f"{self.label[0].lower()}{self.label[1:]}"
        return f"Enter the {label}."


def check_flag(text: str, outbound: OutboundClient) -> str:
    """Return the value of a flag. Raises `SettingInvalid`."""
    if text not in ("", FLAG_ON):
        raise SettingInvalid("Tick the box, or leave it blank.")
    return text


def make_choice(name: str, label: str, help_text: str, choices: Mapping[str, str]) -> Field:
    """Return a field whose value is one of `choices`, by default the first one."""

    def check(text: str, outbound: OutboundClient) -> str:
        if text not in choices:
            raise SettingInvalid("Choose one of the options.")
        return text

    return Field(name, label, FieldKind.CHOICE, help_text, check, False, default=next(iter(choices)), choices=choices)


def fold(*fields: Field) -> tuple[Field, ...]:
    """Return the fields as a form folds them away."""
    return tuple(replace(field, is_folded=True) for field in fields)


def check_pattern(pattern: str, complaint: str) -> Check:
    """Return a check that strips the text and accepts what matches the whole pattern. complaint: a whole sentence."""
    compiled = re.compile(pattern)

    def check(text: str, outbound: OutboundClient) -> str:
        if not compiled.fullmatch(text.strip()):
            raise SettingInvalid(complaint)
        return text.strip()

    return check


def fill_in(typed: Settings, stored: Settings, fields: tuple[Field, ...]) -> dict[str, str]:
    """Return what was typed, with the stored value of each secret, and each required setting, that was left blank."""
    kept = {field.name: stored.get(field.name, "") for field in fields if field.is_secret or field.required}
    return {name: value or kept.get(name, "") for name, value in typed.items()}


def hide_secrets(settings: Settings, fields: tuple[Field, ...]) -> dict[str, str]:
    """Return the settings with words instead of each secret, for the preview of a message that contains secrets."""
    hidden = {field.name: f"({field.label}, not shown)" for field in fields if field.is_secret}
    return {name: hidden.get(name, value) if value else value for name, value in settings.items()}
