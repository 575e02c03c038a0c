"""A past to measure on: workspaces of 100 and 1,000 destinations among others, and deliveries of half a year."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from benchmarks.installation.installation import EMAIL, Installation
from webapp.auth.accounts import add_workspace, set_role
from webapp.channels import CHANNELS
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, AlertRule, Role, Tenant, Workspace
from webapp.settings import AppSettings

OTHERS = 20
"""Other workspaces, each of 20 destinations: whose deliveries are most of those there are."""

SHOWN = 50
"""Destinations of each measured workspace that have a strip's worth of tests, and are listed first."""

HEAVY = 2
"""Destinations of each measured workspace that have very many tests."""

SETTINGS = {"address": "https://hooks.example.com/services/T0000/B0000/XXXX", "recipients": "a@example.com"}

JSON = {"postgresql": "CAST({} AS JSON)", "sqlite": "{}"}

# A moment, by seconds since 1970, as UtcDateTime writes it.
MOMENT = {"postgresql": "to_timestamp({})", "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', {}, 'unixepoch')"}

# Destinations begin at different moments, so that the deliveries of all are mixed as they would be.
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
  SELECT places.*, n, CASE WHEN is_heavy = 1 OR n % 3 <> 0 THEN 1 ELSE 0 END AS is_test,
    (n * 7 + destination_id) % 20 AS outcome,
    :now - 3600.0 - (n - 1 + (destination_id * 37 % 100) / 100.0) * (15552000.0 / count) AS at
  FROM places JOIN numbers ON numbers.n <= places.count
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


_MEASURED = (("hundred", 100), ("thousand", 1000))


@dataclass(frozen=True)
class Scene:
    """What there is to ask for. hundred, thousand: slugs.

    heavy, light: destinations of the first, one with very many tests and one with a strip's worth.
    """

    hundred: str
    thousand: str
    heavy: int
    light: int


@dataclass(frozen=True)
class Place:
    """A destination, and how many deliveries it shall have."""

    workspace_id: int
    destination_id: int
    tenant_id: int
    rule_id: int
    count: int
    is_heavy: int


def fill(installation: Installation, total: int) -> Scene:
    """Write the workspaces and about so many deliveries, and have the database look at them."""
    with installation.app.app_context():
        app_settings, account = installation.app_settings, installation.owner_id
        measured = [list(_add_place(app_settings, slug, size)) for slug, size in _MEASURED]
        others = [place for number in range(OTHERS) for place in _add_place(app_settings, f"other-{number}", 20)]
        for places in measured:
            owner = db.session.query(Account).filter_by(email=EMAIL).one()
            set_role(db.session.get_one(Workspace, places[0].workspace_id), owner, Role.ADMIN)
        db.session.commit()
        plan = _plan(measured, others, total)
        with db.engine.begin() as connection:
            _write(connection, plan, account)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"))
        hundred = measured[0]
        return Scene(_MEASURED[0][0], _MEASURED[1][0], hundred[0].destination_id, hundred[HEAVY].destination_id)


def _add_place(app_settings: AppSettings, slug: str, size: int) -> Iterator[Place]:
    now = datetime.now(UTC)
    workspace = add_workspace(slug, f"The workspace {slug}", now)
    tenant = Tenant(workspace_id=workspace.id, name="A customer", created_at=now)
    rule = AlertRule(workspace_id=workspace.id, name="A rule", event_type="heartbeat.missing", created_at=now)
    destinations = [_make_destination(workspace, number, now) for number in range(size)]
    db.session.add_all([tenant, rule, *destinations])
    db.session.flush()
    for destination in destinations:
        destination.config = app_settings.cipher.encrypt(SETTINGS, context=destination.encryption_context)
        yield Place(workspace.id, destination.id, tenant.id, rule.id, 0, 0)


def _make_destination(workspace: Workspace, number: int, now: datetime) -> AlertDestination:
    channel = list(CHANNELS)[number % len(CHANNELS)]
    return AlertDestination(
        workspace_id=workspace.id, name=f"Number {number:04}", type=channel, config="", created_at=now, updated_at=now
    )


def _plan(measured: Sequence[Sequence[Place]], others: Sequence[Place], total: int) -> list[Place]:
    heavy = min(100_000, total // 10)
    counts = [
        (place, heavy if number < HEAVY else 30 if number < SHOWN or len(places) == 100 else 1, number < HEAVY)
        for places in measured
        for number, place in enumerate(places)
    ]
    left = max(0, total - sum(count for _, count, _ in counts))
    counts += [(place, left // len(others), False) for place in others]
    return [Place(**vars(place) | {"count": count, "is_heavy": int(is_heavy)}) for place, count, is_heavy in counts]


def _write(connection: Connection, plan: Sequence[Place], account: int) -> None:
    kind = connection.dialect.name
    if kind == "postgresql":
        # Neither the trigger nor the foreign keys look at each row; sorting and indexes get room.
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '1GB'", "work_mem = '256MB'"):
            connection.execute(text(f"SET LOCAL {setting}"))
    indexes = AlertDelivery.metadata.tables[AlertDelivery.__tablename__].indexes
    for index in indexes:  # made anew afterwards, which is many times faster
        index.drop(connection)
    _write_plan(connection, plan)
    moment = MOMENT[kind]
    rows = ROWS.format(
        created=moment.format("at"),
        ended=moment.format("at + 0.4"),
        attempts=JSON[kind].format(ATTEMPTS),
        payload=JSON[kind].format(PAYLOAD),
    )
    connection.execute(text(rows), {"now": time.time(), "account": account})
    for index in indexes:
        index.create(connection)


def _write_plan(connection: Connection, plan: Sequence[Place]) -> None:
    connection.execute(text("CREATE TEMPORARY TABLE numbers (n INTEGER PRIMARY KEY)"))
    count_up = "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < :most) SELECT n FROM up"
    most = max(place.count for place in plan)
    connection.execute(text(f"INSERT INTO numbers {count_up}"), {"most": most})
    names = [field.name for field in fields(Place)]
    connection.execute(text(f"CREATE TEMPORARY TABLE places ({' INTEGER, '.join(names)} INTEGER)"))
    values = ", ".join(f":{name}" for name in names)
    connection.execute(text(f"INSERT INTO places VALUES ({values})"), [vars(place) for place in plan])  # noqa: S608
    for name in ("numbers", "places"):
        connection.execute(text(f"ANALYZE {name}"))
