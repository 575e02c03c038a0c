"""The first start in Chromium: from an empty database to a second member who has sent a test, without a shell."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_httpserver import HTTPServer

from benchmarks.installation.processes import Stack, free_port, wait_until
from tests.factories import SECRET_PATH, SIGNING_SECRET
from tests.forked_processes import run_processes

ANN = {"Your name": "Ann", "Your email address": "ann@example.com", "Password": "velvet anchor quince 7"}
BEN = {"Your name": "Ben", "Email address": "ben@example.com", "Password": "copper lantern maple 3"}
WORKSPACE = {"Name of your workspace": "Harbor Logistics"}

# Milliseconds until a test has been sent, also by a worker that is just starting.
SENT_WITHIN = 60_000

OpenTab = Callable[[], Page]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(environment: dict[str, str], port: int) -> dict[str, str]:
    return environment | {"ALERTCHECK_PUBLIC_URL": f"http://127.0.0.1:{port}"}


@pytest.fixture
def stack(chromium: Browser, environment: dict[str, str], tmp_path: Path) -> Iterator[Stack]:
    """A web server's and a worker's processes. It depends on the browser, so that none starts without one."""
    with run_processes(environment, tmp_path / "logs") as stack:
        yield stack


@pytest.fixture
def open_tab(chromium: Browser, port: int) -> Iterator[OpenTab]:
    """Open a tab of somebody else's browser. No script may break, and none be blocked."""
    errors: list[str] = []
    contexts: list[BrowserContext] = []

    def open_one() -> Page:
        context = chromium.new_context(base_url=f"http://127.0.0.1:{port}", reduced_motion="reduce")
        contexts.append(context)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


def _read_logs(stack: Stack) -> str:
    return "".join(log.read_text() for log in sorted(stack.logs.glob("*.log")))


def _find_link(stack: Stack) -> str:
    """Return the set-up link, as somebody finds it in the web server's log."""
    wait_until(lambda: '"link"' in _read_logs(stack))
    (line,) = [line for line in _read_logs(stack).splitlines() if '"link"' in line]
    return str(json.loads(line)["link"])


def _fill_in(tab: Page, entries: dict[str, str], button: str) -> None:
    for label, entry in entries.items():
        tab.get_by_label(label).first.fill(entry)
    tab.get_by_role("button", name=button).click()


def _add_destination(tab: Page, address: str) -> None:
    tab.get_by_role("link", name="Add a destination").click()
    tab.get_by_role("link", name="Webhook").click()
    entries = {"Name": "Operations", "Address": address, "Signing secret": SIGNING_SECRET}
    _fill_in(tab, entries, "Add destination")
    expect(tab.get_by_role("heading", name="Operations")).to_be_visible()


def _make_invitation(tab: Page) -> str:
    """Invite somebody as support, from any page of the workspace, and return the link to copy."""
    tab.get_by_role("link", name="Settings", exact=True).click()
    tab.get_by_text("Invite somebody").click()
    tab.get_by_role("radio", name="Support").check()
    tab.get_by_role("button", name="Make an invitation").click()
    return tab.locator("#new-link").input_value()


def _list_acts(tab: Page) -> list[tuple[str, str]]:
    """Return who did what, from the rows of the audit trail that the tab shows, oldest first."""
    rows = tab.locator("table.audit tbody tr")
    expect(rows.first).to_be_visible()
    cells = [row.locator("td").all_inner_texts() for row in rows.all()]
    return [(who.strip(), action.strip()) for _, who, action, *_ in reversed(cells)]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_two_people_move_in_and_the_second_one_sends_a_test(
    stack: Stack, open_tab: OpenTab, httpserver: HTTPServer, port: int
) -> None:
    httpserver.expect_request(SECRET_PATH, method="POST").respond_with_data()
    web = stack.start_web(port=port)
    stack.start_worker()
    link = _find_link(stack)

    ann = open_tab()
    ann.goto(link)
    _fill_in(ann, ANN | WORKSPACE, "Set up")
    expect(ann.get_by_role("heading", name="Harbor Logistics")).to_be_visible()
    _add_destination(ann, httpserver.url_for(SECRET_PATH))
    invitation = _make_invitation(ann)

    ben = open_tab()
    ben.goto(invitation)
    expect(ben.get_by_role("heading", name="Join Harbor Logistics")).to_be_visible()
    _fill_in(ben, BEN, "Make the account and join")
    ben.get_by_role("button", name="Send test").click()
    expect(ben.locator(".badge").first).to_have_text("Sent", timeout=SENT_WITHIN)
    assert len(httpserver.log) == 1

    used = open_tab()
    for address in (link, invitation):
        used.goto(address)
        expect(used.get_by_role("heading", name="does not work")).to_be_visible()

    stack.children[0].stop()
    stack.start_web(port=port)
    secrets = [link.rpartition("/")[2], invitation.rpartition("/")[2], ANN["Password"], BEN["Password"]]
    logs = _read_logs(stack)
    assert web.is_up()
    assert [logs.count(secret) for secret in (*secrets, SIGNING_SECRET, SECRET_PATH)] == [1, 0, 0, 0, 0, 0]

    ann.get_by_role("link", name="Audit trail").click()
    expect(ann.get_by_role("heading", name="Audit trail")).to_be_visible()
    assert _list_acts(ann) == [
        ("Ann", "added the workspace"),
        ("Ann", "added the member admin"),
        ("Ann", "signed in"),
        ("Ann", "added name, address, signing_secret"),
        ("Ann", "invited support"),
        ("Ann", "added the member support"),
        ("Ben", "accepted the invitation support"),
        ("Ben", "signed in"),
        ("Ben", "sent a test"),
    ]
    ann.goto("/instance/audit")
    assert _list_acts(ann) == [
        ("Ann", "added the account"),
        ("Ann", "used the set-up link first account"),
        ("Ann", "made the account an instance admin"),
        ("Ann", "added the workspace"),
    ]
