"""Writes numbers of things for people."""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 route` or `2,000 routes`. plural: by default the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
