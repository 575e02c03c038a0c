"""The receiver over TLS: what the product's own client says about each of its certificates."""

import stat

import pytest

from tests.demo.receiver_process import Receiver
from webapp.demo.receiver.certificates import OTHER_HOST
from webapp.demo.receiver.scenarios import Certificate
from webapp.demo.receiver.switches import name_host
from webapp.environment.demo_hosts import AUTHORITY_FILE
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import OutboundClient, Policy
from webapp.settings.demo_names import name_receiver

HOOKS = "hooks.demo.example"


@pytest.fixture(scope="module")
def client(running_receiver: Receiver) -> OutboundClient:
    """The outbound client of a demo with this receiver."""
    authority = str(running_receiver.certificates / AUTHORITY_FILE)
    return OutboundClient(name_receiver(Policy(), f"https://127.0.0.1:{running_receiver.https_port}", authority))


def fail(client: OutboundClient, host: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failed:
        client.post(f"https://{host}/webhook/works", b"{}", {})
    return failed.value


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        (HOOKS, "/webhook/works?sig=1", 200),
        ("teams.demo.example", "/teams/works?sig=1", 202),
        ("slack.demo.example", "/slack/missing", 404),
        (f"expiring.{HOOKS}", "/webhook/works", 200),
    ],
)
def test_a_valid_certificate_lets_the_path_decide(
    receiver: Receiver, client: OutboundClient, host: str, path: str, status: int
) -> None:
    assert client.post(f"https://{host}{path}", b"{}", {}).status == status
    assert [kept.answered for kept in receiver.inbox.list_newest()] == [status]


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        (Certificate.EXPIRED, Code.TLS_EXPIRED),
        (Certificate.SELF_SIGNED, Code.TLS_SELF_SIGNED),
        (Certificate.OTHER_HOST, Code.TLS_HOSTNAME_MISMATCH),
    ],
)
@pytest.mark.parametrize("service", [HOOKS, "teams.demo.example", "slack.demo.example"])
def test_a_wrong_certificate_is_refused_for_what_is_wrong_with_it(
    receiver: Receiver, client: OutboundClient, certificate: Certificate, code: Code, service: str
) -> None:
    assert fail(client, f"{certificate}.{service}").code is code
    assert receiver.inbox.list_newest() == []


def test_the_certificate_of_another_host_names_that_host(client: OutboundClient) -> None:
    assert OTHER_HOST in fail(client, f"other-host.{HOOKS}").message


def test_a_switched_host_shows_another_certificate_until_it_is_reset(
    receiver: Receiver, client: OutboundClient
) -> None:
    receiver.inbox.switches.set(name_host(HOOKS), Certificate.EXPIRED)
    assert fail(client, HOOKS).code is Code.TLS_EXPIRED
    assert client.post("https://slack.demo.example/slack/works", b"{}", {}).status == 200
    receiver.inbox.switches.reset(name_host(HOOKS))
    assert client.post(f"https://{HOOKS}/webhook/works", b"{}", {}).status == 200


def test_a_client_that_never_shakes_hands_keeps_nobody_waiting(receiver: Receiver, client: OutboundClient) -> None:
    with receiver.connect(receiver.https_port), receiver.connect(receiver.https_port) as other:
        other.sendall(b"POST /webhook/works HTTP/1.1\r\n\r\n")
        assert client.post(f"https://{HOOKS}/webhook/works", b"{}", {}).status == 200


def test_a_silent_address_holds_its_connection_open_until_the_client_leaves(receiver: Receiver) -> None:
    authority = str(receiver.certificates / AUTHORITY_FILE)
    policy = name_receiver(Policy(), f"https://127.0.0.1:{receiver.https_port}", authority)
    with pytest.raises(DeliveryFailed) as failed:
        OutboundClient(policy).post(f"https://{HOOKS}/webhook/silent", b"{}", {})
    assert failed.value.code in (Code.READ_TIMEOUT, Code.DEADLINE_EXCEEDED)


def test_the_keys_are_readable_by_their_owner_only(receiver: Receiver) -> None:
    files = list(receiver.certificates.iterdir())
    assert len(files) == len(Certificate) + 1
    assert [file for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077] == []


def test_nobody_keeps_the_key_of_the_authority(receiver: Receiver) -> None:
    assert "PRIVATE KEY" not in (receiver.certificates / AUTHORITY_FILE).read_text()
