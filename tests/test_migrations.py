"""The migrations, on databases such as installations have."""

import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from benchmarks.installation.processes import TIME_LIMIT, wait_until
from benchmarks.installation.schema import downgrade, upgrade
from tests.conftest import migrated
from tests.databases import Template, copied_database, unmigrated_database
from tests.factories import on_both_databases
from tests.forked_processes import start_fork
from tests.schema_history import (
    EARLY,
    HEAD,
    LARGEST_ID,
    LATE,
    add_real_deliveries,
    ask,
    execute,
    fill_v1,
    insert,
    list_columns,
    read_rows,
    read_schema,
    read_version,
    v1_delivery,
)
from webapp.application_core import create_core
from webapp.demo.supervisor.processes import Child
from webapp.extensions import Base, db
from webapp.settings import AppSettings

NEWEST = int(HEAD)


@pytest.fixture
def start(request: pytest.FixtureRequest) -> int:
    """The version of the installation that a test starts with: 1, unless it says `starts_at`."""
    return getattr(request, "param", 1)


def starts_at(*versions: int) -> pytest.MarkDecorator:
    """Let a test start with an installation of each of these versions, upgraded from version 1."""
    return pytest.mark.parametrize("start", versions, indirect=True)


@pytest.fixture
def database_url(database: str, start: int, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own for each test: without any table, unless the test starts with an installation."""
    make = partial(copied_database, _template(start)) if "v1" in request.fixturenames else unmigrated_database
    with make(database, request, tmp_path) as url:
        yield url


@pytest.fixture
def app(app_settings: AppSettings) -> Iterator[Flask]:
    """The application without pages, as the command has it that migrates."""
    app = create_core(app_settings)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def v1(context: None) -> None:
    """An installation of version 1 with everything but deliveries, upgraded to where the test starts."""


@cache
def _template(version: int) -> Template:
    return Template(f"v{version}", partial(_make, version), _template(version - 1) if version > 1 else None)


def _make(version: int, url: str) -> None:
    with migrated(url, f"{version:04}"):
        if version == 1:
            fill_v1()


def read_everything() -> tuple[object, Any, Any]:
    """Read the version, the schema and every row, to compare them later."""
    return read_version(), read_schema(), read_rows(list_columns())


def refused(message: str) -> "pytest.RaisesExc[SystemExit]":
    return pytest.raises(SystemExit, match=f"^Nothing was changed.*{message}")


def is_refused(change: str) -> bool:
    """Return whether a rule of the database refuses a change, which then has changed nothing."""
    try:
        execute(change)
    except IntegrityError:
        return True
    return False


def list_accepted(table: str, row: dict[str, object], impossible: dict[str, dict[str, object]]) -> list[str]:
    """Insert impossible variants of a row, and return the names of those that the database accepts."""
    accepted = []
    for name, facts in impossible.items():
        with suppress(IntegrityError):
            insert(table, row | facts)
            accepted.append(name)
    return accepted


# From an empty database to the models


@on_both_databases
def test_migrations_of_an_empty_database_create_the_schema_of_the_models(context: None) -> None:
    upgrade()

    with db.engine.connect() as connection:
        comparison = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(comparison, Base.metadata) == []


@on_both_databases
@starts_at(NEWEST)
def test_constraints_and_indexes_equal_those_of_the_models(v1: None) -> None:
    migrated = read_schema()
    db.drop_all()
    db.create_all()

    assert migrated == read_schema()


@on_both_databases
@starts_at(NEWEST)
def test_the_deliveries_have_every_check_and_index(v1: None) -> None:
    deliveries = read_schema()["alert_deliveries"]

    assert set(deliveries["checks"]) >= {
        "ck_alert_deliveries_status_known",
        "ck_alert_deliveries_test_send_or_real_alert",
        "ck_alert_deliveries_sent_has_time",
        "ck_alert_deliveries_failed_has_code",
        "ck_alert_deliveries_deferred_has_time",
        "ck_alert_deliveries_attempt_count_not_negative",
    }
    assert set(deliveries["indexes"]) >= {
        "ix_alert_deliveries_newest",
        "ix_alert_deliveries_waiting",
        "ix_alert_deliveries_tenant",
        "ix_alert_deliveries_rule",
    }


@on_both_databases
@starts_at(NEWEST)
def test_the_index_of_waiting_deliveries_holds_only_waiting_ones(v1: None) -> None:
    waiting = read_schema()["alert_deliveries"]["indexes"]["ix_alert_deliveries_waiting"]

    assert re.findall(r"'(\w+)'", waiting["where"]) == ["queued", "deferred"]


@on_both_databases
@starts_at(NEWEST)
def test_an_upgrade_of_the_newest_schema_changes_nothing(v1: None) -> None:
    before = read_everything()
    upgrade()

    assert read_everything() == before


# From version 1


@on_both_databases
def test_every_row_of_version_1_survives_the_upgrade_untouched(v1: None) -> None:
    add_real_deliveries()
    columns = list_columns()
    before = read_rows(columns)
    upgrade()

    assert read_rows(columns) == before


@on_both_databases
@starts_at(NEWEST)
def test_an_upgraded_destination_has_its_first_settings_and_is_not_deleted(v1: None) -> None:
    added = read_rows({"alert_destinations": ["settings_version", "deleted_at"]})

    assert set(added["alert_destinations"]) == {(1, None)}


@on_both_databases
@starts_at(NEWEST)
def test_an_upgraded_database_accepts_test_sends(v1: None) -> None:
    insert("alert_deliveries", v1_delivery(event_type="alerts.test", tenant_id=None, alert_rule_id=None))

    assert ask("SELECT count(*) FROM alert_deliveries WHERE tenant_id IS NULL") == 1


@on_both_databases
def test_an_upgraded_database_does_not_reuse_the_id_of_a_deleted_delivery(v1: None) -> None:
    insert("alert_deliveries", v1_delivery(), v1_delivery(), v1_delivery())
    execute("DELETE FROM alert_deliveries WHERE id > 1")
    upgrade()
    insert("alert_deliveries", v1_delivery())

    assert ask("SELECT max(id) FROM alert_deliveries") == 4


@on_both_databases
def test_an_upgraded_database_without_deliveries_does_not_reuse_ids(v1: None) -> None:
    insert("alert_deliveries", v1_delivery(), v1_delivery())
    execute("DELETE FROM alert_deliveries")
    upgrade()
    insert("alert_deliveries", v1_delivery())

    assert ask("SELECT max(id) FROM alert_deliveries") == 3


def test_the_upgraded_file_passes_the_checks_of_sqlite(v1: None) -> None:
    add_real_deliveries()
    upgrade()

    with db.engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


# Refused upgrades

FOREIGN_ID = 2


@on_both_databases
@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"status": "lost"}, "status_known"),
        ({"event_type": "alerts.test"}, "test_send_or_real_alert"),
        ({"sent_at": None}, "sent_has_time"),
        ({"status": "failed"}, "failed_has_code"),
        ({"status": "deferred"}, "deferred_has_time"),
        ({"attempt_count": -1}, "attempt_count_not_negative"),
        ({"alert_destination_id": FOREIGN_ID}, "alert_destination_id_of_same_workspace"),
        ({"tenant_id": FOREIGN_ID}, "tenant_id_of_same_workspace"),
        ({"alert_rule_id": FOREIGN_ID}, "alert_rule_id_of_same_workspace"),
    ],
)
def test_rows_that_violate_a_rule_stop_the_upgrade_and_are_counted(
    v1: None, broken: dict[str, object], rule: str
) -> None:
    insert("alert_deliveries", v1_delivery(), v1_delivery(**broken), v1_delivery(**broken))
    before = read_everything()

    with refused(rf"new schema: {rule}: 2\."):
        upgrade()

    assert read_everything() == before


@on_both_databases
def test_all_violated_rules_are_reported_at_once(v1: None) -> None:
    insert("alert_deliveries", v1_delivery(sent_at=None), v1_delivery(sent_at=None, attempt_count=-1))

    with refused("sent_has_time: 2, attempt_count_not_negative: 1"):
        upgrade()


@on_both_databases
def test_the_upgrade_succeeds_once_the_rows_are_corrected(v1: None) -> None:
    insert("alert_deliveries", v1_delivery(sent_at=None))
    with refused("sent_has_time: 1"):
        upgrade()
    execute("UPDATE alert_deliveries SET sent_at = updated_at")
    upgrade()

    assert read_version() == HEAD


@on_both_databases
def test_an_upgrade_that_fails_in_its_last_step_leaves_version_1_unchanged(v1: None) -> None:
    add_real_deliveries()
    execute("CREATE INDEX ix_alert_deliveries_rule ON alert_rules (name)")  # the last step needs this name
    before = read_everything()

    with pytest.raises(DatabaseError, match="ix_alert_deliveries_rule"):
        upgrade()

    assert read_everything() == before


@on_both_databases
def test_a_failed_upgrade_can_be_repeated(v1: None) -> None:
    execute("CREATE INDEX ix_alert_deliveries_rule ON alert_rules (name)")
    with pytest.raises(DatabaseError):
        upgrade()
    execute("DROP INDEX ix_alert_deliveries_rule")
    upgrade()

    assert read_version() == HEAD


def test_migrations_refuse_to_print_sql(context: None) -> None:
    with pytest.raises(SystemExit, match="Omit --sql"):
        upgrade(sql=True)


# Back to version 1


@on_both_databases
@starts_at(NEWEST)
def test_a_downgrade_that_would_lose_test_sends_is_refused_with_their_number(v1: None) -> None:
    test_send = v1_delivery(event_type="alerts.test", tenant_id=None, alert_rule_id=None)
    insert("alert_deliveries", v1_delivery(), test_send, test_send, test_send)
    before = read_everything()

    with refused("there are 3"):
        downgrade(revision="0001")

    assert read_everything() == before


@on_both_databases
def test_a_downgrade_restores_the_schema_of_version_1(v1: None) -> None:
    before = read_schema()
    upgrade()
    downgrade(revision="0001")

    assert (read_version(), read_schema()) == ("0001", before)


@on_both_databases
@starts_at(NEWEST)
def test_the_newest_schema_can_be_downgraded_to_version_9_and_upgraded_again(v1: None) -> None:
    before = read_everything()

    downgrade(revision="0009")
    upgrade()

    assert read_everything() == before


@on_both_databases
@starts_at(*range(2, 10))
def test_each_version_can_be_downgraded_to_the_one_before_and_upgraded_again(v1: None, start: int) -> None:
    before = read_everything()

    downgrade(revision=f"{start - 1:04}")
    assert read_version() == f"{start - 1:04}"
    upgrade(revision=f"{start:04}")

    assert read_everything() == before


@on_both_databases
def test_a_downgrade_keeps_every_row_of_version_1(v1: None) -> None:
    add_real_deliveries()
    before = read_everything()
    upgrade()
    downgrade(revision="0001")

    assert read_everything() == before


@on_both_databases
@starts_at(NEWEST)
def test_a_downgraded_database_does_not_reuse_the_id_of_a_deleted_delivery(v1: None) -> None:
    insert("alert_deliveries", v1_delivery(), v1_delivery())
    execute("DELETE FROM alert_deliveries WHERE id = 2")
    downgrade(revision="0001")
    insert("alert_deliveries", v1_delivery())

    assert ask("SELECT max(id) FROM alert_deliveries") == 3


@on_both_databases
def test_upgrading_again_after_a_downgrade_gives_the_same_result(v1: None) -> None:
    add_real_deliveries()
    upgrade()
    before = read_everything()
    downgrade(revision="0001")
    upgrade()

    assert read_everything() == before


@on_both_databases
def test_a_downgrade_to_base_leaves_no_table(context: None) -> None:
    upgrade()
    downgrade(revision="base")

    assert read_schema() == {}


# From version 6 to version 7: new failure codes


TEST_SEND = {"event_type": "alerts.test", "tenant_id": None, "alert_rule_id": None, "sent_at": None}


@pytest.fixture
def v6(v1: None) -> None:
    """An installation of version 6, with real alerts and failed test sends."""
    add_real_deliveries()
    upgrade(revision="0006")
    insert(
        "alert_deliveries",
        *(v1_delivery(**TEST_SEND, status="failed", last_error_code=code) for code in ("not_found", "remote_error")),
    )


@on_both_databases
def test_new_failure_codes_change_no_row(v6: None) -> None:
    columns = list_columns()
    before = read_rows(columns)

    upgrade(revision="0007")

    assert read_rows(columns) == before


@on_both_databases
def test_a_downgrade_replaces_a_new_failure_code_by_one_that_claims_the_same_about_the_arrival(v6: None) -> None:
    upgrade(revision="0007")
    insert("alert_deliveries", v1_delivery(id=100, **TEST_SEND, status="failed", last_error_code="gateway_gave_up"))

    downgrade(revision="0006")

    assert ask("SELECT count(*) FROM alert_deliveries WHERE last_error_code = 'remote_error'") == 2


@on_both_databases
@pytest.mark.parametrize("steps", [["0007"], ["0007", "0006"]])
def test_an_ended_test_send_stays_protected(v6: None, steps: list[str]) -> None:
    upgrade(revision=steps[0])
    for version in steps[1:]:
        downgrade(revision=version)

    with pytest.raises(DatabaseError, match="stays as it ended"):
        execute("UPDATE alert_deliveries SET last_error_code = 'gone' WHERE event_type = 'alerts.test'")


# Concurrent upgrades


on_postgresql = pytest.mark.parametrize("database", ["postgres"], indirect=True)

COUNT_LOCK_WAITERS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""

# Seconds; a request gives up after its `busy_timeout` of 5.
LONGER_THAN_A_REQUEST_WAITS = 5.5


def upgrade_in(app: Flask) -> None:
    with app.app_context():
        upgrade()


@pytest.fixture
def start_upgrade(environment: dict[str, str], tmp_path: Path) -> Callable[[], Child]:
    """Start the command that upgrades, in a process of its own."""
    logs, command = count(), ["flask", "--app", "wsgi", "db", "upgrade"]
    environment = os.environ | environment
    return lambda: start_fork("upgrade", command, log=tmp_path / f"upgrade-{next(logs)}.log", environment=environment)


# How the lines begin that tell how far an upgrade is.
PROGRESS = (
    "Running upgrade ",
    "  done after ",
    "Another process is changing the database.",
    "The database has revision ",
)


def finish(*upgrades: Child) -> list[tuple[int, list[str]]]:
    """Wait for all, and return the exit code of each and what it printed beside its progress."""
    codes = [child.process.wait(timeout=TIME_LIMIT) for child in upgrades]
    errors = [[line for line in child.output() if not line.startswith(PROGRESS)] for child in upgrades]
    return list(zip(codes, errors, strict=True))


def wait_for_lock_waiters(count: int) -> None:
    wait_until(lambda: ask(COUNT_LOCK_WAITERS) == count)


@on_both_databases
def test_concurrent_upgrades_of_an_empty_database_all_succeed(
    context: None, start_upgrade: Callable[[], Child]
) -> None:
    results = finish(start_upgrade(), start_upgrade())

    assert results == [(0, [])] * 2
    assert set(read_schema()) == set(Base.metadata.tables)


def test_concurrent_upgrades_of_version_1_all_succeed(v1: None, start_upgrade: Callable[[], Child]) -> None:
    add_real_deliveries()
    columns = list_columns()
    before = read_rows(columns)

    results = finish(start_upgrade(), start_upgrade())

    assert results == [(0, [])] * 2
    assert (read_version(), read_rows(columns)) == (HEAD, before)


@on_postgresql
def test_the_second_of_two_upgrades_waits_for_the_first(v1: None, start_upgrade: Callable[[], Child]) -> None:
    with db.engine.connect() as reader:
        reader.execute(text("SELECT 1 FROM alert_deliveries"))  # nobody can alter the table until this transaction ends
        first, second = start_upgrade(), start_upgrade()
        wait_for_lock_waiters(2)

    assert finish(first, second) == [(0, [])] * 2


@on_postgresql
def test_a_killed_upgrade_leaves_version_1_unchanged(v1: None, start_upgrade: Callable[[], Child]) -> None:
    add_real_deliveries()
    before = read_everything()
    with db.engine.connect() as reader:
        reader.execute(text("SELECT 1 FROM alert_deliveries"))
        killed = start_upgrade()
        wait_for_lock_waiters(1)
        killed.kill()
        finish(killed)

    assert read_everything() == before


@pytest.mark.slow
def test_an_upgrade_on_sqlite_waits_longer_for_a_lock_than_a_request(app: Flask, context: None) -> None:
    with ThreadPoolExecutor() as threads, db.engine.connect() as another:
        another.exec_driver_sql("BEGIN IMMEDIATE")
        waiting = threads.submit(upgrade_in, app)
        time.sleep(LONGER_THAN_A_REQUEST_WAITS)
        another.rollback()
        waiting.result(timeout=TIME_LIMIT)

    assert read_version() == HEAD


@on_both_databases
def test_the_command_reports_a_refusal_and_fails(v1: None, start_upgrade: Callable[[], Child]) -> None:
    insert("alert_deliveries", v1_delivery(sent_at=None))

    [(code, errors)] = finish(start_upgrade())

    assert (code, errors[0].partition(".")[0]) == (1, "Nothing was changed")


# Sign-ins


@on_both_databases
@starts_at(8)
def test_counting_refused_sign_ins_leaves_every_earlier_row_untouched(v1: None) -> None:
    add_real_deliveries()
    insert("sign_ins", {"id": "s" * 43, "account_id": 1, "started_at": LATE})
    columns = list_columns()
    before = read_rows(columns)
    upgrade(revision="0009")
    upgraded = read_rows(columns)
    downgrade(revision="0008")

    assert (upgraded, read_rows(list_columns())) == (before, before)


@on_both_databases
@starts_at(9)
def test_a_downgrade_forgets_refused_sign_ins_and_known_clients(v1: None) -> None:
    insert("known_clients", {"key": "k" * 64, "account_id": 1, "last_used_at": LATE})
    downgrade(revision="0008")
    upgrade(revision="0009")

    assert ask("SELECT count(*) FROM known_clients") == 0


# Exchanges


@on_both_databases
@starts_at(9)
def test_a_delivery_of_an_older_version_has_no_exchange(v1: None) -> None:
    add_real_deliveries()
    upgrade(revision="0014")

    assert ask("SELECT count(*) FROM alert_deliveries WHERE exchange IS NOT NULL") == 0


@on_both_databases
@starts_at(14)
def test_an_ended_test_send_stays_protected_after_a_downgrade_that_forgets_its_exchange(v1: None) -> None:
    insert(
        "alert_deliveries", v1_delivery(**TEST_SEND, status="failed", last_error_code="gone", exchange={"steps": []})
    )
    downgrade(revision="0009")

    with pytest.raises(DatabaseError, match="stays as it ended"):
        execute("UPDATE alert_deliveries SET last_error_code = 'not_found' WHERE event_type = 'alerts.test'")


@on_both_databases
@starts_at(25)
def test_a_delivery_keeps_all_but_its_suggestion_in_a_downgrade(v1: None) -> None:
    insert("alert_deliveries", v1_delivery(**TEST_SEND, status="failed", last_error_code="gone"))
    upgrade(revision="0026")
    assert ask("SELECT count(*) FROM alert_deliveries WHERE suggestion IS NOT NULL") == 0
    insert(
        "alert_deliveries",
        v1_delivery(
            **TEST_SEND, status="failed", last_error_code="gone", suggestion={"setting": "chat_id", "value": "1"}
        ),
    )
    before = ask("SELECT count(*) FROM alert_deliveries")
    downgrade(revision="0025")

    assert ask("SELECT count(*) FROM alert_deliveries") == before
    with pytest.raises(DatabaseError, match="stays as it ended"):
        execute("UPDATE alert_deliveries SET last_error_code = 'not_found' WHERE event_type = 'alerts.test'")


# Planned tests


PLANNED = {
    "workspace_id": 1,
    "alert_destination_id": 1,
    "planned_by_id": 1,
    "due_at": LATE,
    "created_at": EARLY,
}


@on_both_databases
@starts_at(11)
def test_a_downgrade_forgets_planned_tests(v1: None) -> None:
    insert("planned_tests", PLANNED)
    downgrade(revision="0009")
    upgrade(revision="0011")

    assert ask("SELECT count(*) FROM planned_tests") == 0


IMPOSSIBLE_PLANS: dict[str, dict[str, object]] = {
    "a second one": {},
    "of another workspace": {"alert_destination_id": 2},
    "ended without reason": {"alert_destination_id": LARGEST_ID, "workspace_id": 2, "ended_at": LATE},
    "a reason without end": {"alert_destination_id": LARGEST_ID, "workspace_id": 2, "end_reason": "expired"},
    "unknown reason": {
        "alert_destination_id": LARGEST_ID,
        "workspace_id": 2,
        "ended_at": LATE,
        "end_reason": "bored",
    },
}


@on_both_databases
@starts_at(11)
def test_the_database_refuses_a_planned_test_that_cannot_be(v1: None) -> None:
    insert("planned_tests", PLANNED)

    assert list_accepted("planned_tests", PLANNED, IMPOSSIBLE_PLANS) == []


@on_both_databases
@starts_at(23)
def test_a_test_that_was_planned_before_tests_could_page_was_not_confirmed(v1: None) -> None:
    insert("planned_tests", PLANNED)
    upgrade(revision="0024")

    assert ask("SELECT count(*) FROM planned_tests WHERE NOT confirms_paging") == 1


@on_both_databases
@starts_at(24)
def test_a_downgrade_keeps_why_a_plan_ended_in_the_closest_older_word(v1: None) -> None:
    insert("planned_tests", PLANNED | {"ended_at": LATE, "end_reason": "not_confirmed", "confirms_paging": False})
    downgrade(revision="0023")

    assert ask("SELECT end_reason FROM planned_tests") == "not_allowed"


# Customers' links

FAILED_TEST = v1_delivery(**TEST_SEND, status="failed", last_error_code="not_found")
LINK = {
    "workspace_id": 1,
    "destination_id": 1,
    "destination_type": "webhook",
    "account_id": 1,
    "token_hash": "f" * 64,
    "created_at": EARLY,
    "expires_at": LATE,
}


@on_both_databases
@starts_at(9)
def test_an_earlier_test_send_was_not_requested_by_a_customers_link(v1: None) -> None:
    insert("alert_deliveries", FAILED_TEST)
    upgrade(revision="0015")

    assert not ask("SELECT by_customer_link FROM alert_deliveries")


@on_both_databases
@starts_at(15)
def test_a_downgrade_forgets_customers_links_and_keeps_the_protection_of_ended_test_sends(v1: None) -> None:
    insert("customer_links", LINK)
    insert("alert_deliveries", FAILED_TEST)
    downgrade(revision="0009")
    upgrade(revision="0015")

    assert ask("SELECT count(*) FROM customer_links") == 0
    with pytest.raises(DatabaseError):
        execute("UPDATE alert_deliveries SET status = 'queued'")


@on_both_databases
@starts_at(15)
@pytest.mark.parametrize(
    ("deletion", "left"),
    [
        ("DELETE FROM members WHERE account_id = 1", 0),
        ("DELETE FROM accounts WHERE id = 1", 0),
        ("DELETE FROM members WHERE account_id = 7", 1),
    ],
)
def test_a_customers_link_ends_with_the_membership_of_who_made_it(v1: None, deletion: str, left: int) -> None:
    insert("customer_links", LINK)
    execute(deletion)

    assert ask("SELECT count(*) FROM customer_links") == left


FOREIGN: dict[str, dict[str, object]] = {
    "destination": {"destination_id": 2},
    "account": {"account_id": 7},
    "workspace": {"workspace_id": 2},
}


@on_both_databases
@starts_at(15)
def test_a_customers_link_of_another_workspace_is_refused(v1: None) -> None:
    assert list_accepted("customer_links", LINK, FOREIGN) == []


# Invitations

INVITATIONS = 23
INVITATION = {
    "workspace_id": 1,
    "account_id": 1,
    "role": "support",
    "email": "jo@example.com",
    "token_hash": "f" * 64,
    "created_at": EARLY,
    "expires_at": LATE,
}


@pytest.fixture
def invited(v1: None) -> None:
    """An installation with an invitation. The test starts at the version that added them."""
    insert("invitations", INVITATION)


@on_both_databases
@starts_at(INVITATIONS)
def test_a_downgrade_forgets_invitations(invited: None) -> None:
    downgrade(revision=f"{INVITATIONS - 1:04}")
    upgrade(revision=f"{INVITATIONS:04}")

    assert ask("SELECT count(*) FROM invitations") == 0


@on_both_databases
@starts_at(INVITATIONS)
@pytest.mark.parametrize(
    ("deletion", "left"),
    [
        ("DELETE FROM members WHERE account_id = 1", 0),
        ("DELETE FROM accounts WHERE id = 1", 0),
        ("DELETE FROM members WHERE account_id = 7", 1),
    ],
)
def test_an_invitation_ends_with_the_membership_of_who_made_it(invited: None, deletion: str, left: int) -> None:
    execute(deletion)

    assert ask("SELECT count(*) FROM invitations") == left


IMPOSSIBLE_INVITATIONS: dict[str, dict[str, object]] = {
    "of no member": {"account_id": 7},
    "of another workspace": {"workspace_id": 2},
    "unknown role": {"role": "owner"},
    "same token": {"token_hash": "f" * 64},
    "same address": {"email": "jo@example.com"},
    "same mailed token": {"mailed_token_hash": "f" * 64},
}


@on_both_databases
@starts_at(INVITATIONS)
def test_the_database_refuses_an_invitation_that_cannot_be(invited: None) -> None:
    other = INVITATION | {"email": None, "token_hash": "e" * 64}
    execute(f"UPDATE invitations SET mailed_token_hash = '{'f' * 64}'")

    assert list_accepted("invitations", other, IMPOSSIBLE_INVITATIONS) == []


# Receipts


@pytest.fixture
def v9(v1: None) -> None:
    """An installation of version 9, where the test starts, with real alerts and test sends with a receipt, or none."""
    add_real_deliveries()
    sent = {**TEST_SEND, "sent_at": LATE, "receipt_at": LATE}
    insert(
        "alert_deliveries",
        v1_delivery(id=101, **TEST_SEND | {"sent_at": LATE}),
        v1_delivery(id=102, **sent, receipt="seen"),
        v1_delivery(id=103, **sent, receipt="missing", receipt_by="Ann"),
    )


def read_receipt_sources() -> list[tuple[Any, ...]]:
    with db.engine.connect() as connection:
        query = "SELECT id, receipt_source, receipt_recorded_by FROM alert_deliveries WHERE id IN (101, 102, 103)"
        return [tuple(row) for row in connection.execute(text(f"{query} ORDER BY id"))]


@on_both_databases
@starts_at(9)
def test_receipts_of_older_versions_came_from_the_link_or_from_a_member(v9: None) -> None:
    upgrade(revision="0010")

    assert read_receipt_sources() == [(101, None, None), (102, "link", None), (103, "member", None)]


@on_both_databases
@starts_at(9)
def test_naming_the_sources_of_receipts_leaves_every_other_value_untouched(v9: None) -> None:
    columns, schema = list_columns(), read_schema()
    before = read_rows(columns)
    upgrade(revision="0010")
    upgraded = read_rows(columns)
    downgrade(revision="0009")

    assert (upgraded, read_rows(list_columns()), read_schema()) == (before, before, schema)


@on_both_databases
@starts_at(9)
def test_the_database_refuses_an_unknown_source_of_a_receipt(v9: None) -> None:
    upgrade(revision="0010")

    with pytest.raises(DatabaseError, match="receipt_source_known"):
        execute("UPDATE alert_deliveries SET receipt_source = 'rumor' WHERE id = 102")


@on_both_databases
@starts_at(9)
@pytest.mark.parametrize("version", ["0010", "0009"])
def test_an_ended_test_send_with_a_receipt_stays_protected(v9: None, version: str) -> None:
    upgrade(revision="0010")
    downgrade(revision=version)

    with pytest.raises(DatabaseError, match="stays as it ended"):
        execute("UPDATE alert_deliveries SET last_error_code = 'gone' WHERE id = 102")


# Visits to a public demo

AUDIT_EVENT = {
    "account_name": "Ann",
    "action": "signed in",
    "subject": "",
    "result": "done",
    "changed": [],
    "happened_at": LATE,
}
DEMO_VISIT = {
    "workspace_id": 2,
    "account_id": 7,
    "inbox_key": "k" * 26,
    "network": "n" * 64,
    "neighborhood": "n" * 64,
    "started_at": EARLY,
    "ends_at": LATE,
}


@on_both_databases
@starts_at(16, NEWEST)
def test_only_the_audit_events_of_a_visit_can_be_deleted(v1: None) -> None:
    insert("audit_events", AUDIT_EVENT | {"workspace_id": 1}, AUDIT_EVENT | {"workspace_id": 2})
    insert("demo_visits", DEMO_VISIT)

    execute("DELETE FROM audit_events WHERE workspace_id = 2")
    with pytest.raises(DatabaseError, match="append-only"):
        execute("DELETE FROM audit_events WHERE workspace_id = 1")

    assert ask("SELECT workspace_id FROM audit_events") == 1


@on_both_databases
@starts_at(16)
@pytest.mark.parametrize("change", ["UPDATE audit_events SET subject = ''", "DELETE FROM audit_events"])
@pytest.mark.parametrize("steps", [["up"], ["up", "down"]], ids=["upgraded", "downgraded"])
def test_the_audit_trail_stays_append_only(v1: None, steps: list[str], change: str) -> None:
    insert("audit_events", AUDIT_EVENT | {"workspace_id": 2})
    insert("demo_visits", DEMO_VISIT | {"workspace_id": 1})
    if steps[-1] == "down":
        downgrade(revision="0009")

    with pytest.raises(DatabaseError, match="append-only"):
        execute(change)


# The deletion of old audit events

OLD, LONG_AGO, FUTURE = (datetime(year, 1, 2, 3, 4, 5, 600, tzinfo=UTC) for year in (2020, 1999, 2999))
DELETION = {"id": 1, "delete_before": FUTURE, "deleted": 3, "started_at": LATE}


def _add_events(*moments: datetime, workspace_id: int | None = 1) -> None:
    insert("audit_events", *(AUDIT_EVENT | {"workspace_id": workspace_id, "happened_at": at} for at in moments))


def _days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


@on_both_databases
@starts_at(NEWEST)
def test_an_old_event_can_be_deleted_while_a_deletion_names_it(v1: None) -> None:
    _add_events(OLD, LONG_AGO)
    insert("audit_deletions", DELETION | {"delete_before": OLD})

    execute("DELETE FROM audit_events WHERE happened_at < '2000-01-01'")
    with pytest.raises(DatabaseError, match="append-only"):
        execute("DELETE FROM audit_events")

    assert ask("SELECT count(*) FROM audit_events") == 1


@on_both_databases
@starts_at(NEWEST)
def test_no_event_can_be_deleted_without_a_deletion(v1: None) -> None:
    _add_events(LONG_AGO)

    with pytest.raises(DatabaseError, match="append-only"):
        execute("DELETE FROM audit_events")


@on_both_databases
@starts_at(NEWEST)
@pytest.mark.parametrize(("days", "is_deleted"), [(29.99, False), (30.01, True)])
def test_an_event_of_the_last_30_days_stays_whatever_a_deletion_names(v1: None, days: float, is_deleted: bool) -> None:
    _add_events(_days_ago(days))
    insert("audit_deletions", DELETION)

    with nullcontext() if is_deleted else pytest.raises(DatabaseError, match="append-only"):
        execute("DELETE FROM audit_events")

    assert ask("SELECT count(*) FROM audit_events") == (0 if is_deleted else 1)


@starts_at(NEWEST)
def test_sqlite_replaces_no_event(v1: None) -> None:
    _add_events(LATE)
    columns = "id, account_name, action, subject, result, changed, happened_at"
    values = "1, 'Somebody else', 'signed in', '', 'done', '[]', '2026-01-01 00:00:00.000000'"

    with pytest.raises(DatabaseError, match="append-only"):
        execute(f"INSERT OR REPLACE INTO audit_events ({columns}) VALUES ({values})")

    assert ask("SELECT account_name FROM audit_events") == AUDIT_EVENT["account_name"]


@on_both_databases
@starts_at(NEWEST)
def test_only_one_deletion_can_be_under_way(v1: None) -> None:
    insert("audit_deletions", DELETION)

    for number in (1, 2):
        with pytest.raises(IntegrityError):
            insert("audit_deletions", DELETION | {"id": number})


@on_both_databases
@starts_at(21)
@pytest.mark.parametrize("change", ["UPDATE audit_events SET subject = ''", "DELETE FROM audit_events"])
@pytest.mark.parametrize("version", ["0020", "0021"])
def test_the_audit_trail_stays_append_only_with_and_without_the_retention(v1: None, version: str, change: str) -> None:
    _add_events(LATE)
    downgrade(revision="0020")
    upgrade(revision=version)

    with pytest.raises(DatabaseError, match="append-only"):
        execute(change)


@on_both_databases
@starts_at(21)
def test_a_downgrade_permits_the_deletion_of_a_visits_events_alone(v1: None) -> None:
    _add_events(LONG_AGO, workspace_id=1)
    _add_events(LONG_AGO, _days_ago(0), workspace_id=2)
    insert("demo_visits", DEMO_VISIT)
    insert("audit_deletions", DELETION)
    downgrade(revision="0020")

    execute("DELETE FROM audit_events WHERE workspace_id = 2")
    with pytest.raises(DatabaseError, match="append-only"):
        execute("DELETE FROM audit_events")

    assert ask("SELECT workspace_id FROM audit_events") == 1


# Who signs in with an account of a provider

IDENTITY = {"issuer": "https://login.example.com", "subject": "s-1", "account_id": 1, "created_at": EARLY}


@on_both_databases
@starts_at(NEWEST)
@pytest.mark.parametrize("change", [{"account_id": 2}, {"subject": "s-2"}], ids=["two accounts", "two people"])
def test_a_person_at_a_provider_has_one_account_and_an_account_one_person(v1: None, change: dict[str, Any]) -> None:
    insert("external_identities", IDENTITY)

    with pytest.raises(IntegrityError):
        insert("external_identities", IDENTITY | change)


@on_both_databases
@starts_at(NEWEST)
def test_an_identity_ends_with_its_account(v1: None) -> None:
    account = {"id": 99, "email": "new@example.com", "name": "New", "is_active": True, "created_at": EARLY}
    insert("accounts", account)
    insert("external_identities", IDENTITY | {"account_id": 99})

    execute("DELETE FROM accounts WHERE id = 99")

    assert ask("SELECT count(*) FROM external_identities") == 0


# Steps of mails to people


@on_both_databases
@starts_at(26)
def test_a_mail_keeps_all_but_its_steps_in_a_downgrade(v1: None) -> None:
    _fill(26)
    before = read_rows(list_columns())
    upgrade(revision="0030")
    assert ask("SELECT count(*) FROM account_mails WHERE steps IS NOT NULL") == 0
    execute("""UPDATE account_mails SET steps = '{"stopped_at": "sender", "security": "tls", "signs_in": true}'""")
    assert ask("SELECT count(*) FROM account_mails WHERE steps IS NOT NULL") == 1
    downgrade(revision="0026")

    assert "steps" not in list_columns()["account_mails"]
    assert read_rows(list_columns()) == before


# Every migration since 0010


SCHEDULE = {
    "workspace_id": 1,
    "interval": "monthly",
    "weekdays": "135",
    "from_hour": 9,
    "to_hour": 17,
    "time_zone": "Europe/Berlin",
    "started_at": LATE,
    "updated_at": LATE,
}


PROBLEM = {
    "id": 5,
    "workspace_id": 1,
    "alert_destination_id": 1,
    "kind": "failing",
    "opened_at": LATE,
    "delivery_id": 1,
    "message_at": LATE,
    "error_code": "http_not_found",
    "error_message": "The receiver answered 404.",
    "failed_at": LATE,
    "failure_count": 2,
    "settings_version": 1,
    "attention_at": LATE,
}
NOTICE = {"id": 6, "workspace_id": 1, "account_id": 1, "account_mail_id": 3, "status": "queued", "created_at": LATE}
TO_DESTINATION = {
    "id": 7,
    "workspace_id": 1,
    "alert_destination_id": 1,
    "status": "queued",
    "created_at": LATE,
    "claimed_at": LATE,
}
# In the order of their foreign keys.
PROBLEMS = (
    ("destination_problems", PROBLEM),
    ("notices", NOTICE),
    ("notice_items", {"notice_id": 6, "problem_id": 5, "kind": "opened"}),
    ("notice_preferences", {"workspace_id": 1, "account_id": 1, "wants_mail": True, "updated_at": LATE}),
)
# A row of each newer table, by the version that added it.
ADDED_SINCE = (
    (22, "external_identities", IDENTITY),
    (INVITATIONS, "invitations", INVITATION),
    (27, "drill_schedules", SCHEDULE),
    *((28, table, row) for table, row in PROBLEMS),
    (29, "pings", {"kind": "hour", "period": LATE, "created_at": LATE, "attempt_count": 1}),
    (31, "notice_destinations", {"workspace_id": 1, "alert_destination_id": 1, "chosen_at": LATE}),
    (31, "notices", TO_DESTINATION),
    (31, "notice_items", {"notice_id": 7, "problem_id": 5, "kind": "opened"}),
)


def _fill(version: int) -> None:
    """Add rows to what version 1 left, in the tables that this version has."""
    add_real_deliveries()
    _add_events(LONG_AGO, LATE)
    insert("alert_deliveries", FAILED_TEST)
    insert("known_clients", {"key": "k" * 64, "account_id": 1, "last_used_at": LATE})
    insert("sign_ins", {"id": "s" * 43, "account_id": 1, "started_at": LATE})
    if version >= 11:
        insert("planned_tests", PLANNED)
    if version >= 12:
        draft = {"id": "d" * 43, "sign_in_id": "s" * 43, "path": "/w", "content": "c", "created_at": LATE}
        insert("form_drafts", draft)
    if version >= 15:
        insert("customer_links", LINK)
    if version >= 16:
        insert("demo_visits", DEMO_VISIT)
    if version >= 17:
        _add_events(LATE, workspace_id=None)
    if version >= 18:
        used = {"slug": "gone", "used_by_id": 99, "name": "Gone", "deleted_at": LATE}
        insert("used_slugs", used)
    if version >= 20:
        mail = {"kind": "reset", "account_id": 1, "status": "queued", "created_at": LATE, "attempt_count": 0}
        insert("account_mails", mail)
        link = {"account_id": 1, "kind": "reset", "token_hash": "h" * 64, "created_at": LATE, "expires_at": LATE}
        insert("account_links", link)
    for since, table, row in ADDED_SINCE:
        if version >= since:
            insert(table, row)


@on_both_databases
@starts_at(*range(9, NEWEST))
def test_a_migration_and_its_downgrade_leave_every_row_of_the_version_before_untouched(v1: None, start: int) -> None:
    _fill(start)
    columns = list_columns()
    before = read_rows(columns)
    upgrade(revision=f"{start + 1:04}")
    upgraded = read_rows(columns)
    downgrade(revision=f"{start:04}")

    assert (upgraded, read_rows(list_columns())) == (before, before)


@on_both_databases
@starts_at(27)
def test_destinations_of_the_version_before_follow_the_drills_of_their_workspace(v1: None) -> None:
    columns = ["drill_choice", "drills_may_page", "drilled_at", "needs_confirmation"]
    rows = read_rows({"alert_destinations": columns})["alert_destinations"]
    assert rows
    assert {tuple(row) for row in rows} == {("follow", False, None, False)}


WRONG_DRILLS = (
    "UPDATE alert_destinations SET drill_choice = 'hourly'",
    "UPDATE alert_deliveries SET drill = 'third'",
    "UPDATE drill_schedules SET interval = 'daily'",
    "UPDATE drill_schedules SET weekdays = ''",
    "UPDATE drill_schedules SET from_hour = 24",
    "UPDATE drill_schedules SET to_hour = 0",
)


@on_both_databases
@starts_at(27)
def test_the_database_refuses_drills_that_cannot_be(v1: None) -> None:
    _fill(27)

    assert [wrong for wrong in WRONG_DRILLS if not is_refused(wrong)] == []


WRONG_PROBLEMS_AND_NOTICES = (
    "UPDATE destination_problems SET kind = 'slow'",
    "UPDATE destination_problems SET closed_at = opened_at",
    "UPDATE destination_problems SET closed_at = opened_at, end_reason = 'bored'",
    "UPDATE destination_problems SET failure_count = 0",
    "UPDATE notices SET status = 'sent'",
    "UPDATE notices SET status = 'failed', ended_at = created_at",
    "UPDATE notices SET account_id = NULL",
    "UPDATE notice_items SET kind = 'gossip'",
    "INSERT INTO destination_problems (workspace_id, alert_destination_id, kind, opened_at, delivery_id,"
    " message_at, failed_at, failure_count, settings_version) SELECT workspace_id, alert_destination_id, kind,"
    " opened_at, 2, message_at, failed_at, 1, 1 FROM destination_problems",
)


@on_both_databases
@starts_at(28)
def test_the_database_refuses_problems_and_notices_that_cannot_be(v1: None) -> None:
    _fill(28)

    assert [wrong for wrong in WRONG_PROBLEMS_AND_NOTICES if not is_refused(wrong)] == []


WRONG_NOTICES_TO_DESTINATIONS = (
    "UPDATE notices SET alert_destination_id = 1 WHERE id = 6",
    "UPDATE notices SET claimed_at = created_at WHERE id = 6",
    "UPDATE notices SET account_mail_id = NULL WHERE id = 6",
    "UPDATE notices SET account_id = NULL WHERE id = 6",
    "UPDATE notices SET account_mail_id = 3 WHERE id = 7",
    "UPDATE notices SET alert_destination_id = NULL WHERE id = 7",
    "UPDATE notices SET alert_destination_id = 99 WHERE id = 7",
    "UPDATE notice_destinations SET alert_destination_id = 99",
)


@on_both_databases
@starts_at(31)
def test_the_database_refuses_notices_to_destinations_that_cannot_be(v1: None) -> None:
    _fill(31)

    assert [wrong for wrong in WRONG_NOTICES_TO_DESTINATIONS if not is_refused(wrong)] == []


@on_both_databases
@starts_at(31)
def test_a_downgrade_deletes_only_what_destinations_were_told(v1: None) -> None:
    _fill(31)

    downgrade(revision="0030")

    rows = read_rows({"notices": ["id"], "notice_items": ["notice_id"]})
    assert rows == {"notices": [(6,)], "notice_items": [(6,)]}


@on_both_databases
@starts_at(28)
def test_a_downgrade_deletes_the_mails_of_notices(v1: None) -> None:
    for kind in ("notice", "check"):
        insert("account_mails", {"kind": kind, "status": "queued", "created_at": LATE, "attempt_count": 0})

    downgrade(revision="0027")

    assert read_rows({"account_mails": ["kind"]}) == {"account_mails": [("check",)]}


@on_both_databases
@starts_at(18)
def test_the_slugs_of_the_workspaces_that_exist_count_as_used(v1: None) -> None:
    given = read_rows({"workspaces": ["slug", "id", "name"]})["workspaces"]
    assert read_rows({"used_slugs": ["slug", "used_by_id", "name"]})["used_slugs"] == given
    assert given
