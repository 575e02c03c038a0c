"""The search finds a canary in every encoding."""

import base64
import html
import json
import quopri
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.end_to_end.canary.canaries import CanaryFamily

Spelling = Callable[[str], str | bytes]


def _escape(form: str, text: str) -> str:
    return "".join(form.format(ord(character)) for character in text)


SPELLINGS: dict[str, Spelling] = {
    "plain": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "reversed": lambda canary: canary[::-1],
    "first half": lambda canary: canary[:16],
    "second half": lambda canary: canary[16:],
    "repr": lambda canary: repr(("GET", canary.encode())),
    "percent": lambda canary: quote(canary, safe=""),
    "percent, lower case": lambda canary: quote(canary, safe="").lower(),
    "percent throughout": lambda canary: _escape("%{:02X}", canary),
    "double percent": lambda canary: quote(quote(canary, safe=""), safe=""),
    "double percent throughout": lambda canary: quote(_escape("%{:02X}", canary)),
    "Base64": lambda canary: base64.b64encode(canary.encode()),
    "Base64 after 1 byte": lambda canary: base64.b64encode(f":{canary}".encode()),
    "Base64 after 2 bytes": lambda canary: base64.b64encode(f"::{canary}:".encode()),
    "Base64 after 70 bytes": lambda canary: base64.b64encode(f"{':' * 70}{canary}".encode()),
    "URL-safe Base64": lambda canary: base64.urlsafe_b64encode(f":{canary}".encode()),
    "hex": lambda canary: canary.encode().hex(),
    "upper-case hex": lambda canary: canary.encode().hex().upper(),
    "hex dump": lambda canary: canary.encode().hex(" "),
    "JSON": lambda canary: json.dumps({"address": canary}),
    "JSON for HTML": lambda canary: json.dumps(canary).replace("+", "\\u002B"),
    "JSON escapes throughout": lambda canary: _escape("\\u{:04X}", canary),
    "HTML": lambda canary: html.escape(f"<{canary}>"),
    "HTML, plus escaped": lambda canary: canary.replace("+", "&#43;"),
    "HTML entities throughout": lambda canary: _escape("&#{};", canary),
    "HTML entities in hex": lambda canary: _escape("&#x{:X};", canary),
    "quoted-printable": lambda canary: quopri.encodestring(canary.encode(), quotetabs=True).replace(b"+", b"=2B"),
    "UTF-16": lambda canary: canary.encode("utf-16"),
    "Python escapes": lambda canary: _escape("\\x{:02x}", canary),
    "decoded key": base64.b64decode,
    "decoded key in hex": lambda canary: base64.b64decode(canary).hex(),
    "decoded key's repr": lambda canary: repr(base64.b64decode(canary)),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_canary_is_found_in_every_spelling(spell: Spelling) -> None:
    family = CanaryFamily()
    spelled = spell(family.make_canary())
    planted = spelled if isinstance(spelled, bytes) else spelled.encode()

    assert family.find_in(b"some words before, " + planted + b", and some behind") != []


def test_nothing_is_found_without_a_canary() -> None:
    assert CanaryFamily().find_in(b"A canary of another family: " + CanaryFamily().make_canary().encode()) == []


def test_a_match_shows_its_surroundings() -> None:
    family = CanaryFamily()

    found = family.find_in(f"address={family.make_canary()} status=404".encode())

    assert "address=" in found[0]
    assert len(found) == 2


def test_two_canaries_are_different() -> None:
    family = CanaryFamily()

    assert family.make_canary() != family.make_canary()
