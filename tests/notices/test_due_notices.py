"""Notices about more problems than one step writes: a worker that dies, waits or meets another tells each once."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update

from tests.factories import on_both_databases
from tests.mailbox import deliver_mails
from tests.notices.conftest import Installation
from tests.notices.test_worker_rounds import add_destinations
from webapp.extensions import db
from webapp.models import AccountMail, AccountMailStatus, NoticeItem
from webapp.notices import due_notices, recipients, writing
from webapp.notices.due_notices import plan_notices
from webapp.notices.endings import settle_notices
from webapp.notices.past_notices import WRITTEN_FOR
from webapp.notices.problem_closing import close_problems

pytestmark = on_both_databases

NUMBER = 5
STOPPED = [
    f"{name}@example.com: {NUMBER} destinations stopped working in “Harbor Logistics”" for name in ("admin", "support")
]
WORKS = [f"{name}@example.com: {NUMBER} destinations work again in “Harbor Logistics”" for name in ("admin", "support")]


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PAGE_SIZE", 2)
    monkeypatch.setattr(due_notices, "LOOKED_AT", 4)
    monkeypatch.setattr(due_notices, "PUT_OFF", 2)


@pytest.fixture
def failing(installation: Installation) -> list[int]:
    """Let destinations fail at once, of which two members want to be told."""
    with installation.app.app_context():
        recipients.choose(installation.seeded.harbor, installation.seeded.support, True, installation.clock.at)
    ids = add_destinations(installation, NUMBER)
    for destination_id in ids:
        installation.fail(destination_id)
    return ids


def _begin(installation: Installation) -> Iterator[bool]:
    """Return the steps of a worker. Each is done when the next value is taken."""
    steps = plan_notices(installation.seeded.harbor, lambda: installation.clock.at)
    while True:
        with installation.app.app_context():
            is_complete = next(steps, None)
            db.session.remove()
        if is_complete is None:
            return
        yield is_complete


def _work_for_an_hour(installation: Installation) -> None:
    for minutes in (1, 15, 44):
        installation.work()
        installation.wait(minutes=minutes)


def _count_items(installation: Installation) -> int:
    with installation.app.app_context():
        return db.session.scalar(select(func.count()).select_from(NoticeItem)) or 0


# Three steps that look, three that write for each member, and three that put the next look off.
STEPS = 3 + 2 * 3 + 3


def test_each_step_writes_a_page(installation: Installation, failing: list[int]) -> None:
    written = [(is_complete, _count_items(installation)) for is_complete in _begin(installation)]

    looked, put_off = [(False, 0)] * 3, [(False, 10)] * 3
    assert written == [
        *looked,
        *[(False, 2), (False, 4), (True, 5)],
        *[(False, 7), (False, 9), (True, 10)],
        *put_off,
    ]


@pytest.mark.parametrize("step", range(STEPS + 1))
def test_a_worker_that_dies_after_any_step_loses_and_repeats_nothing(
    installation: Installation, failing: list[int], step: int
) -> None:
    steps = _begin(installation)
    for _ in range(step):
        next(steps)
    deliver_mails(installation.app)

    _work_for_an_hour(installation)

    assert sorted(installation.list_subjects()) == STOPPED


@pytest.mark.parametrize("lead", [0, 1, 3, 4, 6])
def test_two_workers_at_once_tell_it_once(installation: Installation, failing: list[int], lead: int) -> None:
    first, second = _begin(installation), _begin(installation)
    for _ in range(lead):
        next(first)
    for _ in range(STEPS):
        next(second, None)
        next(first, None)
        deliver_mails(installation.app)
    _work_for_an_hour(installation)

    assert sorted(installation.list_subjects()) == STOPPED
    assert installation.list_notices() == ["sent", "sent"]


@pytest.mark.parametrize("step", [0, 3, 4, 6, 9])
def test_a_worker_that_was_paused_for_long_tells_nothing_again(
    installation: Installation, failing: list[int], step: int
) -> None:
    paused = _begin(installation)
    for _ in range(step):
        next(paused)
    installation.wait(seconds=WRITTEN_FOR.total_seconds() + 1)
    installation.work()
    installation.wait(days=2)

    list(paused)
    _work_for_an_hour(installation)

    assert sorted(installation.list_subjects()) == STOPPED


def test_a_notice_that_is_not_complete_counts_as_nothing(installation: Installation, failing: list[int]) -> None:
    steps = _begin(installation)
    for _ in range(4):
        next(steps)
    installation.wait(hours=2)
    installation.work(is_mail_sent=False)

    assert installation.list_notices() == ["canceled", "queued", "queued"]


def test_a_recovery_whose_mail_fails_while_others_are_written_is_told_later(
    installation: Installation, failing: list[int]
) -> None:
    installation.work()
    installation.wait(hours=1)
    for destination_id in failing:
        installation.accept(destination_id)
    with installation.app.app_context():
        close_problems(installation.clock.at)
    steps = _begin(installation)
    while installation.list_notices() != ["sent", "sent", "queued"]:
        next(steps)
    _fail_mails(installation)
    list(steps)

    for _ in range(3):
        _work_for_an_hour(installation)

    assert sorted(installation.list_subjects()) == sorted([*STOPPED, *WORKS])


def _fail_mails(installation: Installation) -> None:
    values = {"status": AccountMailStatus.FAILED, "ended_at": installation.clock.at, "error_code": "not_found"}
    with installation.app.app_context():
        db.session.execute(update(AccountMail).where(AccountMail.status == AccountMailStatus.QUEUED).values(values))
        db.session.commit()
        settle_notices(installation.clock.at)
