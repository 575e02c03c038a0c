"""Two web servers whose clocks differ serve one session: nobody is signed out, and every form is accepted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time

import pytest
import requests
from flask import Flask
from sqlalchemy import delete, update

from benchmarks.installation.processes import TIME_LIMIT, Session, wait_until
from tests.factories import SeededIds
from tests.forked_processes import run_processes
from webapp.app_state import app_state
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination

pytestmark = pytest.mark.slow

LIST = "/w/harbor/destinations"
# Seconds by which the second clock is ahead, one after the other.
DIFFERENCES = (1, -1, 2, -2, 300, -300)


@dataclass
class TwoServers:
    """A browser, and two web servers behind the same name, one with a clock that follows a file."""

    browser: Session
    origins: tuple[str, str]
    clock: Path

    def set_difference(self, ahead: int) -> None:
        """Set the second clock ahead of the first, and open a new browser, since a session has its times too."""
        self.clock.write_text(str(ahead))
        wait_until(lambda: ahead - 1.5 < self._measure_difference() < ahead + 0.5)
        self.browser = Session(self.origins[0])

    def get(self, server: int, path: str) -> requests.Response:
        self.browser.origin = self.origins[server]
        return self.browser.get(path)

    def post(self, server: int, path: str, data: dict[str, str] | None = None) -> requests.Response:
        self.browser.origin = self.origins[server]
        return self.browser.post(path, data)

    def sign_in(self, server: int, owner: tuple[str, str]) -> None:
        self.browser.origin = self.origins[server]
        self.browser.sign_in(*owner)

    def _measure_difference(self) -> float:
        """Return by how many seconds the second clock is ahead. HTTP's dates are whole seconds."""
        date = requests.get(f"{self.origins[1]}/healthz", timeout=TIME_LIMIT).headers["Date"]
        return parsedate_to_datetime(date).timestamp() - time()


@pytest.fixture
def servers(environment: dict[str, str], owner: tuple[str, str], tmp_path: Path) -> Iterator[TwoServers]:
    settings = environment | {"CLOCK_AHEAD": str(tmp_path / "first")}
    for clock in ("first", "second"):
        (tmp_path / clock).write_text("0")
    with run_processes(settings, tmp_path / "logs", wsgi="tests.end_to_end.clock_wsgi") as stack:
        browser = stack.start_web()
        stack.environment = settings | {"CLOCK_AHEAD": str(tmp_path / "second")}
        yield TwoServers(browser, (browser.origin, stack.start_web().origin), tmp_path / "second")


def _run(servers: TwoServers, steps: Callable[[], object]) -> dict[int, object]:
    """Run the steps once for every difference, each in a new browser; return what they returned."""
    found = {}
    for ahead in DIFFERENCES:
        servers.set_difference(ahead)
        found[ahead] = steps()
    return found


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_session_of_one_server_is_valid_on_the_other(servers: TwoServers, owner: tuple[str, str]) -> None:
    def browse() -> object:
        servers.sign_in(0, owner)
        pages = [servers.get(number % 2, LIST) for number in range(1, 11)]
        return tuple((page.status_code, page.url.endswith(LIST)) for page in pages)

    assert _run(servers, browse) == dict.fromkeys(DIFFERENCES, ((200, True),) * 10)


def test_a_form_of_one_server_is_accepted_by_the_other(
    servers: TwoServers, owner: tuple[str, str], seeded: SeededIds, app: Flask
) -> None:
    button = f"{LIST}/{seeded.destination}"

    def press() -> object:
        _undo(app)
        servers.sign_in(0, owner)
        servers.get(1, button)
        pressed = servers.post(0, f"{button}/test")
        servers.get(0, button)
        disabled = servers.post(1, f"{button}/disable", {"from": "page"})
        servers.get(1, button)
        signed_out = servers.post(0, "/sign-out", {"from": "page"})
        return (
            (pressed.status_code, 'data-last-test="pending"' in pressed.text),
            (disabled.status_code, "/sign-in" in disabled.url),
            "You are signed out." in signed_out.text,
        )

    assert _run(servers, press) == dict.fromkeys(DIFFERENCES, ((200, True), (200, False), True))


def _undo(app: Flask) -> None:
    """Undo what a press and the other form did. The queue server counts presses."""
    with app.app_context():
        app_state(app).redis.flushall()
        db.session.execute(delete(AlertDelivery))
        db.session.execute(update(AlertDestination).values(is_enabled=True))
        db.session.commit()
        db.engine.dispose()


def test_a_sign_in_page_of_one_server_signs_in_on_the_other(servers: TwoServers, owner: tuple[str, str]) -> None:
    def sign_in() -> object:
        servers.get(1, "/sign-in")
        page = servers.post(0, "/sign-in", dict(zip(("email", "password"), owner, strict=True)))
        return page.status_code, page.url.endswith(LIST)

    assert _run(servers, sign_in) == dict.fromkeys(DIFFERENCES, (200, True))
