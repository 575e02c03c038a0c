"""Says before a test whom it pages, so that whoever sends it can confirm that."""

from webapp.channels import CHANNELS
from webapp.presses.eligibility import pages_people


def describe_paging(channel_name: str) -> str | None:
    """Return whom a test over this channel pages and what becomes of its incident, or None if it pages nobody."""
    if not pages_people(channel_name):
        return None
    channel = CHANNELS[channel_name]
    return f"This pages whoever is on call at {channel.label}. {channel.after_paging}"
