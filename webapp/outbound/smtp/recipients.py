"""Reads recipients as people type and paste them: lists, names beside addresses, `mailto:` links."""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from webapp.outbound.smtp.email_addresses import canonical_address, remove_repetitions

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
_STRONG_SEPARATORS = ";\n；"
_WEAK_SEPARATORS = ",，、"
_IN_BRACKETS = re.compile(r"<([^<>]*)>")
_QUOTED = re.compile(r'"[^"]*"')
_COMMENT = re.compile(r"\([^()]*\)")
_PROTECTED = (_QUOTED, _IN_BRACKETS, _COMMENT)
_MARKDOWN_LINK = re.compile(r"\[[^\]]*\]\((mailto:[^)\s]*)\)", re.IGNORECASE)
_MAILTO = re.compile(r"mailto:", re.IGNORECASE)
# What stands around an address in a sentence or in code. No plain address begins or ends with one of these.
_AROUND = ' "`[](){}<>:'
# A part of a name with a comma ("Desk, Night <night@example.com>"), but no address with a missing @.
_NAME_PART = re.compile(r"([^@<>.]|\.(?=\s|$))*")


def read_recipients(text: str) -> list[str]:
    """Return the addresses in their order, each mailbox once. A piece that is not an address is returned as it is."""
    clean = _MARKDOWN_LINK.sub(r"<\1>", _remove_invisible(text).translate(_QUOTES))
    entries = (entry for group in _split(clean, _STRONG_SEPARATORS) for entry in _split_names(group))
    return remove_repetitions([canonical_address(piece) for entry in entries for piece in _read_entry(entry)])


def _remove_invisible(text: str) -> str:
    """Remove characters without width, and replace all kinds of white space with a space or a line break."""
    lines = re.split(r"[\r\n\v\f\x85\u2028\u2029]+", text)
    return "\n".join("".join(map(_show, line)) for line in lines)


def _show(character: str) -> str:
    if character == "\t" or unicodedata.category(character) == "Zs":
        return " "
    return "" if unicodedata.category(character) == "Cf" else character


def _split(text: str, separators: str) -> Iterator[str]:
    """Split at separators outside of quotes and brackets. A quote or bracket that never ends protects nothing."""
    start = position = 0
    while position < len(text):
        if text[position] in separators:
            yield text[start:position]
            start = position + 1
        protected = next(filter(None, (pattern.match(text, position) for pattern in _PROTECTED)), None)
        position = protected.end() if protected else position + 1
    yield text[start:]


def _split_names(group: str) -> Iterator[str]:
    """Split at commas, except for a comma inside the name before an address in brackets."""
    name = ""
    for part in _split(group, _WEAK_SEPARATORS):
        if _NAME_PART.fullmatch(_QUOTED.sub("", part)) and part.strip():
            name += f"{part},"
        elif _IN_BRACKETS.search(part):
            yield name + part
            name = ""
        else:
            yield from name.split(",")
            yield part
            name = ""
    yield from name.split(",")


def _read_entry(entry: str) -> Iterator[str]:
    """Return the addresses of one entry: those in angle brackets, without the names beside them, or else each word."""
    outside = _COMMENT.sub(" ", _QUOTED.sub(" ", _IN_BRACKETS.sub(" ", entry)))
    if any(map(_clean, _IN_BRACKETS.findall(entry))):
        beside = [word for word in outside.split() if "@" in word]
        yield from filter(None, map(_clean, (*beside, *_IN_BRACKETS.findall(entry))))
    elif re.search(r'"@|<\s*>', entry):  # a quoted part before the @, which no plain address has, or no address at all
        yield entry.strip()
    else:
        yield from filter(None, map(_clean, _COMMENT.sub(" ", entry).split()))


def _clean(piece: str) -> str:
    """Return what is left of an address without its link and the marks around it."""
    address = piece.strip(_AROUND)
    if _MAILTO.match(address):
        address = unquote(re.split(r"[?|]", _MAILTO.sub("", address, count=1))[0])
    if address[:1] == "'" == address[-1:]:
        address = address[1:-1]
    return address.strip(_AROUND).rstrip(".")
