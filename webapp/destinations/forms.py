"""Builds the form of a destination from the fields of its channel."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from wtforms import Field as FormField
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from webapp.channels import CHANNELS
from webapp.channels.contract import Channel
from webapp.channels.fields import Field, fill_in
from webapp.destinations.form_fields import WriteOnlyInput, WriteOnlyTextArea, make_box, make_field, make_tags_field
from webapp.destinations.misdirected_secrets import MISDIRECTED, find_misdirected
from webapp.destinations.secret_names import list_secret_parts
from webapp.extensions import PageForm
from webapp.outbound import OutboundClient
from webapp.text.names import MAX_NAME_LENGTH, clean_name
from webapp.text.tags import read_tags


def _clean(value: str | None) -> str | None:
    return clean_name(value) if value else value


# What stands before the name of a stored secret, in the name of the box that removes it.
REMOVE = "remove_"

# The name of the field with the version of what an edited destination was when its form was filled, see `find_version`.
VERSION = "version"

LOST = "What you entered here was kept for 15 minutes. Enter it again."
IN_NAME = (
    "This name contains the address or a secret of the destination. Choose another name: everybody in the workspace "
    "sees it, and so does everybody who reads the messages."
)
IN_TAGS = (
    "One of these tags contains the address or a secret of the destination. Remove it: everybody in the workspace sees "
    "tags."
)
NOT_BOTH = "Enter a new secret, or tick the box below to remove the stored one, but not both."


class DestinationForm(PageForm):
    """The form with a destination's name; `make_destination_form` adds the fields of its channel.

    drafted: the secret fields that are blank because a draft keeps what was typed.
    lost: those of them whose draft is gone. They are invalid, even where a blank field would keep a stored secret.
    channel, stored: the channel, and the destination's settings, empty for a new destination.
    """

    drafted: Collection[str] = ()
    lost: Collection[str] = ()
    channel: Channel | None = None
    stored: Mapping[str, str] = MappingProxyType({})

    name = StringField(
        "Name",
        [
            DataRequired("Give the destination a name."),
            Length(max=MAX_NAME_LENGTH, message=f"Use at most {MAX_NAME_LENGTH} characters."),
        ],
        filters=[_clean],
        description="What your team calls this place, such as “Ops channel”.",
    )

    def check_field(self, name: str) -> FormField | None:
        """Validate one field and return it; None if the form has no such field."""
        field = None if name == "csrf_token" else self._fields.get(name)
        if field is not None:
            field.validate(self)
        return field

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate all fields."""
        is_valid: bool = super().validate(extra_validators)
        for name in self.lost:
            self[name].errors = (LOST,)
        for field in self:
            if is_typed(field) and f"{REMOVE}{field.name}" in self and self[f"{REMOVE}{field.name}"].data:
                field.errors = (NOT_BOTH,)
        self._check_together()
        return is_valid and not self.errors

    def _check_together(self) -> None:
        """Add what is wrong with the settings together, where each of them is valid."""
        if self.channel is None or self.errors:
            return
        removed = self.read_removed(self.channel)
        kept = {name: value for name, value in self.stored.items() if name not in removed}
        typed, fields = self.read_settings(self.channel), self.channel.fields
        for name in find_misdirected(typed, self.stored, removed, fields):
            self[name].errors = (MISDIRECTED,)
        settings = fill_in(typed, kept, fields)
        for name, complaint in self.channel.find_conflicts(settings).items():
            self[name].errors = (complaint,)
        secret = list_secret_parts(settings, fields)
        for name, complaint in (("name", IN_NAME), ("tags", IN_TAGS)):
            if secret.are_in(self[name].data):
                self[name].errors = (complaint,)

    def clear_errors(self, generated: Collection[str]) -> None:
        """Forget the errors of a form that is not to be saved yet, except of secrets that have to be entered again.

        Left blank, they would keep a stored secret without a word. generated: those that a new secret replaces.
        """
        kept = {*(field.name for field in self._list_typed_secrets()), *self.lost} - {*generated}
        for field in self:
            if field.name not in kept:
                field.errors = ()

    def list_withheld(self) -> list[str]:
        """Return the labels of invalid secrets that were submitted. A page without JavaScript does not show them."""
        return [field.label.text for field in self._list_typed_secrets() if field.errors]

    def read_valid_secrets(self) -> dict[str, str]:
        """Return the valid secrets that were submitted, by field."""
        return {field.name: str(field.data) for field in self._list_typed_secrets() if not field.errors}

    def _list_typed_secrets(self) -> list[FormField]:
        return [
            field for field in self if isinstance(field.widget, WriteOnlyInput | WriteOnlyTextArea) and is_typed(field)
        ]

    def is_folded(self, name: str) -> bool:
        """Check whether a field, or the box that removes its value, is one of those that few people need."""
        fields = self.channel.fields if self.channel else ()
        return any(field.is_folded and name in (field.name, f"{REMOVE}{field.name}") for field in fields)

    @property
    def is_unfolded(self) -> bool:
        """Whether one of the fields that few people need has an error or a value of its own, so that all are shown."""
        folded = [field for field in (self.channel.fields if self.channel else ()) if field.is_folded]
        return any(self[field.name].errors or self._has_own_value(field) for field in folded)

    def _has_own_value(self, field: Field) -> bool:
        values = (self.stored.get(field.name), self[field.name].data)
        return field.name in self.drafted or any(value not in (None, "", field.default) for value in values)

    def read_settings(self, channel: Channel) -> dict[str, str]:
        """Return the validated settings; a field left blank is an empty string."""
        return {field.name: str(self[field.name].data or "") for field in channel.fields}

    def read_tags(self) -> tuple[str, ...]:
        """Return the validated tags."""
        return read_tags(self["tags"].data or "")

    def read_removed(self, channel: Channel) -> frozenset[str]:
        """Return the fields whose stored secrets are to be removed."""
        boxes = {field.name: f"{REMOVE}{field.name}" for field in channel.fields}
        return frozenset(name for name, box in boxes.items() if box in self and self[box].data)


def is_typed(field: FormField) -> bool:
    """Check whether something was submitted in a field of text."""
    return any(text.replace("\x00", "").strip() for text in field.raw_data or ())


def list_shown_fields() -> frozenset[str]:
    """Return the names of the fields whose values pages may show again: secret in no channel."""
    fields = [field for channel in CHANNELS.values() for field in channel.fields]
    removable = {f"{REMOVE}{field.name}" for field in fields if field.is_removable}
    names = {field.name for field in fields} - {field.name for field in fields if field.is_secret}
    return frozenset({"name", "tags", VERSION, *removable, *names})


def make_destination_form(
    channel: Channel, outbound: OutboundClient, stored: Mapping[str, str]
) -> type[DestinationForm]:
    """Build the form of a channel. stored: the destination's settings, empty for a new destination."""
    fields: dict[str, Any] = {}
    for field in channel.fields:
        fields[field.name] = make_field(channel, field, outbound, bool(stored.get(field.name)))
        if field.is_removable and stored.get(field.name):
            label = f"Remove the stored {field.label.lower()}"
            fields[f"{REMOVE}{field.name}"] = make_box(label, "Nothing replaces it.")
    fields["tags"] = make_tags_field()
    return type("ChannelForm", (DestinationForm,), {**fields, "channel": channel, "stored": stored})
