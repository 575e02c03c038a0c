"""Reads the address of the pages."""

from urllib.parse import urlsplit

from webapp.failures import DeliveryFailed
from webapp.outbound.policy.urls import read_url

_EXAMPLE = "such as https://alertcheck.example.com"


def read_public_url(text: str) -> str:
    """Return the canonical origin of the pages. Raises ValueError with the rest of a sentence about the setting."""
    try:
        target = read_url(text)
    except DeliveryFailed:
        target = None
    if target is None or target.path != "/":
        raise ValueError(_describe_problem(text))
    return f"{target.scheme}://{target.authority}"


def read_demo_url(text: str | None) -> str | None:
    """Return the canonical origin of a public demo, which has to be https. Raises ValueError like `read_public_url`."""
    if text is None:
        return None
    origin = read_public_url(text)
    if not origin.startswith("https://"):
        raise ValueError("has to begin with https://, such as https://demo.example.com.")
    return origin


def _describe_problem(text: str) -> str:
    """Return the rest of a sentence. It does not repeat the URL, which may hold a password."""
    if not text.lower().startswith(("https://", "http://")):
        return f"has to begin with https:// or http://, {_EXAMPLE}."
    try:
        parts = urlsplit(text)
    except ValueError:
        return f"has no valid host, {_EXAMPLE}."
    if "@" in parts.netloc:
        return f"has a user name or a password, which it cannot have: give the address of the pages, {_EXAMPLE}."
    if "?" in text or "#" in text:
        return f"has a query or a fragment: it has to end after the host or the port, {_EXAMPLE}."
    if parts.path not in ("", "/"):
        return f"has a path. Alertcheck cannot be served under a path: give it a host name of its own, {_EXAMPLE}."
    return f"has no valid host or port, {_EXAMPLE}."
