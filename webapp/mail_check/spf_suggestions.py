"""SPF records to copy: one for a domain that has none, and one that also allows the mail server."""

import re

from webapp.mail_check.answers import Address
from webapp.mail_check.sending_addresses import ServerFacts
from webapp.mail_check.spf_records import VERSION

_END = re.compile(r"\s[+?~-]?all(?=\s|$)|\sredirect=", re.IGNORECASE)

# Characters that one string of a TXT record holds. A longer record has to be split, which is left to people.
_MAX_STRING = 255


def suggest_record(server: ServerFacts) -> str:
    """Return a record that allows the mail server: by its addresses, or by its name if they are not known."""
    terms = name_addresses(server.public) or [f"a:{server.host}"]
    return f'"{VERSION} {" ".join(terms)} ~all"'


def extend_record(text: str, addresses: tuple[Address, ...]) -> str | None:
    """Return a record with terms for the addresses before its end; None if it gets too long for one string."""
    found = _END.search(text)
    end = found.start() if found else len(text)
    extended = f"{text[:end].rstrip()} {' '.join(name_addresses(addresses))}{text[end:]}"
    is_plain = extended.isascii() and extended.isprintable()
    return f'"{extended}"' if is_plain and len(extended) <= _MAX_STRING else None


def name_addresses(addresses: tuple[Address, ...]) -> list[str]:
    """Return the terms that allow addresses."""
    return [f"ip{address.version}:{address}" for address in addresses]
