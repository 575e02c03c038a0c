"""What Prometheus gets. Label values come from closed lists; unavailable metrics are left out."""

import math
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from sqlalchemy.exc import SQLAlchemyError

from webapp import __version__, queue
from webapp.database.sessions import discard_transaction
from webapp.metrics import counters
from webapp.metrics.backlog import measure_backlog
from webapp.models import NoticeStatus, ProblemKind, database_clock
from webapp.notices.mail_state import (
    COUNTED_FOR,
    MailTrouble,
    ProblemCounts,
    count_problems,
    find_mail_trouble,
    is_mail_needed,
)
from webapp.pings.report import report_pings


def write_metrics() -> bytes:
    """Return all metrics as text."""
    registry = CollectorRegistry()
    registry.register(Scrape())
    return generate_latest(registry)


class Scrape:
    """Collects the metrics of one scrape: a few queries to the database, two requests to the queue server."""

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield InfoMetricFamily("alertcheck_build", "The running version.", {"version": __version__})
        yield from _database_metrics()
        yield from _queue_metrics()


def _database_metrics() -> Iterator[Metric]:
    try:
        now = database_clock.now()
        backlog, problems, pings = measure_backlog(now), count_problems(now), report_pings()
        trouble = find_mail_trouble(is_needed=is_mail_needed())
    except SQLAlchemyError:
        discard_transaction()
        yield _gauge("alertcheck_database_up", "Whether the database responds.", 0)
        return
    yield _gauge("alertcheck_database_up", "Whether the database responds.", 1)
    waiting = GaugeMetricFamily(
        "alertcheck_waiting",
        "Test sends that have not completed. Queued ones include those being sent.",
        labels=["status"],
    )
    waiting.add_metric(["queued"], backlog.queued)
    waiting.add_metric(["deferred"], backlog.deferred)
    yield waiting
    if pings.accepted_at is not None:
        yield _gauge(
            "alertcheck_ping_accepted_timestamp_seconds",
            "When the monitoring last accepted a request to ALERTCHECK_PING_URL.",
            pings.accepted_at.timestamp(),
        )
    yield from _problem_metrics(problems, trouble)
    yield _gauge(
        "alertcheck_queue_age_seconds",
        "Age of the oldest queued test send that no worker has claimed, 0 if there is none.",
        backlog.age,
    )


def _problem_metrics(counts: ProblemCounts, trouble: MailTrouble | None) -> Iterator[Metric]:
    open_ = GaugeMetricFamily("alertcheck_open_problems", "Open problems of destinations.", labels=["kind"])
    for kind in ProblemKind:
        open_.add_metric([kind.value], counts.open.get(kind, 0))
    yield open_
    yield _gauge(
        "alertcheck_oldest_problem_age_seconds", "Age of the oldest open problem, 0 if there is none.", counts.oldest
    )
    notices = GaugeMetricFamily(
        "alertcheck_notices",
        f"Notices about problems of the last {COUNTED_FOR.days} days, by status.",
        labels=["status"],
    )
    for status in NoticeStatus:
        notices.add_metric([status.value], counts.notices.get(status, 0))
    yield notices
    yield _gauge(
        "alertcheck_notices_broken",
        "Whether notices about problems reach nobody by mail.",
        float(trouble is not None),
    )


def _queue_metrics() -> Iterator[Metric]:
    try:
        workers, counts = queue.count_workers(), counters.read_counters()
    except (queue.QueueUnavailable, counters.CountersUnavailable):
        yield _gauge("alertcheck_queue_up", "Whether the queue server responds.", 0)
        return
    yield _gauge("alertcheck_queue_up", "Whether the queue server responds.", 1)
    yield _gauge("alertcheck_workers", f"Workers with a heartbeat within the last {queue.HEARTBEAT_TTL} s.", workers)
    yield _completions_metric(counts)
    yield _durations_metric(counts)


def _completions_metric(counts: counters.Counters) -> Metric:
    completions = CounterMetricFamily(
        "alertcheck_deliveries_total",
        "Completed deliveries since the queue server started.",
        labels=["channel", "status", "code"],
    )
    for outcome, count in counts.completions.items():
        completions.add_metric([outcome.channel, outcome.status, outcome.code], count)
    return completions


def _durations_metric(counts: counters.Counters) -> Metric:
    durations = HistogramMetricFamily(
        "alertcheck_delivery_seconds",
        "Time from request to completion, since the queue server started.",
        labels=["channel"],
    )
    bounds = ["+Inf" if math.isinf(bound) else str(bound) for bound in counters.DURATION_BUCKETS]
    for channel, observed in counts.durations.items():
        durations.add_metric([channel], list(zip(bounds, observed.counts, strict=True)), observed.total)
    return durations


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)
