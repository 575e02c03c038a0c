"""The command for the keys that encrypt destinations' settings."""

import click

from webapp.app_state import current_settings
from webapp.database.command_context import with_database
from webapp.destinations import key_rotation
from webapp.models import database_clock


@click.command("rotate-keys")
@with_database
def rotate_keys() -> None:
    """Encrypt every destination's settings with the first of ALERTCHECK_CONFIG_KEYS. Safe to repeat."""
    rotation = key_rotation.rotate_keys(current_settings().cipher, database_clock.now())
    click.echo(
        f"Re-encrypted: {rotation.rotated}. Already current: {rotation.current}. Unreadable: {rotation.unreadable}."
    )
    if rotation.unreadable:
        raise click.ClickException("Keep the old keys: no key in ALERTCHECK_CONFIG_KEYS decrypts these settings.")


COMMANDS = (rotate_keys,)
