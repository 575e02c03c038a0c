"""A completed delivery is logged and counted once, after the commit."""

import json
import logging

import pytest

from tests.factories import NOW, SeededIds, add_delivery, get_destination, on_both_databases, seconds
from webapp.deliveries.transitions import ACCEPT, FAIL, REQUEUE, apply_transition, error_columns
from webapp.extensions import db
from webapp.failures import Code
from webapp.logs import JsonLines
from webapp.metrics.counters import CompletionLabels, read_counters

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]


@pytest.fixture
def sending(seeded: SeededIds) -> int:
    """The id of a test send that is being sent."""
    return add_delivery(get_destination(seeded), attempt_started_at=NOW, attempt_count=1).id


def _read_log(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    records = [record for record in caplog.records if record.msg == "delivery completed"]
    return [json.loads(JsonLines().format(record)) for record in records]


def test_a_completion_is_logged_with_its_channel_code_and_seconds_since_the_press(
    sending: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "webapp")

    apply_transition(FAIL, sending, NOW + seconds(1.5), **error_columns(Code.NOT_FOUND))
    db.session.commit()

    (event,) = _read_log(caplog)
    facts = {"delivery": sending, "transition": "fail", "channel": "webhook", "status": "failed", "code": "not_found"}
    assert event.items() >= (facts | {"seconds": 1.5}).items()
    assert read_counters().completions == {CompletionLabels("webhook", "failed", "not_found"): 1}
    assert read_counters().durations["webhook"].total == 1.5


def test_a_completion_that_is_not_committed_is_not_published(sending: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "webapp")

    apply_transition(ACCEPT, sending, NOW, sent_at=NOW)
    db.session.rollback()
    db.session.commit()

    assert (_read_log(caplog), read_counters().completions) == ([], {})


def test_a_completion_is_published_once(sending: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "webapp")

    for _ in range(2):
        apply_transition(ACCEPT, sending, NOW, sent_at=NOW)
        db.session.commit()

    assert (len(_read_log(caplog)), read_counters().completions) == (
        1,
        {CompletionLabels("webhook", "sent", "none"): 1},
    )


def test_a_transition_to_a_pending_state_is_not_published(seeded: SeededIds, caplog: pytest.LogCaptureFixture) -> None:
    waiting = add_delivery(get_destination(seeded)).id
    caplog.set_level(logging.INFO, "webapp")

    apply_transition(REQUEUE, waiting, NOW)
    db.session.commit()

    assert (_read_log(caplog), read_counters().completions) == ([], {})
