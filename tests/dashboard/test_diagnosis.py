"""The diagnosis of a destination's last test, and the report for a ticket."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.factories import (
    NOW,
    SECRET_PATH,
    SIGNING_SECRET,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    on_both_databases,
    seconds,
)
from webapp.dashboard.diagnosis import Diagnosis, diagnose
from webapp.dashboard.status_fragment import load_status
from webapp.dashboard.ticket_report import write_report
from webapp.deliveries.attempts.past_attempts import PastAttempt, add_attempt
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.deliveries.proof import Proof
from webapp.destinations.editing import change_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDestination, DeliveryStatus, DrillNumber, Receipt
from webapp.settings import AppSettings

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": NOW, "attempt_count": 1}
GONE: dict[str, Any] = {"status": DeliveryStatus.FAILED, "last_error_code": "gone", "attempt_count": 1}


def _diagnose(destination: AlertDestination) -> Diagnosis:
    newest = find_newest_test(destination)
    return diagnose(destination, newest)


def test_a_destination_without_tests_has_an_empty_diagnosis(seeded: SeededIds) -> None:
    diagnosis = _diagnose(get_destination(seeded))

    assert (diagnosis.arrival, diagnosis.attempts, diagnosis.last_accepted) == ("Nothing has been sent yet.", (), None)


def _load_proof(destination: AlertDestination) -> Proof:
    return load_status(destination, NOW)[1].proof[destination.id]


def _report(destination: AlertDestination, now: datetime = NOW, workspace: str = "Harbor") -> list[str]:
    diagnosis, proof = _diagnose(destination), _load_proof(destination)
    return write_report(workspace, destination, "127.0.0.1", diagnosis, proof, now).splitlines()


@pytest.mark.parametrize(
    ("facts", "arrival"),
    [
        ({}, "Not known yet: the test is still running."),
        (SENT, "The receiver accepted it. Check at the destination whether it is shown."),
        (GONE, "No: nothing was delivered."),
        (
            GONE | {"last_error_code": "worker_lost"},
            "Unknown. Check whether the message arrived before you send another test.",
        ),
        (SENT | {"receipt": Receipt.SEEN, "receipt_by": "Ann"}, "Yes: Ann has seen it."),
        (SENT | {"receipt": Receipt.SEEN}, "Yes: someone with the link in the message has seen it."),
        (SENT | {"receipt": Receipt.MISSING, "receipt_by": "Ann"}, "No: Ann reported that it did not arrive."),
    ],
)
def test_the_diagnosis_states_what_is_known_of_the_arrival(
    seeded: SeededIds, facts: dict[str, Any], arrival: str
) -> None:
    add_delivery(get_destination(seeded), **facts)

    assert _diagnose(get_destination(seeded)).arrival == arrival


@pytest.mark.parametrize(
    ("facts", "receipt"),
    [
        ({}, None),
        (GONE, None),
        (SENT, "Nobody has confirmed yet whether the message arrived."),
        (GONE | {"last_error_code": "worker_lost"}, "Nobody has confirmed yet whether the message arrived."),
        (SENT | {"receipt": Receipt.SEEN, "receipt_by": "Ann"}, "Seen by Ann."),
        (GONE | {"receipt": Receipt.SEEN}, "Seen by someone with the link in the message."),
        (SENT | {"receipt": Receipt.MISSING, "receipt_by": "Ann"}, "Sent, but reported missing by Ann."),
    ],
)
def test_the_diagnosis_shows_the_receipt_separately(
    seeded: SeededIds, facts: dict[str, Any], receipt: str | None
) -> None:
    add_delivery(get_destination(seeded), **facts)

    assert _diagnose(get_destination(seeded)).receipt == receipt


def test_the_report_shows_acceptance_and_receipt_separately(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    seen = {"receipt": Receipt.SEEN, "receipt_by": "Ann", "receipt_at": NOW + seconds(60)}
    add_delivery(destination, **SENT, **seen)

    lines = _report(destination)

    assert lines[6:9] == [
        "Did it arrive: Yes: “Ann” has seen it.",
        "Accepted: 2026-05-04 09:30:00 UTC",
        "Receipt: Seen by “Ann”. (2026-05-04 09:31:00 UTC)",
    ]


def test_changes_since_the_last_success_are_listed_with_who_and_when(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    destination, admin = get_destination(seeded), get_account(seeded)
    set_enabled(destination, admin, True, NOW - seconds(60))
    worked = add_delivery(destination, **SENT)
    typed = {"address": "https://elsewhere.example.com/", "signing_secret": ""}
    change_destination(destination, admin, destination.name, typed, app_settings.cipher, NOW + seconds(60))
    add_delivery(destination, created_at=NOW + seconds(120), **GONE)

    diagnosis = _diagnose(destination)

    (change,) = diagnosis.changes
    assert diagnosis.last_accepted == worked
    assert (change.action, change.changed, change.account_name) == ("changed", ["address"], "Admin")


def test_the_report_of_a_test_of_earlier_settings_tells_what_happened_and_gives_no_old_advice(
    seeded: SeededIds, app_settings: AppSettings
) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **GONE | {"last_error_code": "worker_lost", "last_error_message": "The worker was lost."})
    typed = {"address": "https://elsewhere.example.com/", "signing_secret": ""}
    change_destination(destination, get_account(seeded), "New", typed, app_settings.cipher, NOW + seconds(60))

    lines = _report(destination)

    assert "What happened: The worker was lost." in lines
    assert "Did it arrive: Unknown." in lines
    assert "Next step: The settings were changed after this test. Send another test." in lines


def test_a_destination_is_used_once_a_rule_has_sent_something_there(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT)
    before = _diagnose(destination).is_used
    add_real_alert(destination)

    assert (before, _diagnose(destination).is_used) == (False, True)


def test_the_report_contains_every_known_fact_and_no_secret(seeded: SeededIds, app_settings: AppSettings) -> None:
    destination = get_destination(seeded)
    attempts = add_attempt([], PastAttempt(1, NOW, 0.12, "gone", 410))
    facts = GONE | {"attempts": attempts, "requested_by_id": seeded.support, "payload": {"reference": "K7M2QX"}}
    add_delivery(destination, last_error_message="It asks for no more messages.", **facts)
    now = datetime(2026, 5, 4, 9, 31, tzinfo=UTC)

    target = "127.0.0.1, fingerprint 12ab34cd"
    report = write_report(
        "Harbor Logistics", destination, target, _diagnose(destination), _load_proof(destination), now
    )

    assert report.splitlines() == [
        "Alertcheck report of 2026-05-04 09:31:00 UTC",
        "Workspace: “Harbor Logistics”",
        "Destination: “Ticket system” (Webhook)",
        "Where to: 127.0.0.1, fingerprint 12ab34cd",
        "Last test: Failed, requested by “Support” at 2026-05-04 09:30:00 UTC, reference K7M2QX",
        "What happened: It asks for no more messages.",
        "Did it arrive: No: nothing was delivered.",
        "Code: gone",
        "Next step: The receiver does not want any more messages. Disable this destination, or enter a new address.",
        "Attempt 1: 09:30:00 UTC, 0.12 s, response 410, gone",
        "Last accepted test: none yet",
    ]
    assert SECRET_PATH not in report
    assert SIGNING_SECRET not in report


FORGERY = "Ops (Webhook)\u2028Next step: call” 555\u202e\nWhere to: evil.example\x00"


def test_no_name_forges_a_line_of_the_report(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    receipt = {"receipt": Receipt.MISSING, "receipt_by": FORGERY.replace("\x00", ""), "receipt_at": NOW}
    add_delivery(destination, requested_by_id=seeded.admin, **SENT, **receipt)
    destination.name = get_account(seeded).name = FORGERY.replace("\x00", "")
    db.session.commit()

    report = "\n".join(_report(destination, workspace=FORGERY))

    name = "“Ops (Webhook) Next step: call' 555 Where to: evil.example”"
    assert report.splitlines()[1:3] == [f"Workspace: {name}", f"Destination: {name} (Webhook)"]
    assert f"requested by {name} at" in report
    assert f"Did it arrive: No: {name} reported that it did not arrive." in report
    assert f"Receipt: Sent, but reported missing by {name}." in report
    assert [line.partition(":")[0] for line in report.splitlines()].count("Next step") == 1
    assert [line.partition(":")[0] for line in report.splitlines()].count("Where to") == 1


# What became different since an earlier test was accepted

WORKED_IN = {"steps": [["connect", 180.0]], "is_complete": True}
TOOK = {"steps": [["connect", 1800.0]], "is_complete": True}


def _change_address(destination: AlertDestination, seeded: SeededIds, app_settings: AppSettings, at: datetime) -> None:
    typed = {"address": f"https://elsewhere.example.com/{at.timestamp()}", "signing_secret": ""}
    change_destination(destination, get_account(seeded), destination.name, typed, app_settings.cipher, at)


def test_a_failed_test_is_compared_with_the_last_accepted_one(seeded: SeededIds, app_settings: AppSettings) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT, exchange=WORKED_IN)
    _change_address(destination, seeded, app_settings, NOW + seconds(60))
    add_delivery(destination, created_at=NOW + seconds(120), **GONE, exchange=TOOK)

    assert _report(destination)[-4:-1] == [
        "Last accepted test: 2026-05-04 09:30:00 UTC in 180 ms, just now",
        "Since then: changed (address) by “Admin” at 2026-05-04 09:31:00 UTC",
        "Since then: It took 10 times as long: 1,800 ms instead of 180 ms.",
    ]


def test_an_accepted_test_is_compared_with_the_one_before_it(seeded: SeededIds, app_settings: AppSettings) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT, exchange=WORKED_IN)
    _change_address(destination, seeded, app_settings, NOW + seconds(60))
    later = SENT | {"sent_at": NOW + seconds(121), "created_at": NOW + seconds(120)}
    add_delivery(destination, **later, exchange=TOOK)
    _change_address(destination, seeded, app_settings, NOW + seconds(180))

    assert _report(destination)[-6:-1] == [
        "Last accepted test: 2026-05-04 09:32:01 UTC, in 2 min",
        "Since then: changed (address) by “Admin” at 2026-05-04 09:33:00 UTC",
        "Accepted before: 2026-05-04 09:30:00 UTC in 180 ms",
        "Since then: changed (address) by “Admin” at 2026-05-04 09:31:00 UTC",
        "Since then: It took 10 times as long: 1,800 ms instead of 180 ms.",
    ]


def test_an_accepted_test_like_the_one_before_it_mentions_no_other(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT, exchange=WORKED_IN)
    add_delivery(destination, created_at=NOW + seconds(120), **SENT, exchange=WORKED_IN)

    assert _report(destination)[-1].startswith("Last accepted test: ")


def test_the_first_accepted_test_lists_the_changes_after_it(seeded: SeededIds, app_settings: AppSettings) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT)
    _change_address(destination, seeded, app_settings, NOW + seconds(60))

    assert [change.action for change in _diagnose(destination).changes] == ["changed"]


def test_a_destination_that_never_accepted_a_test_is_compared_with_nothing(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **GONE, exchange=TOOK)

    diagnosis = _diagnose(destination)

    assert (diagnosis.earlier, diagnosis.differences) == (None, [])


# How old the proof is


def test_the_report_says_how_long_ago_a_message_was_accepted(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT)

    assert "Last accepted test: 2026-05-04 09:30:00 UTC, 64 d ago" in _report(destination, NOW + timedelta(days=64))


@pytest.mark.parametrize(("age", "is_said"), [(timedelta(days=30), True), (timedelta(days=30) - seconds(1), False)])
def test_the_report_says_that_nothing_was_accepted_for_30_days(
    seeded: SeededIds, age: timedelta, is_said: bool
) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT)

    line = "Evidence: no message was accepted within 30 days with the present settings."
    assert (line in _report(destination, NOW + age)) == is_said


def test_the_report_names_a_newer_real_alert_that_was_accepted(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT)
    add_real_alert(destination, **SENT | {"created_at": NOW + seconds(60), "sent_at": NOW + seconds(60)})

    lines = _report(destination, NOW + timedelta(days=2))

    assert "Last real alert accepted: 2026-05-04 09:31:00 UTC, 1 d ago" in lines


@pytest.mark.parametrize(
    ("drill", "is_pressed", "who"),
    [
        (DrillNumber.FIRST, False, "the schedule of drills"),
        (DrillNumber.SECOND, False, "the schedule of drills (second drill)"),
        (DrillNumber.FIRST, True, "“Admin” (drill)"),
    ],
)
def test_the_report_says_that_a_test_was_a_drill(
    seeded: SeededIds, drill: DrillNumber, is_pressed: bool, who: str
) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT, drill=drill, requested_by_id=seeded.admin if is_pressed else None)

    assert f"Last test: Sent, requested by {who} at 2026-05-04 09:30:00 UTC" in _report(destination)


def test_the_report_says_that_nobody_has_confirmed_the_drill(seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    destination.needs_confirmation = True
    add_delivery(destination, **SENT, drill=DrillNumber.FIRST)

    assert "Needs confirmation: nobody has confirmed the drill of 4 May 2026 yet." in _report(destination)
