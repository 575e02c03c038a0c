"""The sender of all email: an address, with or without the name that mail programs show."""

import re
from dataclasses import dataclass
from email.header import Header
from email.policy import EmailPolicy
from email.utils import formataddr
from typing import Self

from webapp.outbound.smtp.email_addresses import canonical_address, is_mail_address
from webapp.text.names import has_invisible

# Characters. Mail programs show fewer.
MAX_SENDER_NAME = 64

# Characters that fit on one line (RFC 5322, section 2.1.1).
_MAX_LINE = 78

_FORM = "has to be an email address, such as alerts@example.com or Alertcheck <alerts@example.com>."
_NAMED = re.compile(r'(?P<name>"(?:[^"\\]|\\.)*"|[^"<>]*)\s*<(?P<address>[^<>]*)>')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Sender:
    """address: plain, for MAIL FROM. name: for the header From; empty for none."""

    address: str
    name: str = ""


class FromHeader(str):
    """A header From that EmailMessage does not parse or fold: versions of Python do so differently, and with mistakes.

    EmailMessage leaves a value with a `name` and a `fold` as it is.
    """

    name = "From"

    def __new__(cls, sender: Sender) -> Self:
        """Make the header of a sender. Its text is what a person reads."""
        header = super().__new__(cls, f"{sender.name} <{sender.address}>" if sender.name else sender.address)
        header._sender = sender
        return header

    _sender: Sender

    def fold(self, *, policy: EmailPolicy) -> str:
        """Return the lines of the header in ASCII: the name quoted (RFC 5322) or encoded (RFC 2047)."""
        name, address = self._sender.name, self._sender.address
        if name.isascii():
            line = f"{self.name}: {formataddr((name, address))}"
            split = f"{policy.linesep} <".join(line.rsplit(" <", 1))
            return (line if len(line) <= _MAX_LINE else split) + policy.linesep
        encoded = Header(name, "utf-8", header_name=self.name).encode(linesep=policy.linesep)
        return f"{self.name}: {encoded}{policy.linesep} <{address}>{policy.linesep}"


def read_sender(text: str) -> Sender:
    """Read `address`, `name <address>` or `"name" <address>`. Raises ValueError with the rest of a sentence."""
    named = _NAMED.fullmatch(text)
    address = canonical_address((named["address"] if named else text).strip())
    if not is_mail_address(address):
        raise ValueError(_FORM)
    return Sender(address, _read_name(named["name"].strip()) if named else "")


def _read_name(text: str) -> str:
    """Return the name without quotation marks. What mail programs decode or hide is refused, not cleaned."""
    name = _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text
    if has_invisible(name):
        raise ValueError("has a name with an invisible character, such as a tab or a double blank. Type it again.")
    if "=?" in name:
        raise ValueError("has an encoded name. Write the name as people read it; Alertcheck encodes it.")
    if len(name) > MAX_SENDER_NAME:
        raise ValueError(f"has a name of more than {MAX_SENDER_NAME} characters.")
    return name
