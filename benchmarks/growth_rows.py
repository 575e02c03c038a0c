"""Inserts the other rows that a large installation has: memberships, audit events, problems and notices."""

from sqlalchemy import func, insert, literal, select, text

from benchmarks.dataset import JSON, MOMENT, Dataset, update_statistics
from benchmarks.installation.installation import Installation
from benchmarks.reading import turn_on_drills
from webapp.extensions import db
from webapp.models import Account, AlertDestination, Member, Role, Workspace

# Destinations of the second workspace with an open problem.
OPEN_PROBLEMS = 20

NUMBERS = "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < :count) "
EVENTS = (
    NUMBERS
    + """
INSERT INTO audit_events (workspace_id, account_id, account_name, action, subject, result, changed, happened_at)
SELECT :workspace, :account, 'Owner', CASE n % 10 WHEN 0 THEN 'destination.changed' ELSE 'test.requested' END,
  'Number 0001 (destination 1)', 'done', {changed}, {at} FROM up"""
)
CLOSED = (
    NUMBERS
    + """
INSERT INTO destination_problems (workspace_id, alert_destination_id, kind, opened_at, delivery_id, message_at,
  error_code, error_message, failed_at, failure_count, settings_version, closed_at, end_reason)
SELECT :workspace, :destination, 'failing', {at}, n, {at}, 'auth_failed', 'It was refused.', {at}, 1, 1, {end},
  'accepted' FROM up"""
)
NOTICES = (
    NUMBERS
    + """
INSERT INTO notices (workspace_id, account_id, account_mail_id, status, created_at, ended_at)
SELECT :workspace, :account, n, 'sent', {at}, {end} FROM up"""
)
OPEN = """
INSERT INTO destination_problems (workspace_id, alert_destination_id, kind, opened_at, delivery_id, message_at,
  error_code, error_message, failed_at, failure_count, settings_version, attention_at)
SELECT workspace_id, id, 'failing', {at}, 1, {at}, 'auth_failed', 'It was refused.', {at}, 1, 1, {soon}
FROM alert_destinations WHERE workspace_id = :workspace ORDER BY id LIMIT :count"""


def add_memberships(account_id: int) -> None:
    """Make an account a member of all workspaces, and the administrator of the installation."""
    own = select(Member.workspace_id).where(Member.account_id == account_id)
    found = select(Workspace.id, literal(account_id), literal(Role.ADMIN, Member.role.type))
    rows = found.where(Workspace.id.not_in(own))
    db.session.execute(insert(Member).from_select(["workspace_id", "account_id", "role"], rows))
    db.session.get_one(Account, account_id).is_instance_admin = True
    db.session.commit()


def add_history(installation: Installation, dataset: Dataset, events: int, problems: int) -> None:
    """Add audit events of a year, and as many closed problems as notices, to the first workspace.

    The second one gets some open problems, and the drills of all are turned on.
    """
    with installation.app.app_context():
        ids = {slug: _find_workspace(slug) for slug in (dataset.hundred, dataset.thousand)}
        add_memberships(installation.owner_id)
        now = db.session.scalar(select(func.max(AlertDestination.created_at)))
        assert now is not None
        turn_on_drills(now)
        facts = {"account": installation.owner_id, "destination": dataset.light, "now": now.timestamp()}
        facts |= {"workspace": ids[dataset.hundred]}
        for statement, count in ((EVENTS, events), (CLOSED, problems), (NOTICES, problems)):
            _execute(statement, facts | {"count": count})
        _execute(OPEN, facts | {"workspace": ids[dataset.thousand], "count": OPEN_PROBLEMS})
        db.session.commit()
        update_statistics()


def _find_workspace(slug: str) -> int:
    return db.session.scalars(select(Workspace.id).where(Workspace.slug == slug)).one()


def _execute(statement: str, facts: dict[str, object]) -> None:
    kind = db.engine.dialect.name
    moment = MOMENT[kind]
    at = ":now - (31536000.0 / :count) * n" if "n < :count" in statement else ":now - 60.0"
    filled = statement.format(
        changed=JSON[kind].format("'[]'"),
        at=moment.format(at),
        end=moment.format(f"{at} + 30.0"),
        soon=moment.format(":now + 1800.0"),
    )
    db.session.execute(text(filled), facts)
