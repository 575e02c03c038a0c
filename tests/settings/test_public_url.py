"""The address of the pages."""

import pytest

from webapp.settings.public_url import read_public_url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Alertcheck.Example.com./", "https://alertcheck.example.com"),
        ("HTTPS://alertcheck.example.com:443", "https://alertcheck.example.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_an_address_is_read_in_canonical_form(url: str, origin: str) -> None:
    assert read_public_url(url) == origin


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("canary", "has to begin with https:// or http://, such as https://alertcheck.example.com."),
        ("canary.example.com", "has to begin with https:// or http://"),
        ("//canary.example.com", "has to begin with https:// or http://"),
        ("ftp://canary.example", "has to begin with https:// or http://"),
        ("https:/canary.example", "has to begin with https:// or http://"),
        ("https://canary.example/alertcheck", "has a path. Alertcheck cannot be served under a path: give it a host"),
        ("https://canary.example//", "has a path."),
        ("https://me:canary@alertcheck.example.com", "has a user name or a password"),
        ("https://canary@alertcheck.example.com/x", "has a user name or a password"),
        ("https://alertcheck.example.com?canary", "has a query or a fragment"),
        ("https://alertcheck.example.com/?canary", "has a query or a fragment"),
        ("https://alertcheck.example.com/#canary", "has a query or a fragment"),
        ("https://*.canary.example", "has no valid host or port"),
        ("https://", "has no valid host or port"),
        ("https:///canary", "has"),
        ("https://canary:port", "has no valid host or port"),
        ("https://canary.example:99999", "has no valid host or port"),
        ("https://[canary", "has no valid host"),
        ("https://canary example.com", "has no valid host or port"),
    ],
)
def test_any_other_address_is_refused_with_its_problem(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"such as https://alertcheck\.example\.com\.$") as caught:
        read_public_url(url)

    assert str(caught.value).startswith(complaint)
    assert "canary" not in str(caught.value)
