"""The receiver's mail server, over a socket."""

import smtplib

import pytest

from tests.demo.receiver_process import SECONDS, Receiver
from webapp.demo.receiver.scenarios import Mailbox, Service
from webapp.demo.receiver.smtp_server import LARGEST_MESSAGE
from webapp.demo.receiver.switches import name_recipient


def test_a_mail_is_accepted_and_stored_with_its_envelope(receiver: Receiver) -> None:
    receiver.mail("works@demo.example", "someone@demo.example")
    (kept,) = receiver.inbox.find_by_reference("MAIL-1")
    assert (kept.service, kept.scenario, kept.accepted, kept.answered) == (Service.EMAIL, "works", True, 250)
    assert kept.recipients == ("works@demo.example", "someone@demo.example")
    assert kept.headers == {"mail-from": "alerts@demo.example"}


def test_a_mail_is_stored_with_its_mime_text(receiver: Receiver) -> None:
    receiver.mail("works@demo.example")
    assert "Subject: [TEST] =?utf-8?" in receiver.inbox.list_newest()[0].body


def test_an_unknown_recipient_is_refused(receiver: Receiver) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        receiver.mail("unknown@demo.example")
    assert refusal.value.recipients == {"unknown@demo.example": (550, b"5.1.1 No such mailbox")}


def test_a_refused_recipient_is_stored(receiver: Receiver) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        receiver.mail("unknown@demo.example")
    (kept,) = receiver.inbox.list_newest()
    assert (kept.recipients, kept.accepted, kept.answered) == (("unknown@demo.example",), False, 550)


def test_the_other_recipients_of_a_mail_are_accepted(receiver: Receiver) -> None:
    refused = receiver.mail("unknown@demo.example", "works@demo.example")
    assert list(refused) == ["unknown@demo.example"]
    assert receiver.inbox.list_newest()[0].recipients == ("works@demo.example",)


def test_a_full_mailbox_is_refused_at_its_recipient(receiver: Receiver) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="Mailbox full"):
        receiver.mail("full@demo.example")


def test_a_switched_recipient_behaves_as_it_was_switched_until_it_is_reset(receiver: Receiver) -> None:
    place = name_recipient("desk@demo.example")
    receiver.inbox.switches.set(place, Mailbox.UNKNOWN)
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="No such mailbox"):
        receiver.mail("Desk@demo.example")
    receiver.inbox.switches.reset(place)
    assert receiver.mail("desk@demo.example") == {}


def test_a_busy_mailbox_accepts_the_third_attempt(receiver: Receiver) -> None:
    with pytest.raises(smtplib.SMTPDataError, match="Busy"):
        receiver.mail("busy-twice@demo.example", text="Reference: BUSY-1")
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        receiver.mail("busy-twice@demo.example", text="Reference: BUSY-1")
    receiver.mail("busy-twice@demo.example", text="Reference: BUSY-1")
    assert [kept.answered for kept in receiver.inbox.list_newest()] == [250, 451, 451]


def test_another_mail_to_a_busy_mailbox_starts_a_new_count(receiver: Receiver) -> None:
    with pytest.raises(smtplib.SMTPDataError):
        receiver.mail("busy-twice@demo.example", text="Reference: BUSY-2")
    with pytest.raises(smtplib.SMTPDataError):
        receiver.mail("busy-twice@demo.example", text="Reference: BUSY-2")
    with pytest.raises(smtplib.SMTPDataError):
        receiver.mail("busy-twice@demo.example", text="Reference: BUSY-3")


def test_a_mail_that_is_too_large_is_refused(receiver: Receiver) -> None:
    with pytest.raises(smtplib.SMTPException):
        receiver.mail("works@demo.example", text="x\n" * LARGEST_MESSAGE)
    assert receiver.inbox.list_newest() == []


def test_garbage_does_not_stop_the_server(receiver: Receiver) -> None:
    with receiver.connect(receiver.smtp_port) as client:
        client.sendall(b"\x00\xff" * 5000 + b"\r\nDATA\r\nRCPT TO:\r\n")
        receiver.mail("works@demo.example")
    assert len(receiver.inbox.list_newest()) == 1


def test_a_client_that_disconnects_early_does_not_stop_the_server(receiver: Receiver) -> None:
    client = smtplib.SMTP("127.0.0.1", receiver.smtp_port, timeout=SECONDS)
    client.ehlo("demo.example")
    client.mail("alerts@demo.example")
    client.rcpt("works@demo.example")
    client.docmd("DATA")
    client.send(b"half a mes")
    client.close()
    receiver.mail("works@demo.example")
    assert len(receiver.inbox.list_newest()) == 1
