"""The domain that a person typed."""

import pytest

from webapp.mail_check.domains import DomainInvalid, read_domain


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("example.com", "example.com"),
        (" Example.COM. ", "example.com"),
        ("ada@example.com", "example.com"),
        ("ada@home@example.com", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "xn--bcher-kva.example"),
        ("_dmarc.example.com", "_dmarc.example.com"),
    ],
)
def test_a_domain_is_read_by_itself_and_from_an_address(typed: str, domain: str) -> None:
    assert read_domain(typed) == domain


@pytest.mark.parametrize(
    "typed",
    ["", "ada@", "localhost", "a b.example", "example..com", "a." * 130 + "com", "x" * 64 + ".com", "1.2.3", "é\0.com"],
)
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(DomainInvalid, match="Enter a domain or an email address"):
        read_domain(typed)


@pytest.mark.parametrize("typed", ["11.22.33.44", "ada@[11.22.33.44]", "2a00::1", "[::1]"])
def test_an_ip_address_is_refused_with_the_reason(typed: str) -> None:
    with pytest.raises(DomainInvalid, match="not an IP address"):
        read_domain(typed)
