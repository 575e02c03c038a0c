"""The search covers every place: a canary planted there is found."""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from benchmarks.installation.servers import QueueServer
from tests.end_to_end.canary.burst_worker import open_queue
from tests.end_to_end.canary.canaries import Canaries
from tests.end_to_end.canary.conftest import Places
from tests.end_to_end.scenario_runner import run_scenario
from tests.end_to_end.scenarios import accepted_by_mail
from tests.factories import SeededIds, get_destination
from webapp.demo.receiver.inbox import Arrival, Inbox
from webapp.demo.receiver.scenarios import Service
from webapp.extensions import db
from webapp.settings import AppSettings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("context")]

# The places where a canary is found, by where it was planted. Nothing is found of one that was not planted.
EXACTLY = {
    "nowhere": set[str](),
    # Its content is nevertheless found in the database file and in the log of the database library.
    "the encrypted column": {"alertcheck.sqlite-wal", "everything.log"},
    "a line at debug level": {"everything.log"},
    "printed output": {"output"},
}
AT_LEAST = {
    "a name": {"rows", "alertcheck.sqlite-wal", "pages of admin", "pages of support", "pages of viewer"},
    "a compressed traceback in the queue": {"queue", "everything.log"},
    "the arguments of a job": {"queue"},
    "the demo's inbox": {"inbox.sqlite", "pages of viewer"},
}


def fail_with_secret() -> None:
    """Raise an error whose text only the test knows."""
    raise RuntimeError(os.environ["PLANTED"])


@pytest.mark.usefixtures("signals_restored")
def test_a_canary_is_found_wherever_it_was_planted(
    seeded: SeededIds,
    queue_server: QueueServer,
    read_places: Callable[[], Places],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    planted = {where: Canaries() for where in EXACTLY | AT_LEAST}
    secrets = {where: canaries.secrets.make_canary() for where, canaries in planted.items()}
    get_destination(seeded).name = secrets["a name"]
    get_destination(seeded).config = secrets["the encrypted column"]
    db.session.commit()
    logging.getLogger("urllib3.connectionpool").debug("POST /%s", secrets["a line at debug level"])
    print(secrets["printed output"])
    monkeypatch.setenv("PLANTED", secrets["a compressed traceback in the queue"])
    _fill_queue(queue_server, secrets["the arguments of a job"])
    _fill_inbox(tmp_path / "inbox.sqlite", secrets["the demo's inbox"])

    places = read_places()

    found = {where: _names(places.find(canaries)) for where, canaries in planted.items()}
    assert {where: found[where] for where in EXACTLY} == EXACTLY
    assert {where: found[where] & names for where, names in AT_LEAST.items()} == AT_LEAST


def _names(found: list[str]) -> set[str]:
    return {match.partition(": ")[0] for match in found}


def _fill_queue(queue_server: QueueServer, argument: str) -> None:
    """Run a job that fails, as a worker of RQ does that keeps the traceback, and leave another one waiting."""
    with open_queue(queue_server) as queue:
        queue.enqueue(fail_with_secret)
        worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="DEBUG")
        queue.enqueue(fail_with_secret, argument, description="neutral")


def _fill_inbox(file: Path, body: str) -> None:
    arrival = Arrival(service=Service.WEBHOOK, scenario="works", answered=200, accepted=True, body=body)
    Inbox(file).add(arrival, datetime.now(UTC))


def test_only_an_admin_sees_recipients(
    seeded: SeededIds,
    app_settings: AppSettings,
    environment: dict[str, str],
    canaries: Canaries,
    read_places: Callable[[], Places],
) -> None:
    run_scenario(accepted_by_mail, canaries.inputs(environment), seeded, app_settings)

    places = read_places()

    assert canaries.recipients.find_in(places.of_admin["pages of admin"]) != []
    assert places.find(canaries) == []
