"""No exception at any step of a send leaks a secret."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import update

from benchmarks.installation.servers import QueueServer
from tests.end_to_end.canary.burst_worker import run_all_jobs
from tests.end_to_end.canary.canaries import Canaries
from tests.end_to_end.canary.faults import EXCEPTIONS, Fault, Step, broken, pick_faults
from tests.end_to_end.canary.search_places import SearchedInstallation, read_queue
from tests.end_to_end.scenario_runner import OMITTED, ScenarioSetup, run_scenario
from tests.end_to_end.scenarios import accepted, accepted_by_mail, accepted_by_mail_over_tls, accepted_over_tls
from tests.factories import SeededIds, get_account, get_destination, get_workspace, make_delivery
from webapp import queue
from webapp.channels import CHANNELS
from webapp.deliveries import SendGroups, request_test, send
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.failures import Protocol
from webapp.models import AlertDelivery, AlertDestination
from webapp.outbound import OutboundClient
from webapp.settings import AppSettings

pytestmark = pytest.mark.slow

# Selects a thousand of all pairs of a step and an exception; any other seed works as well.
SEED = 20261103

HTTP_CHANNELS = [name for name, channel in CHANNELS.items() if channel.protocol is Protocol.HTTP]
ACCEPTING = {
    **{(channel, False): accepted for channel in HTTP_CHANNELS},
    **{(channel, True): accepted_over_tls for channel in HTTP_CHANNELS},
    ("email", False): accepted_by_mail,
    ("email", True): accepted_by_mail_over_tls,
}

Search = Callable[[], list[str]]


@dataclass(frozen=True)
class CanaryDestination:
    """A destination, and the outbound client that can reach it."""

    destination_id: int
    outbound: OutboundClient


# By channel, without and with TLS.
CanaryDestinations = dict[tuple[str, bool], CanaryDestination]


@pytest.fixture
def destinations(
    context: None, seeded: SeededIds, app_settings: AppSettings, environment: dict[str, str], canaries: Canaries
) -> Iterator[CanaryDestinations]:
    """Destinations whose receivers accept every message."""
    with ExitStack() as stack:
        setups = {
            (channel, is_secure): stack.enter_context(
                scenario(canaries.inputs(environment, channel, OMITTED[is_secure]))
            )
            for (channel, is_secure), scenario in ACCEPTING.items()
        }
        yield {key: _add(setup, seeded, app_settings) for key, setup in setups.items()}


def _add(setup: ScenarioSetup, seeded: SeededIds, app_settings: AppSettings) -> CanaryDestination:
    workspace, account, now = get_workspace(seeded), get_account(seeded), datetime.now(UTC)
    destination = add_destination(workspace, account, setup.channel, "Canary", setup.settings, app_settings.cipher, now)
    return CanaryDestination(destination.id, setup.outbound)


@dataclass(frozen=True)
class FaultyJobs:
    """Jobs that each meet a fault of their own. faults: by delivery. raised: the faults that were really raised."""

    destinations: CanaryDestinations
    canaries: Canaries
    faults: dict[int, Fault] = field(default_factory=dict)
    raised: set[Fault] = field(default_factory=set)

    def enqueue(self, faults: Sequence[Fault], model: int) -> None:
        """Enqueue one delivery for each fault. model: the id of the delivery whose payload they copy."""
        payload = db.session.get_one(AlertDelivery, model).payload
        now = datetime.now(UTC)
        added = [make_delivery(self._find_destination(fault), created_at=now, payload=payload) for fault in faults]
        db.session.add_all(added)
        db.session.flush()
        self.faults.update(zip([delivery.id for delivery in added], faults, strict=True))
        db.session.commit()
        for delivery_id in self.faults:
            queue.enqueue_deliveries(delivery_id)

    def _find_destination(self, fault: Fault) -> AlertDestination:
        destination = self.destinations[fault.step.channel, fault.step.secure]
        return db.session.get_one(AlertDestination, destination.destination_id)

    def send(self, delivery_id: int, app_settings: AppSettings, _groups: SendGroups, _report: object = None) -> None:
        """Send as the job does, with the fault, in no group: others must not meet it."""
        # Only the newest test of a destination is sent.
        own = AlertDelivery.id == delivery_id
        db.session.execute(update(AlertDelivery).where(own).values(created_at=datetime.now(UTC)))
        db.session.commit()
        fault = self.faults[delivery_id]
        outbound = self.destinations[fault.step.channel, fault.step.secure].outbound
        with broken(fault, self.canaries.secrets.make_canary()) as raised:
            try:
                send(delivery_id, replace(app_settings, outbound=outbound))
            finally:
                self.raised.update(raised)


# An injected exception can leave a socket open until the garbage collector closes it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.usefixtures("signals_restored")
def test_a_thousand_exceptions_leak_no_secret(
    seeded: SeededIds,
    destinations: CanaryDestinations,
    queue_server: QueueServer,
    canaries: Canaries,
    search: Search,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faulty_jobs, faults = FaultyJobs(destinations, canaries), pick_faults(1000, SEED)
    faulty_jobs.enqueue(faults, request_test(get_destination(seeded), get_account(seeded), datetime.now(UTC)))
    waiting = read_queue(queue_server)
    monkeypatch.setattr("webapp.deliveries.send", faulty_jobs.send)

    run_all_jobs(queue_server)

    assert waiting.count(b"webapp.worker.job.dispatch_deliveries") == len(faults)
    assert faulty_jobs.raised == set(faults)
    assert search() + canaries.secrets.find_in(waiting) == []


UNREADABLE = Step("cryptography.fernet.MultiFernet.decrypt", "webhook")


def test_pages_that_fail_leak_no_secret(
    app: Flask,
    seeded: SeededIds,
    app_settings: AppSettings,
    environment: dict[str, str],
    canaries: Canaries,
    installation: SearchedInstallation,
    search: Search,
) -> None:
    with app.app_context():
        run_scenario(accepted, canaries.inputs(environment), seeded, app_settings)
    faults = [Fault(UNREADABLE, make) for make in EXCEPTIONS[::5]]
    paths = _list_failing_paths(installation, faults[0])

    pages = b"".join(
        _show_failing_pages(installation, fault, canaries.secrets.make_canary(), paths) for fault in faults
    )

    assert pages.count(b"Something went wrong") > len(faults)
    assert canaries.secrets.find_in(pages) == []
    assert search() == []


def _list_failing_paths(installation: SearchedInstallation, fault: Fault) -> list[str]:
    """List the paths on which the fault is raised, whatever they show then."""
    with broken(fault, "none") as raised:
        return [path for path in installation.list_paths() if _is_raised(installation, path, raised)]


def _is_raised(installation: SearchedInstallation, path: str, raised: list[Fault]) -> bool:
    count = len(raised)
    installation.show_pages("admin", [path])
    return len(raised) > count


def _show_failing_pages(installation: SearchedInstallation, fault: Fault, secret: str, paths: list[str]) -> bytes:
    with broken(fault, secret):
        return installation.show_pages("admin", paths)
