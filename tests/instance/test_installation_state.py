"""The state of the installation: which problems the page names, and what it says to do."""

import pytest
from sqlalchemy import update

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, on_both_databases, seconds
from webapp import queue
from webapp.app_state import current_settings
from webapp.audit import COMMAND_LINE
from webapp.extensions import db
from webapp.health.report import OK, check_parts
from webapp.instance.installation_state import Installation, describe_installation
from webapp.models import Account, AlertDestination, Ping, PingKind
from webapp.workspaces.workspace_changes import find_workspace, open_workspace
from webapp.workspaces.workspace_deletion import delete_workspace

pytestmark = pytest.mark.usefixtures("context", "seeded")

ALL_WELL = {"database": OK, "queue": OK, "worker": OK}


@pytest.fixture(autouse=True)
def an_instance_admin(context: None, seeded: SeededIds) -> None:
    get_account(seeded).is_instance_admin = True
    db.session.commit()


def _describe(**parts: str) -> Installation:
    return describe_installation(ALL_WELL | parts, NOW)


def _problems(**parts: str) -> list[tuple[str, str]]:
    return [(problem.sentence, problem.next_step) for problem in _describe(**parts).problems]


@on_both_databases
def test_an_installation_that_works_has_no_problem() -> None:
    queue.record_heartbeat("host:1")

    assert describe_installation(check_parts(), NOW).problems == []


def test_a_queue_servers_problem_is_told_apart_from_its_cure() -> None:
    assert _problems(queue="refuses the connection: start it, and check the host and the port in REDIS_URL") == [
        ("The queue server refuses the connection.", "Start it, and check the host and the port in REDIS_URL.")
    ]


class TestWithMonitoring:
    """An address of the administrator's monitoring is set."""

    @pytest.fixture
    def environment(self, environment: dict[str, str]) -> dict[str, str]:
        return environment | {"ALERTCHECK_PING_URL": "https://monitoring.example.com/ping/canary-8a1c"}

    def test_a_ping_that_failed_is_a_problem_until_one_is_accepted(self) -> None:
        hour = {"kind": PingKind.HOUR, "created_at": NOW, "attempt_count": 1}
        db.session.add(Ping(period=NOW, code="dns_not_found", **hour))
        db.session.commit()
        [(sentence, _next_step)] = _problems()
        assert sentence == "The last request to the address in ALERTCHECK_PING_URL failed (dns_not_found)."

        db.session.add(Ping(period=NOW + seconds(3600), accepted_at=NOW + seconds(3600), **hour))
        db.session.commit()
        assert _problems() == []
        assert _describe().pings.accepted_at == NOW + seconds(3600)


def test_a_databases_problem_without_a_cure_gets_one() -> None:
    sentence, next_step = _problems(database="accepts no changes")[0]

    assert sentence == "The database accepts no changes."
    assert next_step.endswith("check-settings on the server.")


@pytest.mark.parametrize("reason", [queue.NO_WORKER, queue.WorkerFault.PROCESSES])
def test_a_worker_that_does_nothing_is_a_problem(reason: str) -> None:
    sentence, next_step = _problems(worker=reason)[0]

    assert sentence.startswith(("No test is sent. No worker has", "No test is sent. A worker runs, but"))
    assert "log" in next_step


def test_what_nobody_has_checked_is_no_problem() -> None:
    unknown = "unknown, because the first check has not ended"

    assert _problems(database=unknown, queue=unknown, worker=unknown) == []


@pytest.mark.parametrize(("age", "count"), [(30, 0), (31, 1)])
def test_a_test_that_waits_for_long_is_a_problem(seeded: SeededIds, age: int, count: int) -> None:
    add_delivery(get_destination(seeded), created_at=NOW - seconds(age))

    assert len(_problems()) == count


def test_an_installation_without_an_instance_admin_says_how_to_make_one(seeded: SeededIds) -> None:
    get_account(seeded).is_instance_admin = False
    db.session.commit()

    assert "make-instance-admin EMAIL" in _problems()[0][1]


def test_an_instance_admin_who_cannot_sign_in_is_none(seeded: SeededIds) -> None:
    get_account(seeded).is_active = False
    db.session.commit()

    assert "No account is an instance admin" in _problems()[0][0]


def test_settings_that_no_key_decrypts_are_a_problem(seeded: SeededIds) -> None:
    mark = current_settings().cipher.search.unreadable_mark
    db.session.execute(update(AlertDestination).values(search_mark=mark))
    db.session.commit()

    assert _problems()[0][0].startswith("The settings of 2 destinations cannot be decrypted")


def test_workspaces_without_an_admin_are_counted(seeded: SeededIds) -> None:
    open_workspace("yard", "Ship yard", NOW, COMMAND_LINE)
    db.session.execute(update(Account).where(Account.id == seeded.stranger).values(is_active=False))
    db.session.commit()

    assert ("2 workspaces have no admin who can sign in.", "Give each an admin.") in _problems()


def test_a_deleted_workspace_is_counted_until_it_is_gone_and_not_as_one_without_an_admin(seeded: SeededIds) -> None:
    workspace = find_workspace("harbor")
    assert workspace
    delete_workspace(workspace, NOW, COMMAND_LINE)
    db.session.commit()

    assert (_describe().being_deleted, _describe().problems) == (1, [])


def test_workers_are_listed_with_the_age_of_their_heartbeats() -> None:
    queue.record_heartbeat("host-b:2")
    queue.record_heartbeat("host-a:1")

    workers = _describe().workers
    assert workers is not None
    assert [(worker.name, worker.is_alive) for worker in workers] == [("host-a:1", True), ("host-b:2", True)]
    assert all(0 <= worker.seconds < 60 for worker in workers)


@pytest.mark.parametrize(("age", "is_alive"), [(9.9, True), (10.1, False), (-10.1, False)])
def test_a_worker_is_silent_some_seconds_after_its_heartbeat(age: float, is_alive: bool) -> None:
    assert queue.Worker("host:1", age).is_alive is is_alive
