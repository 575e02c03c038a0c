"""The host names that the pages respond to."""

import pytest

from webapp.settings.allowed_hosts import AllowedHosts, read_allowed_hosts


@pytest.mark.parametrize(
    "text",
    [
        "a.example.com,b.example.com",
        " A.Example.com , b.EXAMPLE.com. , ",
        "a.example.com b.example.com",
        "a.example.com\r\nb.example.com\r\n",
        "a.example.com,\n\tb.example.com,,",
        '"a.example.com", "b.example.com"',
    ],
)
def test_a_list_is_read_as_operators_write_it(text: str) -> None:
    assert read_allowed_hosts(text) == ("a.example.com", "b.example.com")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("alertcheck", "alertcheck"),
        ("10.0.0.5", "10.0.0.5"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_names_and_addresses_inside_a_network_are_read_in_canonical_form(text: str, host: str) -> None:
    assert read_allowed_hosts(text) == (host,)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("https://canary.example.com", "has a scheme: leave out https:// or http://."),
        ("https://me:canary@a.example.com/x", "has a scheme"),
        ("canary.example.com:8443", "has a port: leave it out."),
        ("canary.example.com/", "has a path: leave it out."),
        ("canary.example.com/alerts", "has a path"),
        ("*", "stands for several names"),
        ("*.canary.example.com", "stands for several names: list each name, or leave the setting empty for any name."),
        (".canary.example.com", "stands for several names"),
        ("[2001:db8::1]:8443", "has a port: leave it out."),
        ("canary_1.example.com", "has an underscore"),
        ("canary@example.com", "is not a host name."),
        ("['canary']", "is not a host name."),
        ("127.1", "is not a host name."),
        ("a..canary", "is not a host name."),
    ],
)
def test_an_entry_that_can_match_no_host_is_refused_with_its_problem(entry: str, problem: str) -> None:
    with pytest.raises(
        ValueError, match=r"^takes host names such as alertcheck\.example\.com; entry 2 (has|is|stands)"
    ) as caught:
        read_allowed_hosts(f"first.example.com, {entry}")

    assert f"entry 2 {problem}" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        *(
            ("Alertcheck.example.com", "alertcheck.EXAMPLE.com:8443"),
            ("alertcheck.example.com.", "alertcheck.example.com"),
        ),
        *(("alertcheck.example.com", "alertcheck.example.com."), ("bücher.example", "xn--bcher-kva.example")),
        *(("::1", "[::1]:8000"), ("[2001:db8::1]", "[2001:DB8:0:0::1]")),
    ],
)
def test_a_request_is_matched_however_its_host_is_written(entry: str, host: str) -> None:
    hosts = AllowedHosts(frozenset(read_allowed_hosts(entry)))

    assert hosts.include(host)
    assert not hosts.include("evil.example")
    assert not hosts.include("")
