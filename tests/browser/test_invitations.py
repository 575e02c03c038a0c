"""Invitations in real browsers: an admin invites, somebody makes an account with the link and is a member."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.page_checks import NOTE_VIOLATIONS, find_faults
from tests.browser.served_app import add_session, serve
from tests.factories import SeededIds
from tests.mailbox import deliver_mails, mail_settings
from tests.scripted_mail_server import ScriptedMailServer
from webapp.auth.one_time_tokens import TOKEN_LENGTH

MEMBERS = "/w/harbor/members"
PASSWORD = "four unrelated words suffice"

OpenTab = Callable[..., Page]


@pytest.fixture
def environment(environment: dict[str, str], mailbox: ScriptedMailServer) -> dict[str, str]:
    return environment | mail_settings(mailbox)


@pytest.fixture
def open_tab(app: Flask, chromium: Browser) -> Iterator[OpenTab]:
    """Open a tab. account_id: who is signed in, if anybody. options: those of Playwright's `new_context`."""
    problems: list[str] = []
    contexts: list[BrowserContext] = []

    with serve(app) as address:

        def open_one(account_id: int | None = None, **options: object) -> Page:
            context = chromium.new_context(base_url=address, reduced_motion="reduce", **options)  # type: ignore[arg-type]
            contexts.append(context)
            if account_id is not None:
                add_session(context, app, account_id, address)
            context.on("weberror", lambda error: problems.append(str(error.error)))
            context.add_init_script(NOTE_VIOLATIONS)
            return context.new_page()

        yield open_one
        for context in contexts:
            context.close()
    assert problems == []


def invite(tab: Page, email: str = "", role: str = "Support") -> None:
    """Fill in the form and submit it. Without JavaScript too."""
    tab.get_by_text("Invite somebody").click()
    tab.get_by_role("radio", name=role).check()
    tab.get_by_label("Email address (optional)").fill(email)
    tab.get_by_role("button", name="Make an invitation").click()
    expect(tab.locator("#new-link")).to_be_visible()


def path_of_link(tab: Page) -> str:
    return "/" + tab.locator("#new-link").input_value().split("/", 3)[3]


@pytest.mark.parametrize("has_scripts", [True, False])
def test_an_admin_invites_somebody_who_makes_an_account_and_is_a_member(
    seeded: SeededIds, open_tab: OpenTab, *, has_scripts: bool
) -> None:
    admin = open_tab(seeded.admin, java_script_enabled=has_scripts)
    admin.goto(MEMBERS)
    invite(admin)
    expect(admin.locator(".links-in-use")).to_contain_text("Whoever has the link")
    path = path_of_link(admin)

    guest = open_tab(java_script_enabled=has_scripts)
    guest.goto(path)
    expect(guest.get_by_role("heading", name="Join Harbor Logistics")).to_be_visible()
    assert path.rpartition("/")[2] not in guest.url
    guest.get_by_label("Email address").fill("jo@example.com")
    guest.get_by_label("Your name").fill("Jo")
    guest.get_by_label("Password").fill(PASSWORD)
    guest.get_by_role("button", name="Make the account and join").click()
    expect(guest.get_by_text("You are now a member of Harbor Logistics, as support.")).to_be_visible()

    admin.goto(MEMBERS)
    expect(admin.get_by_role("link", name="Jo", exact=True)).to_be_visible()
    expect(admin.locator(".links-in-use")).to_have_count(0)


def test_the_page_says_when_the_mail_was_sent_without_a_reload(
    app: Flask, seeded: SeededIds, open_tab: OpenTab, mailbox: ScriptedMailServer
) -> None:
    admin = open_tab(seeded.admin)
    admin.goto(MEMBERS)
    invite(admin, "jo@example.com")
    link = path_of_link(admin)
    expect(admin.locator(".links-in-use")).to_contain_text("The mail is being sent.")
    deliver_mails(app)

    expect(admin.locator(".links-in-use")).to_contain_text("Sent by mail")
    assert path_of_link(admin) == link  # which is shown once, stays
    assert len(mailbox.messages) == 1


def test_an_invitation_is_revoked_by_keyboard_which_is_announced_and_keeps_the_focus(
    seeded: SeededIds, open_tab: OpenTab
) -> None:
    admin = open_tab(seeded.admin)
    admin.goto(MEMBERS)
    invite(admin)
    admin.get_by_role("button", name="Revoke").press("Enter")
    expect(admin.locator("#invitations > [aria-live]")).to_have_text("The invitation was revoked.")
    expect(admin.get_by_text("Invite somebody")).to_be_focused()


@pytest.mark.slow
def test_the_pages_have_no_barrier_and_fit_every_screen(
    app: Flask, seeded: SeededIds, open_tab: OpenTab, mailbox: ScriptedMailServer
) -> None:
    found = {}

    def check(tab: Page, name: str) -> None:
        found[name] = find_faults(tab)

    admin = open_tab(seeded.admin)
    admin.goto(MEMBERS)
    check(admin, "members")
    admin.get_by_text("Invite somebody").click()
    check(admin, "form")
    admin.goto(MEMBERS)
    invite(admin)
    for_anybody = path_of_link(admin)
    check(admin, "new")
    mailbox.script["RCPT"] = ["550 5.1.1 No such user", "250 ok"]
    for email in ("nobody@example.com", f"{'a-long-name-' * 5}@a-rather-long-domain.example.com", "jo@example.com"):
        admin.goto(MEMBERS)
        invite(admin, email)
        if email != "jo@example.com":
            deliver_mails(app)
    for_jo = path_of_link(admin)
    admin.goto(MEMBERS)
    expect(admin.locator(".links-in-use")).to_contain_text("The mail could not be sent.")
    check(admin, "mails")

    guest, stranger, member = open_tab(), open_tab(seeded.stranger), open_tab(seeded.viewer)
    for tab, path, name in (
        (guest, for_anybody, "signed-out"),
        (guest, for_jo, "signed-out-address"),
        (guest, f"/invitation/open/{'u' * TOKEN_LENGTH}", "ended"),
        (stranger, for_anybody, "signed-in"),
        (stranger, for_jo, "other-account"),
        (member, for_anybody, "member"),
    ):
        tab.goto(path)
        check(tab, name)

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert [tab.evaluate("violations") for tab in (admin, guest, stranger)] == [[], [], []]
