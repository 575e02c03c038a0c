"""State transitions of test sends: triggers refuse every change of state that is not in the list.

Real alerts are exempt, because another program may write them. The list is that of the state machine (now
webapp/deliveries/transitions.py) at the time of this migration.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DOWNGRADE_LOSES = "nothing. But nothing keeps other programs from changing a test send that has ended."

STEPS = (
    "waiting sending",
    "waiting waiting",
    "waiting failed",
    "waiting canceled",
    "sending sent",
    "sending failed",
    "sending deferred",
    "deferred waiting",
    "deferred failed",
    "deferred canceled",
    # What stays where it is may change in other columns, such as who pressed when an account is removed.
    "sending sending",
    "deferred deferred",
    "sent sent",
    "failed failed",
    "canceled canceled",
    "suppressed suppressed",
)
STAGE = (
    "CASE WHEN {0}.status <> 'queued' THEN {0}.status"
    " WHEN {0}.attempt_started_at IS NULL THEN 'waiting' ELSE 'sending' END"
)
CLAIM = "CASE WHEN OLD.attempt_started_at IS NULL AND NEW.attempt_started_at IS NOT NULL THEN 1 ELSE 0 END"

BROKEN = {
    "no such step in the life of a test send": (
        f"({STAGE.format('OLD')}) || ' ' || ({STAGE.format('NEW')}) NOT IN ({', '.join(repr(step) for step in STEPS)})"
    ),
    "each claim of a test send counts one attempt, and nothing else does": (
        f"NEW.attempt_count <> OLD.attempt_count + {CLAIM}"
    ),
    "an attempt belongs to one claim, and is over when the test send has ended": (
        "NEW.attempt_started_at IS NOT NULL"
        " AND (NEW.status <> 'queued' OR NEW.attempt_started_at <> OLD.attempt_started_at)"
    ),
    "a test send that has ended stays as it ended": (
        "OLD.status NOT IN ('queued', 'deferred')"
        " AND (NEW.sent_at {differs} OLD.sent_at OR NEW.last_error_code {differs} OLD.last_error_code)"
    ),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        refusals = "\n".join(
            f"IF ({broken}) THEN RAISE EXCEPTION '{rule}' USING ERRCODE = 'check_violation'; END IF;"
            for rule, broken in _rules("IS DISTINCT FROM").items()
        )
        op.execute(
            "CREATE FUNCTION hold_test_sends_to_their_life() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {refusals} RETURN NEW; END $$"
        )
        op.execute(
            "CREATE TRIGGER test_sends_live_one_life BEFORE UPDATE ON alert_deliveries FOR EACH ROW"
            " WHEN (OLD.event_type = 'alerts.test') EXECUTE FUNCTION hold_test_sends_to_their_life()"
        )
        return
    for number, (rule, broken) in enumerate(_rules("IS NOT").items(), start=1):
        op.execute(
            f"CREATE TRIGGER test_sends_live_one_life_{number} BEFORE UPDATE ON alert_deliveries"
            f" WHEN OLD.event_type = 'alerts.test' AND ({broken})"
            f" BEGIN SELECT RAISE(ABORT, '{rule}'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER test_sends_live_one_life ON alert_deliveries")
        op.execute("DROP FUNCTION hold_test_sends_to_their_life()")
        return
    for number in range(1, len(BROKEN) + 1):
        op.execute(f"DROP TRIGGER test_sends_live_one_life_{number}")


def _rules(differs: str) -> dict[str, str]:
    return {rule: broken.format(differs=differs) for rule, broken in BROKEN.items()}
