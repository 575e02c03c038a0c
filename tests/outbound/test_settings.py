"""The administrator's outbound settings, read from the environment."""

from base64 import b64encode
from ipaddress import ip_network
from pathlib import Path

import pytest

from webapp.environment.settings_reader import Misconfigured
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import Origin
from webapp.outbound.settings import read_policy


def test_an_environment_without_settings_allows_the_public_internet_only() -> None:
    assert read_policy({"ALERTCHECK_TRUSTED_ORIGINS": " , ", "ALERTCHECK_EGRESS_PROXY": ""}) == Policy()


def test_trusted_origins_are_read_in_canonical_form() -> None:
    policy = read_policy(
        {
            "ALERTCHECK_TRUSTED_ORIGINS": "HTTP://Receiver.LAN:8080/, https://chat.corp,http://[::1]:81,http://alert_receiver"
        }
    )
    assert policy.trusted_origins == {
        Origin("http", "receiver.lan", 8080),
        Origin("https", "chat.corp", 443),
        Origin("http", "::1", 81),
        Origin("http", "alert_receiver", 80),
    }


def test_denied_networks_are_read() -> None:
    policy = read_policy({"ALERTCHECK_DENIED_NETWORKS": "11.0.0.0/24, 2606:4700::/32,9.9.9.9"})
    assert policy.denied_networks == (ip_network("11.0.0.0/24"), ip_network("2606:4700::/32"), ip_network("9.9.9.9"))


def test_extra_hosts_are_grouped_by_channel() -> None:
    policy = read_policy(
        {"ALERTCHECK_EXTRA_HOSTS": "teams=Flows.example.com; slack=a.example.org ;teams=*.example.net;"}
    )
    assert policy.extra_hosts == {"teams": ("flows.example.com", "*.example.net"), "slack": ("a.example.org",)}


def test_a_proxy_is_read() -> None:
    policy = read_policy({"ALERTCHECK_EGRESS_PROXY": "http://proxy.lan:3128"})
    assert policy.proxy == Origin("http", "proxy.lan", 3128)


def test_the_user_name_and_the_password_of_a_proxy_are_read_for_its_header_only() -> None:
    policy = read_policy({"ALERTCHECK_EGRESS_PROXY": "http://c%40n:p%C3%A4%3Ass@Proxy.LAN.:3128/"})
    assert policy.proxy == Origin("http", "proxy.lan", 3128)
    assert policy.proxy_authorization == f"Basic {b64encode('c@n:pä:ss'.encode()).decode()}"
    assert "Basic" not in repr(policy)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALERTCHECK_TRUSTED_ORIGINS", "http://a.lan:8080 http://b.lan\r\n,"),
        ("ALERTCHECK_DENIED_NETWORKS", "11.0.0.0/24\n9.9.9.9,\t"),
        ("ALERTCHECK_EXTRA_HOSTS", "Teams = a.example.com,\r\nteams=b.example.com;"),
    ],
)
def test_a_list_may_have_blanks_and_line_breaks(name: str, value: str) -> None:
    policy = read_policy({name: value})
    entries = [*policy.trusted_origins, *policy.denied_networks, *policy.extra_hosts.get("teams", ())]
    assert len(entries) == 2


def test_a_refused_entry_of_a_list_is_counted() -> None:
    with pytest.raises(Misconfigured, match=r"such as http://receiver\.lan:8080; entry 2 has another form\.$"):
        read_policy({"ALERTCHECK_TRUSTED_ORIGINS": "http://a.lan, b.lan"})


@pytest.mark.parametrize("password", ["canary#b", "canary/b", "canary@b", "canary?b", "canary%b"])
def test_an_unencoded_password_of_a_proxy_is_refused_with_the_way_to_write_it(password: str) -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_EGRESS_PROXY cannot be read\. In a user name") as caught:
        read_policy({"ALERTCHECK_EGRESS_PROXY": f"http://me:{password}@proxy.lan:3128"})
    assert "canary" not in str(caught.value)


def test_an_authorities_file_is_read(ca_file: Path) -> None:
    assert read_policy({"ALERTCHECK_CA_FILE": str(ca_file)}).ca_file == str(ca_file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALERTCHECK_TRUSTED_ORIGINS", "receiver.lan:8080"),
        ("ALERTCHECK_TRUSTED_ORIGINS", "http://receiver.lan:8080/path"),
        ("ALERTCHECK_TRUSTED_ORIGINS", "http://receiver.lan:99999"),
        ("ALERTCHECK_TRUSTED_ORIGINS", "ftp://receiver.lan"),
        ("ALERTCHECK_TRUSTED_ORIGINS", "http://user:canary@receiver.lan"),
        ("ALERTCHECK_TRUSTED_ORIGINS", "http://*.lan"),
        ("ALERTCHECK_DENIED_NETWORKS", "11.0.0.1/24"),
        ("ALERTCHECK_DENIED_NETWORKS", "everything"),
        ("ALERTCHECK_DENIED_NETWORKS", "::ffff:11.0.0.0/120"),
        ("ALERTCHECK_EXTRA_HOSTS", "flows.example.com"),
        ("ALERTCHECK_EXTRA_HOSTS", "=flows.example.com"),
        ("ALERTCHECK_EXTRA_HOSTS", "teams=https://flows.example.com"),
        ("ALERTCHECK_EXTRA_HOSTS", "teams=*"),
        ("ALERTCHECK_EXTRA_HOSTS", "teams=flows.*.com"),
        ("ALERTCHECK_EGRESS_PROXY", "https://proxy.lan:3128"),
        ("ALERTCHECK_EGRESS_PROXY", "http://canary@proxy.lan:3128"),
        ("ALERTCHECK_EGRESS_PROXY", "http://:canary@proxy.lan:3128"),
        ("ALERTCHECK_EGRESS_PROXY", "http://a%3Ab:canary@proxy.lan:3128"),
        ("ALERTCHECK_EGRESS_PROXY", "http://proxy.lan:3128/canary"),
        ("ALERTCHECK_EGRESS_PROXY", "http://0x7f.1:3128?canary"),
        ("ALERTCHECK_EGRESS_PROXY", "http://:3128"),
        ("ALERTCHECK_EGRESS_PROXY", "proxy.lan"),
        ("ALERTCHECK_CA_FILE", "/nowhere/ca.pem"),
        ("ALERTCHECK_CA_FILE", __file__),
    ],
)
def test_a_bad_value_is_refused_with_a_sentence_that_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} (takes|names) .*\\.$") as caught:
        read_policy({name: value})
    assert "canary" not in str(caught.value)
