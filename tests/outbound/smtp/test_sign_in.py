"""Signing in: the mechanisms that are tried, and which refusal is reported."""

import base64
from email.message import EmailMessage

import pytest
import trustme

from tests.outbound.smtp.mail_servers import (
    OFFERS_TLS,
    PASSWORD,
    THREE,
    failure_of,
    offering,
    server_context,
    signing_in,
)
from tests.scripted_mail_server import HANG_UP, KEEP_SILENT, Script, ScriptedMailServer, ScriptedReply, mail_server
from webapp.failures import Code, DeliveryFailed
from webapp.outbound.smtp.client import send_mail
from webapp.outbound.smtp.sign_in import MAX_PASSWORD_REFUSALS

pytestmark = pytest.mark.slow

WRONG = "535 5.7.8 Authentication credentials invalid"
LOGIN_DIALOG = ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 2.7.0 welcome"]


def attempts(receiver: ScriptedMailServer) -> list[str]:
    """Return the mechanisms that were tried, in order."""
    return [command.split()[1] for command in receiver.commands if command.startswith("AUTH ")]


def refusal_of(
    mechanisms: str, replies: dict[str, ScriptedReply], message: EmailMessage, authority: trustme.CA, ca_file: str
) -> tuple[DeliveryFailed, list[str]]:
    """Return the failure of a server with these replies, and the mechanisms that were tried."""
    with mail_server({"EHLO": offering(mechanisms), **replies}, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(signing_in(receiver, ca_file), message, THREE))
    return failure, attempts(receiver)


@pytest.mark.parametrize("offered", ["AUTH PLAIN LOGIN", "AUTH CRAM-MD5 plain", "AUTH=PLAIN", "AUTH XOAUTH2 LOGIN"])
def test_the_user_and_the_password_are_sent_after_the_encryption(
    offered: str, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    script: Script = {"EHLO": [OFFERS_TLS, f"250-mail.example\r\n250 {offered}"]}
    with mail_server(script, server_context(authority)) as receiver:
        assert send_mail(signing_in(receiver, ca_file), message, THREE).status == 250
    assert receiver.verbs[:5] == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL"]


def test_login_is_a_dialog(message: EmailMessage, authority: trustme.CA, ca_file: str) -> None:
    script: Script = {"EHLO": offering("LOGIN"), "AUTH LOGIN": LOGIN_DIALOG}
    with mail_server(script, server_context(authority)) as receiver:
        assert send_mail(signing_in(receiver, ca_file), message, THREE).status == 250
    said = receiver.commands[3:6]
    assert said == [
        "AUTH LOGIN",
        base64.b64encode(b"alertcheck").decode(),
        base64.b64encode(PASSWORD.encode()).decode(),
    ]


@pytest.mark.parametrize(
    "refusal", [WRONG, "535 5.7.3 no", "504 5.5.4 Unrecognized authentication type", "534 no", "503 no"]
)
def test_after_a_refusal_the_next_offered_mechanism_is_tried(
    refusal: str, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    script: Script = {"EHLO": offering("PLAIN LOGIN"), "AUTH PLAIN": refusal, "AUTH LOGIN": LOGIN_DIALOG}
    with mail_server(script, server_context(authority)) as receiver:
        assert send_mail(signing_in(receiver, ca_file), message, THREE).status == 250
    assert attempts(receiver) == ["PLAIN", "LOGIN"]


def test_cram_md5_is_the_last_mechanism(message: EmailMessage, authority: trustme.CA, ca_file: str) -> None:
    challenge = base64.b64encode(b"<1896.697170952@mail.example>").decode()
    script: Script = {
        "EHLO": offering("CRAM-MD5 PLAIN"),
        "AUTH PLAIN": "504 5.5.4 no",
        "AUTH CRAM-MD5": [f"334 {challenge}", "235 2.7.0 welcome"],
    }
    with mail_server(script, server_context(authority)) as receiver:
        assert send_mail(signing_in(receiver, ca_file), message, THREE).status == 250
    assert attempts(receiver) == ["PLAIN", "CRAM-MD5"]


def test_a_wrong_password_is_tried_so_few_times_that_no_account_is_locked(
    message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    failure, tried = refusal_of("PLAIN LOGIN CRAM-MD5", {"AUTH": WRONG}, message, authority, ca_file)
    assert failure.code is Code.SMTP_AUTH_FAILED
    assert tried == ["PLAIN", "LOGIN"]
    assert len(tried) == MAX_PASSWORD_REFUSALS


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            Code.SMTP_DISABLED_BY_TENANT,
        ),
        ("535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", Code.SMTP_DISABLED_BY_TENANT),
        ("535 5.7.139 no", Code.SMTP_DISABLED_BY_TENANT),
        ("550 5.7.30 Basic authentication is not supported for Client Submission.", Code.SMTP_DISABLED_BY_TENANT),
        (
            "534-5.7.9 Application-specific password required. For more information, go to\r\n"
            "534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor d2-gsmtp",
            Code.SMTP_APP_PASSWORD_REQUIRED,
        ),
        ("534 5.7.9 no", Code.SMTP_APP_PASSWORD_REQUIRED),
        (
            "534-5.7.14 <https://accounts.google.com/signin/continue?plt=AKgnsb> Please log in via\r\n"
            "534 5.7.14 your web browser and then try again.",
            Code.SMTP_APP_PASSWORD_REQUIRED,
        ),
        ("535 Application password required", Code.SMTP_APP_PASSWORD_REQUIRED),
        ("535 Login Fail. Please enter your authorization code to login.", Code.SMTP_APP_PASSWORD_REQUIRED),
        ("525 5.7.1 Unauthorized IP address", Code.SMTP_HOST_REFUSED),  # Brevo's
        ("535 5.7.8 This IP address is not allowed for the account", Code.SMTP_HOST_REFUSED),
        ("530 5.7.0 Must issue a STARTTLS command first", Code.SMTP_AUTH_FAILED),  # but the connection is encrypted
        ("454 4.7.0 Temporary authentication failure", Code.SMTP_TEMPORARY),
        ("451 4.3.0 directory is down", Code.SMTP_TEMPORARY),
        ("421 4.7.0 Too many failures", Code.SMTP_TEMPORARY),
    ],
)
def test_a_refusal_that_names_its_cause_is_reported(
    reply: str, code: Code, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    failure, _ = refusal_of("PLAIN LOGIN", {"AUTH": reply}, message, authority, ca_file)
    assert (failure.code, failure.facts.status) == (code, int(reply[:3]))
    assert "greylisting" not in failure.message


@pytest.mark.parametrize(
    "reply", ["535 5.7.139 no", "534 5.7.9 no", "454 4.7.0 Temporary authentication failure", "421 4.3.2 shutting down"]
)
def test_a_refusal_that_no_other_mechanism_can_change_ends_the_sign_in(
    reply: str, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    _, tried = refusal_of("PLAIN LOGIN", {"AUTH": reply}, message, authority, ca_file)
    assert tried == ["PLAIN"]


@pytest.mark.parametrize(
    ("reply", "code", "token"),
    [
        (WRONG, Code.SMTP_AUTH_FAILED, "5.7.8"),
        ("535-5.7.8 Username and Password not accepted.\r\n535 5.7.8  https://g.co", Code.SMTP_AUTH_FAILED, "5.7.8"),
        (
            "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
            Code.SMTP_AUTH_FAILED,
            "5.7.139",
        ),
        ("535 Authentication failed: Bad username / password", Code.SMTP_AUTH_FAILED, None),
        ("550 5.2.1 Mailbox disabled", Code.SMTP_AUTH_FAILED, "5.2.1"),
        ("534 5.7.9 Authentication mechanism is too weak", Code.SMTP_AUTH_UNAVAILABLE, "5.7.9"),
        ("503 5.5.1 Error: authentication not enabled", Code.SMTP_AUTH_UNAVAILABLE, "5.5.1"),
        ("502 5.5.1 unknown", Code.SMTP_AUTH_UNAVAILABLE, "5.5.1"),
    ],
)
def test_a_refused_sign_in_is_classified(
    reply: str, code: Code, token: str | None, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    failure, _ = refusal_of("PLAIN", {"AUTH": reply}, message, authority, ca_file)
    assert (failure.code, failure.facts.token) == (code, token)


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (WRONG, "504 5.5.4 unknown", Code.SMTP_AUTH_FAILED),
        ("504 5.5.4 unknown", WRONG, Code.SMTP_AUTH_FAILED),
        (WRONG, "534 5.7.9 Application-specific password required", Code.SMTP_APP_PASSWORD_REQUIRED),
        (WRONG, "454 4.7.0 too many failures", Code.SMTP_AUTH_FAILED),
        ("504 5.5.4 unknown", "454 4.7.0 directory is down", Code.SMTP_TEMPORARY),
        (WRONG, HANG_UP, Code.SMTP_AUTH_FAILED),
    ],
)
def test_of_two_refusals_the_most_telling_is_reported(
    first: str, second: str, code: Code, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    replies: dict[str, ScriptedReply] = {"AUTH PLAIN": first, "AUTH LOGIN": second}
    failure, tried = refusal_of("PLAIN LOGIN", replies, message, authority, ca_file)
    assert failure.code is code
    assert tried == ["PLAIN", "LOGIN"]


@pytest.mark.parametrize("offered", ["250 mail.example", "250-mail.example\r\n250 AUTH GSSAPI XOAUTH2"])
def test_a_missing_offer_is_distinguished_from_missing_encryption(
    offered: str, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    with mail_server({"EHLO": [OFFERS_TLS, offered]}, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(signing_in(receiver, ca_file), message, THREE))
    assert failure.code is Code.SMTP_AUTH_UNAVAILABLE


@pytest.mark.parametrize("reply", [HANG_UP, "334 !not base64!", "nonsense"])
def test_a_broken_sign_in_has_delivered_nothing(
    reply: str, message: EmailMessage, authority: trustme.CA, ca_file: str
) -> None:
    failure, _ = refusal_of("LOGIN", {"AUTH": reply}, message, authority, ca_file)
    assert (failure.code, failure.may_retry) == (Code.SMTP_INTERRUPTED, True)
    assert "while Alertcheck was signing in" in failure.message


def test_silence_at_the_sign_in_is_named(message: EmailMessage, authority: trustme.CA, ca_file: str) -> None:
    script: Script = {"EHLO": offering("PLAIN"), "AUTH": KEEP_SILENT}
    with mail_server(script, server_context(authority)) as receiver:
        failure = failure_of(lambda: send_mail(signing_in(receiver, ca_file), message, THREE))
    assert failure.message == "127.0.0.1 was silent for too long while Alertcheck was signing in (5 s)."
