"""The names of the demo's receiver: they lead to it in a demo, and nowhere else."""

import ssl
from collections.abc import Iterator

import pytest
from cryptography import x509

from benchmarks.installation.scripted_server import listening
from tests.outbound.certificates import Issued, authority, issue, serving, write_pem
from tests.outbound.scripts import script_of
from tests.settings.test_reading import DEMO, read
from webapp.environment.demo_hosts import list_hosts
from webapp.environment.settings_reader import Misconfigured
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import OutboundClient
from webapp.outbound.policy.allowed_targets import Policy, check_url
from webapp.outbound.policy.urls import Origin, Route

HOST = "hooks.demo.example"
HOOK = f"https://{HOST}/webhook/works?canary"
MAIL = {
    "ALERTCHECK_DEMO_RECEIVER_SMTP": "smtp://127.0.0.1:8026",
    "ALERTCHECK_MAIL_URL": "smtp://mail.example.com",
    "ALERTCHECK_MAIL_FROM": "alerts@example.com",
}


@pytest.fixture(scope="module")
def own_authority() -> Issued:
    return authority("The demo's authority")


@pytest.fixture(scope="module")
def context(own_authority: Issued) -> ssl.SSLContext:
    return serving(issue(HOST, own_authority, names=[x509.DNSName(HOST)]))


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, own_authority: Issued) -> dict[str, str]:
    """The settings of a demo whose receiver has names."""
    return DEMO | {
        "ALERTCHECK_DEMO_RECEIVER_HTTPS": "https://127.0.0.1:8443",
        "ALERTCHECK_DEMO_CA_FILE": write_pem(tmp_path_factory.mktemp("authority"), own_authority),
    }


@pytest.fixture(scope="module")
def policy(named: dict[str, str]) -> Policy:
    """What such a demo may reach."""
    return read(**named).outbound.policy


@pytest.fixture
def client(named: dict[str, str], context: ssl.SSLContext) -> Iterator[OutboundClient]:
    """The outbound client of a demo whose receiver runs."""
    with listening(script_of("plain", {"status": 200}), context) as receiver:
        yield read(**named | {"ALERTCHECK_DEMO_RECEIVER_HTTPS": f"https://127.0.0.1:{receiver.port}"}).outbound


def test_a_name_leads_to_the_receiver_with_its_certificate_checked(client: OutboundClient) -> None:
    assert client.post(HOOK, b"{}", {}).status == 200


def test_a_name_without_a_matching_certificate_is_refused(client: OutboundClient) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        client.post("https://slack.demo.example/", b"{}", {})
    assert refused.value.code is Code.TLS_HOSTNAME_MISMATCH


def test_every_name_leads_to_the_receiver_and_nothing_else_does(policy: Policy) -> None:
    assert policy.demo_routes == {Origin("https", host, 443): Route("127.0.0.1", 8443) for host in list_hosts()}


@pytest.mark.parametrize(
    "url",
    [
        f"https://{HOST}:8443/",
        f"http://{HOST}/",
        f"http://{HOST}:443/",
        "https://demo.example/",
        "https://other.demo.example/",
        f"https://{HOST}.example.com/",
        "https://127.0.0.1:8443/",
        "https://localhost:8443/",
        "https://hooks.example.com/",
    ],
)
def test_no_similar_address_leads_to_the_receiver(policy: Policy, url: str) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        check_url(url, policy)
    assert refused.value.code is Code.DEMO_RECEIVER_ONLY


def test_the_plain_address_of_the_receiver_still_works(named: dict[str, str]) -> None:
    outbound = read(**named, ALERTCHECK_TRUSTED_ORIGINS="http://127.0.0.1:8025").outbound
    assert check_url("http://127.0.0.1:8025/webhook/works", outbound.policy).port == 8025


def test_a_demo_with_real_receivers_knows_the_names_too(named: dict[str, str]) -> None:
    policy = read(**named, ALERTCHECK_DEMO_REAL_RECEIVERS="1").outbound.policy
    assert policy.demo_receiver is None
    assert check_url(HOOK, policy).host == HOST


@pytest.mark.parametrize("flag", ["0", ""])
def test_no_installation_outside_of_a_demo_knows_a_name(named: dict[str, str], flag: str) -> None:
    outbound = read(**named | MAIL | {"ALERTCHECK_DEMO": flag}).outbound
    assert outbound.policy.demo_routes == {}
    assert outbound.policy.ca_file is None
    assert outbound.mail is not None
    assert outbound.mail.demo_route is None
    with pytest.raises(DeliveryFailed) as refused:
        check_url(HOOK, outbound.policy)
    assert refused.value.code is Code.TARGET_NOT_ALLOWED


def test_the_mail_server_of_the_demo_has_a_name_too(named: dict[str, str]) -> None:
    mail = read(**named, **MAIL).outbound.mail
    assert mail is not None
    assert (mail.host, mail.port, mail.demo_route) == ("mail.demo.example", 25, Route("127.0.0.1", 8026))


def test_a_real_mail_server_keeps_its_name(named: dict[str, str]) -> None:
    mail = read(**named, **MAIL, ALERTCHECK_DEMO_REAL_RECEIVERS="1").outbound.mail
    assert mail is not None
    assert (mail.host, mail.demo_route) == ("mail.example.com", None)


def test_names_need_the_authority_of_their_certificates(named: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_DEMO_CA_FILE is not set, and ALERTCHECK_DEMO_RECEIVER_HTTPS"):
        read(**named | {"ALERTCHECK_DEMO_CA_FILE": ""})
