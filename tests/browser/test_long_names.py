"""No page is wider than its window, whatever has a name of 200 characters without a space."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import Sessions
from tests.browser.page_checks import MEASURE_OVERFLOW_SCRIPT, SET_DETAILS_SCRIPT
from tests.browser.running_demo import RunningDemo

WORD = "W" * 200
RECIPIENTS = ",".join(f"{'r' * 60}{number}@{'d' * 60}.{'e' * 60}.example.com" for number in range(20))

# Everything that has a name or repeats one. The receiver's error is a sentence with the longest word there is.
LENGTHEN = """
    UPDATE workspaces SET name = :word || id;
    UPDATE accounts SET name = :word || id;
    UPDATE tenants SET name = :word;
    UPDATE alert_rules SET name = :word;
    UPDATE alert_destinations SET name = :word || id;
    UPDATE alert_deliveries SET last_error_message = :word WHERE status = 'failed';
    UPDATE alert_deliveries SET receipt = 'seen', receipt_by = :word WHERE status = 'sent' AND alert_rule_id IS NULL;
"""
LIST = "/w/harbor/destinations"
# In angle brackets: the number of a seeded destination, in the order of their ids.
PAGES = (
    LIST,
    "/w/clinic/destinations",
    f"{LIST}/<1>",
    f"{LIST}/<2>",
    f"{LIST}/<5>",
    f"{LIST}/<8>",
    f"{LIST}/<1>/preview",
    f"{LIST}/<2>/preview",
    f"{LIST}/<2>/edit",
    f"{LIST}/<1>/delete",
    f"{LIST}/<2>/delete",
    f"{LIST}/new",
    f"{LIST}/new/webhook",
    f"{LIST}?q={WORD[:100]}&state=failed",
    "/w/harbor/history",
    "/w/harbor/history?destination=<5>",
    f"/w/harbor/history?code={WORD}",
    "/w/harbor/members",
    "/w/harbor/members/2",
    "/w/harbor/members/2/remove",
    "/w/harbor/audit",
    "/account",
    "/instance/accounts",
    "/instance/accounts/2",
    "/instance/audit?of=all",
    "/instance/workspaces",
    "/instance/workspaces/harbor",
    "/instance/workspaces/harbor/delete",
    "/broken",
    "/demo/inbox",
    "/w/harbor/destinations/0",
)


@pytest.fixture(scope="module")
def phone(chromium: Browser, demo: RunningDemo, sessions: Sessions) -> Iterator[Page]:
    """A phone in a demo in which every name is one long word, after a press in it."""
    names = _execute(demo, "SELECT name, id FROM accounts")
    with chromium.new_context(
        base_url=demo.address, storage_state=sessions["admin"], viewport=ViewportSize(width=360, height=800)
    ) as context:
        yield _prepare(context.new_page(), demo)
    for name, account in names:  # a reset leaves them as they are
        _execute(demo, "UPDATE accounts SET name = :name WHERE id = :id", name=name, id=account)


def _execute(demo: RunningDemo, statement: str, **values: object) -> list[Any]:
    with closing(sqlite3.connect(demo.data / "alertcheck.sqlite", timeout=60)) as database, database:
        return database.execute(statement, values).fetchall()


def _fill_in(demo: RunningDemo, path: str) -> str:
    """Return a path with the ids of its destinations."""
    ids = [number for (number,) in _execute(demo, "SELECT id FROM alert_destinations ORDER BY id")]
    return re.sub(r"<(\d)>", lambda found: str(ids[int(found[1]) - 1]), path)


def _prepare(tab: Page, demo: RunningDemo) -> Page:
    tab.goto(_fill_in(demo, f"{LIST}/<2>/edit"))
    tab.get_by_label("Recipients").fill(RECIPIENTS)
    tab.get_by_role("button", name="Save", exact=True).click()
    expect(tab.get_by_role("status").filter(has_text="was saved.")).to_be_visible()
    for statement in filter(str.strip, LENGTHEN.split(";")):
        _execute(demo, statement, word=WORD)
    tab.goto(_fill_in(demo, f"{LIST}/<3>"))  # the audit trail and the inbox repeat the long names
    tab.get_by_role("button", name="Send test").click()
    tab.locator("[data-last-test=sent]").wait_for()
    return tab


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_phone(phone: Page, demo: RunningDemo, path: str) -> None:
    phone.goto(_fill_in(demo, path))
    phone.evaluate(SET_DETAILS_SCRIPT, False)
    closed = phone.evaluate(MEASURE_OVERFLOW_SCRIPT)
    phone.evaluate(SET_DETAILS_SCRIPT, True)
    assert (closed, phone.evaluate(MEASURE_OVERFLOW_SCRIPT)) == (0, 0)


def test_a_box_stays_beside_the_name_that_it_chooses(phone: Page) -> None:
    phone.goto("/w/harbor/choose")
    label = phone.locator(".ticks label").first
    box, name = label.locator("input").bounding_box(), label.locator("b").bounding_box()
    assert box
    assert name
    assert box["x"] + box["width"] < name["x"]
    assert abs(box["y"] - name["y"]) < box["height"]


def test_many_recipients_make_no_tall_row(phone: Page, demo: RunningDemo) -> None:
    phone.goto(LIST)
    row = phone.locator(_fill_in(demo, ".destination:has(#status-<2>) .where")).bounding_box()
    assert row
    assert row["height"] < 400
