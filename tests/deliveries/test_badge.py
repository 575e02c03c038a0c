"""LastTestStatus: the badge, its time and its sentence for every status."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert, get_destination, on_both_databases, seconds
from webapp.deliveries.badge import Badge, describe_outcome, describe_status
from webapp.deliveries.newest_deliveries import _DESTINATIONS_WITH_NEWEST_TEST, find_newest_test, list_with_newest_test
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AlertDelivery, DeliveryStatus, Receipt

SENT_AT, UPDATED_AT, SEND_AFTER = NOW + seconds(1), NOW + seconds(2), NOW + seconds(3)


def _test_send(status: DeliveryStatus, **facts: Any) -> AlertDelivery:
    values: dict[str, Any] = {"sent_at": None, "send_after": None, "attempt_started_at": None, "last_error_code": None}
    values |= {"last_error_message": None, "created_at": NOW, "updated_at": UPDATED_AT, "attempt_count": 0}
    return AlertDelivery(status=status, **(values | facts))


@pytest.mark.parametrize(
    ("newest", "badge", "at"),
    [
        (None, Badge.NEVER, None),
        (_test_send(DeliveryStatus.QUEUED), Badge.PENDING, NOW),
        (_test_send(DeliveryStatus.DEFERRED, send_after=SEND_AFTER), Badge.PENDING, SEND_AFTER),
        (_test_send(DeliveryStatus.QUEUED, send_after=SEND_AFTER), Badge.PENDING, SEND_AFTER),
        (_test_send(DeliveryStatus.SENT, sent_at=SENT_AT), Badge.SENT, SENT_AT),
        (_test_send(DeliveryStatus.FAILED, last_error_code="not_found"), Badge.FAILED, UPDATED_AT),
        (_test_send(DeliveryStatus.CANCELED, last_error_code="superseded"), Badge.FAILED, UPDATED_AT),
        (_test_send(DeliveryStatus.SUPPRESSED), Badge.FAILED, UPDATED_AT),
    ],
)
def test_the_badge_and_its_time_follow_from_the_newest_test_send(
    newest: AlertDelivery | None, badge: Badge, at: datetime | None
) -> None:
    outcome = describe_outcome(newest, "webhook")

    assert (outcome.badge, outcome.at) == (badge, at)


@pytest.mark.parametrize("status", [DeliveryStatus.CANCELED, DeliveryStatus.SUPPRESSED])
def test_a_test_that_was_not_sent_shows_the_reason(status: DeliveryStatus) -> None:
    outcome = describe_outcome(_test_send(status, last_error_message="The reason."), "webhook")

    assert outcome.sentence == "Not sent. The reason."


def test_a_waiting_test_shows_since_when_it_waits_for_a_worker() -> None:
    outcome = describe_outcome(_test_send(DeliveryStatus.QUEUED), "webhook")

    assert (outcome.sentence, outcome.at_label, outcome.at) == (
        "Waiting for a worker to pick it up.",
        "requested",
        NOW,
    )


def test_a_claimed_test_is_shown_as_being_sent() -> None:
    outcome = describe_outcome(_test_send(DeliveryStatus.QUEUED, attempt_started_at=NOW), "webhook")

    assert (outcome.sentence, outcome.at_label, outcome.at) == ("Sending now.", "requested", NOW)


BUSY = {"last_error_message": "It was busy.", "attempt_count": 1}


def test_a_deferred_test_shows_the_last_failure_and_the_time_of_the_next_attempt() -> None:
    outcome = describe_outcome(_test_send(DeliveryStatus.DEFERRED, send_after=SEND_AFTER, **BUSY), "webhook")

    assert (outcome.sentence, outcome.at_label, outcome.at) == (
        "It was busy. Attempt 2 is next.",
        "next attempt due",
        SEND_AFTER,
    )


def test_a_later_attempt_that_waits_for_a_worker_is_shown() -> None:
    outcome = describe_outcome(_test_send(DeliveryStatus.QUEUED, **BUSY), "webhook")

    assert (outcome.sentence, outcome.at_label) == ("It was busy. Attempt 2 is waiting for a worker.", "requested")


def test_a_later_attempt_that_is_being_sent_is_shown() -> None:
    second = _test_send(DeliveryStatus.QUEUED, attempt_started_at=NOW, **(BUSY | {"attempt_count": 2}))

    assert describe_outcome(second, "webhook").sentence == "It was busy. Attempt 2 is running."


def test_sent_claims_no_more_than_the_channel_knows() -> None:
    outcome = describe_outcome(_test_send(DeliveryStatus.SENT, sent_at=SENT_AT), "teams")

    assert outcome.sentence == "Accepted by Microsoft Teams."


def test_sent_with_a_warning_shows_the_warning() -> None:
    sent = _test_send(DeliveryStatus.SENT, sent_at=SENT_AT, last_error_message="1 of 3 recipients was refused.")

    assert describe_outcome(sent, "email").sentence == "Accepted by the mail server. 1 of 3 recipients was refused."


def test_a_lost_worker_means_that_the_message_may_have_arrived() -> None:
    outcome = describe_outcome(_test_send(DeliveryStatus.FAILED, last_error_code=Code.WORKER_LOST), "webhook")

    assert outcome.may_have_arrived


def test_the_next_step_of_a_failure_depends_on_the_channel() -> None:
    failed = _test_send(DeliveryStatus.FAILED, last_error_code=Code.NOT_FOUND)

    assert describe_outcome(failed, "teams").next_step != describe_outcome(failed, "no-such-channel").next_step


def test_an_unknown_code_is_shown_unchanged() -> None:
    outcome = describe_outcome(_test_send(DeliveryStatus.FAILED, last_error_code="from_long_ago"), "webhook")

    assert (outcome.badge, outcome.sentence, outcome.next_step) == (Badge.FAILED, "from_long_ago", None)


# A real alert's row as another program may have written it.
FOREIGN = {"alert_rule_id": 1, "last_error_message": "POST https://hooks.example.com/canary: refused"}


@pytest.mark.parametrize(
    ("delivery", "sentence"),
    [
        (_test_send(DeliveryStatus.FAILED, last_error_code="gone", **FOREIGN), "gone"),
        (_test_send(DeliveryStatus.CANCELED, last_error_code="gone", **FOREIGN), "Not sent. gone"),
        (_test_send(DeliveryStatus.SENT, sent_at=SENT_AT, **FOREIGN), "Accepted by the receiver."),
        (_test_send(DeliveryStatus.QUEUED, **FOREIGN), "Waiting to be sent."),
        (_test_send(DeliveryStatus.DEFERRED, send_after=SEND_AFTER, **FOREIGN), "Attempt 1 is next."),
    ],
)
def test_an_error_message_that_another_program_wrote_is_not_shown(delivery: AlertDelivery, sentence: str) -> None:
    assert describe_outcome(delivery, "webhook").sentence == sentence


def test_the_error_message_of_a_real_alert_that_alertcheck_sent_is_shown() -> None:
    ours = _test_send(DeliveryStatus.FAILED, last_error_code="gone", alert_rule_id=1, attempts=[], **BUSY)

    assert describe_outcome(ours, "webhook").sentence == "It was busy."


@on_both_databases
def test_the_newest_test_send_is_the_one_created_last(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    newest = add_delivery(destination, created_at=NOW + seconds(1))
    add_delivery(destination, created_at=NOW)

    assert find_newest_test(destination) == newest


@on_both_databases
def test_the_higher_id_is_the_newest_of_two_created_at_the_same_instant(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination)
    newest = add_delivery(destination)

    assert find_newest_test(destination) == newest


@on_both_databases
def test_a_real_alert_never_changes_the_badge(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    tested = add_delivery(destination)
    add_real_alert(destination, created_at=NOW + seconds(9))

    assert find_newest_test(destination) == tested


@on_both_databases
def test_a_page_of_destinations_takes_one_query_for_any_number_of_deliveries(
    context: None, seeded: SeededIds, count_queries: Any
) -> None:
    destination = get_destination(seeded)
    for second in range(20):
        newest = add_delivery(destination, created_at=NOW + seconds(second))

    with count_queries() as queries:
        rows = list_with_newest_test([seeded.destination])

    assert (rows, len(queries)) == ([(destination, newest)], 1)


def test_a_destination_that_was_never_tested_is_listed(context: None, seeded: SeededIds) -> None:
    assert list_with_newest_test([seeded.destination]) == [(get_destination(seeded), None)]


def test_the_query_of_a_page_uses_the_index_and_does_not_sort(context: None, seeded: SeededIds) -> None:
    query_of_one = _DESTINATIONS_WITH_NEWEST_TEST.params(destination_ids=[seeded.destination])
    query = query_of_one.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    plan = " / ".join(row[3] for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {query}")))

    assert "ix_alert_deliveries_newest" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (DeliveryStatus.QUEUED, "Pending (queued)"),
        (DeliveryStatus.DEFERRED, "Pending (deferred)"),
        (DeliveryStatus.SENT, "Sent"),
        (DeliveryStatus.FAILED, "Failed"),
        (DeliveryStatus.CANCELED, "Failed (canceled)"),
        (DeliveryStatus.SUPPRESSED, "Failed (suppressed)"),
    ],
)
def test_the_history_calls_a_test_what_its_badge_calls_it(status: DeliveryStatus, words: str) -> None:
    assert describe_status(_test_send(status)) == words


@pytest.mark.parametrize("status", DeliveryStatus)
def test_the_history_calls_a_real_alert_what_is_stored(status: DeliveryStatus) -> None:
    assert describe_status(_test_send(status, alert_rule_id=1)) == status.capitalize()


# Receipts, and changes of the settings


SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": SENT_AT}
UNCERTAIN: dict[str, Any] = {"status": DeliveryStatus.FAILED, "last_error_code": Code.READ_TIMEOUT}


@pytest.mark.parametrize(
    ("facts", "is_missing", "next_step"),
    [
        (SENT, False, "No message at the receiver?"),
        (SENT | {"receipt": Receipt.SEEN}, False, None),
        (SENT | {"receipt": Receipt.MISSING}, True, "No message at the receiver?"),
        (UNCERTAIN, False, "Check whether the message arrived before you send another test."),
        (UNCERTAIN | {"receipt": Receipt.SEEN}, False, "Check why the receiver is slow."),
        (UNCERTAIN | {"receipt": Receipt.MISSING}, False, "Check why the receiver is slow."),
    ],
)
def test_the_next_step_heeds_what_a_person_reported(
    facts: dict[str, Any], is_missing: bool, next_step: str | None
) -> None:
    outcome = describe_outcome(_test_send(**facts), "webhook")

    assert (outcome.is_missing, outcome.receipt) == (is_missing, facts.get("receipt"))
    assert (outcome.next_step or "").startswith(next_step or "")
    assert bool(outcome.next_step) == bool(next_step)


@pytest.mark.parametrize("receipt", list(Receipt))
def test_a_message_that_may_have_arrived_is_not_doubted_once_somebody_knows(receipt: Receipt) -> None:
    facts = UNCERTAIN | {"receipt": receipt}

    assert describe_outcome(_test_send(**UNCERTAIN), "webhook").may_have_arrived
    assert not describe_outcome(_test_send(**facts), "webhook").may_have_arrived


def test_a_warning_does_not_ask_to_check_a_message_that_was_seen() -> None:
    web_page: dict[str, Any] = {"last_error_message": "It answered with a web page. Check that the message arrived."}

    assert describe_outcome(_test_send(**SENT, **web_page, receipt=Receipt.SEEN), "webhook").sentence == (
        "Accepted by the receiver. It answered with a web page."
    )


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (SENT, ""),
        (UNCERTAIN, ""),
        ({"status": DeliveryStatus.CANCELED, "last_error_message": "It was changed."}, "Not sent. It was changed."),
    ],
)
def test_advice_about_earlier_settings_is_dropped(facts: dict[str, Any], sentence: str) -> None:
    outcome = describe_outcome(_test_send(**facts, settings_version=1), "webhook", settings_version=2)

    assert (outcome.sentence, outcome.next_step, outcome.is_outdated) == (sentence, None, True)


@pytest.mark.parametrize("current", [None, 1])
def test_advice_about_the_current_settings_stays(current: int | None) -> None:
    outcome = describe_outcome(_test_send(**SENT, settings_version=1), "webhook", settings_version=current)

    assert (bool(outcome.sentence), bool(outcome.next_step), outcome.is_outdated) == (True, True, False)


def test_a_test_of_an_older_version_of_alertcheck_is_not_outdated() -> None:
    assert not describe_outcome(_test_send(**SENT), "webhook", settings_version=7).is_outdated


def test_a_pending_test_of_earlier_settings_still_shows_what_it_does() -> None:
    pending = _test_send(DeliveryStatus.QUEUED, settings_version=1)
    outcome = describe_outcome(pending, "webhook", settings_version=2)

    assert (outcome.sentence, outcome.is_outdated) == ("Waiting for a worker to pick it up.", True)
