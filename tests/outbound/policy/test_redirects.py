"""The host of a redirect: named if a destination could be there, and never its path."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.channels.webhook_authentication import encode_basic
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.redirects import find_redirect_host
from webapp.outbound.policy.urls import Origin, read_url

OLD = read_url("https://old.example.com/hook/canary")
ON_PREMISES = Policy(trusted_origins=frozenset({Origin("http", "receiver_1", 8080)}))


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://new.example.com/hook/canary", "new.example.com"),
        ("HTTPS://New.Example.COM.:443/x", "new.example.com"),
        ("https://new.example.com", "new.example.com"),
        ("https://new.example.com?canary#x", "new.example.com"),
        ("http://new.example.com/x", "new.example.com"),
        ("https://faß.example.com/x", "xn--fa-hia.example.com"),
        ("//new.example.com/x", "new.example.com"),
        ("https://new.example.com:8443/x", "new.example.com"),
        ("/hook/canary/", "old.example.com"),
        ("canary", "old.example.com"),
        ("?canary", "old.example.com"),
        ("", "old.example.com"),
        ("https://93.184.216.34/x", "93.184.216.34"),
    ],
)
def test_a_public_host_is_named(location: str, host: str) -> None:
    assert find_redirect_host(location, OLD, Policy()) == host


@pytest.mark.parametrize(
    "location",
    [
        None,
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/x",
        "http://localhost/x",
        "http://intranet/x",
        "https://db.corp/x",
        "https://canary:canary@new.example.com/x",
        "https://receiver_1:8080/x",
        "http://2130706433/",
        "ftp://new.example.com/x",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https:///x",
        "https://",
        "https://new.example.com\\@10.0.0.1/",
        "\\\\new.example.com",
        f"https://{'a' * 64}.example.com/",
        "https://\udcff.example.com/",
    ],
)
def test_any_other_host_is_not_named(location: str | None) -> None:
    host = find_redirect_host(location, OLD, ON_PREMISES)
    assert host in (None, "new.example.com" if location and "\\@" in location else None)


def test_a_trusted_host_is_named() -> None:
    assert find_redirect_host("http://receiver_1:8080/canary", OLD, ON_PREMISES) == "receiver_1"


@given(st.text())
def test_any_location_is_named_or_not_without_an_error(location: str) -> None:
    host = find_redirect_host(location, OLD, Policy())
    assert host is None or "." in host


@pytest.mark.parametrize("location", ["https://receiver.lan/x", "//receiver.lan/x", "http://Receiver.LAN.:8080/x"])
def test_the_private_host_that_sent_the_redirect_is_named(location: str) -> None:
    opened = Policy(opened_networks=(ip_network("10.0.0.0/8"),))
    assert find_redirect_host(location, read_url("http://receiver.lan/x"), opened) == "receiver.lan"


@pytest.mark.parametrize("location", ["http://other.lan/x", "http://10.0.0.6/x", "http://169.254.169.254/x"])
def test_no_other_private_host_is_named_although_its_network_is_opened(location: str) -> None:
    opened = Policy(opened_networks=(ip_network("10.0.0.0/8"),))
    assert find_redirect_host(location, read_url("http://receiver.lan/x"), opened) is None


TOKEN = "0f1e2d3c-Abcd-4ef0-9123-456789abcdef"


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        (f"https://old.example.com/{TOKEN}", ""),
        (f"https://old.example.com/hook?key={TOKEN.replace('-', '%2D')}", ""),
        ("https://old.example.com/hook", f'Bearer {TOKEN} {{"text": "Test"}}'),
        ("https://old.example.com/hook", f"{encode_basic('ann', TOKEN)} {{}}"),
    ],
)
@pytest.mark.parametrize(
    "location",
    [
        f"https://{TOKEN}.old.example.com/",
        f"//{TOKEN.upper()}.example/hook",
        f"https://hook-{TOKEN}.example.com/",
        f"https://{TOKEN}-eu-1.example.com/",
        f"https://{TOKEN.replace('-', '')}.example.com/",
        f"https://{TOKEN[:20]}.example.com/",
    ],
)
def test_a_host_that_repeats_a_token_of_the_request_is_not_named(location: str, address: str, sent: str) -> None:
    assert find_redirect_host(location, read_url(address), Policy(), sent) is None


def test_a_host_whose_words_are_in_the_path_is_named() -> None:
    origin = read_url("https://old.example.com/services/alertmanager/hook")

    assert find_redirect_host("https://alertmanager.example.com/", origin, Policy()) == "alertmanager.example.com"


@pytest.mark.parametrize("sent", ["Basic =", "Basic AAAAA", "Basic /w=="])
def test_a_credential_that_is_not_base64_hides_no_host(sent: str) -> None:
    assert find_redirect_host("https://new.example.com/", OLD, Policy(), sent) == "new.example.com"


def test_the_host_that_sent_the_redirect_is_named_although_it_is_a_token() -> None:
    origin = read_url(f"https://{TOKEN}.example.com/{TOKEN}")

    assert find_redirect_host("/", origin, Policy()) == f"{TOKEN.lower()}.example.com"
    assert find_redirect_host(origin.url, origin, Policy()) == f"{TOKEN.lower()}.example.com"
