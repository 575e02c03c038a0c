"""A public demo in Chromium, over https: a visitor starts, looks around, and is told when it has ended."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import trustme
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import delete
from werkzeug.serving import WSGIRequestHandler, make_server

from benchmarks.installation.servers import QueueServer
from tests.browser.conftest import TIMEOUT
from tests.browser.page_checks import PageCase, PageReport, check_page, note_violations
from tests.conftest import _settings
from tests.databases import new_database
from tests.demo.public_demo import make_public_demo
from tests.demo.receiver_process import free_port
from webapp.app_state import app_state
from webapp.extensions import db
from webapp.models import SignIn


class _Quiet(WSGIRequestHandler):
    def log(self, *_arguments: object) -> None:
        """Log nothing."""


@pytest.fixture
def app(
    request: pytest.FixtureRequest, queue_server: QueueServer, tmp_path: Path, chromium: Browser
) -> Iterator[Flask]:
    port = free_port()
    with new_database("sqlite", request, tmp_path) as url:
        yield make_public_demo(_settings(url, queue_server), tmp_path, DEMO_URL=f"https://demo.localhost:{port}")


@pytest.fixture
def address(app: Flask, tmp_path: Path) -> Iterator[str]:
    """The origin of the demo. The server stands in for the proxy too, which is tested in `tests/end_to_end`."""
    url = app_state(app).settings.links.public_url or ""
    certificate = trustme.CA().issue_cert("demo.localhost")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    server = make_server(
        "127.0.0.1",
        int(url.rpartition(":")[2]),
        app,
        threaded=True,
        request_handler=_Quiet,
        ssl_context=(str(chain), str(key)),
    )
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield url
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def context(chromium: Browser, address: str) -> Iterator[BrowserContext]:
    with chromium.new_context(base_url=address, ignore_https_errors=True) as context:
        context.set_default_timeout(TIMEOUT)
        yield context


def _start(context: BrowserContext) -> Page:
    tab = context.new_page()
    tab.goto("/")
    tab.get_by_role("button", name="Start the demo").click()
    expect(tab.get_by_role("heading", name="Harbor Logistics")).to_be_visible()
    return tab


def test_a_visitor_starts_a_demo_by_keyboard_and_is_told_when_it_has_ended(app: Flask, context: BrowserContext) -> None:
    tab = context.new_page()
    tab.goto("/")
    tab.get_by_role("button", name="Start the demo").focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Harbor Logistics")).to_be_visible()
    expect(tab.get_by_text("Everything in it is then deleted.")).to_be_visible()
    with app.app_context():
        db.session.execute(delete(SignIn))
        db.session.commit()
    tab.get_by_role("button", name="Send test").first.click()

    expect(tab.get_by_text("Your demo has ended.")).to_be_visible()
    expect(tab.get_by_role("button", name="Start a new demo")).to_be_visible()


def test_a_second_visitor_gets_a_demo_of_their_own(chromium: Browser, address: str, context: BrowserContext) -> None:
    first = _start(context)
    with chromium.new_context(base_url=address, ignore_https_errors=True) as other:
        second = _start(other)
        own, response = second.url, second.goto(first.url)

        assert response
        assert (response.status, own != first.url) == (404, True)


@pytest.mark.parametrize("path", ["/sign-in", "/demo/inbox", "/demo/panel"])
def test_the_pages_of_the_public_demo_fit_and_are_accessible(context: BrowserContext, path: str) -> None:
    note_violations(context)
    tab = _start(context) if path != "/sign-in" else context.new_page()
    report = check_page(tab, PageCase(path))

    assert report == PageReport(
        overflow={1280: (0, 0), 360: (0, 0)},
        barriers={1280: [], 360: []},
        barriers_in_dark=[],
        announced_clocks=[],
        text_stops=[],
        unmarked_focus=[],
        console=[],
        violations=[],
        origins=report.origins,
    )
    assert len(report.origins) == 1
