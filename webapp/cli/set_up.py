"""The command that makes a set-up link."""

import click

from webapp.app_state import current_settings
from webapp.audit import COMMAND_LINE
from webapp.auth.set_up_links import is_new_installation, make_address, replace_link
from webapp.database.command_context import with_database
from webapp.extensions import db
from webapp.models import database_clock

FIRST = "The link makes the first account and workspace."
LATER = "The link makes whoever opens it an instance admin for one session."
NO_ADDRESS = (
    "Open this path at the address of your pages. Set ALERTCHECK_PUBLIC_URL to that address to get the whole link."
)


@click.command("setup-link")
@with_database
def setup_link() -> None:
    """Print a link that works once, for one hour. It makes the first account, or later an instance admin.

    An earlier link ends. The rights of the instance admin end with the session.
    """
    settings = current_settings()
    if settings.is_public_demo:
        raise click.ClickException("A public demo has no set-up link.")
    is_first = is_new_installation(db.session)
    token = replace_link(database_clock.now(), COMMAND_LINE)
    db.session.commit()
    click.echo(f"{FIRST if is_first else LATER} It works once, for one hour. An earlier link has ended.", err=True)
    if settings.links.public_url is None:
        click.echo(NO_ADDRESS, err=True)
    click.echo(make_address(token))


COMMANDS = (setup_link,)
