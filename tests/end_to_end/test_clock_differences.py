"""Two web servers whose clocks differ serve one session: nobody is signed out, and every form is accepted."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time

import pytest
import requests

from benchmarks.installation.processes import Session, run_processes, wait_until
from tests.factories import SeededIds

pytestmark = pytest.mark.slow

LIST = "/w/harbor/destinations"
BY_SECONDS = pytest.mark.parametrize("ahead", [1, -1, 2, -2, 300, -300])


@dataclass
class TwoServers:
    """A browser, and two web servers behind the same name: the clock of the second one is ahead."""

    browser: Session
    origins: tuple[str, str]

    def get(self, server: int, path: str) -> requests.Response:
        self.browser.origin = self.origins[server]
        return self.browser.get(path)

    def post(self, server: int, path: str, data: dict[str, str] | None = None) -> requests.Response:
        self.browser.origin = self.origins[server]
        return self.browser.post(path, data)

    def sign_in(self, server: int, owner: tuple[str, str]) -> None:
        self.browser.origin = self.origins[server]
        self.browser.sign_in(*owner)

    def measure_difference(self) -> float:
        """Return by how many seconds the second clock is ahead. HTTP's dates are whole seconds."""
        date = requests.get(f"{self.origins[1]}/healthz", timeout=10).headers["Date"]
        return parsedate_to_datetime(date).timestamp() - time()


@pytest.fixture
def servers(environment: dict[str, str], owner: tuple[str, str], tmp_path: Path, ahead: float) -> Iterator[TwoServers]:
    settings = environment | {"CLOCK_AHEAD": str(tmp_path / "first")}
    (tmp_path / "first").write_text("0")
    (tmp_path / "second").write_text(str(ahead))
    with run_processes(settings, tmp_path / "logs", wsgi="tests.end_to_end.clock_wsgi") as stack:
        browser = stack.start_web()
        stack.environment = settings | {"CLOCK_AHEAD": str(tmp_path / "second")}
        servers = TwoServers(browser, (browser.origin, stack.start_web().origin))
        wait_until(lambda: ahead - 1.5 < servers.measure_difference() < ahead + 0.5)
        yield servers


@BY_SECONDS
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_session_of_one_server_is_valid_on_the_other(servers: TwoServers, owner: tuple[str, str]) -> None:
    servers.sign_in(0, owner)

    pages = [servers.get(number % 2, LIST) for number in range(1, 11)]

    assert [(page.status_code, page.url.endswith(LIST)) for page in pages] == [(200, True)] * 10


@BY_SECONDS
def test_a_form_of_one_server_is_accepted_by_the_other(
    servers: TwoServers, owner: tuple[str, str], seeded: SeededIds
) -> None:
    servers.sign_in(0, owner)
    button = f"{LIST}/{seeded.destination}"

    servers.get(1, button)
    pressed = servers.post(0, f"{button}/test")
    servers.get(0, button)
    disabled = servers.post(1, f"{button}/disable", {"from": "page"})
    servers.get(1, button)
    signed_out = servers.post(0, "/sign-out", {"from": "page"})

    assert (pressed.status_code, 'data-last-test="pending"' in pressed.text) == (200, True)
    assert (disabled.status_code, "/sign-in" in disabled.url) == (200, False)
    assert "You are signed out." in signed_out.text


@BY_SECONDS
def test_a_sign_in_page_of_one_server_signs_in_on_the_other(servers: TwoServers, owner: tuple[str, str]) -> None:
    servers.get(1, "/sign-in")

    page = servers.post(0, "/sign-in", dict(zip(("email", "password"), owner, strict=True)))

    assert (page.status_code, page.url.endswith(LIST)) == (200, True)
