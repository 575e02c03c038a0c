"""The inboxes of a public demo's visitors: who knows a key reaches that inbox, and nobody reaches another one."""

import re
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.receiver_process import Receiver, run_receiver
from tests.factories import NOW
from webapp.demo.receiver.inbox import Arrival, Inbox
from webapp.demo.receiver.inboxes import KEPT_FOR_VISITOR, Inboxes, new_key
from webapp.demo.receiver.scenarios import Certificate, Mailbox, Scenario, Service
from webapp.demo.receiver.switches import name_host, name_path, name_recipient
from webapp.environment.demo_hosts import AUTHORITY_FILE, VISITOR_MAIL_DOMAIN
from webapp.outbound import OutboundClient, Policy
from webapp.settings.demo_names import name_receiver

ARRIVAL = Arrival(service=Service.WEBHOOK, scenario=Scenario.WORKS, answered=200, accepted=True)
VALID = "k7qm4tzz2345abcdefghijklmn"
WRONG_KEYS = ("", ".", "..", "a" * 25, "a" * 27, "A" * 26, "teams", "%2e%2e", "a" * 25 + "1", "a" * 25 + "/")


@pytest.fixture(scope="module")
def public_receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with run_receiver(tmp_path_factory.mktemp("public"), is_public=True) as running:
        yield running


@pytest.fixture
def key() -> str:
    return new_key()


@pytest.fixture
def inbox(public_receiver: Receiver, key: str) -> Inbox:
    """The inbox of a visitor."""
    inbox = public_receiver.inboxes.get(key)
    inbox.prepare()
    return inbox


@pytest.fixture
def other(public_receiver: Receiver) -> Inbox:
    """The inbox of another visitor."""
    other = public_receiver.inboxes.get(new_key())
    other.prepare()
    return other


def _list_files(receiver: Receiver) -> set[str]:
    return {re.sub(r"\.sqlite(-wal|-shm)?$", "", file.name) for file in receiver.inboxes.path.iterdir()}


def test_a_key_fits_into_a_path_and_a_domain_and_is_never_the_same(key: str) -> None:
    assert re.fullmatch("[a-z2-7]{26}", key)
    assert key != new_key()


def test_a_message_arrives_in_the_inbox_of_its_key_only(
    public_receiver: Receiver, key: str, inbox: Inbox, other: Inbox
) -> None:
    assert public_receiver.post(f"/{key}/webhook/works?token=1").status_code == 200

    assert [received.scenario for received in inbox.list_newest()] == [Scenario.WORKS]
    assert other.list_newest() == []


@pytest.mark.parametrize("wrong", [*WRONG_KEYS, VALID])
def test_a_message_without_a_valid_key_is_refused_and_kept_nowhere(
    public_receiver: Receiver, inbox: Inbox, wrong: str
) -> None:
    files = _list_files(public_receiver)

    assert public_receiver.post(f"/{wrong}/webhook/works").status_code == 404
    assert (_list_files(public_receiver), inbox.list_newest()) == (files, [])


def test_an_address_of_the_private_demo_is_refused(public_receiver: Receiver, inbox: Inbox) -> None:
    assert public_receiver.post("/webhook/works").status_code == 404


def test_mail_arrives_in_the_inbox_of_its_domain_only(
    public_receiver: Receiver, key: str, inbox: Inbox, other: Inbox
) -> None:
    assert public_receiver.mail(f"desk@{key.upper()}.{VISITOR_MAIL_DOMAIN}", f"night@{key}.{VISITOR_MAIL_DOMAIN}") == {}

    assert [len(received.recipients) for received in inbox.list_newest()] == [2]
    assert other.list_newest() == []


def test_mail_to_two_inboxes_shows_each_its_own_recipients(
    public_receiver: Receiver, key: str, inbox: Inbox, other: Inbox
) -> None:
    mine, theirs = f"desk@{key}.{VISITOR_MAIL_DOMAIN}", f"desk@{other.path.stem}.{VISITOR_MAIL_DOMAIN}"
    public_receiver.mail(mine, theirs)

    assert [received.recipients for received in (*inbox.list_newest(), *other.list_newest())] == [(mine,), (theirs,)]


@pytest.mark.parametrize("domain", [VISITOR_MAIL_DOMAIN, "example.com", f"{VALID}.{VISITOR_MAIL_DOMAIN}"])
def test_mail_to_anybody_else_is_refused(public_receiver: Receiver, inbox: Inbox, domain: str) -> None:
    files = _list_files(public_receiver)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        public_receiver.mail(f"works@{domain}")

    assert (_list_files(public_receiver), inbox.list_newest()) == (files, [])


def test_what_a_visitor_switched_applies_to_their_own_inbox_only(
    public_receiver: Receiver, key: str, inbox: Inbox, other: Inbox
) -> None:
    path, theirs = f"/{key}/webhook/works?sig=1", f"/{other.path.stem}/webhook/works?sig=1"
    for place in map(name_path, (path, theirs)):
        inbox.switches.set(place, Scenario.MISSING)

    assert (public_receiver.post(path).status_code, public_receiver.post(theirs).status_code) == (404, 200)


def test_a_mailbox_that_a_visitor_switched_is_in_their_own_inbox_only(
    public_receiver: Receiver, key: str, inbox: Inbox, other: Inbox
) -> None:
    mine, theirs = f"desk@{key}.{VISITOR_MAIL_DOMAIN}", f"desk@{other.path.stem}.{VISITOR_MAIL_DOMAIN}"
    for place in map(name_recipient, (mine, theirs)):
        inbox.switches.set(place, Mailbox.FULL)

    assert list(public_receiver.mail(mine, theirs)) == [mine]


def test_the_certificates_of_a_public_demo_cannot_be_switched(
    public_receiver: Receiver, key: str, inbox: Inbox
) -> None:
    inbox.switches.set(name_host("hooks.demo.example"), Certificate.EXPIRED)
    authority = str(public_receiver.certificates / AUTHORITY_FILE)
    policy = name_receiver(Policy(), f"https://127.0.0.1:{public_receiver.https_port}", authority)
    answer = OutboundClient(policy).post(f"https://hooks.demo.example/{key}/webhook/works", b"{}", {})

    assert answer.status == 200
    assert len(inbox.list_newest()) == 1


def test_a_switch_in_an_inbox_that_was_deleted_has_no_effect(public_receiver: Receiver, key: str, inbox: Inbox) -> None:
    inbox.delete()
    inbox.switches.set(name_path(f"/{key}/webhook/works"), Scenario.MISSING)

    assert key not in _list_files(public_receiver)


def test_an_inbox_that_was_deleted_does_not_come_back(public_receiver: Receiver, key: str, inbox: Inbox) -> None:
    public_receiver.post(f"/{key}/webhook/works")
    inbox.delete()
    response = public_receiver.post(f"/{key}/webhook/works")
    inbox.add(ARRIVAL, NOW)

    assert response.status_code == 404
    assert key not in _list_files(public_receiver)


def test_a_full_inbox_forgets_its_oldest_messages_only(inbox: Inbox, other: Inbox) -> None:
    other.add(ARRIVAL, NOW)
    for _ in range(KEPT_FOR_VISITOR + 3):
        inbox.add(ARRIVAL, NOW)

    assert (len(inbox.list_newest()), len(other.list_newest())) == (KEPT_FOR_VISITOR, 1)


@pytest.mark.parametrize("key", WRONG_KEYS)
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    (tmp_path / "folder").mkdir()
    Inbox(tmp_path / "x.sqlite").prepare()

    assert Inboxes(tmp_path / "folder", has_keys=True).find(key) is None
    assert Inboxes(tmp_path / "folder", has_keys=True).find("../x") is None


def test_a_single_inbox_has_no_keys(tmp_path: Path, key: str) -> None:
    inboxes = Inboxes(tmp_path / "inbox.sqlite")

    assert inboxes.find(key) is None
    assert inboxes.find(None) == inboxes.find_for_recipient(f"ann@{key}.{VISITOR_MAIL_DOMAIN}") == Inbox(inboxes.path)
