"""The destinations of the demo's workspaces, with the settings that lead them to the demo's receiver."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from webapp.channels import CHANNELS
from webapp.channels.fields import Field, FieldKind
from webapp.demo.drill_stories import STORIES
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.demo.seed_plan import Planned
from webapp.destinations.editing import insert_destination
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.models import Account, AlertDestination, Workspace

# How long ago the first destination was added: before its earliest test.
FIRST_ADDED = timedelta(days=31)


def add_destinations(
    workspace: Workspace,
    admin: Account,
    planned: Sequence[Planned],
    addresses: ReceiverAddresses,
    cipher: SettingsCipher,
    now: datetime,
    age: timedelta,
) -> list[tuple[AlertDestination, Planned]]:
    """Add destinations without tests. age: how long those that have a story exist. The caller commits."""
    return [
        (
            add_destination(
                *(workspace, plan, admin, addresses, cipher),
                now - (age if plan.name in STORIES else FIRST_ADDED) + timedelta(minutes=position),
            ),
            plan,
        )
        for position, plan in enumerate(planned)
    ]


def add_destination(
    workspace: Workspace,
    plan: Planned,
    admin: Account,
    addresses: ReceiverAddresses,
    cipher: SettingsCipher,
    at: datetime,
) -> AlertDestination:
    """Add one destination without tests. The caller commits."""
    settings = _make_settings(plan, addresses)
    return insert_destination(workspace, admin, plan.channel, plan.name, settings, cipher, at)


def _make_settings(plan: Planned, addresses: ReceiverAddresses) -> dict[str, str]:
    return {field.name: _make_value(field, plan, addresses) for field in CHANNELS[plan.channel].fields}


def _make_value(field: Field, plan: Planned, addresses: ReceiverAddresses) -> str:
    if field.kind is FieldKind.RECIPIENTS:
        return addresses.get_recipients(plan.to)
    if field is CHANNELS[plan.channel].target_field:
        service, _, scenario = plan.to.partition("/")
        return addresses.get_url(service, scenario, secrets.token_urlsafe(32))
    if field.generate:
        file = addresses.demo.signing_secret_file
        return file.read_text().strip() if file else field.generate()
    return plan.settings.get(field.name) or (
        secrets.token_hex(16) if field.is_secret and field.required else field.default
    )
