"""Reads a test send's reference as people say, type and paste it."""

import re
import unicodedata

_PERMANENT_LINK = re.compile(r"/r/([A-Za-z0-9]{4,12})(?![A-Za-z0-9])")
_LABEL = re.compile(r"^(?:reference|ref)\b[.:#\s]*", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s._‐-―-]+")
_REFERENCE = re.compile(r"[0-9A-Z]{4,12}")
# As they are read aloud. Only references of the demo have these digits, and none has these letters.
_MISHEARD = str.maketrans("OIL", "011")


def read_reference(text: str) -> tuple[str, ...]:
    """Return the spellings of the reference in a text; nothing if it cannot be one."""
    link = _PERMANENT_LINK.search(text)
    spoken = link[1] if link else _LABEL.sub("", unicodedata.normalize("NFKC", text).strip())
    plain = _BETWEEN.sub("", spoken).upper()
    if not _REFERENCE.fullmatch(plain):
        return ()
    return tuple(dict.fromkeys((plain, plain.translate(_MISHEARD))))
