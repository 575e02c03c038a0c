"""Recognizes paths of our own pages, so that no request can lead a visitor to another site."""

from urllib.parse import urlsplit


def read_own_path(text: str) -> str | None:
    """Return a path of our own pages with its query, or None for everything else, such as another site's address."""
    # Browsers drop control characters and treat a backslash as a slash: "/\t/evil.example" opens evil.example.
    is_plain = text.isprintable() and " " not in text and "\\" not in text
    is_own = is_plain and text.startswith("/") and not text.startswith("//")
    return text if is_own else None


def find_path(url: str) -> str | None:
    """Return the path of an address without its query, or None if it is unreadable or leads elsewhere."""
    try:
        return read_own_path(urlsplit(url).path)
    except ValueError:
        return None
