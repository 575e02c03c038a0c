"""The instance admin's journey: add a workspace, let support help everywhere, and delete the workspace again."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab, Sessions


def _button(tab: Page, name: str) -> None:
    tab.get_by_role("button", name=name, exact=True).click()


def test_a_workspace_from_its_beginning_to_its_end(open_tab: OpenTab, sessions: Sessions) -> None:
    tab = open_tab(storage_state=sessions["admin"])
    tab.goto("/")
    tab.locator(".account summary").click()
    tab.get_by_role("link", name="Installation").click()
    expect(tab.get_by_role("heading", name="Installation")).to_be_visible()
    tab.get_by_role("navigation", name="Installation").get_by_role("link", name="Workspaces").click()
    tab.get_by_role("link", name="Add workspace").click()
    tab.get_by_label("Name").fill("Ship yard")
    tab.get_by_label("Slug").fill("yard")
    tab.get_by_label("The account with this email address:").check()
    tab.get_by_label("Email address of the first admin").fill("viewer@demo.invalid")
    _button(tab, "Add the workspace")
    expect(tab.get_by_role("status").get_by_text("Ship yard was added.")).to_be_visible()
    expect(tab.get_by_role("heading", name="Ship yard")).to_be_visible()

    tab.get_by_role("navigation", name="Installation").get_by_role("link", name="Accounts").click()
    tab.get_by_role("link", name="support@demo.invalid").click()
    _button(tab, "Let it support every workspace")
    expect(tab.get_by_text("as it supports every workspace")).to_be_visible()

    support = open_tab(storage_state=sessions["support"])
    support.goto("/w/yard/destinations")
    expect(support.get_by_role("heading", name="Ship yard")).to_be_visible()
    expect(support.locator('a[href="/instance"]')).to_have_count(0)

    _button(tab, "End Support everywhere")
    expect(tab.get_by_role("button", name="Let it support every workspace")).to_be_visible()
    support.reload()
    expect(support.get_by_role("heading", name="Ship yard")).to_have_count(0)

    tab.get_by_role("navigation", name="Installation").get_by_role("link", name="Workspaces").click()
    tab.get_by_role("link", name="Ship yard").click()
    tab.get_by_role("link", name="Delete this workspace").click()
    tab.get_by_label("To delete it, enter its slug: yard").fill("yard")
    _button(tab, "Delete the workspace")
    expect(tab.get_by_text("Ship yard was deleted.")).to_be_visible()
    expect(tab.get_by_role("link", name="Ship yard")).to_have_count(0)
    tab.get_by_role("link", name="Deleted workspaces").click()
    tab.get_by_role("link", name="Audit trail of Ship yard").click()
    expect(tab.get_by_role("cell", name="deleted the workspace")).to_be_visible()
