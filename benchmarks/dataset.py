"""Fills a database to measure on: workspaces of 100, 1,000 and fewer destinations, with deliveries of half a year."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from benchmarks.installation.installation import EMAIL, Installation
from webapp.channels import CHANNELS
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, AlertRule, Role, Tenant, Workspace
from webapp.settings import AppSettings
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

# Other workspaces, with 20 destinations each. They have most of the deliveries.
OTHERS = 20

# Destinations of each measured workspace, listed first, with enough tests to fill a sparkline.
SHOWN = 50

# Destinations of each measured workspace with a large number of tests.
HEAVY = 2

SETTINGS = {"address": "https://hooks.example.com/services/T0000/B0000/XXXX", "recipients": "a@example.com"}

JSON = {"postgresql": "CAST({} AS JSON)", "sqlite": "{}"}

# Converts seconds since 1970 to a time as UtcDateTime stores it.
MOMENT = {"postgresql": "to_timestamp({})", "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', {}, 'unixepoch')"}

# Destinations start at different times, so that their deliveries are interleaved as in reality.
ROWS = """
INSERT INTO alert_deliveries (
  workspace_id, alert_destination_id, event_type, tenant_id, alert_rule_id, status, sent_at, attempt_count,
  last_error_code, last_error_message, answer_status, answer_seconds, requested_by_id, settings_version, attempts,
  payload, created_at, updated_at)
SELECT workspace_id, destination_id,
  CASE WHEN is_test = 1 THEN 'alerts.test' ELSE 'heartbeat.missing' END,
  CASE WHEN is_test = 1 THEN NULL ELSE tenant_id END,
  CASE WHEN is_test = 1 THEN NULL ELSE rule_id END,
  CASE WHEN outcome < 2 THEN 'failed' WHEN outcome = 2 THEN 'canceled' ELSE 'sent' END,
  CASE WHEN outcome > 2 THEN {ended} END,
  CASE WHEN outcome = 2 THEN 0 ELSE 1 END,
  CASE WHEN outcome = 0 THEN 'auth_failed' WHEN outcome = 1 THEN 'connect_timeout' END,
  CASE WHEN outcome < 2 THEN 'It was refused: the address is no longer valid.' END,
  CASE WHEN outcome > 2 THEN 200 WHEN outcome = 0 THEN 401 END,
  CASE WHEN outcome <> 2 THEN 0.21 END,
  CASE WHEN is_test = 1 THEN CAST(:account AS INTEGER) END,
  CASE WHEN is_test = 1 THEN 1 END,
  CASE WHEN outcome <> 2 THEN {attempts} END, {payload}, {created}, {ended}
FROM (
  SELECT plans.*, n, CASE WHEN is_heavy = 1 OR n % 3 <> 0 THEN 1 ELSE 0 END AS is_test,
    (n * 7 + destination_id) % 20 AS outcome,
    :now - 3600.0 - (n - 1 + (destination_id * 37 % 100) / 100.0) * (15552000.0 / count) AS at
  FROM plans JOIN numbers ON numbers.n <= plans.count
  ORDER BY at
) AS one
"""
ATTEMPTS = (
    """'[{"number": 1, "started_at": "2026-05-04T09:30:00+00:00", "seconds": 0.21, "code": null, """
    """"answer_status": 200}]'"""
)
PAYLOAD = (
    """'{"message_id": "msg_' || destination_id || '_' || n || '", "reference": "K7RF-2M", "requested_by": "Owner", """
    """"workspace": "A workspace", "destination": "A destination", "text": "This is a test. Nothing is wrong, and """
    """there is nothing to do: somebody wants to know whether an alert would arrive here."}'"""
)


@dataclass(frozen=True)
class Dataset:
    """The measured workspaces and destinations.

    hundred, thousand: slugs of the workspaces with that many destinations.
    heavy, light: ids of destinations in the first: one with a large number of tests, one with a sparkline's worth.
    """

    hundred: str
    thousand: str
    heavy: int
    light: int


@dataclass(frozen=True)
class DestinationPlan:
    """A destination and the number of deliveries to insert for it."""

    workspace_id: int
    destination_id: int
    tenant_id: int
    rule_id: int
    count: int
    is_heavy: int


def fill_database(installation: Installation, total: int, thousand: int = 1000, others_count: int = OTHERS) -> Dataset:
    """Insert the workspaces and about `total` deliveries, and update the statistics of the query planner.

    thousand: destinations of the second workspace. others_count: workspaces besides the measured ones.
    """
    sizes = {"hundred": 100, "thousand": thousand}
    with installation.app.app_context():
        app_settings, account_id = installation.app_settings, installation.owner_id
        measured = [list(_add_workspace(app_settings, slug, size)) for slug, size in sizes.items()]
        numbers = range(others_count)
        others = [plan for number in numbers for plan in _add_workspace(app_settings, f"other-{number}", 20)]
        for group in measured:
            owner = db.session.query(Account).filter_by(email=EMAIL).one()
            set_role(db.session.get_one(Workspace, group[0].workspace_id), owner, Role.ADMIN)
        db.session.commit()
        plans = _plan(measured, others, total)
        with db.engine.begin() as connection:
            _insert(connection, plans, account_id)
        update_statistics()
        hundred = measured[0]
        return Dataset("hundred", "thousand", hundred[0].destination_id, hundred[HEAVY].destination_id)


def update_statistics() -> None:
    """Have the query planner know what the database contains."""
    # The driver's own connection, outside of a transaction, in which PostgreSQL refuses VACUUM.
    connection = db.engine.raw_connection()
    connection.rollback()
    connection.cursor().execute("VACUUM ANALYZE" if db.engine.dialect.name == "postgresql" else "ANALYZE")
    connection.close()


def _add_workspace(app_settings: AppSettings, slug: str, size: int) -> Iterator[DestinationPlan]:
    now = datetime.now(UTC)
    workspace = add_workspace(slug, f"The workspace {slug}", now)
    tenant = Tenant(workspace_id=workspace.id, name="A customer", created_at=now)
    rule = AlertRule(workspace_id=workspace.id, name="A rule", event_type="heartbeat.missing", created_at=now)
    destinations = [_make_destination(workspace, number, now) for number in range(size)]
    db.session.add_all([tenant, rule, *destinations])
    db.session.flush()
    for destination in destinations:
        destination.config = app_settings.cipher.encrypt(SETTINGS, context=destination.encryption_context)
        yield DestinationPlan(workspace.id, destination.id, tenant.id, rule.id, 0, 0)


def _make_destination(workspace: Workspace, number: int, now: datetime) -> AlertDestination:
    channel = list(CHANNELS)[number % len(CHANNELS)]
    return AlertDestination(
        workspace_id=workspace.id, name=f"Number {number:04}", type=channel, config="", created_at=now, updated_at=now
    )


def _plan(
    measured: Sequence[Sequence[DestinationPlan]], others: Sequence[DestinationPlan], total: int
) -> list[DestinationPlan]:
    heavy = min(100_000, total // 10)
    counts = [
        (plan, heavy if number < HEAVY else 30 if number < SHOWN or len(group) == 100 else 1, number < HEAVY)
        for group in measured
        for number, plan in enumerate(group)
    ]
    left = max(0, total - sum(count for _, count, _ in counts))
    counts += [(plan, left // len(others), False) for plan in others]
    return [
        DestinationPlan(**vars(plan) | {"count": count, "is_heavy": int(is_heavy)}) for plan, count, is_heavy in counts
    ]


def _insert(connection: Connection, plans: Sequence[DestinationPlan], account_id: int) -> None:
    kind = connection.dialect.name
    if kind == "postgresql":
        # Skips the trigger and the foreign keys for each row, and gives sorting and indexes more memory.
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '1GB'", "work_mem = '256MB'"):
            connection.execute(text(f"SET LOCAL {setting}"))
    indexes = AlertDelivery.metadata.tables[AlertDelivery.__tablename__].indexes
    for index in indexes:  # rebuilt afterwards, which is many times faster
        index.drop(connection)
    _insert_plans(connection, plans)
    moment = MOMENT[kind]
    rows = ROWS.format(
        created=moment.format("at"),
        ended=moment.format("at + 0.4"),
        attempts=JSON[kind].format(ATTEMPTS),
        payload=JSON[kind].format(PAYLOAD),
    )
    connection.execute(text(rows), {"now": time.time(), "account": account_id})
    for index in indexes:
        index.create(connection)


def _insert_plans(connection: Connection, plans: Sequence[DestinationPlan]) -> None:
    connection.execute(text("CREATE TEMPORARY TABLE numbers (n INTEGER PRIMARY KEY)"))
    count_up = "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < :most) SELECT n FROM up"
    most = max(plan.count for plan in plans)
    connection.execute(text(f"INSERT INTO numbers {count_up}"), {"most": most})
    names = [field.name for field in fields(DestinationPlan)]
    connection.execute(text(f"CREATE TEMPORARY TABLE plans ({' INTEGER, '.join(names)} INTEGER)"))
    values = ", ".join(f":{name}" for name in names)
    connection.execute(text(f"INSERT INTO plans VALUES ({values})"), [vars(plan) for plan in plans])  # noqa: S608
    for name in ("numbers", "plans"):
        connection.execute(text(f"ANALYZE {name}"))
