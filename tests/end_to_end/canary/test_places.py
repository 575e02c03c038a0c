"""The search covers every place: a canary planted there is found."""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.installation.servers import QueueServer
from tests.end_to_end.canary.burst_worker import open_queue, run_all_jobs
from tests.end_to_end.canary.canaries import Canaries
from tests.end_to_end.canary.search_places import SearchedInstallation
from tests.end_to_end.scenario_runner import run_scenario
from tests.end_to_end.scenarios import accepted_by_mail
from tests.factories import SeededIds, get_destination
from webapp.demo.receiver.inbox import Arrival, Inbox
from webapp.demo.receiver.scenarios import Service
from webapp.extensions import db
from webapp.settings import AppSettings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("context")]

Search = Callable[[], list[str]]


def _places(found: list[str]) -> set[str]:
    return {match.partition(": ")[0] for match in found}


def test_nothing_is_found_before_a_canary_is_planted(search: Search) -> None:
    assert search() == []


def test_a_canary_in_a_name_is_found_in_rows_files_and_pages(
    seeded: SeededIds, canaries: Canaries, search: Search
) -> None:
    get_destination(seeded).name = canaries.secrets.make_canary()
    db.session.commit()

    assert _places(search()) >= {
        "rows",
        "alertcheck.sqlite-wal",
        "pages of admin",
        "pages of support",
        "pages of viewer",
    }


def test_only_the_encrypted_column_is_not_searched(seeded: SeededIds, canaries: Canaries, search: Search) -> None:
    get_destination(seeded).config = canaries.secrets.make_canary()
    db.session.commit()

    # Its content is nevertheless found in the database file and in the log of the database library.
    assert _places(search()) == {"alertcheck.sqlite-wal", "everything.log"}


def test_a_line_at_debug_level_is_found_in_the_log(canaries: Canaries, search: Search) -> None:
    logging.getLogger("urllib3.connectionpool").debug("POST /%s", canaries.secrets.make_canary())

    assert _places(search()) == {"everything.log"}


def test_printed_output_is_searched(canaries: Canaries, search: Search) -> None:
    print(canaries.secrets.make_canary())

    assert _places(search()) == {"output"}


def fail_with_secret() -> None:
    """Raise an error whose text only the test knows."""
    raise RuntimeError(os.environ["PLANTED"])


@pytest.mark.usefixtures("signals_restored")
def test_a_compressed_traceback_in_the_queue_is_searched(
    queue_server: QueueServer, canaries: Canaries, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", canaries.secrets.make_canary())
    with open_queue(queue_server) as queue:
        queue.enqueue(fail_with_secret)

    run_all_jobs(queue_server)

    assert _places(search()) >= {"queue", "everything.log"}


def test_the_arguments_of_a_job_are_searched(queue_server: QueueServer, canaries: Canaries, search: Search) -> None:
    with open_queue(queue_server) as queue:
        queue.enqueue(fail_with_secret, canaries.secrets.make_canary(), description="neutral")

    assert "queue" in _places(search())


def test_the_demos_inbox_is_searched(canaries: Canaries, search: Search, tmp_path: Path) -> None:
    arrival = Arrival(
        service=Service.WEBHOOK, scenario="works", answered=200, accepted=True, body=canaries.secrets.make_canary()
    )
    Inbox(tmp_path / "inbox.sqlite").add(arrival, datetime.now(UTC))

    assert _places(search()) >= {"inbox.sqlite", "pages of viewer"}


def test_only_an_admin_sees_recipients(
    seeded: SeededIds,
    app_settings: AppSettings,
    environment: dict[str, str],
    canaries: Canaries,
    installation: SearchedInstallation,
    search: Search,
) -> None:
    run_scenario(accepted_by_mail, canaries.inputs(environment), seeded, app_settings)

    assert canaries.recipients.find_in(installation.show_pages("admin")) != []
    assert search() == []
