"""Reads SPF records (RFC 7208, sections 4.5, 5, 6 and 12)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network

from webapp.mail_check.answers import quote_record

VERSION = "v=spf1"

# Characters. DNS answers of more than 512 bytes are already discouraged (RFC 7208, section 3.4).
MAX_LENGTH = 4096


class Qualifier(StrEnum):
    """What a match means."""

    PASS = "+"  # noqa: S105
    FAIL = "-"
    SOFTFAIL = "~"
    NEUTRAL = "?"


class Mechanism(StrEnum):
    """What an address is compared with."""

    ALL = "all"
    INCLUDE = "include"
    A = "a"
    MX = "mx"
    PTR = "ptr"
    IP4 = "ip4"
    IP6 = "ip6"
    EXISTS = "exists"


@dataclass(frozen=True)
class SpfTerm:
    """A mechanism of a record, as it is written in `text`.

    domain: of the mechanism; empty for the domain whose record it is. network: of ip4 and ip6.
    prefixes: the lengths for IPv4 and IPv6 of `a` and `mx`.
    """

    text: str
    qualifier: Qualifier
    mechanism: Mechanism
    domain: str = ""
    network: IPv4Network | IPv6Network | None = None
    prefixes: tuple[int, int] = (32, 128)

    @property
    def has_macro(self) -> bool:
        """Whether the domain depends on the mail (section 7)."""
        return "%" in self.domain


@dataclass(frozen=True)
class SpfRecord:
    """redirect: the domain whose record decides if no mechanism matches, or None."""

    terms: tuple[SpfTerm, ...]
    redirect: str | None = None

    @property
    def all_term(self) -> SpfTerm | None:
        """The first `all`, behind which nothing counts."""
        return next((term for term in self.terms if term.mechanism is Mechanism.ALL), None)


class SpfInvalid(ValueError):
    """A record has a term that nobody can read. `term` is that, and the text the rest of a sentence about it."""

    def __init__(self, term: str, reason: str) -> None:
        super().__init__(reason)
        self.term = quote_record(term)


_TERM = re.compile(r"(?P<qualifier>[+?~-])?(?P<name>[A-Za-z][A-Za-z0-9._-]*)(?P<rest>[:/].*)?", re.DOTALL)
_MODIFIER = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9._-]*)=(?P<value>.*)", re.DOTALL)
_PREFIXES = re.compile(r"(?P<domain>[^/]*)(?:/(?P<four>\d{1,3}))?(?://(?P<six>\d{1,3}))?")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}\.?")
_LOOKALIKE = re.compile(r"(?:v\s{0,3}=?\s{0,3})?spf", re.IGNORECASE)
_MACRO_DOMAIN = re.compile(r"[!-~]{1,253}")

_MISSPELLED = {"ip": "ip4", "ipv4": "ip4", "ipv6": "ip6", "inc": "include", "includes": "include", "host": "a"}


def select_spf_records(texts: Iterable[str]) -> list[str]:
    """Return those TXT records that are SPF records. Their version counts in any case."""
    return [text for text in texts if text.lower() == VERSION or text.lower().startswith(f"{VERSION} ")]


def find_lookalike(texts: Iterable[str]) -> str | None:
    """Return a TXT record that was meant as an SPF record, but does not begin like one."""
    return next(
        (text for text in texts if _LOOKALIKE.match(text.strip(" \"'")) and not select_spf_records([text])), None
    )


def parse_spf(text: str) -> SpfRecord:
    """Read an SPF record. Raises `SpfInvalid`, as a single unreadable term makes the whole record void."""
    if len(text) > MAX_LENGTH:
        raise SpfInvalid(text[:40], f"begins a record of more than {MAX_LENGTH} characters")
    terms: list[SpfTerm] = []
    modifiers: dict[str, str] = {}
    for word in text[len(VERSION) :].split(" "):
        modifier = _MODIFIER.fullmatch(word)
        if modifier:
            _add_modifier(modifiers, modifier["name"].lower(), modifier["value"], word)
        elif word:
            terms.append(_parse_term(word))
    return SpfRecord(tuple(terms), modifiers.get("redirect"))


def _add_modifier(modifiers: dict[str, str], name: str, value: str, word: str) -> None:
    """Add a modifier. Others than redirect and exp are ignored (section 6)."""
    if name in _MECHANISMS or name in _MISSPELLED:
        raise SpfInvalid(word, f"has an equals sign: write {_MISSPELLED.get(name, name)}: with a colon")
    if name not in ("redirect", "exp"):
        return
    if name in modifiers:
        raise SpfInvalid(word, f"is the second {name}=, and only one is allowed")
    modifiers[name] = _read_domain(value, word)


def _parse_term(word: str) -> SpfTerm:
    found = _TERM.fullmatch(word)
    name = found["name"].lower() if found else ""
    if found is None or name not in _MECHANISMS:
        meant = _MISSPELLED.get(name)
        raise SpfInvalid(word, f"is not an SPF mechanism: write {meant}" if meant else "is not an SPF mechanism")
    mechanism, qualifier = Mechanism(name), Qualifier(found["qualifier"] or "+")
    rest = found["rest"] or ""
    match mechanism:
        case Mechanism.ALL:
            if rest:
                raise SpfInvalid(word, "has something after “all”, which takes nothing")
            return SpfTerm(word, qualifier, mechanism)
        case Mechanism.IP4 | Mechanism.IP6:
            return SpfTerm(word, qualifier, mechanism, network=_read_network(mechanism, rest.removeprefix(":"), word))
        case Mechanism.A | Mechanism.MX:
            domain, prefixes = _read_prefixes(rest, word)
            return SpfTerm(word, qualifier, mechanism, domain, prefixes=prefixes)
        case Mechanism.PTR:
            return SpfTerm(word, qualifier, mechanism, _read_domain(rest[1:], word) if rest else "")
    if not rest.startswith(":"):
        raise SpfInvalid(word, "lacks a colon and a domain")
    return SpfTerm(word, qualifier, mechanism, _read_domain(rest[1:], word))


def _read_network(mechanism: Mechanism, text: str, word: str) -> IPv4Network | IPv6Network:
    kind, example = (IPv4Network, "IPv4") if mechanism is Mechanism.IP4 else (IPv6Network, "IPv6")
    try:
        network = ip_network(text, strict=False)
        if not re.fullmatch(r"[^/]+(?:/\d{1,3})?", text):  # Python also takes a netmask
            raise ValueError
    except ValueError:
        raise SpfInvalid(word, f"has no valid {example} address or network") from None
    if not isinstance(network, kind):
        other = Mechanism.IP6 if mechanism is Mechanism.IP4 else Mechanism.IP4
        raise SpfInvalid(word, f"has no {example} address: write {other}")
    return network


def _read_prefixes(rest: str, word: str) -> tuple[str, tuple[int, int]]:
    found = _PREFIXES.fullmatch(rest.removeprefix(":"))
    if found is None or (rest.startswith(":") and not found["domain"]):
        raise SpfInvalid(word, "has no valid domain or prefix length")
    four, six = int(found["four"] or 32), int(found["six"] or 128)
    if four > 32 or six > 128:
        raise SpfInvalid(word, "has a prefix length that is too large")
    return (_read_domain(found["domain"], word) if found["domain"] else ""), (four, six)


def _read_domain(text: str, word: str) -> str:
    if "%" in text and _MACRO_DOMAIN.fullmatch(text):
        return text
    if len(text) > 253 or not _DOMAIN.fullmatch(text):
        raise SpfInvalid(word, "has no valid domain")
    return text.lower().removesuffix(".")


_MECHANISMS = frozenset(Mechanism)
