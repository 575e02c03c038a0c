"""The private networks of each workspace, as the administrator allows them."""

import logging
from ipaddress import ip_network

import pytest

from tests.settings.test_reading import DEMO, NEEDED, read
from webapp.environment.settings_reader import Misconfigured
from webapp.outbound import Policy
from webapp.outbound.policy.opened_networks import DEFAULT_PORTS
from webapp.settings import AppSettings, read_settings

HARBOR = "harbor=10.0.0.0/8"


def policy_of(app_settings: AppSettings, slug: str) -> Policy:
    return app_settings.outbound_for(slug).policy


def test_each_workspace_gets_its_own_networks() -> None:
    app_settings = read(ALERTCHECK_ALLOWED_NETWORKS="harbor=10.0.0.0/8, clinic=192.168.4.0/24 harbor=fd12::/48\n")
    assert policy_of(app_settings, "harbor").opened_networks == (ip_network("10.0.0.0/8"), ip_network("fd12::/48"))
    assert policy_of(app_settings, "clinic").opened_networks == (ip_network("192.168.4.0/24"),)


@pytest.mark.parametrize("slug", ["other", "harbor-2", "harb", "HARBOR", "*", ""])
def test_a_workspace_without_an_entry_gets_none(slug: str) -> None:
    app_settings = read(ALERTCHECK_ALLOWED_NETWORKS=HARBOR, ALERTCHECK_ALLOWED_PORTS="8080")
    assert app_settings.outbound_for(slug).policy == app_settings.outbound.policy
    assert app_settings.outbound.policy.opened_networks == ()


def test_a_star_stands_for_every_workspace() -> None:
    app_settings = read(ALERTCHECK_ALLOWED_NETWORKS=f"*=192.168.4.1,{HARBOR}")
    assert policy_of(app_settings, "clinic").opened_networks == (ip_network("192.168.4.1"),)
    assert set(policy_of(app_settings, "harbor").opened_networks) == {
        ip_network("192.168.4.1"),
        ip_network("10.0.0.0/8"),
    }


def test_nothing_belongs_to_no_workspace() -> None:
    assert read(ALERTCHECK_ALLOWED_NETWORKS="*=10.0.0.0/8").outbound.policy.opened_networks == ()


@pytest.mark.parametrize(
    ("text", "ports"), [("", DEFAULT_PORTS), (" , ", DEFAULT_PORTS), ("8080 22,5432", {22, 5432, 8080})]
)
def test_the_ports_are_80_and_443_or_the_listed_ones(text: str, ports: set[int]) -> None:
    app_settings = read(ALERTCHECK_ALLOWED_NETWORKS=HARBOR, ALERTCHECK_ALLOWED_PORTS=text)
    assert policy_of(app_settings, "harbor").opened_ports == ports


@pytest.mark.parametrize("text", ["0", "65536", "80-90", "http", "80;443", "-1", "\u0661"])
def test_another_port_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_ALLOWED_PORTS takes a list of ports from 1 to 65535"):
        read(ALERTCHECK_ALLOWED_PORTS=text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10.0.0.0/8", "entry 1 has no slug of a workspace"),
        ("=10.0.0.0/8", "entry 1 has no slug of a workspace"),
        (f"{HARBOR},Clinic=10.0.0.0/8", "entry 2 has no slug of a workspace"),
        ("har*=10.0.0.0/8", "entry 1 has no slug of a workspace"),
        ("harbor=", "that of entry 1 is not a network"),
        ("harbor=receiver.lan", "that of entry 1 is not a network"),
        ("harbor=10.0.0.0/8=x", "that of entry 1 is not a network"),
        ("harbor=10.0.0.5/8", "that of entry 1 is an address inside a network"),
        ("harbor=0.0.0.0/0", "that of entry 1 is every address"),
        ("*=::/0", "that of entry 1 is every address"),
        (f"{HARBOR} *=127.0.0.0/8", r"that of entry 2 leads to the machine itself \(loopback\)"),
        ("harbor=::1", r"that of entry 1 leads to the machine itself \(loopback\)"),
        ("harbor=169.254.169.254", "that of entry 1 is link-local"),
        ("harbor=fe80::/10", "that of entry 1 is link-local"),
        ("harbor=100.100.100.200", "that of entry 1 is a service of a cloud"),
        ("harbor=fd00:ec2::254", "that of entry 1 is a service of a cloud"),
        ("harbor=168.63.129.16", "that of entry 1 is a service of a cloud"),
        ("harbor=224.0.0.0/4", "that of entry 1 is multicast"),
        ("harbor=255.255.255.255", "that of entry 1 is reserved or broadcast"),
        ("harbor=::ffff:10.0.0.0/104", "that of entry 1 is a second form of IPv4 addresses"),
        ("harbor=64:ff9b::/96", "that of entry 1 is a second form of IPv4 addresses"),
        ("harbor=93.184.216.0/24", "that of entry 1 is not a private network"),
    ],
)
def test_what_cannot_be_allowed_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(Misconfigured, match=rf"^ALERTCHECK_ALLOWED_NETWORKS .*{reason}") as caught:
        read(ALERTCHECK_ALLOWED_NETWORKS=text)
    assert "\n" not in str(caught.value)


OWN = {
    "DATABASE_URL": "postgresql://me:pw@10.0.0.3/alertcheck?hostaddr=fd12::3",
    "REDIS_URL": "redis://[fd12::4]:6380/0",
    "ALERTCHECK_MAIL_URL": "smtp://mail.lan",
    "ALERTCHECK_MAIL_FROM": "alerts@example.com",
    "ALERTCHECK_EGRESS_PROXY": "http://me:pw@10.0.0.5:3128",
}
OWN_HOSTS = ("10.0.0.3", "fd12::3", "fd12::4", "mail.lan", "10.0.0.5")


def test_the_own_servers_are_those_of_the_settings() -> None:
    assert set(read(**OWN).outbound_for("harbor").policy.own_servers) == set(OWN_HOSTS)


def test_the_variables_of_postgresqls_client_count_too() -> None:
    servers = read(PGHOST="a.lan,/var/run", PGHOSTADDR="10.0.0.8, 10.0.0.9").outbound.policy.own_servers
    assert set(servers) == {"db.example", "queue.example", "a.lan", "10.0.0.8", "10.0.0.9"}


def test_what_has_no_address_is_no_own_server() -> None:
    local = {"DATABASE_URL": "sqlite:////var/lib/alertcheck.sqlite", "REDIS_URL": "unix:///run/valkey.sock?db=0"}
    assert read(**local).outbound.policy.own_servers == ()
    assert read(DATABASE_URL="postgresql:///alertcheck?host=/run/pg").outbound.policy.own_servers == ("queue.example",)


@pytest.mark.parametrize("address", ["10.0.0.3", "10.0.0.3/32", "fd12::3", "fd12::4", "10.0.0.5"])
def test_the_address_of_an_own_server_alone_cannot_be_allowed(address: str) -> None:
    with pytest.raises(
        Misconfigured, match=r"^ALERTCHECK_ALLOWED_NETWORKS cannot allow the address of Alertcheck's own"
    ):
        read(**OWN, ALERTCHECK_ALLOWED_NETWORKS=f"{HARBOR},clinic={address}")


@pytest.mark.parametrize("given", [{"DATABASE_URL": "postgresql:///?service=main"}, {"PGSERVICE": "main"}])
def test_a_database_whose_host_is_not_known_forbids_private_receivers(given: dict[str, str]) -> None:
    assert read(**given).outbound.policy.opened_networks == ()
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_ALLOWED_NETWORKS needs the host of the database"):
        read(**given, ALERTCHECK_ALLOWED_NETWORKS=HARBOR)


def test_the_own_servers_are_in_no_log_of_the_settings() -> None:
    assert "10.0.0.3" not in repr(read(**OWN).outbound)


def test_a_denied_network_stays_denied() -> None:
    app_settings = read(ALERTCHECK_ALLOWED_NETWORKS=HARBOR, ALERTCHECK_DENIED_NETWORKS="10.1.0.0/16")
    assert not policy_of(app_settings, "harbor").opens(ip_network("10.1.0.5")[0])
    assert policy_of(app_settings, "harbor").opens(ip_network("10.2.0.5")[0])


def test_a_public_demo_opens_nothing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        app_settings = read_settings(
            NEEDED
            | DEMO
            | {"DEMO_URL": "https://demo.example.com", "ALERTCHECK_ALLOWED_NETWORKS": f"*=10.0.0.0/8,{HARBOR}"}
        )
    assert policy_of(app_settings, "harbor").opened_networks == ()
    advice = [getattr(record, "advice", "") for record in caplog.records]
    assert "ALERTCHECK_ALLOWED_NETWORKS has no effect: a public demo sends to its own receiver only." in advice
