"""Problems open, are told and close: every mail counted by a real mail server, over days of a moved clock."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete, update

from tests.factories import NOW, add_delivery, get_account, get_workspace, on_both_databases
from tests.mailbox import PUBLIC_URL, deliver_mails, read_mails, read_text
from tests.notices.conftest import REFERENCE, Installation
from tests.scripted_mail_server import HANG_UP
from webapp.audit import COMMAND_LINE
from webapp.destinations.editing import add_destination, set_enabled
from webapp.extensions import db
from webapp.failures.certificate import format_date
from webapp.models import (
    Account,
    AccountMail,
    AlertDestination,
    DeliveryStatus,
    DestinationProblem,
    DrillNumber,
    Member,
    Notice,
    NoticeStatus,
    Receipt,
    Role,
)
from webapp.notices import worker_rounds
from webapp.notices.due_notices import plan_notices
from webapp.notices.recipients import choose
from webapp.notices.worker_rounds import NoticeRounds
from webapp.outbound import HttpResponse
from webapp.outbound.http.response_classification import check_response
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_deletion import delete_workspace

pytestmark = on_both_databases

ADMIN = "admin@example.com"
STOPPED = f"{ADMIN}: 1 destination stopped working in “Harbor Logistics”"
WORKS = f"{ADMIN}: 1 destination works again in “Harbor Logistics”"
STILL = f"{ADMIN}: 1 destination still fails in “Harbor Logistics”"


def add_destinations(installation: Installation, number: int) -> list[int]:
    cipher = installation.app.extensions["alertcheck"].settings.cipher
    with installation.app.app_context():
        harbor, admin = get_workspace(installation.seeded), get_account(installation.seeded)
        settings = {"address": "https://example.com/hook", "signing_secret": "whsec_" + "QUxFUlRDSEVDSy1DQU5BUlk="}
        return [
            add_destination(harbor, admin, "webhook", f"Place {each}", settings, cipher, NOW).id
            for each in range(number)
        ]


def test_an_admin_is_told_once_with_cause_next_step_and_link(installation: Installation) -> None:
    installation.fail()

    installation.work()
    installation.work()

    assert installation.list_subjects() == [STOPPED]
    text = read_text(read_mails(installation.mailbox)[0])
    assert "Ticket system" in text
    assert "Webhook, http://127.0.0.1:" in text or "Webhook, 127.0.0.1:" in text
    assert "Since 2026-05-04 09:30 UTC. 1 message failed." in text
    assert "Next: " in text
    assert f"{PUBLIC_URL}/w/harbor/destinations/{installation.seeded.destination}" in text
    assert f"{PUBLIC_URL}/w/harbor/problems/preferences" in text
    assert "canary" not in text
    assert installation.list_notices() == ["sent"]


def test_a_run_of_failures_is_told_once_a_day_only_while_it_goes_on(installation: Installation) -> None:
    installation.fail()
    installation.work()
    for _ in range(30):
        installation.wait(hours=1)
        installation.fail()
        installation.work_and_leave_results()
    assert installation.list_subjects() == [STOPPED, STILL]

    for _ in range(24):
        installation.wait(hours=3)
        installation.work_and_leave_results()

    assert installation.list_subjects() == [STOPPED, STILL, STILL]


def test_the_recovery_is_told_once(installation: Installation) -> None:
    installation.fail()
    installation.work()
    installation.wait(hours=5)
    installation.accept()

    for _ in range(3):
        installation.work()
        installation.wait(hours=1)

    assert installation.list_subjects() == [STOPPED, WORKS]
    assert installation.list_problems() == [("failing", "accepted")]


def test_what_nobody_was_told_does_not_recover(installation: Installation) -> None:
    installation.fail()
    installation.accept()

    installation.work()

    assert installation.list_subjects() == []
    assert installation.list_problems() == [("failing", "accepted")]


def test_an_acceptance_that_has_to_be_checked_ends_no_problem_until_somebody_has_seen_the_message(
    installation: Installation,
) -> None:
    installation.fail()
    installation.work()
    response = HttpResponse(200, {"Content-Type": "text/html"}, b"<html>", 0.1)
    delivery_id = installation.accept(warning=check_response(response, "hooks.example.com"))
    installation.work()
    assert installation.list_problems() == [("failing", None)]

    installation.report(delivery_id, Receipt.SEEN)
    installation.work()

    assert installation.list_problems() == [("failing", "seen")]


@pytest.mark.parametrize("warning", ["1 of 3 recipients was refused: 550.", ""])
def test_an_acceptance_with_another_warning_ends_a_problem(installation: Installation, warning: str) -> None:
    installation.fail()
    installation.accept(warning=warning)
    installation.work()

    assert installation.list_problems() == [("failing", "accepted")]


def test_a_hundred_destinations_that_die_at_once_are_one_mail_and_one_digest(installation: Installation) -> None:
    first, *others = add_destinations(installation, 30)
    installation.fail(first)
    installation.work()
    for destination_id in others:
        installation.fail(destination_id)
    installation.work()
    assert installation.list_subjects() == [STOPPED]

    installation.wait(minutes=14, seconds=59)
    installation.work()
    assert installation.list_subjects() == [STOPPED]
    installation.wait(seconds=1)
    installation.work()

    assert installation.list_subjects()[1:] == [f"{ADMIN}: 29 destinations stopped working in “Harbor Logistics”"]
    text = read_text(read_mails(installation.mailbox)[1])
    assert text.count("/destinations/") == 20
    assert "9 more problems: see the list of problems." in text


def test_a_destination_that_fails_and_recovers_all_day_is_told_at_most_six_times(installation: Installation) -> None:
    for _ in range(40):
        installation.fail()
        installation.work_and_leave_results()
        installation.wait(minutes=16)
        installation.accept()
        installation.work_and_leave_results()
        installation.wait(minutes=16)

    assert len(installation.list_subjects()) == 6


def test_a_message_that_is_reported_missing_is_told_and_a_later_sighting_ends_it(installation: Installation) -> None:
    delivery_id = installation.accept()
    installation.report(delivery_id, Receipt.MISSING)
    installation.work()
    assert installation.list_subjects() == [STOPPED]
    text = read_text(read_mails(installation.mailbox)[0])
    assert f"somebody reported that it did not arrive. Reference: {REFERENCE}." in text

    installation.wait(hours=1)
    installation.report(delivery_id, Receipt.SEEN)
    installation.work()

    assert installation.list_subjects() == [STOPPED, WORKS]
    assert installation.list_problems() == [("missing", "seen")]


def _disable(installation: Installation) -> None:
    with installation.destination() as destination:
        set_enabled(destination, get_account(installation.seeded), False, installation.clock.at)


def _delete(installation: Installation) -> None:
    with installation.app.app_context():
        db.session.execute(update(AlertDestination).values(deleted_at=NOW))
        db.session.commit()


@pytest.mark.parametrize(("end", "reason"), [(_disable, "disabled"), (_delete, "deleted")])
def test_what_was_disabled_or_deleted_ends_without_a_mail(
    installation: Installation, end: Callable[[Installation], None], reason: str
) -> None:
    installation.fail()
    installation.work()

    installation.wait(hours=1)
    end(installation)
    installation.work()

    assert installation.list_subjects() == [STOPPED]
    assert installation.list_problems() == [("failing", reason)]


def test_a_message_with_earlier_settings_ends_nothing(installation: Installation) -> None:
    installation.fail()
    installation.accept()
    with installation.app.app_context():
        db.session.execute(update(AlertDestination).values(settings_version=2))
        db.session.commit()

    installation.work()

    assert installation.list_problems() == [("failing", None)]


# Who is told


def _remove(installation: Installation) -> None:
    db.session.execute(delete(Member).where(Member.account_id == installation.seeded.admin))


def _lower(installation: Installation) -> None:
    set_role(get_workspace(installation.seeded), get_account(installation.seeded), Role.SUPPORT)


def _deactivate(installation: Installation) -> None:
    db.session.execute(update(Account).where(Account.id == installation.seeded.admin).values(is_active=False))


def _forget_address(installation: Installation) -> None:
    db.session.execute(update(Account).values(email_verified_at=None))


def _decline(installation: Installation) -> None:
    choose(installation.seeded.harbor, installation.seeded.admin, False, NOW)


@pytest.mark.parametrize("change", [_remove, _lower, _deactivate, _forget_address, _decline])
@pytest.mark.parametrize("is_written", [False, True])
def test_who_may_not_know_or_does_not_want_to_is_told_nothing_from_that_instant(
    installation: Installation, change: Callable[[Installation], None], is_written: bool
) -> None:
    installation.fail()
    rounds = [True] * is_written
    for _ in rounds:
        installation.work(is_mail_sent=False)
    with installation.app.app_context():
        change(installation)
        db.session.commit()

    installation.work()

    assert installation.list_subjects() == []
    assert installation.list_notices() == ["canceled"] * is_written


def test_a_support_member_who_wants_to_be_told_is_told(installation: Installation) -> None:
    with installation.app.app_context():
        choose(installation.seeded.harbor, installation.seeded.support, True, NOW)
        choose(installation.seeded.harbor, installation.seeded.admin, False, NOW)
    installation.fail()

    installation.work()

    assert [subject.partition(":")[0] for subject in installation.list_subjects()] == ["support@example.com"]


def test_a_name_makes_neither_a_header_nor_a_line(installation: Installation) -> None:
    with installation.app.app_context():
        get_workspace(installation.seeded).name = "Harbor\r\nBcc: thief@example.com"
        db.session.get_one(AlertDestination, installation.seeded.destination).name = "Place\nNext: pay me"
        db.session.commit()
    installation.fail()

    installation.work()

    (mail,) = read_mails(installation.mailbox)
    assert mail["Bcc"] is None
    assert "\nNext: pay me" not in read_text(mail)


# Nothing storms


def test_two_workers_at_once_tell_it_once(installation: Installation) -> None:
    installation.fail()

    def run(_number: int) -> None:
        with installation.app.app_context():
            NoticeRounds(clock=lambda: 0.0).run(installation.clock.at)
            db.session.remove()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(run, range(4)))
    deliver_mails(installation.app)

    assert installation.list_subjects() == [STOPPED]


def test_a_mail_server_that_is_down_for_a_day_is_followed_by_one_mail(installation: Installation) -> None:
    installation.mailbox.script["MAIL"] = "550 5.7.1 no"
    installation.fail()
    for _ in range(24):
        installation.work_and_leave_results()
        installation.wait(hours=1)
        installation.fail()
    assert installation.list_subjects() == []

    installation.mailbox.script["MAIL"] = "250 ok"
    for _ in range(5):
        installation.work()
        installation.wait(hours=1)

    assert installation.list_subjects() == [STOPPED]


def test_a_worker_that_was_dead_for_a_day_sends_one_mail(installation: Installation) -> None:
    installation.fail()
    installation.work(is_mail_sent=False)  # it dies before it sends
    for _ in range(24):
        installation.wait(hours=1)
        installation.fail()

    for _ in range(5):
        installation.work()
        installation.wait(minutes=20)

    assert installation.list_subjects() == [STOPPED]


def test_rows_of_mails_that_are_gone_end(installation: Installation) -> None:
    installation.fail()
    installation.work(is_mail_sent=False)
    with installation.app.app_context():
        db.session.execute(delete(AccountMail))
        db.session.commit()

    installation.wait(hours=1)
    installation.work()

    with installation.app.app_context():
        notice = db.session.query(Notice).one()
        assert (notice.status, notice.error_code) == (NoticeStatus.FAILED, "worker_lost")


# Confirmations


def add_drill(installation: Installation, **facts: Any) -> int:
    with installation.destination() as destination:
        destination.needs_confirmation = True
        at = installation.clock.at
        return add_delivery(
            destination, drill=DrillNumber.FIRST, status=DeliveryStatus.SENT, sent_at=at, created_at=at, **facts
        ).id


TO_CONFIRM = f"{ADMIN}: 1 destination to confirm in “Harbor Logistics”"


def test_a_drill_that_nobody_confirms_for_a_week_is_told_once(installation: Installation) -> None:
    add_drill(installation)
    installation.wait(days=6, hours=23, minutes=59)
    installation.work()
    assert installation.list_subjects() == []

    installation.wait(minutes=1)
    for _ in range(4):
        installation.work()
        installation.wait(days=1)

    assert installation.list_subjects() == [TO_CONFIRM]
    assert installation.list_problems() == [("unconfirmed", None)]


def test_a_weekly_drill_does_not_hide_that_nobody_confirms(installation: Installation) -> None:
    for _ in range(4):
        add_drill(installation)
        installation.wait(days=6, hours=23)
        installation.work()

    assert installation.list_subjects() == [TO_CONFIRM]


def test_the_mail_names_the_drill_that_nobody_confirmed(installation: Installation) -> None:
    add_drill(installation)
    day = format_date(installation.clock.now())
    installation.wait(days=8)
    installation.work()

    assert f"Nobody confirmed the drill of {day} within 7 days." in read_text(read_mails(installation.mailbox)[0])


def test_a_confirmation_ends_it_without_a_mail(installation: Installation) -> None:
    delivery_id = add_drill(installation)
    installation.wait(days=8)
    installation.work()

    installation.report(delivery_id, Receipt.SEEN)
    installation.work()

    assert installation.list_subjects() == [TO_CONFIRM]
    assert installation.list_problems() == [("unconfirmed", "seen")]


def test_a_destination_that_need_not_be_confirmed_any_more_is_no_problem(installation: Installation) -> None:
    add_drill(installation)
    installation.wait(days=8)
    installation.work()
    with installation.destination() as destination:
        destination.needs_confirmation = False
        db.session.commit()

    installation.work()

    assert installation.list_problems() == [("unconfirmed", "not_needed")]


def _delete_harbor(installation: Installation) -> None:
    delete_workspace(get_workspace(installation.seeded), installation.clock.at, COMMAND_LINE)
    db.session.commit()


def test_a_workspace_that_is_deleted_while_its_notices_are_written_keeps_no_other_one_waiting(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_after_the_first_step(workspace_id: int, clock: Callable[[], datetime]) -> Iterator[bool]:
        steps = plan_notices(workspace_id, clock)
        yield next(steps)
        if workspace_id == installation.seeded.harbor:
            _delete_harbor(installation)
        yield from steps

    monkeypatch.setattr(worker_rounds, "plan_notices", delete_after_the_first_step)
    installation.fail()
    installation.fail(installation.seeded.foreign_destination)

    installation.work()

    assert [subject.partition(":")[0] for subject in installation.list_subjects()] == ["stranger@example.com"]


def test_a_notice_is_not_mailed_after_its_workspace_was_deleted(installation: Installation) -> None:
    installation.fail()
    installation.work(is_mail_sent=False)
    with installation.app.app_context():
        _delete_harbor(installation)

    installation.work()

    assert installation.list_subjects() == []


def test_old_problems_and_notices_are_deleted(installation: Installation) -> None:
    installation.fail()
    installation.work()
    installation.accept()
    installation.work()

    installation.wait(days=401)
    installation.work()

    with installation.app.app_context():
        assert db.session.query(DestinationProblem).all() == []
        assert db.session.query(Notice).all() == []


def test_each_member_reads_recipients_as_on_the_pages(installation: Installation) -> None:
    cipher = installation.app.extensions["alertcheck"].settings.cipher
    with installation.app.app_context():
        harbor, admin = get_workspace(installation.seeded), get_account(installation.seeded)
        added = add_destination(harbor, admin, "email", "Duty", {"recipients": "nadja@example.com"}, cipher, NOW)
        destination_id = added.id
        choose(installation.seeded.harbor, installation.seeded.support, True, NOW)
    installation.fail(destination_id)

    installation.work()

    told = {mail["To"]: read_text(mail) for mail in read_mails(installation.mailbox)}
    assert "nadja@example.com" in told[ADMIN]
    assert "n***a@example.com" in told["support@example.com"]
    assert "nadja" not in told["support@example.com"]


def test_a_mail_that_may_have_arrived_is_not_sent_again(installation: Installation) -> None:
    installation.mailbox.script["END"] = HANG_UP
    installation.fail()
    installation.work()
    installation.mailbox.script["END"] = "250 2.0.0 queued"
    installation.wait(hours=2)
    installation.work()

    assert installation.list_notices() == ["failed"]
    assert len(installation.list_subjects()) == 1
