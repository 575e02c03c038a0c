"""When a recipient is told what, on both sides of each limit."""

from datetime import datetime, timedelta

import pytest

from tests.factories import NOW
from webapp.models import DestinationProblem, NoticeKind, NoticeStatus, ProblemEnd, ProblemKind
from webapp.notices.notice_timing import PastNotice, Plan, choose_news, find_news

MINUTE, HOUR, SECOND = timedelta(minutes=1), timedelta(hours=1), timedelta(seconds=1)


def make_problem(number: int = 1, opened_at: datetime = NOW, **facts: object) -> DestinationProblem:
    values = {"kind": ProblemKind.FAILING, "failed_at": opened_at, "closed_at": None, "end_reason": None} | facts
    return DestinationProblem(id=number, opened_at=opened_at, **values)


def make_notice(
    at: datetime, *numbers: int, kind: NoticeKind = NoticeKind.OPENED, status: NoticeStatus = NoticeStatus.SENT
) -> PastNotice:
    code = "smtp_rejected" if status is NoticeStatus.FAILED else None
    return PastNotice(status, at, code, dict.fromkeys(numbers, kind))


def plan_notice(problems: list[DestinationProblem], past: list[PastNotice], now: datetime) -> Plan:
    news = [found for problem in problems for found in find_news(problem, past, now)]
    return choose_news(news, past, now)


def test_the_first_problem_is_told_at_once() -> None:
    assert plan_notice([make_problem()], [], NOW) == Plan({1: NoticeKind.OPENED}, None)


@pytest.mark.parametrize(("waited", "is_told"), [(15 * MINUTE - SECOND, False), (15 * MINUTE, True)])
def test_the_next_problem_waits_for_fifteen_minutes(waited: timedelta, is_told: bool) -> None:
    problems = [make_problem(1), make_problem(2)]

    plan = plan_notice(problems, [make_notice(NOW, 1)], NOW + waited)

    assert plan == (Plan({2: NoticeKind.OPENED}, None) if is_told else Plan({}, NOW + 15 * MINUTE))


@pytest.mark.parametrize(("waited", "is_told"), [(24 * HOUR - SECOND, False), (24 * HOUR, True)])
def test_what_goes_on_is_told_after_a_day(waited: timedelta, is_told: bool) -> None:
    problem = make_problem(failed_at=NOW + HOUR)

    plan = plan_notice([problem], [make_notice(NOW, 1)], NOW + waited)

    assert plan == (Plan({1: NoticeKind.REMINDER}, None) if is_told else Plan({}, NOW + 24 * HOUR))


def test_what_did_not_fail_again_is_not_told_again() -> None:
    assert plan_notice([make_problem()], [make_notice(NOW, 1)], NOW + 72 * HOUR) == Plan({}, None)


def test_reminders_that_are_nearly_due_are_told_together() -> None:
    problems = [make_problem(1, failed_at=NOW + 9 * HOUR), make_problem(2, failed_at=NOW + 9 * HOUR)]
    past = [make_notice(NOW, 1), make_notice(NOW + HOUR, 2)]

    assert plan_notice(problems, past, NOW + 24 * HOUR).items == {1: NoticeKind.REMINDER, 2: NoticeKind.REMINDER}


@pytest.mark.parametrize(("waited", "is_told"), [(HOUR - SECOND, False), (HOUR, True)])
def test_a_notice_that_failed_is_told_again_after_an_hour(waited: timedelta, is_told: bool) -> None:
    failed = make_notice(NOW, 1, status=NoticeStatus.FAILED)

    assert bool(plan_notice([make_problem()], [failed], NOW + waited).items) is is_told


@pytest.mark.parametrize("code", ["worker_lost", "read_timeout", "connection_closed", "deadline_exceeded"])
def test_a_notice_that_may_have_arrived_is_not_repeated(code: str) -> None:
    lost = PastNotice(NoticeStatus.FAILED, NOW, code, {1: NoticeKind.OPENED})

    assert plan_notice([make_problem()], [lost], NOW + 5 * HOUR) == Plan({}, None)


def test_a_mail_at_which_alertcheck_failed_is_told_again() -> None:
    failed = PastNotice(NoticeStatus.FAILED, NOW, "internal_error", {1: NoticeKind.OPENED})

    assert plan_notice([make_problem()], [failed], NOW + HOUR).items == {1: NoticeKind.OPENED}


def test_a_notice_under_way_comes_first() -> None:
    queued = make_notice(NOW, 1, status=NoticeStatus.QUEUED)

    plan = plan_notice([make_problem(1), make_problem(2)], [queued], NOW + HOUR)

    assert plan == Plan({}, NOW + HOUR + MINUTE)


def test_a_seventh_notice_waits_until_the_first_one_is_a_day_old() -> None:
    past = [make_notice(NOW + number * HOUR, number + 10) for number in range(6)]

    assert plan_notice([make_problem()], past, NOW + 7 * HOUR) == Plan({}, NOW + 24 * HOUR)
    assert plan_notice([make_problem()], past, NOW + 24 * HOUR).items == {1: NoticeKind.OPENED}


@pytest.mark.parametrize(
    ("end", "is_told"),
    [
        (ProblemEnd.ACCEPTED, True),
        (ProblemEnd.SEEN, True),
        (ProblemEnd.DISABLED, False),
        (ProblemEnd.DELETED, False),
    ],
)
def test_only_a_recovery_is_told(end: ProblemEnd, is_told: bool) -> None:
    problem = make_problem(closed_at=NOW + HOUR, end_reason=end)

    assert bool(plan_notice([problem], [make_notice(NOW, 1)], NOW + HOUR).items) is is_told


def test_a_recovery_is_told_once_and_only_to_whom_the_problem_was_told() -> None:
    problem = make_problem(closed_at=NOW + HOUR, end_reason=ProblemEnd.ACCEPTED)
    told = [make_notice(NOW, 1), make_notice(NOW + HOUR, 1, kind=NoticeKind.RECOVERED)]

    assert plan_notice([problem], told, NOW + 2 * HOUR).items == {}
    assert plan_notice([problem], [], NOW + HOUR).items == {}


def test_an_old_recovery_is_no_news() -> None:
    problem = make_problem(closed_at=NOW + HOUR, end_reason=ProblemEnd.ACCEPTED)

    assert plan_notice([problem], [make_notice(NOW, 1)], NOW + 49 * HOUR).items == {}
