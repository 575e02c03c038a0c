"""The version of what the form of a destination shows, so that nobody replaces what they have not seen."""

import json
from hashlib import sha256

from webapp.models import AlertDestination


def find_version(destination: AlertDestination) -> str:
    """Return a text that changes with the name, the tags and the settings, and contains none of them."""
    shown = [destination.name, destination.tags, destination.settings_version]
    return sha256(json.dumps(shown).encode()).hexdigest()[:32]


def find_changeable(destination: AlertDestination, seen: str | None) -> str:
    """Return the only version that a form may change: the loaded one, with whose secrets it was checked.

    seen: the version that the form names, None for any. If that is another one, the result is no version at all: a form
    could name one that does not exist yet, and get the secrets that are stored with it.
    """
    loaded = find_version(destination)
    return loaded if seen in (None, loaded) else ""
