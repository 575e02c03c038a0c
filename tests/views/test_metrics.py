"""Metrics: access, values, and the metrics that remain while a server is unavailable."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.installation.servers import QueueServer
from tests.factories import SeededIds, add_delivery, get_destination, on_both_databases, seconds
from tests.queue_keys import key_of
from webapp import __version__, queue
from webapp.application import create_app
from webapp.channels import CHANNELS
from webapp.deliveries.completion_events import CompletionEvent
from webapp.extensions import db
from webapp.failures import Code
from webapp.metrics import counters
from webapp.metrics.counters import count_completion
from webapp.models import DeliveryStatus, Ping, PingKind, ProblemKind
from webapp.settings import read_settings

TOKEN = "canary-token-4711=="
NOWHERE = "redis://:canary-password@127.0.0.1:1"
# Every value that a label may have.
LABELS = {
    "kind": {*(kind.value for kind in ProblemKind)},
    "channel": {*CHANNELS, "other"},
    "status": {*(status.value for status in DeliveryStatus), "other"},
    "code": {*(code.value for code in Code), "none", "other"},
    "version": {__version__},
    "le": {"0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "20.0", "30.0", "60.0", "120.0", "+Inf"},
}


def _complete(channel: str, status: str, code: str | None, seconds: float) -> None:
    count_completion(CompletionEvent(1, "alerts.test", "accept", channel, status, code, seconds))


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"ALERTCHECK_METRICS_TOKEN": TOKEN}


def _ask(client: FlaskClient) -> str:
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    return response.text


def _scrape(client: FlaskClient) -> dict[str, float]:
    """Return the value of each series in a response, by the text of the series."""
    lines = [line for line in _ask(client).splitlines() if not line.startswith("#")]
    values = {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}
    assert len(values) == len(lines), "a series occurs twice, which makes Prometheus drop the scrape"
    return values


def _client(environment: dict[str, str], **settings: str) -> FlaskClient:
    return create_app(read_settings(environment | settings)).test_client()


def _status(client: FlaskClient, authorization: str | None) -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.get("/metrics", headers=headers).status_code


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_a_request_with_the_token_gets_the_metrics(app: Flask, authorization: str) -> None:
    assert _status(app.test_client(), authorization) == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer \u00e9",
    ],
)
def test_a_request_without_the_token_is_refused(app: Flask, authorization: str | None) -> None:
    assert _status(app.test_client(), authorization) == 401


def test_a_refusal_names_the_scheme_and_not_the_token(app: Flask) -> None:
    response = app.test_client().get("/metrics")

    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "canary" not in response.text


def test_a_signed_in_member_needs_the_token_too(seeded: SeededIds, visit: Callable[[int], Any]) -> None:
    assert visit(seeded.admin).get("/metrics").status_code == 401


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer None"])
def test_without_a_configured_token_the_page_does_not_exist(
    environment: dict[str, str], authorization: str | None
) -> None:
    assert _status(_client(environment, ALERTCHECK_METRICS_TOKEN=""), authorization) == 404


@pytest.mark.parametrize(("token", "status"), [("", 200), (TOKEN, 401)])
def test_a_demo_is_open_unless_a_token_is_set(
    environment: dict[str, str], tmp_path: Path, token: str, status: int
) -> None:
    demo = {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
    }

    assert _status(_client(environment, ALERTCHECK_METRICS_TOKEN=token, **demo), None) == status


def test_a_scrape_starts_no_session_and_is_never_throttled(app: Flask) -> None:
    client = app.test_client()
    responses = [client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}) for _ in range(50)]

    assert {response.status_code for response in responses} == {200}
    assert [response for response in responses if "Set-Cookie" in response.headers] == []


def test_the_response_is_in_the_prometheus_text_format(app: Flask) -> None:
    response = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_completions_are_counted_by_channel_status_and_code(app: Flask, context: None) -> None:
    _complete("webhook", DeliveryStatus.SENT, None, 1)
    _complete("webhook", DeliveryStatus.FAILED, Code.NOT_FOUND, 2)

    scraped = _scrape(app.test_client())

    assert scraped['alertcheck_deliveries_total{channel="webhook",code="none",status="sent"}'] == 1
    assert scraped['alertcheck_deliveries_total{channel="webhook",code="not_found",status="failed"}'] == 1


def test_the_time_from_press_to_completion_is_a_histogram(app: Flask, context: None) -> None:
    _complete("teams", DeliveryStatus.SENT, None, 0.75)
    _complete("teams", DeliveryStatus.SENT, None, 130)

    scraped = _scrape(app.test_client())

    buckets = [
        scraped[f'alertcheck_delivery_seconds_bucket{{channel="teams",le="{le}"}}'] for le in ("0.5", "1.0", "+Inf")
    ]
    assert buckets == [0, 1, 2]
    assert scraped['alertcheck_delivery_seconds_count{channel="teams"}'] == 2
    assert scraped['alertcheck_delivery_seconds_sum{channel="teams"}'] == 130.75


@on_both_databases
def test_the_backlog_is_reported_with_the_age_of_its_oldest_delivery(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        now, destination = datetime.now(UTC), get_destination(seeded)
        add_delivery(destination, created_at=now - seconds(40))
        add_delivery(destination, created_at=now, status=DeliveryStatus.DEFERRED, send_after=now)

    scraped = _scrape(app.test_client())

    assert scraped['alertcheck_waiting{status="queued"}'] == 1
    assert scraped['alertcheck_waiting{status="deferred"}'] == 1
    assert 40 <= scraped["alertcheck_queue_age_seconds"] < 60


def test_an_idle_installation_reports_zeros(app: Flask) -> None:
    scraped = _scrape(app.test_client())

    assert scraped['alertcheck_waiting{status="queued"}'] == scraped['alertcheck_waiting{status="deferred"}'] == 0
    assert scraped["alertcheck_queue_age_seconds"] == scraped["alertcheck_workers"] == 0
    assert scraped["alertcheck_database_up"] == scraped["alertcheck_queue_up"] == 1


def test_live_workers_are_counted(app: Flask, context: None) -> None:
    queue.record_heartbeat("host:1")
    queue.record_heartbeat("host:2")

    assert _scrape(app.test_client())["alertcheck_workers"] == 2


def test_without_the_queue_server_the_databases_metrics_remain(environment: dict[str, str]) -> None:
    scraped = _scrape(_client(environment, REDIS_URL=NOWHERE))

    assert scraped["alertcheck_queue_up"] == 0
    assert scraped["alertcheck_database_up"] == 1
    assert scraped['alertcheck_waiting{status="queued"}'] == 0
    assert "alertcheck_workers" not in scraped  # unknown without the queue server


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all.sqlite", "postgresql+psycopg://ann:canary-password@127.0.0.1:1/alerts"]
)
def test_without_the_database_the_queue_servers_metrics_remain(environment: dict[str, str], url: str) -> None:
    scraped = _scrape(_client(environment, DATABASE_URL=url))

    assert scraped["alertcheck_database_up"] == 0
    assert scraped["alertcheck_queue_up"] == 1
    assert scraped["alertcheck_workers"] == 0
    assert "alertcheck_queue_age_seconds" not in scraped


def test_without_both_servers_the_metrics_report_both_as_down(environment: dict[str, str]) -> None:
    scraped = _scrape(_client(environment, REDIS_URL=NOWHERE, DATABASE_URL="sqlite:////nowhere/at/all.sqlite"))

    build = f'alertcheck_build_info{{version="{__version__}"}}'
    assert scraped == {build: 1, "alertcheck_database_up": 0, "alertcheck_queue_up": 0}


def test_a_scrape_takes_four_queries_whatever_the_backlog(app: Flask, seeded: SeededIds, count_queries: Any) -> None:
    for _ in range(20):
        add_delivery(get_destination(seeded))

    with count_queries() as queries:
        _scrape(app.test_client())

    assert len(queries) == 4


def test_an_unknown_channel_is_counted_as_other(app: Flask, context: None) -> None:
    _complete("pigeon", DeliveryStatus.SENT, None, 1)

    scraped = _scrape(app.test_client())

    assert scraped['alertcheck_deliveries_total{channel="other",code="none",status="sent"}'] == 1
    assert scraped['alertcheck_delivery_seconds_count{channel="other"}'] == 1


def test_every_label_value_comes_from_a_closed_list(app: Flask, context: None, queue_server: QueueServer) -> None:
    client = queue.connect(queue_server.url)
    client.hset(
        key_of(counters.COMPLETIONS_KEY), mapping={'https://canary"\n|vanished|a_code': 1, "email|sent|none": 1}
    )
    client.hset(key_of(counters.DURATIONS_KEY), mapping={'https://canary"\n|3.3': 1, "email|sum": 1})
    queue.record_heartbeat("canary.example:1")

    families = text_string_to_metric_families(_ask(app.test_client()))

    counts = {pair for family in families for sample in family.samples for pair in sample.labels.items()}
    assert {label for label, _ in counts} == set(LABELS)
    assert [(label, word) for label, word in counts if word not in LABELS[label]] == []


def test_an_accepted_ping_is_exposed_by_its_time(environment: dict[str, str]) -> None:
    client = _client(environment, ALERTCHECK_PING_URL="https://monitoring.example.com/ping/canary-8a1c")
    assert "alertcheck_ping_accepted_timestamp_seconds" not in _scrape(client)

    accepted_at = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    with client.application.app_context():
        db.session.add(Ping(kind=PingKind.HOUR, period=accepted_at, created_at=accepted_at, accepted_at=accepted_at))
        db.session.commit()

    assert _scrape(client)["alertcheck_ping_accepted_timestamp_seconds"] == accepted_at.timestamp()
