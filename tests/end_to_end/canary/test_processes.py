"""The web and worker processes leak no secret, even if one is killed."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from benchmarks.installation.processes import Session, Stack, wait_until
from tests.deliveries.recovery.recovery_passes import recover_at
from tests.end_to_end.canary.canaries import Canaries
from tests.end_to_end.canary.receivers import Receivers, run_receivers
from tests.end_to_end.scenario_runner import OMITTED, ScenarioInputs
from tests.forked_processes import run_processes
from webapp.deliveries.transitions import LOST_AFTER
from webapp.demo.receiver.http_server import HttpReceiver
from webapp.extensions import db
from webapp.models import AlertDelivery
from webapp.settings import AppSettings

DESTINATIONS = "/w/harbor/destinations"


@pytest.fixture
def receivers(canaries: Canaries, demo_receiver: HttpReceiver) -> Iterator[Receivers]:
    with run_receivers(canaries.secrets.make_canary(), demo_receiver) as receivers:
        yield receivers


@pytest.fixture
def stack(environment: dict[str, str], receivers: Receivers, tmp_path: Path) -> Iterator[Stack]:
    """An installation whose processes log everything."""
    logging_settings = {"VERBOSE_LOG": str(tmp_path / "processes.log"), "GUNICORN_CMD_ARGS": "--log-level debug"}
    with run_processes(
        {**environment, **receivers.environment, **logging_settings}, tmp_path / "logs", f"{__package__}.verbose_wsgi"
    ) as stack:
        yield stack


@dataclass(frozen=True)
class Owner:
    """An admin in a browser. shown: every response so far."""

    session: Session
    canaries: Canaries
    shown: list[str] = field(default_factory=list)

    def add_and_press(
        self, channel: str, origin: str = "", path: str | None = None, omitted: tuple[str, ...] = OMITTED[0]
    ) -> None:
        """Add a destination with new secrets in the form, and send a test to it. path: without the query."""
        inputs = self.canaries.inputs({}, channel, omitted)
        inputs = replace(inputs, path=f"{path}?sig={self.canaries.secrets.make_canary()}") if path else inputs
        page = self._save(f"/new/{channel}", inputs, origin)
        self.shown.append(self.session.post(f"{page.rpartition(self.session.origin)[2]}/test").text)

    def save_bad_address(self) -> None:
        """Save the form with valid secrets and a bad address. The response repeats neither."""
        self._save("/new/webhook", self.canaries.inputs({}), "http://bad")
        assert "instead of https://" in self.shown[-1]

    def _save(self, form: str, inputs: ScenarioInputs, origin: str) -> str:
        settings = inputs.settings(inputs.channel, origin)
        response = self.session.post(f"{DESTINATIONS}{form}", {"name": "Typed in", **settings})
        self.shown.append(response.text)
        return str(response.url)


@pytest.mark.slow
def test_web_and_worker_leak_no_secret_even_if_the_worker_is_killed(
    app: Flask,
    app_settings: AppSettings,
    owner: tuple[str, str],
    stack: Stack,
    receivers: Receivers,
    canaries: Canaries,
    search: Callable[[], list[str]],
) -> None:
    admin, worker = Owner(stack.start_web().sign_in(*owner), canaries), stack.start_worker()
    admin.save_bad_address()
    admin.add_and_press("email")
    admin.add_and_press("teams", receivers.good.origin)
    admin.add_and_press("slack", receivers.busy.origin)
    admin.add_and_press("webhook", receivers.gone.origin)
    admin.add_and_press("webhook", receivers.demo_origin, "/webhook/works", OMITTED[1])
    wait_until(lambda: _count_outcomes(app) == Counter({("sent", None): 4, ("failed", "not_found"): 1}))
    admin.add_and_press("webhook", receivers.silent.origin)
    wait_until(lambda: receivers.silent.heads)

    worker.kill()
    _recover(app, app_settings)

    assert _count_outcomes(app)["failed", "worker_lost"] == 1
    assert canaries.secrets.find_in("".join(admin.shown).encode()) == []
    assert search() == []


def _count_outcomes(app: Flask) -> Counter[tuple[str, str | None]]:
    with app.app_context():
        rows = db.session.execute(select(AlertDelivery.status, AlertDelivery.last_error_code))
        return Counter((status.value, code) for status, code in rows)


def _recover(app: Flask, app_settings: AppSettings) -> None:
    with app.app_context():
        recover_at(app_settings, datetime.now(UTC), datetime.now(UTC) + LOST_AFTER)
