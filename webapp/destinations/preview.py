"""Previews a test send. Writes no row and sends nothing."""

from datetime import datetime

from webapp.channels.contract import Preview
from webapp.deliveries import compose_preview, get_channel, open_settings
from webapp.models import Account, AlertDestination
from webapp.settings import AppSettings


def preview_test_send(
    destination: AlertDestination, workspace_slug: str, account: Account, app_settings: AppSettings, now: datetime
) -> Preview:
    """Compose the test send that this account would request now. Raises `DeliveryFailed` if it could not be sent."""
    channel, settings = get_channel(destination), open_settings(destination, app_settings)
    message = compose_preview(destination, account, app_settings, now)
    return channel.preview(settings, message, app_settings.outbound_for(workspace_slug))
