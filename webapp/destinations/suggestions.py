"""Offers an admin the value that a service suggests for a setting, and saves it once the admin agrees."""

from dataclasses import dataclass
from datetime import datetime

from webapp.channels import CHANNELS
from webapp.channels.fields import Field, FieldKind
from webapp.deliveries.attempts.suggestions import read_suggestion
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.destinations.editing import DestinationChanged, change_destination, read_settings
from webapp.destinations.form_versions import find_version
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.models import Account, AlertDelivery, AlertDestination, DeliveryStatus


@dataclass(frozen=True)
class Offer:
    """A suggested value for a field that is not secret."""

    field: Field
    value: str

    @property
    def button(self) -> str:
        """The words of the button that saves the value."""
        return f"Use the new {self.field.label.lower()} {self.value}"


def find_offer(destination: AlertDestination, test: AnyDelivery | None) -> Offer | None:
    """Return what a failed test offers for the settings that it was sent with; None if they were changed since."""
    if test is None or test.status is not DeliveryStatus.FAILED:
        return None
    suggestion, channel = read_suggestion(test), CHANNELS.get(destination.type)
    if suggestion is None or channel is None or test.settings_version != destination.settings_version:
        return None
    texts = (field for field in channel.fields if field.kind is FieldKind.TEXT)
    field = next((field for field in texts if field.name == suggestion.setting), None)
    return Offer(field, suggestion.value) if field else None


def accept_offer(
    destination: AlertDestination, account: Account, test: AlertDelivery, cipher: SettingsCipher, now: datetime
) -> Offer:
    """Save the value that a failed test offers, as the form would, and commit. Returns what was saved.

    Raises `DestinationChanged` if nothing is offered any longer, and `DestinationGone` if deleted meanwhile.
    """
    version, stored = find_version(destination), read_settings(destination, cipher)
    offer = find_offer(destination, test)
    if offer is None or not stored:
        raise DestinationChanged
    fields = CHANNELS[destination.type].fields
    typed = {field.name: "" if field.is_secret else stored.get(field.name, "") for field in fields}
    typed[offer.field.name] = offer.value
    change_destination(destination, account, None, typed, cipher, now, version=version)
    return offer
