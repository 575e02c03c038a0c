"""What Prometheus asks for. Labels hold words of closed lists; what cannot be told just now is left out."""

import hmac
import math
from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy.exc import SQLAlchemyError

from webapp import queue
from webapp.auth.sessions import public
from webapp.extensions import db, limiter
from webapp.metrics import counters
from webapp.metrics.backlog import measure_backlog
from webapp.settings import current_config

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
@limiter.exempt
@public
def tell_metrics() -> Response:
    """Answer with every metric, to whoever knows the token; 404 where none is set, except in the demo."""
    config = current_config()
    if config.metrics_token is None and config.demo is None:
        abort(404)
    if config.metrics_token is not None and not _carries(config.metrics_token):
        return Response("A bearer token is needed.\n", 401, {"WWW-Authenticate": "Bearer"}, content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(Scrape(datetime.now(UTC)))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _carries(token: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


class Scrape:
    """One answer: asks the database one query and the queue server two questions."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        """Tell all metrics."""
        yield from _tell_database(self.now)
        yield from _tell_queue()


def _tell_database(now: datetime) -> Iterator[Metric]:
    try:
        backlog = measure_backlog(now)
    except SQLAlchemyError:
        db.session.rollback()
        yield _gauge("alertcheck_database_up", "Whether the database answers.", 0)
        return
    yield _gauge("alertcheck_database_up", "Whether the database answers.", 1)
    waiting = GaugeMetricFamily(
        "alertcheck_waiting", "Test sends that have not ended; queued ones may be being sent.", labels=["status"]
    )
    waiting.add_metric(["queued"], backlog.queued)
    waiting.add_metric(["deferred"], backlog.deferred)
    yield waiting
    yield _gauge(
        "alertcheck_queue_age_seconds",
        "Time since the press of the oldest queued test send that no worker has taken, 0 if there is none.",
        backlog.age,
    )


def _tell_queue() -> Iterator[Metric]:
    try:
        workers, told = queue.count_workers(), counters.read_tallies()
    except (queue.QueueUnavailable, counters.TalliesUnavailable):
        yield _gauge("alertcheck_queue_up", "Whether the queue server answers.", 0)
        return
    yield _gauge("alertcheck_queue_up", "Whether the queue server answers.", 1)
    yield _gauge("alertcheck_workers", f"Workers that gave a sign of life within {queue.ALIVE_FOR} s.", workers)
    yield _tell_outcomes(told)
    yield _tell_durations(told)


def _tell_outcomes(told: counters.Tallies) -> Metric:
    outcomes = CounterMetricFamily(
        "alertcheck_deliveries_total",
        "Deliveries that ended, since the queue server started.",
        labels=["channel", "status", "code"],
    )
    for outcome, count in told.outcomes.items():
        outcomes.add_metric([outcome.channel, outcome.status, outcome.code], count)
    return outcomes


def _tell_durations(told: counters.Tallies) -> Metric:
    durations = HistogramMetricFamily(
        "alertcheck_delivery_seconds", "Time from press to end, since the queue server started.", labels=["channel"]
    )
    bounds = ["+Inf" if math.isinf(bound) else str(bound) for bound in counters.BOUNDS]
    for channel, took in told.durations.items():
        durations.add_metric([channel], list(zip(bounds, took.counts, strict=True)), took.total)
    return durations


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)
