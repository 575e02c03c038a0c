"""Removes from a value what editors, shells and container engines leave around it."""

# Invisible characters that `str.strip` keeps: the byte order mark, and characters of zero width.
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_AROUND = _INVISIBLE + "".join(character for character in map(chr, range(0x3001)) if character.isspace())

# Quotation marks in pairs. `docker run --env-file` and Kubernetes keep them; Compose, systemd and shells remove them.
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’"}


def clean(text: str) -> str:
    """Return the value without blanks and invisible characters around it, and without one pair of quotation marks.

    Quotation marks that belong to a part of the value, such as a display name, are kept.
    """
    bare = text.strip(_AROUND)
    closing = _QUOTES.get(bare[:1])
    if closing is None or len(bare) < 2 or bare[-1] != closing or {bare[0], closing} & set(bare[1:-1]):
        return bare
    return bare[1:-1].strip(_AROUND)


def clean_name(name: str) -> str:
    """Return the name of a variable without a byte order mark, which some editors put at the start of a file."""
    return name.strip(_INVISIBLE)
