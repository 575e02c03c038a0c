"""Proposes the slug of a workspace, which stands in its addresses, from its name."""

import re
import unicodedata

MAX_LENGTH = 63

# If a name has no letter of the Latin alphabet and no digit.
FALLBACK = "workspace"


def propose_slug(name: str) -> str:
    """Return a slug such as "harbor-logistics": lowercase letters and digits without accents, and hyphens."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:MAX_LENGTH].strip("-") or FALLBACK
