"""A press without a web process, what becomes of it in a worker process, and a receiver that takes its time."""

import threading
from datetime import UTC, datetime

from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from benchmarks.installation.processes import TIME_LIMIT, wait_until
from tests.factories import SECRET_PATH, SeededIds, get_account, get_destination
from webapp import queue
from webapp.deliveries import request_test
from webapp.demo.supervisor.processes import Child
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus


def press(app: Flask, seeded: SeededIds) -> int:
    """Request a test send, enqueue it and return its id."""
    with app.app_context():
        delivery_id = request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC))
        queue.enqueue_deliveries(delivery_id)
        return delivery_id


def get_delivery(app: Flask, delivery_id: int) -> AlertDelivery:
    with app.app_context():
        return db.session.get_one(AlertDelivery, delivery_id)


def wait_for_end(app: Flask, delivery_id: int, status: DeliveryStatus, time_limit: float = TIME_LIMIT) -> AlertDelivery:
    """Wait until a delivery has this status, and return it."""
    wait_until(lambda: get_delivery(app, delivery_id).status is status, time_limit)
    return get_delivery(app, delivery_id)


def wait_for_heartbeat(app: Flask, worker: Child) -> None:
    """Wait for a worker's first heartbeat: a busy machine needs seconds to start it."""
    with app.app_context():
        wait_until(lambda: any(found.name.endswith(f":{worker.pid}") for found in queue.list_workers()))


def respond_after(httpserver: HTTPServer, seconds: float) -> threading.Event:
    """Let the receiver respond after these seconds. Returns an event that is set when a message arrives."""
    arrived = threading.Event()

    def respond(_request: Request) -> Response:
        arrived.set()
        threading.Event().wait(seconds)
        return Response()

    httpserver.expect_request(SECRET_PATH).respond_with_handler(respond)
    return arrived
