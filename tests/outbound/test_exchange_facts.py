"""The facts of an exchange, from real servers on the loopback: complete ones, and ones that fail at each step."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from time import monotonic, sleep

import pytest
import trustme
from cryptography import x509

from benchmarks.installation.scripted_server import Script, ScriptedServer, closed_port, listening
from tests.outbound.certificates import DAY, issue, serving, write_pem
from tests.outbound.certificates import authority as make_authority
from tests.outbound.outcome_of import BRIEF, HEADERS, PATIENT, failing, loopback, trusting
from tests.outbound.scripts import script_of
from tests.outbound.smtp.mail_servers import OFFERS_TLS, SENDER, server_context
from tests.outbound.transport.test_proxy import public, through, tunnelling_to
from tests.scripted_mail_server import HANG_UP, mail_server
from webapp.failures import DeliveryFailed
from webapp.outbound.exchange_facts import ExchangeFacts, ExchangeRecorder, ExchangeStep
from webapp.outbound.http.client import post
from webapp.outbound.http.media_types import name_media_type
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.smtp.client import MailSecurity, MailServer, send_mail
from webapp.outbound.transport import tls
from webapp.outbound.transport.connect import HTTP_ALPN
from webapp.outbound.transport.deadline import MAX_BODY, Limits
from webapp.outbound.transport.dns import Resolver

PLAIN_STEPS = ["lookup", "connect", "first_byte", "response"]
NAMED = "localhost"  # a name that a test may look up, unlike an address


def facts_of(
    url: str, policy: Policy | None = None, resolver: Resolver = loopback, limits: Limits = PATIENT
) -> ExchangeFacts:
    """Post to `url`, which is trusted unless another policy is given, and return what was noted."""
    recorder = ExchangeRecorder()
    with suppress(DeliveryFailed):
        post(url, b"{}", HEADERS, policy or trusting(url), None, resolver, limits, recorder)
    return recorder.facts


def steps_of(facts: ExchangeFacts) -> list[str]:
    return [step.value for step, _ in facts.steps]


def url_of(server: ScriptedServer, path: str = "/hook") -> str:
    return f"http://{NAMED}:{server.port}{path}"


@pytest.fixture(scope="module")
def receiver() -> Iterator[ScriptedServer]:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    with listening(script_of("plain", {"status": 200, "body": "hello", "headers": headers})) as server:
        yield server


# Complete exchanges


def test_an_exchange_over_http_has_every_step_once_and_is_complete(receiver: ScriptedServer) -> None:
    facts = facts_of(url_of(receiver))

    assert (steps_of(facts), facts.is_complete, facts.failed_step) == (PLAIN_STEPS, True, None)
    assert all(duration >= 0 for _, duration in facts.steps)


def test_an_address_that_is_a_number_needs_no_lookup(receiver: ScriptedServer) -> None:
    assert steps_of(facts_of(f"{receiver.origin}/hook")) == PLAIN_STEPS[1:]


def test_the_response_is_told_by_its_type_and_size(receiver: ScriptedServer) -> None:
    facts = facts_of(url_of(receiver))

    assert (facts.media_type, facts.size, facts.is_cut_off) == ("application/json", 5, False)


def test_a_slow_receiver_is_slow_in_the_step_of_the_first_byte() -> None:
    def script(connection: socket.socket) -> None:
        sleep(0.2)
        script_of("plain", {"status": 200})(connection)

    with listening(script) as server:
        durations = dict(facts_of(url_of(server)).steps)

    assert durations[ExchangeStep.FIRST_BYTE] >= 200 > durations[ExchangeStep.RESPONSE]


def test_the_total_is_the_sum_of_the_steps(receiver: ScriptedServer) -> None:
    facts = facts_of(url_of(receiver))

    assert facts.total == pytest.approx(sum(duration for _, duration in facts.steps), abs=0.06)


def test_a_long_body_is_cut_off_and_counted_as_far_as_it_was_read() -> None:
    with listening(script_of("plain", {"status": 200, "body": "x" * (2 * MAX_BODY)})) as server:
        facts = facts_of(url_of(server))

    assert (facts.size, facts.is_cut_off, facts.is_complete) == (MAX_BODY, True, True)


def test_tls_is_a_step_of_its_own_and_the_certificate_is_noted(tmp_path: Path) -> None:
    root = make_authority("Example Corp Root")
    leaf = issue("leaf", root, names=[x509.DNSName(NAMED)], valid=(-10 * DAY, 5 * DAY))
    with listening(script_of("plain", {"status": 200}), serving(leaf)) as server:
        url = f"https://{NAMED}:{server.port}/hook"
        facts = facts_of(url, trusting(url, write_pem(tmp_path, root)))

    assert steps_of(facts) == ["lookup", "connect", "tls", "first_byte", "response"]
    assert facts.certificate is not None
    assert facts.certificate.issuer == "Example Corp Root"
    assert abs(facts.certificate.not_after - datetime.now(UTC) - 5 * DAY) < timedelta(minutes=10)
    assert facts.certificate.not_after - facts.certificate.not_before == 15 * DAY


@pytest.mark.parametrize(
    ("written", "noted"),
    [
        ("<script>alert(1)</script>", "script alert(1) /script"),
        ("a\0b\r\nc\u202ed", "a b c d"),
        ("x" * 64, "x" * 59 + "…"),
        ("\u200b\u202e", None),
    ],
)
def test_the_issuer_is_reduced_to_short_safe_text(tmp_path: Path, written: str, noted: str | None) -> None:
    root = make_authority(written)
    leaf = issue("leaf", root, names=[x509.DNSName(NAMED)])
    with listening(script_of("plain", {"status": 200}), serving(leaf)) as server:
        url = f"https://{NAMED}:{server.port}/hook"
        certificate = facts_of(url, trusting(url, write_pem(tmp_path, root))).certificate

    assert certificate is not None
    assert certificate.issuer == noted


@pytest.mark.parametrize(
    ("location", "host"),
    [("https://login.example.com/secret?canary=1", "login.example.com"), ("https://10.0.0.5/secret", None)],
)
def test_a_redirect_is_noted_by_its_host_if_that_may_be_shown(location: str, host: str | None) -> None:
    with listening(script_of("redirect", {"status": 302, "location": location})) as server:
        facts = facts_of(url_of(server))

    assert facts.redirect_host == host
    assert "canary" not in repr(facts)
    assert "secret" not in repr(facts)


# Addresses


def test_a_private_address_of_a_trusted_receiver_is_noted_as_not_public(receiver: ScriptedServer) -> None:
    facts = facts_of(url_of(receiver))

    assert (facts.address, facts.family, facts.is_public, facts.tries) == ("127.0.0.1", 4, False, 1)


@pytest.mark.slow
def test_the_second_address_is_the_one_that_was_used(receiver: ScriptedServer) -> None:
    facts = facts_of(url_of(receiver), resolver=lambda host: ["::2", "127.0.0.1"])

    assert (facts.address, facts.family, facts.tries) == ("127.0.0.1", 4, 2)


@pytest.mark.slow
def test_behind_the_egress_proxy_the_address_is_the_receivers_and_never_the_proxys(
    authority: trustme.CA, ca_file: Path
) -> None:
    with listening(tunnelling_to(authority.issue_cert("hooks.example.com"), [])) as proxy:
        facts = facts_of("https://hooks.example.com/canary", through(proxy.port, ca_file), public)

    assert (facts.address, facts.is_public, facts.is_proxied) == ("93.184.216.34", True, True)
    assert steps_of(facts) == ["lookup", "connect", "tls", "first_byte", "response"]
    assert facts.certificate is not None


def test_an_unreachable_proxy_is_not_named() -> None:
    facts = facts_of("https://hooks.example.com/canary", through(closed_port()), public)

    assert (facts.address, facts.is_proxied, facts.failed_step) == (None, True, ExchangeStep.CONNECT)


def test_an_address_that_is_refused_is_not_noted() -> None:
    facts = facts_of("https://hooks.example.com/canary", Policy(), lambda host: ["10.0.0.5"])

    assert (steps_of(facts), facts.address, facts.family) == (["lookup"], None, None)


@pytest.mark.parametrize(
    ("address", "is_public"),
    [("93.184.216.34", True), ("64:ff9b::5db8:d822", True), ("10.1.2.3", False), ("fe80::1%eth0", False), ("?", False)],
)
def test_an_address_that_is_not_public_is_kept_only_on_request(address: str, is_public: bool) -> None:
    recorder = ExchangeRecorder()

    recorder.note_address(address)

    assert (recorder.facts.address, recorder.facts.is_public) == (address if is_public else None, is_public)


# Failures at each step


def test_a_failed_lookup_ends_there() -> None:
    facts = facts_of("https://hooks.example.com/canary", Policy(), failing(-2))

    assert (steps_of(facts), facts.failed_step) == (["lookup"], ExchangeStep.LOOKUP)


def test_a_refused_connection_ends_there_with_the_address_that_refused() -> None:
    facts = facts_of(f"http://{NAMED}:{closed_port()}/hook")

    assert (steps_of(facts), facts.failed_step, facts.address) == (
        ["lookup", "connect"],
        ExchangeStep.CONNECT,
        "127.0.0.1",
    )


def test_a_refused_certificate_ends_in_the_step_of_tls_and_is_noted(tmp_path: Path) -> None:
    root = make_authority("Example Corp Root")
    leaf = issue("leaf", root, names=[x509.DNSName(NAMED)], valid=(-10 * DAY, -DAY))
    with listening(script_of("plain", {"status": 200}), serving(leaf)) as server:
        url = f"https://{NAMED}:{server.port}/hook"
        facts = facts_of(url, trusting(url, write_pem(tmp_path, root)))

    assert (steps_of(facts), facts.failed_step) == (["lookup", "connect", "tls"], ExchangeStep.TLS)
    assert facts.certificate is not None
    assert facts.certificate.not_after < datetime.now(UTC)


def test_the_handshake_that_only_explains_a_refused_certificate_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_slowly(*_: object) -> tuple[bytes, ...]:
        sleep(0.2)
        return ()

    monkeypatch.setattr(tls, "read_sent_certificates", read_slowly)
    tls.make_context(None, *HTTP_ALPN)  # loads the authorities, which takes long and is no step
    with listening(script_of("plain", {"status": 200}), serving(issue("own", names=[x509.DNSName(NAMED)]))) as server:
        began = monotonic()
        facts = facts_of(f"https://{NAMED}:{server.port}/hook")
        took = 1000 * (monotonic() - began)

    assert facts.failed_step is ExchangeStep.TLS
    assert took - facts.total >= 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "step"),
    [
        (script_of("silent", {}), ExchangeStep.FIRST_BYTE),
        (script_of("dribbled_headers", {}), ExchangeStep.RESPONSE),
    ],
    ids=["silent", "dribbling"],
)
def test_a_response_that_does_not_end_leaves_its_step_open(script: Script, step: ExchangeStep) -> None:
    with listening(script) as server:
        facts = facts_of(url_of(server), limits=BRIEF)

    assert facts.failed_step is step
    assert facts.steps[-1][1] > 100


# Email


def mail_facts(server: MailServer, message: EmailMessage) -> ExchangeFacts:
    recorder = ExchangeRecorder()
    with suppress(DeliveryFailed):
        send_mail(server, message, ["night@example.com"], recorder)
    return recorder.facts


@pytest.fixture
def message() -> EmailMessage:
    mail = EmailMessage()
    mail.set_content("hello")
    return mail


@pytest.mark.parametrize(
    ("security", "steps"),
    [
        (MailSecurity.NONE, ["connect", "greeting", "mail"]),
        (MailSecurity.STARTTLS, ["connect", "greeting", "mail", "tls", "mail"]),
        (MailSecurity.TLS, ["connect", "tls", "greeting", "mail"]),
    ],
)
def test_the_steps_of_mail_are_in_the_order_in_which_they_happened(
    authority: trustme.CA, ca_file: Path, message: EmailMessage, security: MailSecurity, steps: list[str]
) -> None:
    with mail_server({"EHLO": OFFERS_TLS}, server_context(authority), at_once=security is MailSecurity.TLS) as running:
        server = MailServer("127.0.0.1", running.port, SENDER, security, ca_file=str(ca_file), limits=PATIENT)
        facts = mail_facts(server, message)

    assert (steps_of(facts), facts.is_complete) == (steps, True)
    assert (facts.certificate is not None) is (security is not MailSecurity.NONE)


def test_a_private_address_of_the_mail_server_is_not_noted(message: EmailMessage) -> None:
    with mail_server({}) as running:
        facts = mail_facts(MailServer("127.0.0.1", running.port, SENDER, MailSecurity.NONE), message)

    assert (facts.address, facts.family) == (None, 4)


def test_a_mail_server_that_hangs_up_leaves_the_step_open(message: EmailMessage) -> None:
    with mail_server({"RCPT": HANG_UP}) as running:
        facts = mail_facts(MailServer("127.0.0.1", running.port, SENDER, MailSecurity.NONE, limits=PATIENT), message)

    assert (steps_of(facts)[-1], facts.failed_step) == ("mail", ExchangeStep.MAIL)


@pytest.mark.slow
def test_a_slow_goodbye_does_not_count(message: EmailMessage) -> None:
    with mail_server({"QUIT": "keep silent"}) as running:
        facts = mail_facts(MailServer("127.0.0.1", running.port, SENDER, MailSecurity.NONE, limits=PATIENT), message)

    assert facts.is_complete
    assert facts.steps[-1][1] < 900  # a goodbye is waited for 1 s


# The recorder


def test_a_second_exchange_replaces_the_facts_of_the_first(receiver: ScriptedServer) -> None:
    recorder = ExchangeRecorder()
    for url in (f"http://{NAMED}:{closed_port()}/hook", url_of(receiver)):
        with suppress(DeliveryFailed):
            post(url, b"{}", HEADERS, trusting(url), None, loopback, PATIENT, recorder)

    assert (steps_of(recorder.facts), recorder.facts.tries) == (PLAIN_STEPS, 1)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (None, None),
        ("", None),
        ("Text/HTML; charset=utf-8", "text/html"),
        ("application/json, application/json", "application/json"),
        ("application/x-canary-7f3a9c", "another application type"),
        ("canary/7f3a9c", "an unknown type"),
        ("canary", "an unknown type"),
        ("text", "an unknown type"),
        ("text/html\0<b>", "another text type"),
    ],
)
def test_a_media_type_comes_from_a_closed_list(header: str | None, named: str | None) -> None:
    assert name_media_type(header) == named
