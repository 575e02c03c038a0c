"""The version of what the form of a destination shows, so that nobody replaces what they have not seen."""

import json
from hashlib import sha256

from webapp.models import AlertDestination


def find_version(destination: AlertDestination) -> str:
    """Return a text that changes with the name, the tags and the settings, and contains none of them."""
    shown = [destination.name, destination.tags, destination.settings_version]
    return sha256(json.dumps(shown).encode()).hexdigest()[:32]
