"""The page about mail: it asks nobody on its own, says what the DNS says, and shows a mail's steps."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import update

from tests.factories import SeededIds
from tests.mail_check.scripted_dns_server import Misbehavior, ScriptedDnsServer, serve_dns
from tests.mailbox import deliver_mails, mail_settings, read_mails
from tests.scripted_mail_server import ScriptedMailServer
from tests.views.test_instance import sign_in_as_instance_admin
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.mail_check.lookups import NameServer
from webapp.models import Account
from webapp.views import instance_mail

ZONE = """
example.org TXT "v=spf1 ip4:11.22.33.44 -all"
example.org MX 10 mx.example.org.
mx.example.org A 11.22.33.44
_dmarc.example.org TXT "v=DMARC1; p=reject"
example.com MX 0 .
"""


@pytest.fixture
def admin(app: Flask, seeded: SeededIds) -> Visitor:
    """The instance admin, who is the viewer of the harbor."""
    return sign_in_as_instance_admin(app, seeded.viewer)


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedDnsServer]:
    """The name server of this machine."""

    def find_name_servers() -> list[NameServer]:
        assert not db.session.registry.has() or not db.session().in_transaction(), "the database waits for the DNS"
        return [server.name_server]

    with serve_dns(ZONE) as server:
        monkeypatch.setattr(instance_mail, "find_name_servers", find_name_servers)
        yield server


def test_without_a_mail_server_the_page_says_what_to_set(admin: Visitor, dns: ScriptedDnsServer) -> None:
    page = admin.get("/instance/mail").text

    assert "No mail server is set up. Set <code>ALERTCHECK_MAIL_URL</code>" in page
    assert "Check the DNS" not in page
    assert "Send me a mail" not in page
    assert admin.post("/instance/mail", {"check": "sender"}).status_code == 404


def test_without_a_mail_server_a_recipient_can_be_checked(admin: Visitor, dns: ScriptedDnsServer) -> None:
    page = admin.post("/instance/mail", {"check": "recipient", "recipient": "Ada@Example.COM"}).text

    assert "<b>Problem:</b> example.com accepts no mail: it has a null MX record." in page
    assert 'value="Ada@Example.COM"' in page
    assert dns.queries == [("example.com MX", "udp")]


def test_the_page_leads_here_from_the_installation(admin: Visitor) -> None:
    assert 'href="/instance/mail"' in admin.get("/instance").text


class TestWithMail:
    """An installation that can send mail, and whose mail server signs in."""

    @pytest.fixture
    def environment(self, environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
        secret = {"ALERTCHECK_MAIL_URL": f"smtp+starttls://post:Sesame-4711@127.0.0.1:{mailbox.port}"}
        return environment | mail_settings(mailbox) | secret

    def test_opening_the_page_asks_nobody(self, admin: Visitor, dns: ScriptedDnsServer) -> None:
        page = admin.get("/instance/mail").text

        assert dns.queries == []
        assert "Check the DNS" in page
        assert 'id="found"' not in page

    def test_the_page_names_the_mail_server_without_its_password(
        self, admin: Visitor, dns: ScriptedDnsServer, mailbox: ScriptedMailServer
    ) -> None:
        page = admin.get("/instance/mail").text + admin.post("/instance/mail", {"check": "sender"}).text

        assert f"<dd>127.0.0.1, port {mailbox.port}</dd>" in page
        assert "<dd>STARTTLS</dd>" in page
        assert "<dd>example.org</dd>" in page
        assert "Sesame-4711" not in page
        assert "post:" not in page

    def test_a_check_shows_every_section(self, admin: Visitor, dns: ScriptedDnsServer) -> None:
        page = admin.post("/instance/mail", {"check": "sender", "sending": "11.22.33.44"}).text

        titles = [title.strip() for title in re.findall(r"<h3>.*?</i>([^<]*)</h3>", page)]
        assert titles == [
            *("Mail server", "SPF of example.org", "DMARC of example.org", "DKIM"),
            *("Replies and bounces to example.org", "Mail to example.com"),
        ]
        assert "SPF passes for 11.22.33.44: “ip4:11.22.33.44” lets it send for example.org." in page
        assert "DMARC of example.org asks receivers to refuse mail that fails (p=reject)." in page

    def test_only_the_sender_and_the_domains_of_accounts_are_looked_up(
        self, admin: Visitor, dns: ScriptedDnsServer
    ) -> None:
        admin.post("/instance/mail", {"check": "sender", "sending": "11.22.33.44"})

        assert {query.split()[0].removeprefix("_dmarc.") for query, _ in dns.queries} == {
            *("example.org", "mx.example.org", "example.com")
        }

    def test_a_disabled_account_s_domain_is_not_looked_up(
        self, app: Flask, seeded: SeededIds, admin: Visitor, dns: ScriptedDnsServer
    ) -> None:
        with app.app_context():
            stranger = update(Account).where(Account.id == seeded.stranger)
            db.session.execute(stranger.values(email="x@gone.example", is_active=False))
            db.session.commit()
        page = admin.post("/instance/mail", {"check": "sender"}).text

        assert "gone.example" not in page

    def test_a_missing_record_can_be_copied(self, admin: Visitor, dns: ScriptedDnsServer) -> None:
        del dns.zone[("example.org", "TXT")]
        page = admin.post("/instance/mail", {"check": "sender", "sending": "11.22.33.44"}).text

        assert re.search(r'<code id="record-2-1">&#34;v=spf1 ip4:11.22.33.44 ~all&#34;</code>', page)

    def test_what_strangers_wrote_is_shown_as_text(self, admin: Visitor, dns: ScriptedDnsServer) -> None:
        dns.zone[("example.org", "TXT")] = [r'"v=spf1 <script>alert(1)</script> -all"']
        page = admin.post("/instance/mail", {"check": "sender", "sending": "11.22.33.44"}).text

        assert "“&lt;script&gt;alert(1)&lt;/script&gt;” is not an SPF mechanism" in page
        assert "<script>alert" not in page

    @pytest.mark.parametrize(
        ("form", "sentence"),
        [
            ({"check": "sender", "sending": "mail.example.org"}, "Enter one IP address"),
            ({"check": "sender", "sending": "2001:4860::1%any words"}, "Enter one IP address"),
            ({"check": "recipient", "recipient": "localhost"}, "Enter a domain or an email address"),
            ({"check": "recipient"}, "Enter a domain or an email address"),
            ({"check": "recipient", "recipient": "127.0.0.1"}, "not an IP address"),
        ],
    )
    def test_a_wrong_entry_is_explained_and_nobody_is_asked(
        self, admin: Visitor, dns: ScriptedDnsServer, form: dict[str, str], sentence: str
    ) -> None:
        response = admin.post("/instance/mail", form)

        assert response.status_code == 400
        assert sentence in response.text
        assert dns.queries == []

    def test_silent_name_servers_are_named(self, admin: Visitor, dns: ScriptedDnsServer) -> None:
        dns.misbehaving["example.com"] = Misbehavior.SILENCE
        page = admin.post("/instance/mail", {"check": "recipient", "recipient": "example.com"}).text

        assert "The name servers did not answer in time when asked for the MX records of example.com." in page

    def test_few_checks_can_be_made(self, admin: Visitor, dns: ScriptedDnsServer) -> None:
        form = {"check": "recipient", "recipient": "example.com"}
        statuses = [admin.post("/instance/mail", form).status_code for _ in range(31)]

        assert statuses == [200] * 30 + [429]

    def test_a_mail_that_is_pressed_here_comes_back_here_with_its_steps(
        self, app: Flask, admin: Visitor, mailbox: ScriptedMailServer
    ) -> None:
        assert admin.post("/instance/mail-check", {"page": "mail"}).location == "/instance/mail#mail-check"
        assert 'hx-get="/instance/mail-check?page=mail"' in admin.get("/instance/mail").text
        deliver_mails(app)
        page = admin.get("/instance/mail-check?page=mail").text

        assert "Connect to the mail server: <b>done</b>" in page
        assert "Encrypt the connection (TLS): <b>stopped here</b>" in page
        assert "Name the sender: <b>not reached</b>" in page
        assert 'name="page" value="mail"' in page
        assert read_mails(mailbox) == []


class TestWithPlainMail:
    """An installation whose mail server wants neither TLS nor a sign-in."""

    @pytest.fixture
    def environment(self, environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
        return environment | mail_settings(mailbox)

    def test_an_accepted_mail_shows_the_reply(self, app: Flask, admin: Visitor, mailbox: ScriptedMailServer) -> None:
        admin.post("/instance/mail-check", {"page": "mail"})
        deliver_mails(app)
        page = admin.get("/instance/mail").text

        assert "Accepted by the mail server: <b>done</b>, reply 250" in page
        assert (
            "Not used, because ALERTCHECK_MAIL_URL does not ask for it: Encrypt the connection (TLS), Sign in." in page
        )

    def test_the_envelope_sender_has_the_domain_of_the_header_from(
        self, app: Flask, admin: Visitor, mailbox: ScriptedMailServer
    ) -> None:
        admin.post("/instance/mail-check")
        deliver_mails(app)

        (mail,) = read_mails(mailbox)
        envelope = next(command for command in mailbox.commands if command.startswith("mail FROM"))
        assert mail["From"].addresses[0].domain == "example.org"
        assert "@example.org>" in envelope
