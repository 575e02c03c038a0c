"""What a test send would contain if it were sent now. Writes no row and sends nothing."""

from datetime import datetime

from webapp.channels.contract import Preview
from webapp.deliveries import get_channel, make_sample, open_settings
from webapp.models import Account, AlertDestination
from webapp.settings import Config


def preview_test(destination: AlertDestination, account: Account, config: Config, now: datetime) -> Preview:
    """Compose the test send that this account would press now; raises `DeliveryFailed` if it could not be sent."""
    channel, settings = get_channel(destination), open_settings(destination, config)
    return channel.preview(settings, make_sample(destination, account, config, now), config.way_out)
