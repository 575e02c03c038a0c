"""The headers that a webhook's owner adds to every message: which are allowed, and how they are pasted and stored.

Source: RFC 9110 (field names and values, section 5; connection-specific fields, section 7.6.1).
"""

import re
import shlex
from collections.abc import Mapping

from webapp.channels.fields import SettingInvalid

MAX_HEADERS = 5
MAX_NAME = 64
MAX_VALUE = 2048

HOW_TO = "Enter one header per line, as Name: value."

# A token without ' and `, which come from a command or a file.
_NAME = re.compile(r"[!#$%&*+.^_|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_OPTION = re.compile(r"(?:-H|--header)(?=[\s='\"]|[A-Za-z])")
_QUOTED = re.compile(r"(['\"`])(.*)\1")
_LINE_BREAK = re.compile(r"\r\n|\n")

_CONNECTION = "It concerns the connection, which Alertcheck manages itself."
_MESSAGE = "It describes the message, which Alertcheck writes itself."
_METHOD = "Alertcheck sends by POST or PUT only: choose one in the field Method."

# The names that nobody may set, or how they begin, and why.
_REFUSED = {
    "accept-encoding": "Alertcheck does not read compressed responses.",
    "connection": _CONNECTION,
    "cookie": "Alertcheck does not take part in sessions. Enter a token in another header.",
    "cookie2": "Alertcheck does not take part in sessions. Enter a token in another header.",
    "expect": _CONNECTION,
    "host": "It always names the host of the address.",
    "http2-settings": _CONNECTION,
    "keep-alive": _CONNECTION,
    "te": _CONNECTION,
    "trailer": _CONNECTION,
    "transfer-encoding": _CONNECTION,
    "upgrade": _CONNECTION,
    # The operators of receivers recognize us by it, in their logs and in their firewalls.
    "user-agent": "It always names Alertcheck, so that the receiver's log shows who sent a message.",
    "x-http-method": _METHOD,
    "x-http-method-override": _METHOD,
    "x-method-override": _METHOD,
}
_REFUSED_STARTS = {
    "content-": _MESSAGE,
    "proxy-": _CONNECTION,
    "webhook-": "Alertcheck computes the headers webhook-id, webhook-timestamp and webhook-signature itself.",
}


def read_headers(text: str) -> dict[str, str]:
    """Return the headers in a text, by name. Raises `SettingInvalid`, which repeats no value.

    Accepts one header per line, and what people copy out of a curl command: `-H 'Name: value'`.
    """
    headers: dict[str, str] = {}
    used: set[str] = set()
    for number, line in enumerate(_list_lines(text), start=1):
        name, value = _read_line(line, f"Line {number}")
        if name.lower() in used:
            raise SettingInvalid(f"Line {number} has the name of a header above it. Enter each header once.")
        headers[name] = value
        used.add(name.lower())
    if len(headers) > MAX_HEADERS:
        raise SettingInvalid(f"These are {len(headers)} headers. Enter at most {MAX_HEADERS}.")
    return headers


def write_headers(headers: Mapping[str, str]) -> str:
    """Return the text that `read_headers` reads."""
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def list_names(text: str) -> list[str]:
    """Return the names of stored headers."""
    return [name for name, colon, _ in (line.partition(":") for line in text.splitlines()) if colon]


def has_authorization(text: str) -> bool:
    """Return whether stored headers contain Authorization."""
    return "authorization" in map(str.lower, list_names(text))


def may_be_set(name: str) -> bool:
    """Return whether a header of this name may be added: Alertcheck sets some itself, and never sends others."""
    return _find_refusal(name.strip().lower()) is None


def _list_lines(text: str) -> list[str]:
    """Return the lines with a header each. A line of curl's options may have several."""
    lines = [_unquote(line.strip(" \t")) for line in _LINE_BREAK.split(text)]
    return [header for line in lines if line for header in _split_options(line)]


def _unquote(line: str) -> str:
    quoted = _QUOTED.fullmatch(line)
    return quoted[2] if quoted else line


def _split_options(line: str) -> list[str]:
    if line.startswith("curl "):
        raise SettingInvalid(f"This is a whole command. Enter only its headers. {HOW_TO}")
    if not _OPTION.match(line):
        return [line]
    try:
        words = shlex.split(line.rstrip("\\"))
    except ValueError:
        raise SettingInvalid(f"A quotation mark in this text has no partner. {HOW_TO}") from None
    return list(_join_options(words))


def _join_options(words: list[str]) -> list[str]:
    """Return the values of the options -H and --header. Raises `SettingInvalid` for anything else."""
    headers = []
    rest = iter(words)
    for word in rest:
        value = next(rest, "") if word in ("-H", "--header") else _OPTION.sub("", word, count=1).removeprefix("=")
        if value == word:
            raise SettingInvalid(f"There is more than headers in this text. Remove the rest. {HOW_TO}")
        headers.append(value)
    return headers


def _read_line(line: str, where: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or name.lower() in ("http", "https"):
        raise SettingInvalid(f"{where} is not a header. {HOW_TO}")
    value = value.strip(" \t")
    _check_name(name, where)
    if not value:
        raise SettingInvalid(f"{where} has no value after the colon. {HOW_TO}")
    if not _VALUE.fullmatch(value):
        raise SettingInvalid(
            f"The value in {where.lower()} has a character that a header cannot have. Use letters, digits, "
            "punctuation and spaces of ASCII."
        )
    if len(value) > MAX_VALUE:
        raise SettingInvalid(f"The value in {where.lower()} is longer than {MAX_VALUE:,} characters.")
    return name, value


def _check_name(name: str, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise SettingInvalid(
            f"The name in {where.lower()} is not the name of a header: it may have letters, digits and hyphens, but no "
            f"space. {HOW_TO}"
        )
    if len(name) > MAX_NAME:
        raise SettingInvalid(f"The name in {where.lower()} is longer than {MAX_NAME} characters.")
    reason = _find_refusal(name.lower())
    if reason is not None:
        raise SettingInvalid(f"{where} has a header that cannot be set. {reason}")


def _find_refusal(name: str) -> str | None:
    starts = (reason for start, reason in _REFUSED_STARTS.items() if name.startswith(start))
    return _REFUSED.get(name) or next(starts, None)
