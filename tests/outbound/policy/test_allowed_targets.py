"""The URL checks on save and on send."""

import re
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.outbound.cases import cases
from webapp.failures import Code, DeliveryFailed
from webapp.outbound.policy.allowed_targets import Policy, check_url, find_problems
from webapp.outbound.policy.hostnames import parse_ip_address
from webapp.outbound.policy.public_networks import is_allowed
from webapp.outbound.policy.urls import Origin, read_url
from webapp.settings.private_receivers import PrivateReceivers

STRICT = Policy()
OPENED = Policy(opened_networks=(ip_network("10.0.0.0/8"), ip_network("fd12::/16")))
ON_PREMISES = Policy(trusted_origins=frozenset({Origin("http", "receiver.lan", 8080)}))


def outcome_of(url: str, policy: Policy = STRICT, hosts: tuple[str, ...] | None = None) -> Code | None:
    """Return the code that a URL is refused with, or None if it is accepted."""
    try:
        check_url(url, policy, hosts)
    except DeliveryFailed as failure:
        return failure.code
    return None


@pytest.mark.parametrize("case", cases("typed"))
def test_an_attack_by_url_gets_its_listed_outcome(case: dict[str, Any]) -> None:
    assert outcome_of(case["typed"]) == case["outcome"]


@pytest.mark.parametrize("case", cases("typed"))
def test_an_attack_by_url_gets_its_listed_outcome_although_another_workspace_has_a_network(
    case: dict[str, Any],
) -> None:
    other = PrivateReceivers({"harbor": OPENED.opened_networks}, frozenset({22, 80, 443, 445, 3306, 5432, 8443}))
    assert outcome_of(case["typed"], other.open_for("clinic", STRICT)) == case["outcome"]


@pytest.mark.parametrize("slug", ["harbor", "*"])
@pytest.mark.parametrize("case", cases("typed"))
def test_an_attack_by_url_gets_its_listed_outcome_although_its_workspace_has_a_network(
    case: dict[str, Any], slug: str
) -> None:
    own = PrivateReceivers({slug: OPENED.opened_networks}).open_for("harbor", STRICT)
    assert outcome_of(case["typed"], own) == case.get("opened", case["outcome"])


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("HTTPS://Hooks.Example.COM.:443", "https://hooks.example.com/"),
        ("https://hooks.example.com:/a%2Fb/../c?sig=%41", "https://hooks.example.com/a%2Fb/../c?sig=%41"),
        ("https://faß.example.com/x", "https://xn--fa-hia.example.com/x"),
        ("https://[2606:4700:0:0::1111]/x", "https://[2606:4700::1111]/x"),
    ],
)
def test_a_kept_url_is_canonical_up_to_the_path(typed: str, kept: str) -> None:
    assert check_url(typed, Policy()).url == kept


def test_a_kept_url_is_accepted_again_unchanged() -> None:
    kept = check_url("https://Faß.example.com:443/x?y", Policy()).url
    assert check_url(kept, Policy()).url == kept


def test_a_target_does_not_show_its_path() -> None:
    assert "canary" not in repr(check_url("https://hooks.example.com/canary?canary", Policy()))


def test_a_refusal_names_the_host_but_not_the_path() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        check_url("https://hooks.example.com:444/canary", Policy())
    assert caught.value.facts.host == "hooks.example.com"
    assert "canary" not in caught.value.message


@pytest.mark.parametrize("host", ["hooks.slack.com", "a.powerplatform.example.net", "a.b.powerplatform.example.net"])
def test_a_host_of_the_channel_is_accepted(host: str) -> None:
    assert outcome_of(f"https://{host}/x", hosts=("hooks.slack.com", "*.powerplatform.example.net")) is None


@pytest.mark.parametrize(
    "host",
    [
        "slack.com",
        "x.hooks.slack.com",
        "hooks.slack.com.evil.org",
        "powerplatform.example.net",
        "evilpowerplatform.example.net",
    ],
)
def test_any_other_host_is_not_expected(host: str) -> None:
    outcome = outcome_of(f"https://{host}/x", hosts=("hooks.slack.com", "*.powerplatform.example.net"))
    assert outcome is Code.HOST_NOT_EXPECTED


@pytest.mark.parametrize("hosts", [None, ("api.opsgenie.com",), ("hooks.slack.com",)])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://api.opsgenie.com/v2/alerts", "belongs to Opsgenie, which Atlassian ends on 5 April 2027."),
        ("https://api.eu.opsgenie.com/v2/alerts", "belongs to Opsgenie, which Atlassian ends on 5 April 2027."),
        ("https://acme.webhook.office.com/x", "connectors of Microsoft Teams, which Microsoft has retired."),
        ("https://outlook.office.com/Webhook/x", "connectors of Microsoft Teams, which Microsoft has retired."),
    ],
)
def test_nothing_is_sent_to_a_retired_service_and_the_failure_names_its_successor(
    url: str, words: str, hosts: tuple[str, ...] | None
) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        check_url(url, STRICT, hosts)
    assert caught.value.code is Code.HOST_NOT_EXPECTED
    assert words in caught.value.message


def test_the_administrator_may_trust_the_origin_of_a_retired_service() -> None:
    trusting = Policy(trusted_origins=frozenset({Origin("https", "api.opsgenie.com", 443)}))
    assert outcome_of("https://api.opsgenie.com/v2/alerts", trusting) is None


def test_an_empty_list_expects_no_host() -> None:
    assert outcome_of("https://hooks.example.com/x", hosts=()) is Code.HOST_NOT_EXPECTED


def test_a_trusted_origin_is_exempt_from_the_network_rules() -> None:
    assert outcome_of("http://receiver.lan:8080/x", ON_PREMISES, hosts=("hooks.slack.com",)) is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://receiver.lan/x", Code.SCHEME_NOT_ALLOWED),
        ("http://receiver.lan:8081/x", Code.SCHEME_NOT_ALLOWED),
        ("https://receiver.lan:8080/x", Code.PORT_NOT_ALLOWED),
        ("http://other.receiver.lan:8080/x", Code.SCHEME_NOT_ALLOWED),
        ("https://receiver.lan/x", Code.TARGET_NOT_ALLOWED),
    ],
)
def test_an_origin_similar_to_a_trusted_one_is_not_trusted(url: str, code: Code) -> None:
    assert outcome_of(url, ON_PREMISES) is code


@pytest.mark.parametrize("rest", ["/x y", "/x#y", "/\u00e9", "/" + "a" * 2048, "@receiver.lan:8080/x"])
def test_a_trusted_origin_is_not_exempt_from_the_syntax_rules(rest: str) -> None:
    assert outcome_of(f"http://receiver.lan:8080{rest}", ON_PREMISES) is Code.URL_INVALID


IN_A_NETWORK = Policy(trusted_origins=frozenset({Origin("http", "alert_receiver", 8080)}))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://alert_receiver:8080/x", None),
        ("http://Alert_Receiver:8080/x", None),
        ("https://alert_receiver/x", Code.TARGET_NOT_ALLOWED),
        ("https://alert_receiver.example.com/x", Code.TARGET_NOT_ALLOWED),
    ],
)
def test_a_host_with_an_underscore_is_accepted_only_as_a_trusted_origin(url: str, code: Code | None) -> None:
    assert outcome_of(url, IN_A_NETWORK) is code


def test_everything_that_is_wrong_with_a_target_is_listed() -> None:
    assert find_problems(read_url("http://192.168.0.214:8080/x"), STRICT, ("hooks.slack.com",)) == [
        Code.SCHEME_NOT_ALLOWED,
        Code.PORT_NOT_ALLOWED,
        Code.TARGET_NOT_ALLOWED,
        Code.HOST_NOT_EXPECTED,
    ]


def test_the_own_port_of_http_is_not_listed_beside_its_scheme() -> None:
    assert find_problems(read_url("http://hooks.example.com/x"), STRICT) == [Code.SCHEME_NOT_ALLOWED]


def test_networks_denied_by_the_administrator_are_refused() -> None:
    policy = Policy(denied_networks=(ip_network("11.0.0.0/24"),))
    assert outcome_of("https://11.0.0.1/x", policy) is Code.TARGET_NOT_ALLOWED
    assert outcome_of("https://11.0.1.1/x", policy) is None


def canonical(url: str) -> str | None:
    """Return the canonical form of an accepted URL, or None for a refused one."""
    try:
        return check_url(url, Policy()).url
    except DeliveryFailed:
        return None


@given(st.text())
def test_any_text_is_accepted_or_refused_without_another_error(text: str) -> None:
    assert canonical(text) is None or text.lower().startswith("https://")


@given(st.text(alphabet="0123456789abcdefx.:[]%@/\\?#-\u0661\uff11\u2460\u3002\u00ad\u200d\udcff", max_size=40))
def test_any_authority_is_accepted_only_as_a_public_host(authority: str) -> None:
    url = canonical(f"https://{authority}/x") or "https://refused.example.com/x"
    host = check_url(url, Policy()).host
    literal = parse_ip_address(host)
    assert "." in host or ":" in host
    assert literal is None or is_allowed(literal)


@given(st.ip_addresses())
def test_an_ip_address_is_accepted_exactly_when_the_table_allows_it(address: Any) -> None:
    host = f"[{address}]" if address.version == 6 else str(address)
    mapped = getattr(address, "ipv4_mapped", None)
    assert (outcome_of(f"https://{host}/") is None) == (is_allowed(address) and mapped is None)


@given(st.ip_addresses(v=4), st.sampled_from(["{:d}", "0x{:x}", "0{:o}"]))
def test_an_ip_address_written_as_one_number_is_always_refused(address: Any, spelling: str) -> None:
    assert outcome_of(f"https://{spelling.format(int(address))}/") is Code.TARGET_NOT_ALLOWED


@given(st.text(max_size=20), st.text(max_size=20))
def test_only_visible_ascii_is_kept(host: str, path: str) -> None:
    kept = canonical(f"https://a{host}.example.com/{path}") or ""
    assert re.fullmatch(r"[!-~]*", kept)


ON_8080 = replace(OPENED, opened_ports=frozenset({8080}))


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.5/x",
        "https://10.0.0.5/x",
        "http://[fd12::5]/x",
        "http://receiver/x",
        "http://Receiver./x",
        "https://receiver:80/x",
        "http://receiver:443/x",
        "http://alert_receiver/x",
        "http://receiver.lan/x",
        "http://receiver.internal/x",
        "http://receiver.local/x",
        "http://receiver.home.arpa/x",
        "http://receiver.monitoring.svc/x",
        "http://b\u00fcro.lan/x",
        "http://receiver.example.com/x",
        "https://hooks.example.com/x",
        "https://93.184.216.34/x",
    ],
)
def test_an_opened_network_may_have_names_of_its_own_and_http(url: str) -> None:
    assert outcome_of(url, OPENED) is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://11.0.0.5/x", Code.SCHEME_NOT_ALLOWED),
        ("http://93.184.216.34/x", Code.SCHEME_NOT_ALLOWED),
        ("https://93.184.216.34:80/x", Code.PORT_NOT_ALLOWED),
        ("http://10.0.0.5:8080/x", Code.PORT_NOT_ALLOWED),
        ("http://receiver.lan:22/x", Code.PORT_NOT_ALLOWED),
        ("https://hooks.example.com:8443/x", Code.PORT_NOT_ALLOWED),
        ("https://192.168.4.1/x", Code.TARGET_NOT_ALLOWED),
        ("https://[fd13::5]/x", Code.TARGET_NOT_ALLOWED),
        ("https://localhost/x", Code.TARGET_NOT_ALLOWED),
        ("https://receiver.localhost/x", Code.TARGET_NOT_ALLOWED),
        ("https://receiver.onion/x", Code.TARGET_NOT_ALLOWED),
        ("https://receiver.test/x", Code.TARGET_NOT_ALLOWED),
        ("https://5.0.0.10.in-addr.arpa/x", Code.TARGET_NOT_ALLOWED),
        ("https://metadata/x", Code.TARGET_NOT_ALLOWED),
        ("https://METADATA.google.internal./x", Code.TARGET_NOT_ALLOWED),
        ("https://instance-data/x", Code.TARGET_NOT_ALLOWED),
        ("https://_hook.example.com/x", Code.TARGET_NOT_ALLOWED),
        ("https://[::ffff:10.0.0.5]/x", Code.TARGET_NOT_ALLOWED),
        ("https://[64:ff9b::a00:5]/x", Code.TARGET_NOT_ALLOWED),
        ("https://[fd12::5%25eth0]/x", Code.TARGET_NOT_ALLOWED),
        ("https://167772165/x", Code.TARGET_NOT_ALLOWED),
        ("https://0x0a000005/x", Code.TARGET_NOT_ALLOWED),
        ("https://012.0.0.5/x", Code.TARGET_NOT_ALLOWED),
        ("https://10.5/x", Code.TARGET_NOT_ALLOWED),
        ("https://user@10.0.0.5/x", Code.URL_INVALID),
        ("gopher://10.0.0.5/x", Code.SCHEME_NOT_ALLOWED),
    ],
)
def test_an_opened_network_opens_nothing_else(url: str, code: Code) -> None:
    assert outcome_of(url, OPENED) is code


def test_the_ports_of_an_opened_network_are_the_listed_ones() -> None:
    assert outcome_of("http://10.0.0.5:8080/x", ON_8080) is None
    assert outcome_of("http://10.0.0.5/x", ON_8080) is Code.PORT_NOT_ALLOWED
    assert outcome_of("https://10.0.0.5/x", ON_8080) is Code.PORT_NOT_ALLOWED


def test_a_name_that_may_be_public_keeps_the_port_of_https() -> None:
    assert outcome_of("https://hooks.example.com/x", ON_8080) is None
    assert outcome_of("https://receiver.lan/x", ON_8080) is Code.PORT_NOT_ALLOWED


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.slack.com/x", Code.SCHEME_NOT_ALLOWED),
        ("https://hooks.slack.com:80/x", Code.PORT_NOT_ALLOWED),
        ("http://receiver.lan/x", Code.HOST_NOT_EXPECTED),
        ("http://chat.lan/x", None),
    ],
)
def test_a_service_with_hosts_of_its_own_stays_on_the_public_internet(url: str, code: Code | None) -> None:
    assert outcome_of(url, OPENED, hosts=("hooks.slack.com", "chat.lan")) is code


def test_a_denied_network_is_refused_although_it_is_opened() -> None:
    policy = replace(OPENED, denied_networks=(ip_network("10.1.0.0/16"),))
    assert outcome_of("http://10.1.0.5/x", policy) is Code.SCHEME_NOT_ALLOWED
    assert outcome_of("https://10.1.0.5/x", policy) is Code.TARGET_NOT_ALLOWED


def test_a_demo_sends_to_its_own_receiver_although_a_network_is_opened() -> None:
    policy = replace(OPENED, demo_receiver=Origin("http", "127.0.0.1", 8025))
    assert outcome_of("http://10.0.0.5/x", policy) is Code.DEMO_RECEIVER_ONLY
