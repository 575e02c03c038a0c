"""Builds the form of a destination from the fields of its channel."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from wtforms import Field as FormField
from wtforms import Form, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, TextInput

from webapp.channels import CHANNELS, check_setting
from webapp.channels.contract import FLAG_ON, Channel, Field, FieldKind, SettingInvalid
from webapp.extensions import PageForm
from webapp.outbound import OutboundClient
from webapp.text.names import MAX_NAME_LENGTH, clean_name


def _clean(value: str | None) -> str | None:
    return clean_name(value) if value else value


def _trim(value: str | None) -> str | None:
    """Remove surrounding whitespace, and NUL characters, which PostgreSQL cannot store."""
    return value.replace("\x00", "").strip() if value else value


class WriteOnlyInput(TextInput):
    """A text input that never renders its value."""

    def __call__(self, field: FormField, **attributes: Any) -> Markup:
        return super().__call__(field, **attributes | {"value": "", "autocomplete": "off", "spellcheck": "false"})


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
    """The form with a destination's name; `make_destination_form` adds the fields of its channel."""

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

    def list_withheld(self) -> list[str]:
        """Return the labels of submitted secrets. The page never shows them again, so the user enters them again."""
        secrets = (field for field in self if isinstance(field.widget, WriteOnlyInput))
        return [field.label.text for field in secrets if any(text.strip() for text in field.raw_data or ())]

    def read_settings(self, channel: Channel) -> dict[str, str]:
        """Return the validated settings; a field left blank is an empty string."""
        return {field.name: str(self[field.name].data or "") for field in channel.fields}


def list_shown_fields() -> frozenset[str]:
    """Return the names of the fields whose values pages may show again: secret in no channel."""
    fields = [field for channel in CHANNELS.values() for field in channel.fields]
    return frozenset({"name", *(field.name for field in fields)} - {field.name for field in fields if field.is_secret})


def make_destination_form(
    channel: Channel, outbound: OutboundClient, stored: Mapping[str, str]
) -> type[DestinationForm]:
    """Build the form of a channel. stored: the destination's settings, empty for a new destination."""
    fields = {field.name: _make_field(channel, field, outbound, field.name in stored) for field in channel.fields}
    return type("ChannelForm", (DestinationForm,), fields)


def _make_field(channel: Channel, field: Field, outbound: OutboundClient, is_stored: bool) -> Any:
    if field.kind is FieldKind.FLAG:
        return FlagField(field.label, [_check_with(channel, field, outbound)], description=field.help)
    keeps_stored = field.is_secret and is_stored
    help_text = f"{field.help} Leave blank to keep the stored value." if keeps_stored else field.help
    is_required = field.required and not keeps_stored
    presence = DataRequired(f"Enter the {field.label[0].lower()}{field.label[1:]}.") if is_required else Optional()
    validators = [presence, _check_with(channel, field, outbound)]
    if field.is_secret:
        return StringField(field.label, validators, [_trim], help_text, widget=WriteOnlyInput())
    return TextAreaField(field.label, validators, [_trim], help_text)


def _check_with(channel: Channel, field: Field, outbound: OutboundClient) -> Any:
    def check(form: Form, entry: FormField) -> None:
        try:
            entry.data = check_setting(channel, field, entry.data, outbound)
        except SettingInvalid as reason:
            raise ValidationError(str(reason)) from None

    return check
