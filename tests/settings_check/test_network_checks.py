"""What messages need on their way out: the mail server, the DNS, and the proxy."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import trustme
from flask import Flask

from benchmarks.installation.scripted_server import closed_port, listening
from tests.outbound.outcome_of import failing, loopback
from tests.outbound.scripts import script_of
from tests.outbound.smtp.mail_servers import OFFERS_TLS, PASSWORD, SENDER, SHORT, plain, server_context, signing_in
from tests.scripted_mail_server import KEEP_SILENT, mail_server
from webapp.app_state import app_state
from webapp.outbound import MailServer, OutboundClient, Policy
from webapp.outbound.policy.urls import Origin
from webapp.outbound.transport.deadline import Limits
from webapp.outbound.transport.dns import Resolver
from webapp.settings_check.finding import Check, Finding, Severity
from webapp.settings_check.network_checks import PUBLIC_ADDRESS, PUBLIC_HOST, check_dns, check_egress_proxy, check_mail

CheckWith = Callable[[Check, OutboundClient], Sequence[Finding]]
PUBLIC = "93.184.216.34"


@pytest.fixture
def check_with(app: Flask) -> CheckWith:
    """Run a check with another outbound client."""

    def check_with(check: Check, outbound: OutboundClient) -> Sequence[Finding]:
        state = app_state(app)
        state.settings = replace(state.settings, outbound=outbound)
        with app.app_context():
            return check()

    return check_with


def _public(_host: str) -> list[str]:
    return [PUBLIC]


def _through(port: int, authorization: str | None = None) -> OutboundClient:
    policy = Policy(proxy=Origin("http", "127.0.0.1", port), proxy_authorization=authorization)
    return OutboundClient(policy, resolver=_public, limits=Limits(connect=2.0))


@pytest.fixture
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, str]:
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return authority, str(file)


def test_a_mail_server_that_accepts_the_sign_in_is_ok_and_gets_no_mail(
    check_with: CheckWith, ca_file: tuple[trustme.CA, str]
) -> None:
    authority, file = ca_file
    script = {"EHLO": [OFFERS_TLS, "250-mail.example\r\n250 AUTH PLAIN"]}
    with mail_server(script, server_context(authority)) as receiver:
        found = check_with(check_mail, OutboundClient(mail=signing_in(receiver, file)))

    assert found == [Finding("mail", Severity.OK, "The mail server accepts the sign-in.")]
    assert receiver.verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"]
    assert receiver.messages == []


def test_a_mail_server_that_refuses_the_password_is_a_problem_with_its_setting(
    check_with: CheckWith, ca_file: tuple[trustme.CA, str]
) -> None:
    authority, file = ca_file
    script = {"EHLO": [OFFERS_TLS, "250-mail.example\r\n250 AUTH PLAIN"], "AUTH": f"535 5.7.8 bad {PASSWORD}"}
    with mail_server(script, server_context(authority)) as receiver:
        (finding,) = check_with(check_mail, OutboundClient(mail=signing_in(receiver, file)))

    assert finding.severity is Severity.PROBLEM
    assert finding.text.endswith("Correct the user name and the password in ALERTCHECK_MAIL_URL.")
    assert PASSWORD not in finding.text


def test_a_mail_server_with_an_unknown_authority_is_a_problem_with_its_setting(
    check_with: CheckWith, ca_file: tuple[trustme.CA, str]
) -> None:
    authority, _ = ca_file
    with mail_server({"EHLO": OFFERS_TLS}, server_context(authority)) as receiver:
        server = MailServer("127.0.0.1", receiver.port, SENDER)
        (finding,) = check_with(check_mail, OutboundClient(mail=server))

    assert finding.severity is Severity.PROBLEM
    assert "Add its authority to ALERTCHECK_CA_FILE" in finding.text


@pytest.mark.parametrize("script", [{"GREETING": KEEP_SILENT}, {"GREETING": "554 no"}, {"EHLO": "421 bye"}])
def test_any_other_failure_of_the_mail_server_is_a_problem_with_its_setting(
    check_with: CheckWith, script: dict[str, str]
) -> None:
    with mail_server(script) as receiver:
        server = replace(plain(receiver), limits=SHORT)
        (finding,) = check_with(check_mail, OutboundClient(mail=server))

    assert finding.severity is Severity.PROBLEM
    assert finding.text.endswith("Check ALERTCHECK_MAIL_URL: the scheme, the host and the port.")


def test_a_mail_server_without_a_sign_in_is_ok(check_with: CheckWith) -> None:
    with mail_server() as receiver:
        (finding,) = check_with(check_mail, OutboundClient(mail=plain(receiver)))

    assert finding == Finding("mail", Severity.OK, "The mail server accepts the connection, without a sign-in.")


def test_no_mail_server_is_a_note(check_with: CheckWith) -> None:
    (finding,) = check_with(check_mail, OutboundClient())

    assert (finding.severity, finding.text[:34]) == (Severity.NOTE, "ALERTCHECK_MAIL_URL is not set: te")


def test_a_host_that_is_found_is_ok(check_with: CheckWith) -> None:
    assert check_with(check_dns, OutboundClient(resolver=_public)) == [
        Finding("dns", Severity.OK, f"{PUBLIC_HOST} is found.")
    ]


@pytest.mark.parametrize("resolver", [failing(socket.EAI_NONAME), failing(socket.EAI_AGAIN), loopback])
def test_a_public_host_that_is_not_found_or_private_is_a_problem(check_with: CheckWith, resolver: Resolver) -> None:
    (finding,) = check_with(check_dns, OutboundClient(resolver=resolver))

    assert finding.severity is Severity.PROBLEM
    assert finding.text.endswith("Check the DNS servers of this machine or container.")


def test_public_names_are_no_problem_for_who_sends_to_trusted_origins(check_with: CheckWith) -> None:
    policy = Policy(trusted_origins=frozenset({Origin("http", "receiver.lan", 80)}))
    (finding,) = check_with(check_dns, OutboundClient(policy, resolver=failing(socket.EAI_NONAME)))

    assert finding.severity is Severity.NOTE


def test_without_a_proxy_nothing_is_said_about_one(check_with: CheckWith) -> None:
    assert check_with(check_egress_proxy, OutboundClient(resolver=_public)) == []


def test_a_proxy_that_opens_the_tunnel_is_ok_and_gets_nothing_else(check_with: CheckWith) -> None:
    with listening(script_of("plain", {"status": 200})) as proxy:
        found = check_with(check_egress_proxy, _through(proxy.port))

    assert found == [Finding("proxy", Severity.OK, f"The proxy connects to {PUBLIC_HOST}.")]
    assert proxy.heads == [f"CONNECT {PUBLIC}:443 HTTP/1.1\r\nHost: {PUBLIC}:443\r\n\r\n".encode()]


@pytest.mark.parametrize("authorization", [None, "Basic Y2FuYXJ5"])
def test_a_proxy_that_asks_for_another_password_is_a_problem(check_with: CheckWith, authorization: str | None) -> None:
    with listening(script_of("plain", {"status": 407})) as proxy:
        (finding,) = check_with(check_egress_proxy, _through(proxy.port, authorization))

    assert finding.severity is Severity.PROBLEM
    assert "ALERTCHECK_EGRESS_PROXY" in finding.text
    assert "Y2FuYXJ5" not in finding.text


def test_a_proxy_that_cannot_be_reached_is_a_problem(check_with: CheckWith) -> None:
    (finding,) = check_with(check_egress_proxy, _through(closed_port()))

    assert finding.severity is Severity.PROBLEM
    assert "Alertcheck could not reach its own proxy (ALERTCHECK_EGRESS_PROXY)" in finding.text


def test_a_proxy_that_refuses_this_host_may_allow_others(check_with: CheckWith) -> None:
    with listening(script_of("plain", {"status": 403})) as proxy:
        (finding,) = check_with(check_egress_proxy, _through(proxy.port))

    assert finding.severity is Severity.NOTE


def test_a_proxy_is_checked_without_the_dns(check_with: CheckWith) -> None:
    with listening(script_of("plain", {"status": 200})) as proxy:
        outbound = replace(_through(proxy.port), resolver=failing(socket.EAI_NONAME))
        found = check_with(check_egress_proxy, outbound)

    assert found == [Finding("proxy", Severity.OK, f"The proxy connects to {PUBLIC_ADDRESS}.")]
    assert proxy.heads[0].startswith(b"CONNECT 1.1.1.1:443 ")
