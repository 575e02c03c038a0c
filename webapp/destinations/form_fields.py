"""The fields of a destination's form: what each kind of setting is entered in, and how it is checked."""

from typing import Any

from markupsafe import Markup
from wtforms import Field as FormField
from wtforms import Form, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, TextArea, TextInput, html_params

from webapp.channels import check_setting
from webapp.channels.contract import Channel
from webapp.channels.fields import FLAG_ON, Field, FieldKind, SettingInvalid
from webapp.outbound import OutboundClient
from webapp.text.tags import TagsInvalid, read_tags


def _trim(value: str | None) -> str | None:
    """Remove surrounding whitespace, and NUL characters, which PostgreSQL cannot store."""
    return value.replace("\x00", "").strip() if value else value


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


def make_tags_field() -> StringField:
    """Return the field of a destination's tags."""
    return StringField(
        "Tags",
        [Length(max=400), _check_tags],
        filters=[_trim],
        description="Optional. Words to filter the list by, such as a team or a site, separated by commas.",
    )


def make_box(label: str, help_text: str) -> FlagField:
    """Return a checkbox that is not a setting of the channel."""
    return FlagField(label, [_check_box], description=help_text)


def _check_tags(form: Form, entry: FormField) -> None:
    try:
        entry.data = ", ".join(read_tags(entry.data or ""))
    except TagsInvalid as reason:
        raise ValidationError(str(reason)) from None


def _check_box(form: Form, box: FormField) -> None:
    if box.data not in ("", FLAG_ON):
        raise ValidationError("Tick the box, or leave it blank.")


def make_field(channel: Channel, field: Field, outbound: OutboundClient, is_stored: bool) -> Any:
    """Return the field of a channel's setting. is_stored: whether the destination has a value for it."""
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
