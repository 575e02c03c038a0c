"""Reads the domain that a person typed, by itself or within an address."""

from ipaddress import ip_address

from webapp.outbound.policy.hostnames import NotAHost, canonical_host, parse_ip_address

MAX_TYPED = 320


class DomainInvalid(ValueError):
    """What was typed is not a domain. The text is a sentence for the form."""


_NOT_A_DOMAIN = "Enter a domain or an email address, such as example.com or ada@example.com."
_AN_ADDRESS = "Enter a domain, not an IP address: mail is sent to domains."


def read_domain(text: str) -> str:
    """Return the domain of what was typed, in lower case and as A-labels. Raises `DomainInvalid`."""
    typed = text.strip().rpartition("@")[2].strip()
    if _is_ip_address(typed):
        raise DomainInvalid(_AN_ADDRESS)
    try:
        domain = canonical_host(typed)
        is_name = parse_ip_address(domain) is None and "." in domain
    except NotAHost:
        is_name = False
    if not is_name or len(text) > MAX_TYPED:
        raise DomainInvalid(_NOT_A_DOMAIN)
    return domain


def _is_ip_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
