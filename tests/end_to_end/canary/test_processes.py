"""No secret gets out of the processes that serve pages and send, not even out of one that is killed."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from benchmarks.installation.processes import Session, Stack, run_processes, wait_until
from tests.deliveries.recovery_passes import recover_at
from tests.end_to_end.canary.canaries import Canaries
from tests.end_to_end.canary.receivers import Town, open_town
from tests.end_to_end.scenario_runner import Stage
from webapp.deliveries.transitions import LOST_AFTER
from webapp.demo.receiver.http_server import HttpReceiver
from webapp.extensions import db
from webapp.models import AlertDelivery
from webapp.settings import AppSettings

DESTINATIONS = "/w/harbor/destinations"


@pytest.fixture
def town(canaries: Canaries, demo_end: HttpReceiver) -> Iterator[Town]:
    with open_town(canaries.secrets.hatch(), demo_end) as town:
        yield town


@pytest.fixture
def stack(environment: dict[str, str], town: Town, tmp_path: Path) -> Iterator[Stack]:
    """An installation whose processes log all that they can."""
    loud = {"LOUD_LOG": str(tmp_path / "processes.log"), "GUNICORN_CMD_ARGS": "--log-level debug"}
    with run_processes(
        {**environment, **town.environment, **loud}, tmp_path / "logs", f"{__package__}.loud_wsgi"
    ) as stack:
        yield stack


@dataclass(frozen=True)
class Owner:
    """An admin at work in a browser. shown: every answer so far."""

    session: Session
    canaries: Canaries
    shown: list[str] = field(default_factory=list)

    def add_and_press(self, channel: str, origin: str = "", path: str | None = None) -> None:
        """Add a destination with new secrets by its form, and send it a test. path: without the query."""
        stage = self.canaries.stage({}, channel)
        stage = replace(stage, path=f"{path}?sig={self.canaries.secrets.hatch()}") if path else stage
        page = self._save(f"/new/{channel}", stage, origin)
        self.shown.append(self.session.post(f"{page.rpartition(self.session.origin)[2]}/test").text)

    def mistype(self) -> None:
        """Save the form with good secrets at a bad address: it comes back with neither."""
        self._save("/new/webhook", self.canaries.stage({}), "http://bad")
        assert "does not begin with https://" in self.shown[-1]

    def _save(self, form: str, stage: Stage, origin: str) -> str:
        settings = stage.settings(stage.channel, origin)
        answer = self.session.post(f"{DESTINATIONS}{form}", {"name": "Typed in", **settings})
        self.shown.append(answer.text)
        return str(answer.url)


@pytest.mark.slow
def test_no_secret_gets_out_of_web_and_worker_even_if_that_is_killed(
    app: Flask,
    app_settings: AppSettings,
    owner: tuple[str, str],
    stack: Stack,
    town: Town,
    canaries: Canaries,
    search: Callable[[], list[str]],
) -> None:
    admin, worker = Owner(stack.start_web().sign_in(*owner), canaries), stack.start_worker()
    admin.mistype()
    admin.add_and_press("email")
    admin.add_and_press("teams", town.good.origin)
    admin.add_and_press("slack", town.busy.origin)
    admin.add_and_press("webhook", town.gone.origin)
    admin.add_and_press("webhook", town.demo_origin, "/webhook/works")
    wait_until(lambda: _ends(app) == Counter({("sent", None): 4, ("failed", "not_found"): 1}))
    admin.add_and_press("webhook", town.silent.origin)
    wait_until(lambda: town.silent.heads)

    worker.kill()
    _recover(app, app_settings)

    assert _ends(app)["failed", "worker_lost"] == 1
    assert canaries.secrets.find_in("".join(admin.shown).encode()) == []
    assert search() == []


def _ends(app: Flask) -> Counter[tuple[str, str | None]]:
    with app.app_context():
        rows = db.session.execute(select(AlertDelivery.status, AlertDelivery.last_error_code))
        return Counter((status.value, code) for status, code in rows)


def _recover(app: Flask, app_settings: AppSettings) -> None:
    with app.app_context():
        recover_at(app_settings, datetime.now(UTC), datetime.now(UTC) + LOST_AFTER)
