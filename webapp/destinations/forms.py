"""Builds the form of a destination from the fields of its channel."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from markupsafe import Markup
from wtforms import Field as FormField
from wtforms import Form, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, TextArea, TextInput, html_params

from webapp.channels import CHANNELS, check_setting
from webapp.channels.contract import Channel
from webapp.channels.fields import FLAG_ON, Field, FieldKind, SettingInvalid, fill_in
from webapp.extensions import PageForm
from webapp.outbound import OutboundClient
from webapp.text.names import MAX_NAME_LENGTH, clean_name
from webapp.text.tags import TagsInvalid, read_tags


def _clean(value: str | None) -> str | None:
    return clean_name(value) if value else value


def _trim(value: str | None) -> str | None:
    """Remove surrounding whitespace, and NUL characters, which PostgreSQL cannot store."""
    return value.replace("\x00", "").strip() if value else value


# What stands before the name of a stored secret, in the name of the box that removes it.
REMOVE = "remove_"

LOST = "What you entered here was kept for 15 minutes. Enter it again."
NOT_BOTH = "Enter a new secret, or tick the box below to remove the stored one, but not both."


class WriteOnlyInput(TextInput):
    """A text input that never renders its value. `generated`: a new secret to render, which nobody typed."""

    def __call__(self, field: FormField, **attributes: Any) -> Markup:
        fixed = {"value": attributes.pop("generated", ""), "autocomplete": "off", "spellcheck": "false"}
        return super().__call__(field, **attributes | fixed)


class WriteOnlyTextArea(TextArea):
    """A text area that never renders its value."""

    def __call__(self, field: FormField, **attributes: Any) -> Markup:
        fixed = {"autocomplete": "off", "spellcheck": "false", "rows": "3"}
        parameters = html_params(**{"id": field.id, "name": field.name} | attributes | fixed)
        return Markup("<textarea {}></textarea>").format(parameters)


class FlagField(FormField):
    """A checkbox whose data is the value of a flag: blank if the box is not ticked."""

    widget = CheckboxInput()

    def process_data(self, value: Any) -> None:
        """Take the stored value."""
        self.data = value or ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what a browser submits: nothing for a box that is not ticked."""
        self.data = valuelist[0] if valuelist else ""

    def _value(self) -> str:
        return FLAG_ON


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
        settings = fill_in(self.read_settings(self.channel), kept, self.channel.fields)
        for name, complaint in self.channel.find_conflicts(settings).items():
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
    return frozenset({"name", "tags", *removable, *names})


def make_destination_form(
    channel: Channel, outbound: OutboundClient, stored: Mapping[str, str]
) -> type[DestinationForm]:
    """Build the form of a channel. stored: the destination's settings, empty for a new destination."""
    fields: dict[str, Any] = {}
    for field in channel.fields:
        fields[field.name] = _make_field(channel, field, outbound, bool(stored.get(field.name)))
        if field.is_removable and stored.get(field.name):
            label = f"Remove the stored {field.label.lower()}"
            fields[f"{REMOVE}{field.name}"] = FlagField(label, [_check_box], description="Nothing replaces it.")
    fields["tags"] = StringField(
        "Tags",
        [Length(max=400), _check_tags],
        filters=[_trim],
        description="Optional. Words to filter the list by, such as a team or a site, separated by commas.",
    )
    return type("ChannelForm", (DestinationForm,), {**fields, "channel": channel, "stored": stored})


def _check_tags(form: Form, entry: FormField) -> None:
    try:
        entry.data = ", ".join(read_tags(entry.data or ""))
    except TagsInvalid as reason:
        raise ValidationError(str(reason)) from None


def _check_box(form: Form, box: FormField) -> None:
    if box.data not in ("", FLAG_ON):
        raise ValidationError("Tick the box, or leave it blank.")


def _make_field(channel: Channel, field: Field, outbound: OutboundClient, is_stored: bool) -> Any:
    check = _check_with(channel, field, outbound)
    match field.kind:
        case FieldKind.FLAG:
            return FlagField(field.label, [check], description=field.help)
        case FieldKind.CHOICE:
            choices = dict(field.choices)
            return SelectField(field.label, [check], choices=choices, description=field.help, default=field.default)
        case FieldKind.SERVER | FieldKind.TEXT:
            presence = _require(field) if field.required and not field.default else Optional()
            filters = [_trim, lambda text: text or field.default]
            return StringField(field.label, [presence, check], filters, field.help, default=field.default)
    keeps_stored = field.is_secret and is_stored
    help_text = f"{field.help} Leave blank to keep the stored value." if keeps_stored else field.help
    validators = [_require(field) if field.required and not keeps_stored else Optional(), check]
    if field.is_secret:
        widget = WriteOnlyTextArea() if field.kind is FieldKind.HEADERS else WriteOnlyInput()
        return StringField(field.label, validators, [_trim], help_text, widget=widget)
    return TextAreaField(field.label, validators, [_trim], help_text)


def _require(field: Field) -> DataRequired:
    return DataRequired(field.request)


def _check_with(channel: Channel, field: Field, outbound: OutboundClient) -> Any:
    def check(form: Form, entry: FormField) -> None:
        try:
            entry.data = check_setting(channel, field, entry.data, outbound)
        except SettingInvalid as reason:
            raise ValidationError(str(reason)) from None

    return check
