"""The one rule for names of workspaces, destinations, accounts, rules and tenants.

A name is one line of visible characters, so that nobody can forge a line of a report, reverse the words around the
name, or give two things names that differ only in characters that nobody sees.
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import dropwhile

from idna.core import valid_contextj

# Characters of a name: those of its column, and few enough for the messages of every channel.
MAX_NAME_LENGTH = 200

# Format characters that are visible: Arabic, Syriac and Kaithi number signs.
_VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Characters without a glyph that Unicode does not call format characters (Default_Ignorable_Code_Point).
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2065\ufff0-\ufff8\U000e0000-\U000e001f\U000e0080-\U000e00ff"
_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = "\U000e0020-\U000e007f"
_REMOVED = re.compile(f"[{_FILLERS}\U000e01f0-\U000e0fff]")
# Blank to the eye, but not a space to Python.
_BLANK = "\u2800"
_SUSPICIOUS = re.compile(f"[{_FILLERS}{_SELECTORS}{_TAGS}\U000e01f0-\U000e0fff{_BLANK}]|  |^ | $")
_CONDITIONAL = re.compile(f"[\u200c\u200d{_SELECTORS}{_TAGS}]")

_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MONGOLIAN = re.compile("[\u1820-\u18aa]")
# Characters on each side of a joiner that decide about it.
_JOINING_CONTEXT = 10
_QUOTES = re.compile('[“”„‟"]')
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


class NameInvalid(ValueError):
    """The name cannot be used. The text is a sentence for the person who entered it."""


def read_name(text: str) -> str:
    """Return the cleaned name. Raises `NameInvalid` if it is empty or too long."""
    name = clean_name(text)
    if not name:
        raise NameInvalid("The name has no visible character. Enter a name.")
    if len(name) > MAX_NAME_LENGTH:
        raise NameInvalid(f"The name is too long. Use at most {MAX_NAME_LENGTH} characters.")
    return name


def clean_name(text: str) -> str:
    """Return the name on one line, in normal form C, without characters that nobody sees.

    Line breaks, control characters and all kinds of spaces become one space. Marks and overrides of the writing
    direction, zero-width, private-use and other invisible characters are removed, as are accents at the beginning,
    which would be drawn on what stands before the name. Joiners and selectors stay where they change what is seen:
    joiners inside Indic and Arabic words and inside an emoji, and variation selectors after their character.
    Unassigned characters stay, because another version of Unicode may know them, and they are not invisible.
    """
    if _is_clean(text):
        return text
    visible = _drop_ineffective("".join(map(_replace, unicodedata.normalize("NFC", text))))
    words = unicodedata.normalize("NFC", "".join(dropwhile(_is_unattached, visible))).split()
    return " ".join(words)


def has_invisible(text: str) -> bool:
    """Return whether a text, such as an email address, contains characters that `clean_name` would remove."""
    return clean_name(text) != " ".join(unicodedata.normalize("NFC", text).split(" ")).strip(" ")


def isolate_name(name: str) -> str:
    """Return a name for a plain text, such as a title: one written from right to left does not move its neighbors.

    In HTML, use `<bdi>` instead.
    """
    is_from_right = not name.isascii() and any(
        unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in name
    )
    return f"\u2068{name}\u2069" if is_from_right else name


def quote_name(name: str) -> str:
    """Return a cleaned name in quotation marks, which occur nowhere else in it, so that its end is certain."""
    without = _QUOTES.sub("'", clean_name(name))
    return f"“{without}”"


def quote_apart(name: str, limit: int | None = None) -> str:
    """Return a name so that neither its end nor the words around it can be mistaken. limit: its most characters."""
    shown = name if limit is None or len(name) <= limit else f"{name[: limit - 1].rstrip()}…"
    return isolate_name(quote_name(shown))


def _is_clean(text: str) -> bool:
    """Recognize nearly all names, quickly."""
    is_plain = text.isprintable() and not _SUSPICIOUS.search(text) and not _is_unattached(text[:1] or "x")
    return is_plain and unicodedata.is_normalized("NFC", text)


def _is_unattached(character: str) -> bool:
    """Return whether a character at the beginning is a space or a mark without a letter."""
    return character == " " or unicodedata.category(character).startswith("M")


def _replace(character: str) -> str:
    """Return what stands for a character, whatever is around it: itself, a space or nothing."""
    match unicodedata.category(character):
        case "Cc" | "Zs" | "Zl" | "Zp":
            return " "
        case "Cf" if character not in _VISIBLE_FORMATS and not _CONDITIONAL.match(character):
            return ""
        case "Cs" | "Co":
            return ""
        case "Cn" if _is_noncharacter(character):
            return ""
    return " " if character == _BLANK else _REMOVED.sub("", character)


def _is_noncharacter(character: str) -> bool:
    code = ord(character)
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def _drop_ineffective(text: str) -> str:
    """Drop the joiners, selectors and tags that change nothing where they stand."""
    flags = {at for flag in _FLAG.finditer(text) for at in range(*flag.span())}
    kept = ""
    for at, character in enumerate(text):
        if (
            at in flags
            or not _CONDITIONAL.match(character)
            or _has_effect(character, kept[-_JOINING_CONTEXT:], text[at + 1 : at + 1 + _JOINING_CONTEXT])
        ):
            kept += character
    return kept


def _has_effect(character: str, before: str, after: str) -> bool:
    return any(rule(character, before[-1:], after[:1]) for rule in _EFFECTS) or _joins_letters(character, before, after)


def _joins_emoji(character: str, before: str, after: str) -> bool:
    is_emoji_before = before == "\ufe0f" or _is_symbol(before) or bool(_SKIN_TONES.match(before))
    return character == "\u200d" and is_emoji_before and _is_symbol(after)


def _joins_letters(character: str, before: str, after: str) -> bool:
    """Check the rules of RFC 5892, appendices A.1 and A.2."""
    if character not in "\u200c\u200d":
        return False
    try:
        return valid_contextj(before + character + after, len(before))
    except ValueError:  # an unassigned character beside it
        return False


def _selects_emoji(character: str, before: str, after: str) -> bool:
    is_keycap = after == "\u20e3" and before in tuple("0123456789#*")
    return character in "\ufe0e\ufe0f" and (is_keycap or _is_symbol(before) or before in tuple("©®‼⁉ℹ〰"))


def _selects_glyph(character: str, before: str, _after: str) -> bool:
    if character < "\ufe00":
        return bool(_MONGOLIAN.match(before))
    return character >= "\U000e0100" and bool(_IDEOGRAPH.match(before))


def _is_symbol(character: str) -> bool:
    return character >= "\u2190" and unicodedata.category(character) in ("So", "Sm", "Cn")


_EFFECTS: tuple[Callable[[str, str, str], bool], ...] = (_joins_emoji, _selects_emoji, _selects_glyph)
