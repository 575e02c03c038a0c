"""The queue server is killed, frozen or emptied during a test send: the row decides, and the message is sent once."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from signal import SIGCONT, SIGSTOP, SIGTERM

import pytest
from requests import Response

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import TIME_LIMIT, Session, wait_until
from tests.forked_processes import installed
from webapp.models import DeliveryStatus

pytestmark = pytest.mark.slow

NOTHING_WAS_SENT = "Alertcheck could not reach its queue, so nothing was sent."


@pytest.fixture
def site(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(database_url, tmp_path_factory.mktemp("q")) as site:
        yield site


@pytest.fixture
def visitor(site: Installation) -> Session:
    return site.sign_in()


@dataclass(frozen=True)
class Press:
    """A press on Send test. seconds: the time until the response."""

    destination_id: int
    response: Response
    seconds: float


def _press(visitor: Session, destination_id: int) -> Press:
    started = time.monotonic()
    response = visitor.post(f"/w/harbor/destinations/{destination_id}/test")
    return Press(destination_id, response, time.monotonic() - started)


def _is_sent(site: Installation, destination_id: int) -> bool:
    return site.newest(destination_id).status is DeliveryStatus.SENT


def _send_another(site: Installation, visitor: Session) -> None:
    """Send another test. When it is sent, every job that was queued before it has run."""
    destination_id = site.add_destination("/takes")
    assert _press(visitor, destination_id).response.status_code == 200
    wait_until(lambda: _is_sent(site, destination_id))


@contextmanager
def _frozen(pid: int) -> Iterator[None]:
    os.kill(pid, SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, SIGCONT)


def _assert_nothing_was_sent(site: Installation, press: Press) -> None:
    delivery = site.newest(press.destination_id)
    assert (delivery.status, delivery.last_error_code) == (DeliveryStatus.FAILED, "queue_unavailable")
    assert site.count_messages(delivery) == 0


def _assert_sent_once(site: Installation, destination_id: int) -> None:
    delivery = site.newest(destination_id)
    assert (delivery.status, delivery.attempt_count) == (DeliveryStatus.SENT, 1)
    assert site.count_messages(delivery) == 1


def test_a_press_fails_within_2_seconds_while_the_queue_server_is_dead_and_is_never_sent(
    site: Installation, visitor: Session
) -> None:
    destination_id = site.add_destination("/takes")
    site.stack.start_worker()
    _send_another(site, visitor)
    site.queue_server.process.kill()

    press = _press(visitor, destination_id)
    site.restart_queue_server()
    _send_another(site, visitor)

    assert press.response.status_code == 503
    assert NOTHING_WAS_SENT in press.response.text
    assert press.seconds < 2
    _assert_nothing_was_sent(site, press)


def test_a_press_fails_within_2_seconds_while_the_queue_server_is_frozen_and_is_never_sent(
    site: Installation, visitor: Session
) -> None:
    _press(visitor, site.add_destination("/takes"))  # opens the connections on which later commands are sent
    destination_id = site.add_destination("/takes")

    with _frozen(site.queue_server.process.pid):
        press = _press(visitor, destination_id)
    site.enqueue(site.newest(destination_id).id)  # the worst case: the server had read the job before it froze
    site.stack.start_worker()
    _send_another(site, visitor)

    assert press.response.status_code == 503
    assert NOTHING_WAS_SENT in press.response.text
    assert press.seconds < 2
    _assert_nothing_was_sent(site, press)


def test_a_press_whose_job_the_queue_server_lost_is_sent_once(site: Installation, visitor: Session) -> None:
    press = _press(visitor, site.add_destination("/takes"))
    site.queue_server.process.kill()
    site.restart_queue_server()

    site.stack.start_worker()

    wait_until(lambda: _is_sent(site, press.destination_id))
    _assert_sent_once(site, press.destination_id)


def test_replacing_the_queue_server_during_a_send_affects_neither_this_message_nor_the_next(
    site: Installation, visitor: Session
) -> None:
    site.stack.start_worker()
    press = _press(visitor, site.add_destination("/holds"))
    wait_until(lambda: site.count_messages(site.newest(press.destination_id)))
    site.queue_server.process.kill()
    site.restart_queue_server()

    site.receiver.release.set()
    wait_until(lambda: _is_sent(site, press.destination_id))
    _send_another(site, visitor)

    _assert_sent_once(site, press.destination_id)


def test_a_stopped_worker_finishes_its_send_without_a_queue_server(site: Installation, visitor: Session) -> None:
    worker = site.stack.start_worker()
    press = _press(visitor, site.add_destination("/holds"))
    wait_until(lambda: site.count_messages(site.newest(press.destination_id)))
    site.queue_server.process.kill()

    os.kill(worker.pid, SIGTERM)
    time.sleep(2)
    site.receiver.release.set()

    worker.process.wait(timeout=TIME_LIMIT)
    _assert_sent_once(site, press.destination_id)
