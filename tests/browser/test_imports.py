"""From a file to a page of badges in a real browser: paste, complete one secret, add, and test them all."""

import os

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab, Sessions
from tests.browser.page_checks import find_faults
from tests.browser.running_demo import RunningDemo

IMPORT = "/w/harbor/import"


def write_file(demo: RunningDemo, mark: str) -> str:
    """Write an alertmanager.yml with six receivers that the demo's own receiver plays. One address is elsewhere."""
    url = demo.receiver
    return f"""
route: {{receiver: ops {mark}}}
receivers:
  - name: ops {mark}
    slack_configs: [{{api_url: "{url("slack/works")}&{mark}", title: "{{{{ template }}}}"}}]
  - name: teams {mark}
    msteamsv2_configs: [{{webhook_url: "{url("teams/works")}&{mark}"}}]
  - name: tickets {mark}
    webhook_configs: [{{url: "{url("webhook/works")}&{mark}"}}]
  - name: old tickets {mark}
    webhook_configs: [{{url: "{url("webhook/missing")}&{mark}"}}]
  - name: denied {mark}
    slack_configs: [{{api_url: "{url("slack/denied")}&{mark}"}}]
  - name: night {mark}
    slack_configs: [{{api_url_file: /etc/alertmanager/night}}]
"""


def paste(tab: Page, text: str) -> None:
    tab.goto(IMPORT)
    tab.get_by_label("Or paste its text").fill(text)
    tab.get_by_role("button", name="Show what is in it").click()
    expect(tab.get_by_role("heading", name="What is in the file")).to_be_visible()


def expect_badge(tab: Page, name: str, badge: str) -> None:
    row = tab.locator(".destination", has=tab.get_by_role("link", name=name, exact=True))
    expect(row.locator("[data-last-test]")).to_have_attribute("data-last-test", badge, timeout=60_000)


@pytest.mark.parametrize("javascript", [True, False])
def test_six_receivers_of_a_file_become_badges(
    open_tab: OpenTab, sessions: Sessions, demo: RunningDemo, javascript: bool
) -> None:
    mark = os.urandom(4).hex()
    tab = open_tab(storage_state=sessions["admin"], java_script_enabled=javascript)
    tab.goto("/w/harbor/destinations")
    tab.get_by_role("link", name="Add destination").click()
    tab.get_by_role("link", name="import what you have").click()
    paste(tab, write_file(demo, mark))

    expect(tab.get_by_text("5 ready, 1 needs a secret")).to_be_visible()
    tab.get_by_label(f"of night {mark}").fill(f"{demo.receiver('slack/works')}&{mark}-night")
    tab.get_by_role("button", name="Add the chosen destinations").last.click()
    expect(tab.get_by_text("6 destinations were added. The import sent nothing.")).to_be_visible()
    tab.on("dialog", lambda dialog: dialog.accept())
    tab.get_by_role("button", name="Test them all").click()
    expect(tab.locator("#batch progress")).to_be_visible()

    tab.goto(f"/w/harbor/destinations?q={mark}")
    if javascript:
        for name, badge in (("ops", "sent"), ("tickets", "sent"), ("old tickets", "failed"), ("night", "sent")):
            expect_badge(tab, f"{name} {mark}", badge)
    else:
        expect(tab.locator(f".destination:has-text('{mark}') [data-last-test=never]")).to_have_count(0)


def test_the_pages_fit_and_are_accessible(admin: Page, demo: RunningDemo) -> None:
    rows = "".join(f"\n  - name: {'long' * 12}{number}\n    slack_configs: [{{}}]" for number in range(20))
    paste(admin, write_file(demo, "fits") + rows)

    assert find_faults(admin) == []


def test_the_table_works_by_keyboard(admin: Page, demo: RunningDemo) -> None:
    paste(admin, write_file(demo, os.urandom(4).hex()))

    box = admin.get_by_role("checkbox").first
    box.focus()
    admin.keyboard.press("Space")

    expect(box).not_to_be_checked()
    admin.keyboard.press("Enter")
    expect(admin.get_by_text("4 destinations were added.")).to_be_visible()
