"""When a recipient is told what: a pure function of the problems, of what was told, and of the time."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from webapp.deliveries.arrival import UNCERTAIN_CODES
from webapp.failures import Code
from webapp.models import DestinationProblem, NoticeKind, NoticeStatus, ProblemEnd, ProblemKind

# What happens within this time after a notice is gathered, and told in the next one.
GATHERED_FOR = timedelta(minutes=15)

# While a notice is under way, its recipient gets no other one. It is looked at again after this time.
UNDER_WAY_FOR = timedelta(minutes=1)

# After a notice that could not be sent, the next one may begin this much later.
AFTER_FAILURE = timedelta(hours=1)

# A problem that goes on is told again once a day, together with all others that were last told this long ago or longer.
REMINDER_INTERVAL = timedelta(days=1)
REMINDED_TOGETHER = timedelta(hours=12)

# Notices of one workspace to one recipient in a day, for a destination that fails and recovers all the time.
MAX_PER_DAY = 6
DAY = timedelta(days=1)

# A time this far in the future comes from a clock that was wrong: it keeps nothing waiting.
AHEAD = timedelta(days=1)

# A recovery that could not be told for this long is no longer news.
RECOVERY_IS_NEWS_FOR = timedelta(days=2)


# Failures of a mail after which it may have arrived. An internal error prevents one while it is written.
UNCERTAIN_MAIL_CODES = UNCERTAIN_CODES - {Code.INTERNAL_ERROR.value}


class ProblemRow(NamedTuple):
    """What decides about a problem, under the names of `DestinationProblem`."""

    id: int
    kind: ProblemKind
    opened_at: datetime
    failed_at: datetime
    closed_at: datetime | None
    end_reason: ProblemEnd | None


# A problem as an object, or as a row that was read, which takes a tenth of the time.
AnyProblem = DestinationProblem | ProblemRow


@dataclass(frozen=True)
class PastNotice:
    """A notice to one recipient. items: what it told about which problem, by the problem's id.

    uncertain_codes: those of failures after which it counts as told, because it may have arrived.
    """

    status: NoticeStatus
    created_at: datetime
    error_code: str | None
    items: dict[int, NoticeKind] = field(default_factory=dict)
    uncertain_codes: frozenset[str] = UNCERTAIN_MAIL_CODES

    @property
    def may_have_arrived(self) -> bool:
        """Whether the recipient got it, or may have got it: then it is not told again."""
        is_uncertain = self.status is NoticeStatus.FAILED and self.error_code in self.uncertain_codes
        return is_uncertain or self.status in (NoticeStatus.QUEUED, NoticeStatus.SENT)


@dataclass(frozen=True)
class Plan:
    """What to tell a recipient now, by the problem's id, and when to look again; None if nothing is left to tell."""

    items: dict[int, NoticeKind]
    next_at: datetime | None


class News(NamedTuple):
    """What can be told about a problem, and from when on. told_at: when it was told last."""

    problem_id: int
    kind: NoticeKind
    due_at: datetime
    told_at: datetime | None = None


def choose_news(news: Sequence[News], past: Collection[PastNotice], now: datetime) -> Plan:
    """Return what one recipient is to be told now. past: the recipient's notices of the last day, and those under way.

    news: of all problems that are open, or closed and not yet forgotten.
    """
    if not news:
        return Plan({}, None)
    allowed_at = _find_next_time(past, now)
    first_due = max(allowed_at, min(found.due_at for found in news))
    if first_due > now:
        return Plan({}, first_due)
    told = {found.problem_id: found.kind for found in news if _is_told_now(found, now)}
    left = [found.due_at for found in news if found.problem_id not in told]
    return Plan(told, max(now + GATHERED_FOR, min(left)) if left else None)


def find_news(problem: AnyProblem, past: Collection[PastNotice], now: datetime) -> Iterator[News]:
    """Yield what can be told to a recipient about a problem, now or later. past: the notices about it."""
    told = [(notice.items[problem.id], notice) for notice in past if problem.id in notice.items]
    known = [(kind, notice.created_at) for kind, notice in told if notice.may_have_arrived]
    last_told = max((at for _, at in known if at <= now + AHEAD), default=now - REMINDER_INTERVAL)
    if problem.closed_at is None:
        if not known:
            yield News(problem.id, NoticeKind.OPENED, min(problem.opened_at, now))
        elif problem.kind is not ProblemKind.UNCONFIRMED and last_told < problem.failed_at <= now + AHEAD:
            yield News(problem.id, NoticeKind.REMINDER, last_told + REMINDER_INTERVAL, last_told)
        return
    is_recovery = problem.end_reason is not None and problem.end_reason.is_recovery
    was_told = known and all(kind is not NoticeKind.RECOVERED for kind, _ in known)
    is_news = now - problem.closed_at < RECOVERY_IS_NEWS_FOR and problem.kind is not ProblemKind.UNCONFIRMED
    if is_recovery and was_told and is_news:
        yield News(problem.id, NoticeKind.RECOVERED, min(problem.closed_at, now))


def _is_told_now(news: News, now: datetime) -> bool:
    return news.due_at <= now or (news.told_at is not None and news.told_at <= now - REMINDED_TOGETHER)


def _find_next_time(past: Collection[PastNotice], now: datetime) -> datetime:
    """Return when the next notice may be sent, by what was sent before."""
    is_of_now = [notice for notice in past if notice.created_at <= now + AHEAD]
    counted = [notice for notice in is_of_now if notice.status is not NoticeStatus.CANCELED]
    reached = sorted(notice.created_at for notice in counted if notice.may_have_arrived)
    failed = [notice.created_at + AFTER_FAILURE for notice in counted if not notice.may_have_arrived]
    of_day = [at for at in reached if at > now - DAY]
    if any(notice.status is NoticeStatus.QUEUED for notice in counted):
        return now + UNDER_WAY_FOR
    times = [*failed, *(at + GATHERED_FOR for at in reached[-1:])]
    if len(of_day) >= MAX_PER_DAY:
        times.append(of_day[-MAX_PER_DAY] + DAY)
    return max(times, default=now)
