"""Updates existing data of the demo to the names and ports that its receiver has now."""

from urllib.parse import urlsplit

from sqlalchemy import select

from webapp.channels import CHANNELS
from webapp.destinations.search_index import write_search_keys
from webapp.encryption.settings_cipher import SettingsUnreadable
from webapp.environment.demo_hosts import SERVICE_HOSTS
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.settings import AppSettings, Demo

# The hosts under which versions of the demo knew the receiver. Those of its wrong certificates stay.
_HOSTS = ("127.0.0.1", *SERVICE_HOSTS.values())

# The domains of earlier versions' recipients, each with what it is called now.
_DOMAINS = {"@oncall.invalid": "@oncall.demo.example", "@wards.invalid": "@wards.demo.example"}


def update_addresses(app_settings: AppSettings, demo: Demo) -> int:
    """Replace the old name or port of the receiver, and old recipients. Commits, and returns how many have changed."""
    updated = 0
    for destination in db.session.scalars(select(AlertDestination).where(AlertDestination.deleted_at.is_(None))):
        try:
            settings = app_settings.cipher.decrypt(destination.config, context=destination.encryption_context)
        except SettingsUnreadable:
            continue
        new = settings | _update_address(settings, destination.type, demo) | _update_recipients(settings)
        if new != settings:
            destination.config = app_settings.cipher.encrypt(new, context=destination.encryption_context)
            write_search_keys(destination, new, app_settings.cipher)
            updated += 1
    db.session.commit()
    return updated


def _update_address(settings: dict[str, str], channel_name: str, demo: Demo) -> dict[str, str]:
    if channel_name not in SERVICE_HOSTS or channel_name not in CHANNELS:
        return {}
    name = CHANNELS[channel_name].target_field.name
    address = settings.get(name, "")
    old = urlsplit(address)
    if old.hostname not in _HOSTS:
        return {}
    return {name: address.replace(f"{old.scheme}://{old.netloc}", demo.find_origin(channel_name), 1)}


def _update_recipients(settings: dict[str, str]) -> dict[str, str]:
    recipients = settings.get("recipients", "")
    for old, new in _DOMAINS.items():
        recipients = recipients.replace(old, new)
    return {"recipients": recipients} if recipients else {}
