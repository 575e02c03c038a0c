"""The plans of what claims and records deliveries, which must not depend on how many others wait."""

import pytest
from sqlalchemy import insert, text

from tests.deliveries.attempts.group_rows import claim_rows, end_attempt, request_group
from tests.factories import NOW, SeededIds
from tests.query_plans import explain, record_statements
from webapp.deliveries.attempts.claiming import claim
from webapp.deliveries.attempts.group_recording import record_group
from webapp.deliveries.attempts.recording import record
from webapp.extensions import db
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus, database_clock
from webapp.settings import AppSettings


def _add_ended(seeded: SeededIds, count: int) -> None:
    """Add tests that have ended, and update the statistics, which then say that hardly any row waits."""
    facts = {"workspace_id": seeded.harbor, "alert_destination_id": seeded.destination, "event_type": TEST_EVENT}
    facts |= {"status": DeliveryStatus.SENT, "sent_at": NOW, "attempt_count": 1, "payload": {}}
    db.session.execute(insert(AlertDelivery), [facts | {"created_at": NOW, "updated_at": NOW}] * count)
    db.session.commit()
    db.session.execute(text("ANALYZE alert_deliveries"))
    db.session.commit()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_what_claims_and_records_reads_no_other_row_that_waits(
    context: None, seeded: SeededIds, app_settings: AppSettings
) -> None:
    """After a press on Test all, thousands wait, and the statistics of the database do not say so yet."""
    _add_ended(seeded, 2_000)
    ids = request_group(seeded, app_settings)

    def claim_and_record() -> None:
        record_group([end_attempt(attempt) for attempt in claim_rows(ids[:2], app_settings)], database_clock.now())
        record(end_attempt(claim(ids[2], app_settings, database_clock.now())), database_clock.now())

    statements = record_statements(claim_and_record)

    of_rows = [(statement, values) for statement, values in statements if "attempt_started_at IS" in statement]
    plans = [explain(statement, values[0] if isinstance(values, list) else values) for statement, values in of_rows]
    assert len(plans) == 5
    assert not [plan for plan in plans if "ix_alert_deliveries_waiting" in plan]
