"""The page about mail in a real browser: with scripts and without, narrow, light and dark."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import update

from tests.browser.page_checks import find_faults
from tests.browser.served_app import add_session, serve
from tests.factories import SeededIds
from tests.mail_check.scripted_dns_server import serve_dns
from tests.mailbox import deliver_mails, mail_settings
from tests.scripted_mail_server import ScriptedMailServer
from webapp.extensions import db
from webapp.models import Account
from webapp.views import instance_mail

ZONE = f"""
example.org TXT "v=spf1 include:{"long-" * 10}name.example.net ip4:11.22.33.45 -all"
{"long-" * 10}name.example.net TXT "v=spf1 ip4:11.22.33.0/30 -all"
example.org A 11.22.33.44
_dmarc.example.org TXT "v=DMARC1; p=reject; pct=50"
example.com MX 10 mx.example.com.
mx.example.com A 11.22.33.44
"""


@pytest.fixture
def environment(environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
    return environment | mail_settings(mailbox)


@pytest.fixture
def address(app: Flask, seeded: SeededIds, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an application whose instance admin is the admin of the harbor."""
    with app.app_context():
        db.session.execute(update(Account).where(Account.id == seeded.admin).values(is_instance_admin=True))
        db.session.commit()
    with serve_dns(ZONE) as server, serve(app) as origin:
        monkeypatch.setattr(instance_mail, "find_name_servers", lambda: [server.name_server])
        yield origin


def _open(context: BrowserContext, app: Flask, seeded: SeededIds, address: str) -> Page:
    add_session(context, app, seeded.admin, address)
    tab = context.new_page()
    tab.goto("/instance/mail")
    return tab


def _take_picture(tab: Page, name: str) -> None:
    """Keep a picture if ALERTCHECK_PICTURES names a folder."""
    if folder := os.environ.get("ALERTCHECK_PICTURES"):
        tab.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_what_a_check_found_can_be_read_everywhere(
    app: Flask, seeded: SeededIds, chromium: Browser, address: str
) -> None:
    with chromium.new_context(base_url=address) as context:
        tab = _open(context, app, seeded, address)
        tab.get_by_role("button", name="Send me a mail").click()
        deliver_mails(app)
        expect(tab.get_by_text("Accepted by the mail server: done, reply 250")).to_be_visible()
        tab.get_by_label("Sending address").fill("11.22.33.44")
        tab.get_by_role("button", name="Check the DNS").click()
        expect(tab.get_by_role("heading", name="What the DNS says")).to_be_focused()
        expect(tab.get_by_text("SPF fails for 11.22.33.44")).to_be_visible()
        expect(tab.get_by_role("button", name="Copy the record").first).to_be_visible()
        expect(tab.get_by_label("Sending address")).to_have_value("11.22.33.44")
        _take_picture(tab, "mail-check")
        assert find_faults(tab) == []


def test_a_record_is_copied_or_selected(app: Flask, seeded: SeededIds, chromium: Browser, address: str) -> None:
    with chromium.new_context(base_url=address, permissions=["clipboard-read", "clipboard-write"]) as context:
        tab = _open(context, app, seeded, address)
        tab.get_by_label("Sending address").fill("11.22.33.44")
        tab.get_by_role("button", name="Check the DNS").click()
        record = tab.locator("[id^=record-]").first.inner_text()
        button = tab.get_by_role("button", name="Copy the record").first
        button.click()
        expect(tab.get_by_text("Copied.", exact=True)).to_be_visible()
        assert tab.evaluate("navigator.clipboard.readText()") == record
        tab.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
        button.click()
        expect(tab.get_by_text("It is selected. Copy it with the keyboard.")).to_be_visible()
        assert tab.evaluate("String(getSelection())") == record


def test_without_scripts_a_recipient_is_checked(app: Flask, seeded: SeededIds, chromium: Browser, address: str) -> None:
    with chromium.new_context(base_url=address, java_script_enabled=False) as context:
        tab = _open(context, app, seeded, address)
        tab.get_by_label("Recipient's domain or address").fill("nobody@gone.example")
        tab.get_by_role("button", name="Check this domain").click()
        expect(tab.get_by_text("gone.example does not exist, so mail to it cannot be delivered.")).to_be_visible()
        tab.get_by_label("Recipient's domain or address").fill("localhost")
        tab.get_by_role("button", name="Check this domain").click()
        expect(tab.get_by_text("Enter a domain or an email address")).to_be_visible()
        expect(tab.get_by_label("Recipient's domain or address")).to_be_focused()
