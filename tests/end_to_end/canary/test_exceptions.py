"""Whatever is raised wherever it is raised, no secret gets out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from benchmarks.installation.servers import QueueServer
from tests.end_to_end.canary.burst_worker import work_off
from tests.end_to_end.canary.canaries import Canaries
from tests.end_to_end.canary.faults import EXCEPTIONS, Fault, Step, broken, pick_faults
from tests.end_to_end.canary.search_places import House, read_queue
from tests.end_to_end.scenario_runner import Scene, play
from tests.end_to_end.scenarios import accepted, accepted_by_mail, accepted_by_mail_over_tls, accepted_over_tls
from tests.factories import SeededIds, add_delivery, get_account, get_destination, get_workspace
from webapp import queue
from webapp.deliveries import request_test, send
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination
from webapp.outbound import OutboundClient
from webapp.settings import AppSettings

pytestmark = pytest.mark.slow

SEED = 20261103
"""Which thousand of all the pairs of a step and an exception; any other will do."""

HTTP_CHANNELS = ("webhook", "teams", "slack")
ACCEPTING = {
    **{(channel, False): accepted for channel in HTTP_CHANNELS},
    **{(channel, True): accepted_over_tls for channel in HTTP_CHANNELS},
    ("email", False): accepted_by_mail,
    ("email", True): accepted_by_mail_over_tls,
}

Search = Callable[[], list[str]]


@dataclass(frozen=True)
class Post:
    """A destination, and the way out by which it is reached."""

    destination_id: int
    outbound: OutboundClient


Posts = dict[tuple[str, bool], Post]
"""By channel, without and with TLS."""


@pytest.fixture
def posts(
    context: None, seeded: SeededIds, app_settings: AppSettings, environment: dict[str, str], canaries: Canaries
) -> Iterator[Posts]:
    """Destinations whose far ends would take every message."""
    with ExitStack() as stack:
        scenes = {
            place: stack.enter_context(scenario(canaries.stage(environment, place[0])))
            for place, scenario in ACCEPTING.items()
        }
        yield {place: _settle(scene, seeded, app_settings) for place, scene in scenes.items()}


def _settle(scene: Scene, seeded: SeededIds, app_settings: AppSettings) -> Post:
    workspace, account, now = get_workspace(seeded), get_account(seeded), datetime.now(UTC)
    destination = add_destination(workspace, account, scene.channel, "Bound", scene.settings, app_settings.cipher, now)
    return Post(destination.id, scene.outbound)


@dataclass(frozen=True)
class Breakdown:
    """Jobs of which each meets a fault of its own. faults: by delivery. met: those that were really raised."""

    posts: Posts
    canaries: Canaries
    faults: dict[int, Fault] = field(default_factory=dict)
    met: set[Fault] = field(default_factory=set)

    def enqueue(self, faults: Sequence[Fault], model: int) -> None:
        """Hand a delivery to the queue for every fault that its sending will meet. model: what they are copies of."""
        payload = db.session.get_one(AlertDelivery, model).payload
        for fault in faults:
            post = self.posts[fault.step.channel, fault.step.secure]
            destination = db.session.get_one(AlertDestination, post.destination_id)
            delivery_id = add_delivery(destination, created_at=datetime.now(UTC), payload=payload).id
            self.faults[delivery_id] = fault
            queue.enqueue_deliveries(delivery_id)

    def send(self, delivery_id: int, app_settings: AppSettings) -> None:
        """Send as the job would, but for the fault."""
        db.session.get_one(AlertDelivery, delivery_id).created_at = datetime.now(UTC)  # only the newest is sent
        db.session.commit()
        fault = self.faults[delivery_id]
        outbound = self.posts[fault.step.channel, fault.step.secure].outbound
        with broken(fault, self.canaries.secrets.hatch()) as met:
            try:
                send(delivery_id, replace(app_settings, outbound=outbound))
            finally:
                self.met.update(met)


# An exception where in truth none is raised leaves a socket for the garbage collector to close.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.usefixtures("signals_restored")
def test_no_secret_gets_out_of_a_thousand_exceptions(
    seeded: SeededIds,
    posts: Posts,
    queue_server: QueueServer,
    canaries: Canaries,
    search: Search,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    breakdown, faults = Breakdown(posts, canaries), pick_faults(1000, SEED)
    breakdown.enqueue(faults, request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC)))
    waiting = read_queue(queue_server)
    monkeypatch.setattr("webapp.deliveries.send", breakdown.send)

    work_off(queue_server)

    assert waiting.count(b"webapp.worker.job.dispatch_deliveries") == len(faults)
    assert breakdown.met == set(faults)
    assert search() + canaries.secrets.find_in(waiting) == []


UNREADABLE = Step("cryptography.fernet.MultiFernet.decrypt", "webhook")


def test_no_secret_gets_out_of_pages_that_break(
    app: Flask,
    seeded: SeededIds,
    app_settings: AppSettings,
    environment: dict[str, str],
    canaries: Canaries,
    house: House,
    search: Search,
) -> None:
    with app.app_context():
        play(accepted, canaries.stage(environment), seeded, app_settings)
    faults = [Fault(UNREADABLE, make) for make in EXCEPTIONS[::5]]

    pages = b"".join(_show_broken_pages(house, fault, canaries.secrets.hatch()) for fault in faults)

    assert pages.count(b"Something went wrong") > len(faults)
    assert canaries.secrets.find_in(pages) == []
    assert search() == []


def _show_broken_pages(house: House, fault: Fault, secret: str) -> bytes:
    with broken(fault, secret):
        return house.show_pages("admin")
