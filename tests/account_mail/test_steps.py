"""How far an attempt to send a mail got, against real mail servers that stop it at each step."""

from email.message import EmailMessage

import pytest
import trustme

from tests.outbound.smtp.mail_servers import OFFERS_TLS, SHORT, offering, server_context
from tests.scripted_mail_server import HANG_UP, KEEP_SILENT, ScriptedMailServer, mail_server
from webapp.account_mail.steps import MailStep, StepRecorder, StepState, list_steps
from webapp.failures import DeliveryFailed
from webapp.models import AccountMail
from webapp.outbound import MailServer, send_mail
from webapp.outbound.smtp.mail_server import MailSecurity

DONE, FAILED, LATER, UNUSED = StepState.DONE, StepState.FAILED, StepState.NOT_REACHED, StepState.UNUSED


@pytest.fixture
def message() -> EmailMessage:
    mail = EmailMessage()
    mail.set_content("Hello")
    return mail


def _send(server: MailServer, message: EmailMessage) -> AccountMail:
    """Send, and return a row with what was noted."""
    steps = StepRecorder()
    try:
        steps.note_reply(send_mail(server, message, ["ann@example.com"], steps.start(server), steps.note).status)
    except DeliveryFailed as failure:
        steps.note_reply(failure.facts.status)
    return AccountMail(steps=steps.write())


def _list_states(mail: AccountMail) -> dict[MailStep, StepState]:
    return {listed.step: listed.state for listed in list_steps(mail)}


def _find_replies(mail: AccountMail) -> dict[MailStep, int]:
    return {listed.step: listed.reply for listed in list_steps(mail) if listed.reply}


def _plain(receiver: ScriptedMailServer) -> MailServer:
    return MailServer("127.0.0.1", receiver.port, "a@example.com", MailSecurity.NONE, limits=SHORT)


@pytest.mark.parametrize(
    ("command", "reply", "stopped_at", "code"),
    [
        ("GREETING", "554 go away", MailStep.GREETING, 554),
        ("GREETING", HANG_UP, MailStep.GREETING, None),
        ("EHLO", "550 no", MailStep.GREETING, 550),
        ("MAIL", "550 5.7.1 not you", MailStep.SENDER, 550),
        ("RCPT", "550 5.1.1 nobody", MailStep.RECIPIENT, 550),
        ("RCPT", "450 4.2.0 greylisted", MailStep.RECIPIENT, 450),
        ("DATA", "554 no", MailStep.MESSAGE, 554),
        ("END", "554 5.7.1 spam", MailStep.ACCEPTED, 554),
        ("END", KEEP_SILENT, MailStep.ACCEPTED, None),
    ],
)
def test_the_step_at_which_the_mail_server_refuses_has_failed(
    message: EmailMessage, command: str, reply: str, stopped_at: MailStep, code: int | None
) -> None:
    with mail_server({command: reply}) as receiver:
        mail = _send(_plain(receiver), message)
    states = _list_states(mail)

    order = [step for step in states if states[step] is not UNUSED]
    at = order.index(stopped_at)
    assert [states[step] for step in order] == [DONE] * at + [FAILED] + [LATER] * (len(order) - at - 1)
    assert _find_replies(mail) == ({stopped_at: code} if code else {})


def test_an_accepted_mail_has_every_step_and_the_reply(message: EmailMessage) -> None:
    with mail_server({"END": "251 2.0.0 taken"}) as receiver:
        mail = _send(_plain(receiver), message)

    assert set(_list_states(mail).values()) == {DONE, UNUSED}
    assert _find_replies(mail) == {MailStep.ACCEPTED: 251}


def test_what_the_settings_do_not_ask_for_is_unused(message: EmailMessage) -> None:
    with mail_server({}) as receiver:
        states = _list_states(_send(_plain(receiver), message))

    assert {step for step, state in states.items() if state is UNUSED} == {MailStep.TLS, MailStep.SIGN_IN}


def test_where_nothing_listens_the_connection_fails(message: EmailMessage) -> None:
    with mail_server({}) as receiver:
        server = _plain(receiver)
    mail = _send(server, message)

    assert _list_states(mail)[MailStep.CONNECT] is FAILED
    assert DONE not in _list_states(mail).values()


@pytest.mark.parametrize(("auth", "stopped_at"), [("535 5.7.8 wrong", MailStep.SIGN_IN), ("235 2.7.0 welcome", None)])
def test_a_sign_in_comes_after_the_encryption(
    tmp_path_factory: pytest.TempPathFactory, message: EmailMessage, auth: str, stopped_at: MailStep | None
) -> None:
    issuer, file = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    issuer.cert_pem.write_to_path(str(file))
    with mail_server({"EHLO": offering("PLAIN"), "AUTH": auth}, server_context(issuer)) as receiver:
        server = MailServer("127.0.0.1", receiver.port, "a@b.example", MailSecurity.STARTTLS, "u", "p", str(file))
        listed = list_steps(_send(server, message))

    failed = [step.step for step in listed if step.state is FAILED]
    assert [step.step for step in listed][:4] == [
        *(MailStep.CONNECT, MailStep.GREETING, MailStep.TLS, MailStep.SIGN_IN)
    ]
    assert failed == ([stopped_at] if stopped_at else [])
    assert listed[2].state is DONE


@pytest.mark.parametrize("security", [MailSecurity.TLS, MailSecurity.STARTTLS])
def test_a_certificate_that_is_not_trusted_fails_at_the_encryption(
    message: EmailMessage, security: MailSecurity
) -> None:
    is_at_once = security is MailSecurity.TLS
    with mail_server({"EHLO": OFFERS_TLS}, server_context(trustme.CA()), at_once=is_at_once) as receiver:
        server = MailServer("127.0.0.1", receiver.port, "a@example.com", security)
        states = _list_states(_send(server, message))

    assert states[MailStep.TLS] is FAILED
    assert states[MailStep.GREETING] is (LATER if is_at_once else DONE)


def test_a_mail_server_without_starttls_fails_at_the_encryption(message: EmailMessage) -> None:
    with mail_server({}) as receiver:
        server = MailServer("127.0.0.1", receiver.port, "a@example.com", MailSecurity.STARTTLS)
        states = _list_states(_send(server, message))

    assert states[MailStep.TLS] is FAILED


def test_a_mail_that_was_not_tried_has_no_steps() -> None:
    assert StepRecorder().write() is None
    assert list_steps(AccountMail(steps=None)) == []


def test_of_a_stop_that_only_a_newer_version_knows_nothing_is_listed() -> None:
    stored = {"stopped_at": "teleport", "security": "none", "signs_in": False}

    assert list_steps(AccountMail(steps=stored)) == []
    assert list_steps(AccountMail(steps=stored | {"stopped_at": "sender"}))
