"""TLS with a mail server: the causes are told apart as for HTTP, with STARTTLS and with TLS from the first byte."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from time import monotonic

import pytest
from cryptography import x509

from tests.outbound.certificates import DAY, Issued, authority, issue, serving, write_pem
from tests.outbound.outcome_of import BRIEF, PATIENT
from tests.scripted_mail_server import KEEP_SILENT, ScriptedMailServer, mail_server
from webapp.failures import Code, DeliveryFailed
from webapp.outbound.smtp.client import MailSecurity, MailServer, send_mail
from webapp.outbound.transport import client_certificates

pytestmark = pytest.mark.slow

SENDER, RECIPIENT = "alerts@example.com", "night@example.com"
OFFERS_TLS = "250-mail.example\r\n250 STARTTLS"
ADDRESS = x509.IPAddress(ip_address("127.0.0.1"))
SECURED = [MailSecurity.STARTTLS, MailSecurity.TLS]

ROOT = authority("Example Corp Root")
ISSUING = authority("Example Corp Issuing CA", ROOT)
LEAF = issue("leaf", ISSUING, names=[ADDRESS])
SELF_SIGNED = issue("mail", names=[ADDRESS])


@pytest.fixture
def message() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = SENDER, RECIPIENT, "[TEST]"
    mail.set_content("hello")
    return mail


@contextmanager
def serving_mail(
    context: ssl.SSLContext, security: MailSecurity, script: Mapping[str, str | list[str]] | None = None
) -> Iterator[tuple[MailServer, ScriptedMailServer]]:
    """Run a mail server with this TLS context, and return the settings for it."""
    replies = script or {"EHLO": OFFERS_TLS}
    with mail_server(replies, context, at_once=security is MailSecurity.TLS) as receiver:
        yield MailServer("127.0.0.1", receiver.port, SENDER, security, limits=PATIENT), receiver


def failure_of(server: MailServer, message: EmailMessage) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        send_mail(server, message, [RECIPIENT])
    return caught.value


@pytest.mark.parametrize("security", SECURED)
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ((SELF_SIGNED,), Code.TLS_SELF_SIGNED),
        ((LEAF,), Code.TLS_INCOMPLETE_CHAIN),
        ((LEAF, ISSUING, ROOT), Code.TLS_UNTRUSTED),
    ],
    ids=["self_signed", "only_the_leaf", "unknown_authority"],
)
def test_a_refused_certificate_has_its_true_cause(
    security: MailSecurity, sent: tuple[Issued, ...], code: Code, message: EmailMessage
) -> None:
    with serving_mail(serving(*sent), security) as (server, _):
        failure = failure_of(server, message)
    assert failure.code is code
    assert failure.facts.certificate is not None
    assert failure.facts.certificate.is_for_host


@pytest.mark.parametrize("security", SECURED)
@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        (issue("old", ROOT, names=[ADDRESS], valid=(-9 * DAY, -DAY)), Code.TLS_EXPIRED),
        (issue("new", ROOT, names=[ADDRESS], valid=(DAY, 9 * DAY)), Code.TLS_NOT_YET_VALID),
        (issue("other", ROOT, names=[x509.DNSName("mail.example")]), Code.TLS_HOSTNAME_MISMATCH),
    ],
    ids=["expired", "future", "wrong_name"],
)
def test_a_certificate_of_a_trusted_authority_may_still_be_wrong(
    security: MailSecurity, certificate: Issued, code: Code, message: EmailMessage, tmp_path: Path
) -> None:
    with serving_mail(serving(certificate), security) as (server, _):
        failure = failure_of(replace(server, ca_file=write_pem(tmp_path, ROOT)), message)
    assert failure.code is code
    assert failure.facts.certificate is not None


@pytest.mark.parametrize("security", SECURED)
@pytest.mark.parametrize(
    ("sent", "trusted"),
    [((SELF_SIGNED,), SELF_SIGNED), ((LEAF,), ISSUING), ((LEAF, ISSUING), ROOT)],
    ids=["self_signed", "intermediate", "root"],
)
def test_mail_is_accepted_once_the_file_of_authorities_has_what_the_next_step_names(
    security: MailSecurity, sent: tuple[Issued, ...], trusted: Issued, message: EmailMessage, tmp_path: Path
) -> None:
    with serving_mail(serving(*sent), security) as (server, receiver):
        server = replace(server, ca_file=write_pem(tmp_path, trusted))
        assert send_mail(server, message, [RECIPIENT]).status == 250
    assert len(receiver.messages) == 1


def test_with_starttls_the_second_handshake_takes_the_same_plain_steps_and_no_other(message: EmailMessage) -> None:
    with serving_mail(serving(SELF_SIGNED), MailSecurity.STARTTLS) as (server, receiver):
        failure_of(replace(server, username="alertcheck", password="canary"), message)
    assert receiver.commands == ["ehlo example.com", "STARTTLS"] * 2


def test_with_tls_from_the_first_byte_nothing_is_sent_after_the_second_handshake(message: EmailMessage) -> None:
    with serving_mail(serving(SELF_SIGNED), MailSecurity.TLS) as (server, receiver):
        failure_of(server, message)
    assert receiver.commands == []


@pytest.mark.parametrize(
    "script",
    [
        {"EHLO": OFFERS_TLS, "GREETING": ["220 mail.example", KEEP_SILENT]},
        {"EHLO": OFFERS_TLS, "GREETING": ["220 mail.example", "421 4.3.2 too many connections"]},
        {"EHLO": [OFFERS_TLS, "250 mail.example"]},
        {"EHLO": OFFERS_TLS, "STARTTLS": ["220 go ahead", "454 4.7.0 not now"]},
        {"EHLO": OFFERS_TLS, "STARTTLS": ["220 go ahead", "x" * 2000]},
    ],
    ids=["silent", "busy", "no_offer", "refused", "endless_line"],
)
def test_if_the_second_one_fails_the_code_of_the_first_stands_inside_the_deadline(
    script: Mapping[str, str | list[str]], message: EmailMessage
) -> None:
    started = monotonic()
    with serving_mail(serving(SELF_SIGNED), MailSecurity.STARTTLS, script) as (server, _):
        failure = failure_of(replace(server, limits=BRIEF), message)
    assert monotonic() - started < BRIEF.whole + 1
    assert (failure.code, failure.facts.certificate) == (Code.TLS_SELF_SIGNED, None)


@pytest.mark.parametrize("security", SECURED)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("_", range(3))
def test_a_required_client_certificate_is_named(
    security: MailSecurity, version: ssl.TLSVersion, _: int, message: EmailMessage, tmp_path: Path
) -> None:
    context = serving(LEAF, ISSUING)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    with serving_mail(context, security) as (server, receiver):
        failure = failure_of(replace(server, ca_file=write_pem(tmp_path, ROOT)), message)
    assert failure.code is Code.CLIENT_CERTIFICATE_REQUIRED
    assert receiver.messages == []


@pytest.mark.parametrize("security", SECURED)
def test_a_mail_server_that_only_offers_to_check_a_certificate_gets_the_message(
    security: MailSecurity, message: EmailMessage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_certificates, "VERDICT_SECONDS", 0.1)
    context = serving(LEAF, ISSUING)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(write_pem(tmp_path, ROOT))
    with serving_mail(context, security) as (server, _):
        assert send_mail(replace(server, ca_file=write_pem(tmp_path, ROOT)), message, [RECIPIENT]).status == 250


def test_a_mail_server_without_tls_on_the_port_is_not_called_slow(message: EmailMessage) -> None:
    with mail_server() as receiver:
        server = MailServer("127.0.0.1", receiver.port, SENDER, MailSecurity.TLS, limits=PATIENT)
        assert failure_of(server, message).code is Code.SMTP_WRONG_PORT
