"""The slug of a workspace, which stands in its addresses: what it may consist of, and one proposed from a name."""

import re
import unicodedata

MAX_LENGTH = 63

# If a name has no letter of the Latin alphabet and no digit.
FALLBACK = "workspace"


class InvalidSlug(Exception):
    """The text is no valid slug. The exception's text is the rule."""


def is_slug(text: str) -> bool:
    """Return whether a text may be a slug."""
    return re.fullmatch(r"[a-z0-9-]*[a-z0-9][a-z0-9-]*", text) is not None and len(text) <= MAX_LENGTH


def read_slug(text: str) -> str:
    """Return the slug if it is valid. Raises `InvalidSlug`."""
    if not is_slug(text):
        raise InvalidSlug(f"A slug has up to {MAX_LENGTH} lowercase letters, digits and hyphens.")
    return text


def propose_slug(name: str) -> str:
    """Return a slug such as "harbor-logistics": lowercase letters and digits without accents, and hyphens."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:MAX_LENGTH].strip("-") or FALLBACK
