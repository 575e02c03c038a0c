"""Two installations on one database of one server, each with a user that may use its own prefix only."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.installation.installation import Installation
from benchmarks.installation.processes import TIME_LIMIT, Session, wait_until
from tests.databases import new_database
from tests.forked_processes import installed
from tests.queue.servers import TcpServer, running
from webapp.app_state import app_state
from webapp.environment.redis_prefix import derive_redis_prefix
from webapp.models import DeliveryStatus
from webapp.queue import OTHER_DATABASE
from webapp.queue.jobs import JobQueue

pytestmark = pytest.mark.slow

TOKEN = "a-token-of-sixteen-characters-or-more"
SECRETS = {"ann": "the key of the first, long enough to sign with", "bob": "the key of the second, long enough to sign"}

COUNTED = ("alertcheck_workers ", "alertcheck_deliveries_total{")


@dataclass
class Site:
    """An installation with a web process, and a visitor who is signed in. Its worker is started by a test."""

    installation: Installation
    web: Session
    prefix: str

    def add_destination(self) -> int:
        return self.installation.add_destination("/takes")

    def press(self, destination: int) -> int:
        return self.web.post(f"/w/harbor/destinations/{destination}/test").status_code

    def is_sent_once(self, destination: int) -> bool:
        newest = self.installation.newest(destination)
        return newest.status is DeliveryStatus.SENT and self.installation.count_messages(newest) == 1

    def send(self) -> None:
        """Send a test with one more worker."""
        self.installation.stack.start_worker()
        wait_until(lambda: self.readiness() == "ok")
        destination = self.add_destination()
        self.press(destination)
        wait_until(lambda: self.is_sent_once(destination))

    def readiness(self) -> str:
        return str(self.web.get("/readyz").json()["worker"])

    def has_counted_one(self) -> bool:
        """Return whether the installation knows one worker and one completed delivery."""
        values = [line.rpartition(" ")[2] for name in COUNTED for line in self.metric(name)]
        return values == ["1.0", "1.0"]

    def metric(self, name: str) -> list[str]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        lines = self.web.http.get(f"{self.web.origin}/metrics", headers=headers, timeout=TIME_LIMIT).text.splitlines()
        return [line for line in lines if line.startswith(name)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TcpServer]:
    with running("valkey", tmp_path_factory.mktemp("q")) as server:
        yield server


@pytest.fixture(scope="module")
def sites(
    server: TcpServer, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Site]]:
    with ExitStack() as stack:
        yield [_install(stack, server, request, tmp_path_factory.mktemp("s"), user) for user in SECRETS]


def _install(stack: ExitStack, server: TcpServer, request: pytest.FixtureRequest, home: Path, user: str) -> Site:
    prefix = derive_redis_prefix(SECRETS[user])
    server.run(f"ACL SETUSER {user} on >right ~{prefix}:* &{prefix}:* +@all -@dangerous +info")
    settings = {
        "SECRET_KEY": SECRETS[user],
        "REDIS_URL": server.url(f"{user}:right@"),
        "ALERTCHECK_METRICS_TOKEN": TOKEN,
    }
    url = stack.enter_context(new_database("sqlite", request, home))
    installation = stack.enter_context(installed(url, home, **settings))
    return Site(installation, installation.sign_in(), prefix)


def test_installations_share_no_job_no_worker_no_counter_and_no_60_seconds(sites: list[Site]) -> None:
    first, second = sites
    destinations = first.add_destination(), second.add_destination()
    assert destinations[0] == destinations[1]  # every id is the same in both databases
    second.installation.stack.start_worker()
    wait_until(lambda: second.readiness() == "ok")

    assert [site.press(destinations[0]) for site in sites] == [200, 200]
    wait_until(lambda: second.is_sent_once(destinations[1]))
    assert "No worker has sent a heartbeat" in first.readiness()
    assert first.installation.newest(destinations[0]).attempt_count == 0
    first.installation.stack.start_worker()
    wait_until(lambda: first.is_sent_once(destinations[0]))

    for site in sites:
        wait_until(site.has_counted_one)


def test_every_key_and_every_channel_begins_with_a_prefix_and_no_command_is_refused(
    sites: list[Site], server: TcpServer
) -> None:
    for site in sites:
        site.send()

    prefixes = tuple(f"{site.prefix}:" for site in sites)
    keys = [key.decode() for key in server.admin.scan_iter()]
    channels = [
        str(channel, "ascii") if isinstance(channel, bytes) else channel for channel in server.admin.pubsub_channels()
    ]
    for prefix in prefixes:
        parts = ("rq:queues", "rq:workers", "workers", "claims", "ended", "presses:", "limits:")
        assert [part for part in parts if not any(key.startswith(prefix + part) for key in keys)] == []
        assert [channel for channel in channels if channel.startswith(prefix)]
    assert [name for name in keys + channels if not name.startswith(prefixes)] == []
    assert server.admin.acl_log() == []


def test_a_copied_env_is_noticed_where_only_the_worker_of_the_original_runs(
    sites: list[Site], server: TcpServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    original = sites[0]
    original.send()
    with ExitStack() as stack:
        copy = _install(stack, server, request, tmp_path, "ann")

        assert copy.readiness() == OTHER_DATABASE
        assert original.readiness() == "ok"

        copy.installation.stack.start_worker()
        wait_until(lambda: copy.readiness() == "ok")


def test_a_test_that_waits_in_the_unprefixed_queue_of_an_older_version_is_sent_once(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with installed(database_url, tmp_path_factory.mktemp("q")) as site:
        destination = site.add_destination("/takes")
        delivery_id = site.request_test(destination)
        redis = app_state(site.app).redis
        JobQueue(redis, "rq").enqueue([(delivery_id,)])

        site.stack.start_worker()

        wait_until(lambda: site.newest(destination).status is DeliveryStatus.SENT)
        assert site.count_messages(site.newest(destination)) == 1
        assert redis.llen("rq:queue:alertcheck") == 1  # nobody takes the old job
