"""Secrets that are recognised wherever they turn up, however they are written, whole or cut in half."""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import ascii_letters, digits

from tests.end_to_end.scenario_runner import Stage

SHOWN = 40
"""Bytes shown on both sides of a find."""


def _random(length: int) -> str:
    return "".join(secrets.choice(ascii_letters + digits) for _ in range(length))


def _marker() -> str:
    # The + is what careful spellings escape; addresses, mailboxes and Base64 take it as it is.
    return f"{_random(5)}+{_random(5)}"


@dataclass(frozen=True)
class Flock:
    """Canaries that all begin alike and all end alike, so that one search finds every one of them, and either half.

    A canary has 32 characters: 24 bytes in Base64, which is what a signing secret has to be.
    """

    head: str = field(default_factory=_marker)
    tail: str = field(default_factory=_marker)

    def hatch(self) -> str:
        """Return a canary that there was not before."""
        return f"{self.head}{_random(10)}{self.tail}"

    def find_in(self, haystack: bytes) -> list[str]:
        """Return what was found: how it is spelled, and the bytes around it. Case does not matter."""
        needles = _spell(self.head) | _spell(self.tail) | _spell_key(self.head[:8]) | _spell_key(self.tail[-8:])
        lower = haystack.lower()
        return [
            f"{spelling}: {_around(haystack, lower.index(needle), len(needle))!r}"
            for needle, spelling in needles.items()
            if needle in lower
        ]


@dataclass(frozen=True)
class Canaries:
    """Two flocks, because an admin's pages may show recipients, and nothing else of what is secret."""

    secrets: Flock = field(default_factory=Flock)
    recipients: Flock = field(default_factory=Flock)

    def stage(self, environment: Mapping[str, str], channel: str = "webhook") -> Stage:
        """Return a stage whose every secret is a canary of its own."""
        return Stage(
            environment,
            channel,
            path=f"/services/{self.secrets.hatch()}?sig={self.secrets.hatch()}",
            signing_secret=f"whsec_{self.secrets.hatch()}",
            recipient=f"{self.recipients.hatch()}@example.com",
            password=self.secrets.hatch(),
        )


def _around(haystack: bytes, at: int, length: int) -> bytes:
    return haystack[max(0, at - SHOWN) : at + length + SHOWN]


def _plus_as(escape: str) -> Callable[[str], str]:
    return lambda text: text.replace("+", escape)


def _all_as(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(ord(character)) for character in text)


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "reversed": lambda text: text[::-1],
    "percent": _plus_as("%2b"),
    "percent throughout": _all_as("%{:02x}"),
    "percent twice": _plus_as("%252b"),
    "percent twice throughout": _all_as("%25{:02x}"),
    "JSON": _plus_as("\\u002b"),
    "JSON throughout": _all_as("\\u{:04x}"),
    "Python throughout": _all_as("\\x{:02x}"),
    "HTML": _plus_as("&#43;"),
    "HTML by name": _plus_as("&plus;"),
    "HTML in hex": _plus_as("&#x2b;"),
    "HTML throughout": _all_as("&#{};"),
    "HTML in hex throughout": _all_as("&#x{:x};"),
    "quoted-printable": _plus_as("=2b"),
    "hex": _all_as("{:02x}"),
    "hex with spaces": lambda text: text.encode().hex(" "),
    "UTF-16": _all_as("{:c}\0"),
    "Base64": lambda text: _base64(text, 0),
    "Base64 after one byte": lambda text: _base64(text, 1),
    "Base64 after two bytes": lambda text: _base64(text, 2),
    "URL-safe Base64": lambda text: _url_safe(_base64(text, 0)),
    "URL-safe Base64 after one byte": lambda text: _url_safe(_base64(text, 1)),
    "URL-safe Base64 after two bytes": lambda text: _url_safe(_base64(text, 2)),
}


def _base64(text: str, offset: int) -> str:
    """Encode what stands after `offset` other bytes, without the digits that depend on its neighbours."""
    encoded = base64.b64encode(bytes(offset) + text.encode()).decode()
    return encoded[-(-offset * 8 // 6) : (offset + len(text)) * 8 // 6]


def _url_safe(encoded: str) -> str:
    return encoded.replace("+", "-").replace("/", "_")


def _spell(marker: str) -> dict[bytes, str]:
    return {write(marker).lower().encode(): spelling for spelling, write in SPELLINGS.items()}


def _spell_key(quartets: str) -> dict[bytes, str]:
    """Spell the bytes that a part of a signing secret stands for."""
    key = base64.b64decode(quartets)
    by_python = "".join(repr(key[at : at + 1])[2:-1] for at in range(len(key)))
    spellings = {key: "decoded", key.hex().encode(): "decoded, in hex", by_python.encode(): "decoded, by Python"}
    return {needle.lower(): spelling for needle, spelling in spellings.items()}
