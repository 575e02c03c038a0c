"""The press and the poll over HTTP: the six rules of pressing the button."""

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, select

from benchmarks.installation.servers import QueueServer, start_queue_server
from tests.factories import (
    SeededIds,
    add_delivery,
    begin_claim_record,
    get_account,
    get_destination,
    on_both_databases,
    seconds,
)
from tests.queue_keys import key_of
from tests.statements import collecting_statements
from tests.visitor import Visitor
from webapp import queue
from webapp.application import create_app
from webapp.deliveries.transitions import ACCEPT, CLAIM, apply_transition
from webapp.destinations.editing import set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus
from webapp.settings import read_settings

Visit = Callable[[int], Visitor]

OWN = "/w/harbor/destinations/1/test"
OWN_STATUS = "/w/harbor/destinations/1/status"


def _deliveries(app: Flask) -> list[AlertDelivery]:
    with app.app_context():
        return list(db.session.scalars(select(AlertDelivery).order_by(AlertDelivery.id)))


def _queued_jobs(queue_server: QueueServer) -> int:
    return queue.connect(queue_server.url).llen(key_of("rq:queue:alertcheck"))


@on_both_databases
def test_a_press_returns_the_pending_fragment_and_enqueues_the_committed_row(
    app: Flask, seeded: SeededIds, visit: Visit, queue_server: QueueServer
) -> None:
    response = visit(seeded.admin).post(OWN)

    assert response.status_code == 200
    assert 'id="status-1"' in response.text
    assert 'data-last-test="pending"' in response.text
    assert [row.status for row in _deliveries(app)] == [DeliveryStatus.QUEUED]
    assert _queued_jobs(queue_server) == 1


@on_both_databases
def test_a_press_loads_nothing_twice(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    visitor.get("/w/harbor/destinations")  # notes that the session is in use

    with collecting_statements(app) as statements:
        visitor.post(OWN)

    # The session, the lock, the newest test, the test send, its audit event and the fragment. Without the update by
    # which a transaction of SQLite begins to write.
    kinds = [statement.split()[0] for statement in statements if not statement.startswith("UPDATE alert_destinations")]
    assert kinds == ["SELECT", "SELECT", "SELECT", "INSERT", "INSERT", "SELECT"]


def test_the_press_the_poll_and_the_page_show_the_same_fragment(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)

    pressed = visitor.post(OWN).text
    polled = visitor.get(OWN_STATUS).text

    assert _without_token(pressed) == _without_token(polled)
    assert _without_token(polled) in _without_token(visitor.get("/w/harbor/destinations").text)


def _without_token(html: str) -> str:
    html = re.sub(r'name="csrf_token" value="[^"]+"', "", html)
    return "\n".join(
        line.strip() for line in re.sub(r"just now|\d+ s( ago)?|left=\"\d+\"|every \d+ms", "", html).splitlines()
    )


@pytest.mark.parametrize(
    "path", ["/w/clinic/destinations/2/test", "/w/harbor/destinations/2/test", OWN[:-6] + "999/test"]
)
def test_a_press_on_another_workspaces_destination_returns_404_and_writes_nothing(
    app: Flask, seeded: SeededIds, visit: Visit, path: str
) -> None:
    assert visit(seeded.admin).post(path).status_code == 404
    assert _deliveries(app) == []


def test_foreign_unknown_and_garbage_ids_get_the_same_response(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    ids = ["2", "999999", "0", "-1", "1.0", "abc", "9" * 40, "٣", "1%20"]

    responses = {_without_token(visitor.post(f"/w/harbor/destinations/{number}/test").text) for number in ids}

    assert len({re.sub(r'"X-CSRFToken": "[^"]+"', "", response) for response in responses}) == 1


def test_a_press_without_a_session_leads_to_the_sign_in_page(app: Flask, seeded: SeededIds) -> None:
    response = Visitor.anonymous(app).post(OWN, headers={"HX-Request": "true"})

    assert (response.status_code, response.headers["HX-Redirect"]) == (401, "/sign-in")


def test_a_press_without_a_csrf_token_is_refused(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    visitor.token = ""

    assert visitor.post(OWN).status_code == 400
    assert _deliveries(app) == []


def test_support_may_test(seeded: SeededIds, visit: Visit) -> None:
    assert visit(seeded.support).post(OWN).status_code == 200


def test_a_viewers_press_is_refused_with_the_reason_and_starts_no_cooldown(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    response = visit(seeded.viewer).post(OWN)

    assert (response.status_code, _deliveries(app)) == (403, [])
    assert "Viewers cannot send tests." in response.text
    assert visit(seeded.admin).post(OWN).status_code == 200


def test_a_disabled_destination_is_refused_with_the_reason_and_starts_no_cooldown(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    _enable(app, seeded, False)
    response = visit(seeded.admin).post(OWN)
    assert (response.status_code, _deliveries(app)) == (409, [])
    assert "This destination is disabled. Enable it to send a test." in response.text

    _enable(app, seeded, True)
    assert visit(seeded.admin).post(OWN).status_code == 200


def _enable(app: Flask, seeded: SeededIds, is_enabled: bool) -> None:
    with app.app_context():
        set_enabled(get_destination(seeded), get_account(seeded), is_enabled, datetime.now(UTC))


def test_a_second_press_within_the_minute_is_refused_with_the_seconds_left(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    visitor = visit(seeded.admin)
    visitor.post(OWN)

    response = visitor.post(OWN)

    assert (response.status_code, len(_deliveries(app))) == (429, 1)
    assert 58 <= int(response.headers["Retry-After"]) <= 60
    assert f'<span class="countdown">{response.headers["Retry-After"]} s</span>' in response.text
    assert 'data-last-test="pending"' in response.text


def test_a_press_is_refused_by_the_database_when_redis_was_flushed_in_between(
    app: Flask, seeded: SeededIds, visit: Visit, queue_server: QueueServer
) -> None:
    visitor = visit(seeded.admin)
    visitor.post(OWN)
    queue.connect(queue_server.url).flushall()

    assert visitor.post(OWN).status_code == 429
    assert len(_deliveries(app)) == 1


@pytest.mark.parametrize(("age", "status_code"), [(59, 429), (60, 200)])
def test_the_minute_counts_from_the_last_press(
    app: Flask, seeded: SeededIds, visit: Visit, age: int, status_code: int
) -> None:
    visitor = visit(seeded.admin)
    now = datetime.now(UTC)  # after the visit: a token from the next second would lie in the future
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=now - seconds(age))

    with time_machine.travel(now, tick=False):  # a slow machine must not reach the next second
        assert visitor.post(OWN).status_code == status_code


def test_without_a_queue_the_press_reports_at_once_that_nothing_was_sent(
    environment: dict[str, str], seeded: SeededIds, tmp_path: object
) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"}))
    visitor = Visitor.signed_in(app, seeded.admin)

    response = visitor.post(OWN)

    assert response.status_code == 503
    assert 'data-last-test="failed"' in response.text
    assert "Alertcheck could not reach its queue, so nothing was sent." in response.text
    assert [(row.status, row.last_error_code) for row in _deliveries(app)] == [
        (DeliveryStatus.FAILED, "queue_unavailable")
    ]


def test_only_a_pending_fragment_polls(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    assert "hx-trigger" not in visitor.get(OWN_STATUS).text

    assert 'hx-trigger="every 10ms"' in visitor.post(OWN).text

    with app.app_context():
        (delivery_id,), now = db.session.scalars(select(AlertDelivery.id)).all(), datetime.now(UTC)
        apply_transition(CLAIM, delivery_id, now, attempt_count=1)
        apply_transition(ACCEPT, delivery_id, now, sent_at=now)
        db.session.commit()
    final = visitor.get(OWN_STATUS).text
    assert "hx-trigger" not in final
    assert "hx-get" not in final
    assert 'data-last-test="sent"' in final


def test_a_fragment_is_never_cached(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.viewer)

    assert visitor.get(OWN_STATUS).headers["Cache-Control"] == "no-store, no-transform"


def test_a_locked_database_is_reported_and_does_not_use_up_the_press(
    app: Flask, seeded: SeededIds, visit: Visit, database_url: str
) -> None:
    visitor = visit(seeded.admin)
    with app.app_context():
        _shorten_lock_timeout(app)
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    response = visitor.post(OWN)

    other.execute("ROLLBACK")
    other.close()
    assert response.status_code == 503
    assert "Your request may not have completed." in response.text
    assert visitor.post(OWN).status_code == 200


def _shorten_lock_timeout(app: Flask) -> None:
    db.engine.dispose()
    event.listen(db.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 100"))


def test_an_emptied_redis_server_accepts_the_next_press(
    environment: dict[str, str], seeded: SeededIds, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = start_queue_server(tmp_path_factory.mktemp("queue"))
    app = create_app(read_settings(environment | {"REDIS_URL": server.url}))
    visitor = Visitor.signed_in(app, seeded.admin)
    server.stop()

    assert visitor.post(OWN).status_code == 503


def test_a_badge_older_than_the_settings_is_marked(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=datetime.now(UTC))
        get_destination(seeded).settings_version += 1
        db.session.commit()

    assert "The settings were changed after this test." in visit(seeded.viewer).get(OWN_STATUS).text


@pytest.mark.parametrize("path", [OWN_STATUS, "/w/harbor/destinations", "/w/harbor/destinations/1"])
def test_without_a_worker_a_badge_does_not_stay_pending_for_ever(
    app: Flask, seeded: SeededIds, visit: Visit, path: str
) -> None:
    with app.app_context():
        begin_claim_record()
        add_delivery(get_destination(seeded), created_at=datetime.now(UTC) - seconds(121))

    page = visit(seeded.viewer).get(path).text

    assert 'data-last-test="failed"' in page
    assert "No worker picked up the message in time, so nothing was sent." in page


def test_a_waiting_test_shows_that_no_worker_has_been_seen(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=datetime.now(UTC) - seconds(4))
    visitor = visit(seeded.viewer)
    assert "No worker has reported" in visitor.get(OWN_STATUS).text

    with app.app_context():
        queue.record_heartbeat("host:1")

    assert "No worker has reported" not in visitor.get(OWN_STATUS).text


def test_a_retry_that_is_overdue_shows_that_no_worker_has_been_seen(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    with app.app_context():
        now = datetime.now(UTC)
        facts = {"created_at": now - seconds(20), "send_after": now - seconds(5), "attempt_count": 1}
        add_delivery(get_destination(seeded), status=DeliveryStatus.DEFERRED, **facts)

    assert "No worker has reported" in visit(seeded.viewer).get(OWN_STATUS).text


def test_a_new_test_shows_no_missing_worker_yet(seeded: SeededIds, visit: Visit) -> None:
    assert "No worker has reported" not in visit(seeded.admin).post(OWN).text


def test_without_javascript_a_press_leads_to_the_destinations_page(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.admin).post(OWN, headers={"Sec-Fetch-Mode": "navigate"})

    assert (response.status_code, response.location) == (303, f"/w/harbor/destinations/{seeded.destination}")
    assert [row.status for row in _deliveries(app)] == [DeliveryStatus.QUEUED]


def test_without_javascript_a_refused_press_shows_the_reason_on_the_page(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    visitor.post(OWN)

    response = visitor.post(OWN, headers={"Sec-Fetch-Mode": "navigate"})

    assert (
        "Not sent: a test was sent to this destination less than a minute ago." in visitor.get(response.location).text
    )
