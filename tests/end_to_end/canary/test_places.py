"""The search looks everywhere: what is planted in a place is found there."""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.installation.servers import QueueServer
from tests.end_to_end.canary.burst_worker import open_queue, work_off
from tests.end_to_end.canary.canaries import Canaries
from tests.end_to_end.canary.search_places import House
from tests.end_to_end.scenario_runner import play
from tests.end_to_end.scenarios import accepted_by_mail
from tests.factories import SeededIds, get_destination
from webapp.demo.receiver.inbox import Arrival, Inbox
from webapp.demo.receiver.scenarios import Service
from webapp.extensions import db
from webapp.settings import AppSettings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("context")]

Search = Callable[[], list[str]]


def _places(found: list[str]) -> set[str]:
    return {find.partition(": ")[0] for find in found}


def test_nothing_is_found_before_anything_is_planted(search: Search) -> None:
    assert search() == []


def test_a_name_is_found_in_rows_in_the_file_and_on_every_page(
    seeded: SeededIds, canaries: Canaries, search: Search
) -> None:
    get_destination(seeded).name = canaries.secrets.hatch()
    db.session.commit()

    assert _places(search()) >= {
        "rows",
        "alertcheck.sqlite-wal",
        "pages of admin",
        "pages of support",
        "pages of viewer",
    }


def test_the_sealed_column_alone_is_not_looked_into(seeded: SeededIds, canaries: Canaries, search: Search) -> None:
    get_destination(seeded).config = canaries.secrets.hatch()
    db.session.commit()

    # What stands in it is nevertheless found in the file, and in the log of the database's library.
    assert _places(search()) == {"alertcheck.sqlite-wal", "everything.log"}


def test_a_line_at_debug_level_is_found_in_the_log(canaries: Canaries, search: Search) -> None:
    logging.getLogger("urllib3.connectionpool").debug("POST /%s", canaries.secrets.hatch())

    assert _places(search()) == {"everything.log"}


def test_what_is_printed_is_found(canaries: Canaries, search: Search) -> None:
    print(canaries.secrets.hatch())

    assert _places(search()) == {"output"}


def break_down() -> None:
    """Raise what only the test that enqueued this knows."""
    raise RuntimeError(os.environ["PLANTED"])


@pytest.mark.usefixtures("signals_restored")
def test_a_traceback_that_the_queue_has_compressed_is_found(
    queue_server: QueueServer, canaries: Canaries, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", canaries.secrets.hatch())
    with open_queue(queue_server) as queue:
        queue.enqueue(break_down)

    work_off(queue_server)

    assert _places(search()) >= {"queue", "everything.log"}


def test_a_jobs_argument_is_found(queue_server: QueueServer, canaries: Canaries, search: Search) -> None:
    with open_queue(queue_server) as queue:
        queue.enqueue(break_down, canaries.secrets.hatch(), description="neutral")

    assert "queue" in _places(search())


def test_what_the_demo_shows_is_found(canaries: Canaries, search: Search, tmp_path: Path) -> None:
    arrival = Arrival(
        service=Service.WEBHOOK, scenario="works", answered=200, accepted=True, body=canaries.secrets.hatch()
    )
    Inbox(tmp_path / "inbox.sqlite").add(arrival, datetime.now(UTC))

    assert _places(search()) >= {"inbox.sqlite", "pages of viewer"}


def test_an_admin_sees_recipients_and_nobody_else_does(
    seeded: SeededIds,
    app_settings: AppSettings,
    environment: dict[str, str],
    canaries: Canaries,
    house: House,
    search: Search,
) -> None:
    play(accepted_by_mail, canaries.stage(environment), seeded, app_settings)

    assert canaries.recipients.find_in(house.show_pages("admin")) != []
    assert search() == []
