"""Reads what matters in a mail server's reply: its class, its enhanced code, and its words, which are never shown."""

import re

# A reply's code (-1 if it had no number) and its text, which may hold anything and is never shown.
Reply = tuple[int, bytes]

# Characters of a text in which words are looked for.
_MAX_TEXT = 4000

# At the start of a line (RFC 2034), also as Cisco writes it (#5.1.0), or in brackets, as qmail does (#5.7.1).
_ENHANCED_CODE = re.compile(rb"(?:^#?|\(#)([245]\.\d{1,3}\.\d{1,3})(?![\w.])", re.MULTILINE)
_LINE_START = re.compile(r"^#?[245]\.\d{1,3}\.\d{1,3}(?![\w.])", re.MULTILINE)
_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@]*|<[^<>]*>")


def get_reply_class(reply: Reply) -> int:
    """Return the first digit of the reply's code, or 0 if the code is not valid."""
    return reply[0] // 100 if 200 <= reply[0] < 600 else 0


def find_enhanced_code(reply: Reply) -> str | None:
    """Find the enhanced code (RFC 3463), the only part of the text that is ever shown.

    Of several codes, the first one whose class is that of the reply counts.
    """
    found = [code.decode() for code in _ENHANCED_CODE.findall(reply[1])]
    return next((code for code in found if code[0] == str(get_reply_class(reply))), found[0] if found else None)


def normalize_text(reply: Reply) -> str:
    """Return the words of the text on one line in lower case, without enhanced codes and addresses."""
    text = reply[1][:_MAX_TEXT].decode("latin-1").lower()
    return " ".join(_ADDRESS.sub(" ", _LINE_START.sub(" ", text)).split())
