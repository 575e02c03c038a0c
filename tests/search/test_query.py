"""What a typed or pasted text may mean."""

import pytest

from webapp.failures import Code
from webapp.search.query import MAX_LENGTH, SearchQuery, read_query


def terms(text: str) -> set[str]:
    return {f"{term.kind} {term.value}" for term in read_query(text).terms}


def hosts(text: str) -> set[str]:
    return {term.removeprefix("host ") for term in terms(text) if term.startswith("host ")}


@pytest.mark.parametrize(
    "text",
    [
        "hooks.example.com",
        "Hooks.Example.COM",
        " hooks.example.com ",
        "hooks.example.com.",
        "hooks.example.com:8443",
        "hooks.example.com/services/canary",
        "https://hooks.example.com/services/canary?sig=canary#part",
        "HTTPS://HOOKS.EXAMPLE.COM:443/services/canary",
        "http://hooks.example.com",
        "<https://hooks.example.com/services/canary>",
        "“https://hooks.example.com/services/canary”",
        "https://user:canary@hooks.example.com/services/canary",
        "curl -X POST 'https://hooks.example.com/services/canary' -d '{}'",
        "https://hooks.example.com/a\nb",
        "hooks\u200b.example.com",
        "It does not work: https://hooks.example.com/services/canary. Can you look?",
        "https://hooks.example.com/a https://other.example.com/b",
    ],
)
def test_the_host_of_a_pasted_address_is_read(text: str) -> None:
    assert "hooks.example.com" in hosts(text)


def test_an_international_host_is_compared_as_a_labels() -> None:
    assert hosts("https://MÜLLER.example/x") == {"xn--mller-kva.example"}
    assert hosts("müller.example") == {"xn--mller-kva.example"}


@pytest.mark.parametrize(("text", "host"), [("alert_receiver:8080", "alert_receiver"), ("localhost", "localhost")])
def test_a_name_inside_a_network_is_a_host_too(text: str, host: str) -> None:
    assert host in hosts(text)


@pytest.mark.parametrize("text", ["2001:db8::1", "[2001:DB8::1]", "https://[2001:db8:0::1]:8443/x"])
def test_an_ipv6_address_has_one_spelling(text: str) -> None:
    assert "2001:db8::1" in hosts(text)


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.com",
        "Ann@Example.COM",
        "<ann@example.com>",
        "mailto:ann@example.com",
        '"Night, Ann" <ann@example.com>',
        "ann@example.com;",
    ],
)
def test_a_recipient_is_read_as_it_is_pasted(text: str) -> None:
    assert "recipient ann@example.com" in terms(text)


def test_a_recipient_at_an_international_domain_is_compared_as_a_labels() -> None:
    assert "recipient ann@xn--mller-kva.example" in terms("ann@müller.example")


@pytest.mark.parametrize("text", ["example.com", "@example.com", "EXAMPLE.com"])
def test_a_domain_is_searched_among_recipients_too(text: str) -> None:
    assert "domain example.com" in terms(text)


@pytest.mark.parametrize("text", ["dns_not_found", "DNS not found", "dns-not-found", "Dns_Not_Found"])
def test_a_code_is_read_by_its_name_and_its_words(text: str) -> None:
    assert read_query(text).code is Code.DNS_NOT_FOUND


def test_a_part_of_a_code_is_no_code() -> None:
    assert read_query("dns").code is None


def test_words_are_compared_without_case() -> None:
    assert read_query("  Ticket  SYSTEM ").words == ("ticket", "system")


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\n\t"])
def test_nothing_visible_is_an_empty_query(text: str) -> None:
    assert read_query(text) == SearchQuery()
    assert read_query(text).is_empty


@pytest.mark.parametrize(
    "text", ["\0", "'; DROP TABLE x; --", "%", "_", "\ud800", "@", "://", "[", "x" * 9999, "a@b@c"]
)
def test_any_text_can_be_read(text: str) -> None:
    read_query(text)


def test_the_end_of_a_very_long_address_is_not_needed() -> None:
    assert "hooks.example.com" in hosts("https://hooks.example.com/" + "x" * 3 * MAX_LENGTH)


def test_a_query_does_not_show_what_was_typed() -> None:
    assert "canary" not in repr(read_query("https://hooks.example.com/services/canary"))
    assert "canary" not in repr(read_query("canary@example.com"))
