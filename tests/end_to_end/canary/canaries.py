"""Canaries: secrets that a search recognizes in any encoding, whole or cut in half."""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import ascii_letters, digits

from tests.end_to_end.scenario_runner import OMITTED, ScenarioInputs

# Bytes shown on both sides of a match.
CONTEXT = 40


def _random(length: int) -> str:
    return "".join(secrets.choice(ascii_letters + digits) for _ in range(length))


def _marker() -> str:
    # Strict encodings escape the +; addresses, mailboxes and Base64 take it unchanged.
    return f"{_random(5)}+{_random(5)}"


@dataclass(frozen=True)
class CanaryFamily:
    """Canaries with the same beginning and the same end, so that one search finds all of them, and either half.

    A canary has 32 characters: 24 bytes in Base64, as a signing secret needs.
    """

    head: str = field(default_factory=_marker)
    tail: str = field(default_factory=_marker)

    def make_canary(self) -> str:
        """Return a new canary."""
        return f"{self.head}{_random(10)}{self.tail}"

    def find_in(self, content: bytes) -> list[str]:
        """Return the matches: the encoding of each, and the bytes around it. Case does not matter."""
        patterns = _spell(self.head) | _spell(self.tail) | _spell_key(self.head[:8]) | _spell_key(self.tail[-8:])
        lower = content.lower()
        return [
            f"{spelling}: {_around(content, lower.index(pattern), len(pattern))!r}"
            for pattern, spelling in patterns.items()
            if pattern in lower
        ]


@dataclass(frozen=True)
class Canaries:
    """Two families, because the pages of an admin may show recipients and no other secret."""

    secrets: CanaryFamily = field(default_factory=CanaryFamily)
    recipients: CanaryFamily = field(default_factory=CanaryFamily)

    def inputs(
        self, environment: Mapping[str, str], channel: str = "webhook", omitted: tuple[str, ...] = OMITTED[0]
    ) -> ScenarioInputs:
        """Return scenario inputs in which every secret is a canary of its own."""
        return ScenarioInputs(
            environment,
            channel,
            path=f"/services/{self.secrets.make_canary()}?sig={self.secrets.make_canary()}",
            signing_secret=f"whsec_{self.secrets.make_canary()}",
            recipient=f"{self.recipients.make_canary()}@example.com",
            header=self.secrets.make_canary(),
            password=self.secrets.make_canary(),
            omitted=omitted,
        )


def _around(content: bytes, at: int, length: int) -> bytes:
    return content[max(0, at - CONTEXT) : at + length + CONTEXT]


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
    """Encode text that follows `offset` other bytes, without the digits that depend on its neighbors."""
    encoded = base64.b64encode(bytes(offset) + text.encode()).decode()
    return encoded[-(-offset * 8 // 6) : (offset + len(text)) * 8 // 6]


def _url_safe(encoded: str) -> str:
    return encoded.replace("+", "-").replace("/", "_")


def _spell(marker: str) -> dict[bytes, str]:
    return {write(marker).lower().encode(): spelling for spelling, write in SPELLINGS.items()}


def _spell_key(quartets: str) -> dict[bytes, str]:
    """Return the spellings of the bytes that a part of a signing secret encodes."""
    key = base64.b64decode(quartets)
    by_python = "".join(repr(key[at : at + 1])[2:-1] for at in range(len(key)))
    spellings = {key: "decoded", key.hex().encode(): "decoded, in hex", by_python.encode(): "decoded, by Python"}
    return {pattern.lower(): spelling for pattern, spelling in spellings.items()}
