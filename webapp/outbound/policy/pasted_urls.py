"""Reads a web address as people paste it: wrapped, quoted, escaped, inside a command, or without its scheme.

Only forms clean what was pasted. `check_url` then checks the result, and it alone decides where messages may go.
"""

import re
import shlex
import unicodedata
from html import unescape
from itertools import pairwise
from urllib.parse import parse_qs, quote, unquote

# Characters that are read of a pasted text. An address that can be saved is much shorter.
MAX_PASTED = 8192

# Layers of quotes, brackets and escapes that are removed.
MAX_LAYERS = 8

_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))  # invisible, but a part of some names
_HARD_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u202f"))
_QUOTES = "\"'`´“”„‟‘’‚‛«»‹›"
_AROUND = f"{_QUOTES}<>*|"
_AFTER = f"{_AROUND}.,;"
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_ENTITY = re.compile(r"&(?:#[0-9]{1,4}|#[xX][0-9a-fA-F]{1,4}|amp|quot|apos|lt|gt|nbsp|sol|colon|equals|quest);")
_JSON_ESCAPE = re.compile(r"\\u00([0-9a-fA-F]{2})")
_NEEDLESS_BACKSLASH = re.compile(r"\\([/&?=%:_~])")
_LINE_BREAK = re.compile(r"[ \t]*[\r\n\v\f\x85\u2028\u2029]+[ \t]*")
_CURL = re.compile(r"(?:\$\s*)?curl\s")
_CONTINUED_LINE = re.compile(r"[\\^`]\s*[\r\n]+")
_OPTION_WITH_VALUE = re.compile(r"-[A-Za-z]*[AbcdeFHoTuxX]|--(?!url$)[a-z-]+")
_LINKS = (
    re.compile(r"\[[^\[\]]*\]\(\s*<?([^\s<>()]+)>?(?:\s+[\"'][^()]*)?\)"),  # Markdown
    re.compile(r"<([^|<>\s]+)\|[^<>]*>"),  # Slack
    re.compile(r"<a\s[^<>]*?href\s*=\s*[\"']?([^\"'<>\s]+)", re.IGNORECASE),  # HTML
)
_ADDRESS = re.compile(rf"https?://[^\s{_QUOTES}<>]+", re.IGNORECASE)
_LABEL = re.compile(r"[A-Za-z][A-Za-z _-]{0,30}[:=]\s+(?=\S)")
_ENCODED_SCHEME = re.compile(r"https?%3a%2f%2f", re.IGNORECASE)
_REPEATED_SCHEME = re.compile(r"^(?:https?://)+(?=https?://)", re.IGNORECASE)
_MISTYPED_SLASHES = re.compile(r"^(https?)(?::/|:/{3,}|//|:)(?=[^/:])", re.IGNORECASE)
_QUERY_AFTER_HOST = re.compile(r"^(https?://[^/?#\\@]+)\?", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"[^\s@:\\\[\]]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_SAFE_LINK = re.compile(r"https://[a-z0-9-]+\.safelinks\.protection\.(?:outlook\.com|office365\.us)/", re.IGNORECASE)
_OTHER_LETTERS = re.compile(r"[^\x00-\x7f\s…]+")
_PRINTABLE = frozenset(map(chr, range(0x20, 0x7F)))


def read_pasted(text: str) -> str:
    """Return the address in a pasted text, as its sender meant it. The result may still be no address at all."""
    address = _unwrap(_pick_address(_remove_invisible(text[:MAX_PASTED])))
    if _SAFE_LINK.match(address):  # Outlook replaces links in mail with its own
        address = _unwrap(parse_qs(address.partition("?")[2]).get("url", [address])[0])
    return _complete(_join_lines(address).translate(_HARD_SPACES))


def strip_wrapping(text: str) -> str:
    """Remove invisible characters, line breaks, and the spaces and quotes around a pasted text."""
    return _join_lines(_remove_invisible(text[:MAX_PASTED])).translate(_HARD_SPACES).strip().strip(_AROUND).strip()


def _remove_invisible(text: str) -> str:
    visible = "".join(c for c in text if c != "\0" and (unicodedata.category(c) != "Cf" or ord(c) in _JOINERS))
    without_joiners = visible.translate(_JOINERS)
    return (without_joiners if without_joiners.isascii() else visible).strip().strip("\u200c\u200d").strip()


def _pick_address(text: str) -> str:
    """Return the part of the text that is the address."""
    if _CURL.match(text):
        return _read_command(text) or text
    for pattern in _LINKS:
        found = pattern.search(text)
        if found is not None:
            return found[1]
    unescaped = _unwrap(_join_lines(text))
    addresses = _ADDRESS.findall(unescaped)
    if len(set(addresses)) == 1 and not unescaped.lower().startswith("http") and not _lacks_scheme(unescaped):
        return str(addresses[0])
    return _LABEL.sub("", unescaped, count=1) if _LABEL.match(unescaped) else unescaped


def _read_command(command: str) -> str | None:
    """Return the address in a curl command, which is an argument or the value of --url."""
    on_one_line = _CONTINUED_LINE.sub(" ", command).translate(dict.fromkeys(_HARD_SPACES, " "))
    try:
        words = shlex.split(on_one_line)
    except ValueError:
        words = on_one_line.split()
    for before, word in pairwise(words):
        address = word.removeprefix("--url=")
        if _ADDRESS.match(address) and not _OPTION_WITH_VALUE.fullmatch(before):
            return address
    return None


def _unwrap(text: str) -> str:
    """Remove what stands around an address, layer by layer, and undo the escapes inside it."""
    for _ in range(MAX_LAYERS):
        text = _unescape(text).strip().lstrip(_AROUND).rstrip(_AFTER).strip()
        text = _strip_brackets(text)
    return text


def _strip_brackets(text: str) -> str:
    if _HOST_AND_PORT.fullmatch(text):  # an IPv6 address
        return text
    if text.endswith(_BRACKETS.get(text[:1], "\0")):
        return text[1:-1]
    return text.removesuffix(")") if "(" not in text else text


def _unescape(text: str) -> str:
    """Undo the escapes of HTML, JSON and Markdown, and of an address that was percent-encoded as a whole."""
    text = _ENTITY.sub(lambda found: _keep_printable(unescape(found[0]), found[0]), text)
    text = _JSON_ESCAPE.sub(lambda found: _keep_printable(chr(int(found[1], 16)), found[0]), text)
    text = _NEEDLESS_BACKSLASH.sub(r"\1", text)
    return unquote(text) if _ENCODED_SCHEME.match(text) else text


def _keep_printable(character: str, escape: str) -> str:
    return character if character in _PRINTABLE | {"\u00a0"} else escape


def _join_lines(text: str) -> str:
    """Join the lines of a wrapped address. Lines that are addresses of their own stay apart."""
    lines = [line for line in _LINE_BREAK.split(text) if line]
    is_list = sum(bool(_ADDRESS.match(line)) for line in lines) > 1
    return (" " if is_list else "").join(lines)


def _complete(address: str) -> str:
    """Add what people leave out: the scheme, the slash before a query, and the percent-encoding of other letters."""
    address = _MISTYPED_SLASHES.sub(r"\1://", _REPEATED_SCHEME.sub("", address))
    if _lacks_scheme(address):
        address = f"https://{address.removeprefix('//')}"
    address = _QUERY_AFTER_HOST.sub(r"\1/?", address)
    scheme, slashes, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host}{slash}" + _OTHER_LETTERS.sub(lambda found: _percent_encode(found[0]), path)


def _lacks_scheme(address: str) -> bool:
    host = re.split(r"[/?#]", address.removeprefix("//"), maxsplit=1)[0]
    looks_like_host = "." in host.strip(".") or host.startswith(("[", "localhost"))
    return looks_like_host and _HOST_AND_PORT.fullmatch(host) is not None


def _percent_encode(text: str) -> str:
    return quote(text, errors="surrogatepass")
