"""Builds a complete installation for one test or benchmark: database, queue server, receiver and processes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import func, select

from benchmarks.installation.processes import Session, Stack, run_processes
from benchmarks.installation.receiver import Receiver, receiving
from benchmarks.installation.servers import QueueServer, start_queue_server
from webapp import queue
from webapp.application import create_app
from webapp.auth.accounts import add_account
from webapp.deliveries import request_test
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.deliveries.requesting.request_rules import WantedTest
from webapp.deliveries.requesting.writing import request_tests
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, AlertDestination, Role, Workspace
from webapp.models.delivery import IS_WAITING
from webapp.settings import AppSettings, read_settings
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.workspace_changes import add_workspace

EMAIL, PASSWORD = "owner@example.com", "correct horse battery staple"
SIGNING_SECRET = "whsec_" + "QUxFUlRDSEVDSy1DQU5BUlktU0lHTklORy1LRVk="


@dataclass
class Installation:
    """An installation whose database and queue this process also uses. Rows are identified by their ids."""

    app: Flask
    app_settings: AppSettings
    workspace_id: int
    owner_id: int
    queue_server: QueueServer
    receiver: Receiver
    stack: Stack

    def sign_in(self) -> Session:
        """Start a web process and sign in as the owner."""
        return self.stack.start_web().sign_in(EMAIL, PASSWORD)

    def add_destination(self, path: str) -> int:
        """Add a webhook destination at the receiver and return its id. path: one of the receiver's `PATHS`."""
        return self.add_webhook(f"{self.receiver.origin}{path}", path)

    def add_webhook(self, address: str, name: str) -> int:
        """Add a webhook destination and return its id."""
        settings = {"address": address, "signing_secret": SIGNING_SECRET}
        cipher, now = self.app_settings.cipher, datetime.now(UTC)
        with self.app.app_context():
            workspace = db.session.get_one(Workspace, self.workspace_id)
            owner = db.session.get_one(Account, self.owner_id)
            return add_destination(workspace, owner, "webhook", name, settings, cipher, now).id

    def request_test(self, destination_id: int) -> int:
        """Request a test as a press does, but without enqueueing its job. Returns the delivery's id."""
        with self.app.app_context():
            destination = db.session.get_one(AlertDestination, destination_id)
            return request_test(destination, db.session.get_one(Account, self.owner_id), datetime.now(UTC))

    def request_tests(self, destination_ids: Sequence[int]) -> list[int]:
        """Request a test of each, as Test all does, but without enqueueing them. Returns the deliveries' ids."""
        with self.app.app_context():
            account, now = db.session.get_one(Account, self.owner_id), datetime.now(UTC)
            wanted = [WantedTest(db.session.get_one(AlertDestination, number), now) for number in destination_ids]
            return [outcome for outcome in request_tests(wanted, account) if isinstance(outcome, int)]

    def enqueue(self, *delivery_ids: int) -> None:
        """Enqueue the jobs of requested deliveries."""
        with self.app.app_context():
            queue.enqueue_deliveries(*delivery_ids)

    def get(self, delivery_id: int) -> AlertDelivery:
        """Return a delivery's current row."""
        with self.app.app_context():
            return db.session.get_one(AlertDelivery, delivery_id)

    def newest(self, destination_id: int) -> AlertDelivery:
        """Return a destination's newest test send."""
        with self.app.app_context():
            newest = find_newest_test(db.session.get_one(AlertDestination, destination_id))
        assert newest is not None, "no test was requested"
        return newest

    def is_at_rest(self) -> bool:
        """Return whether every delivery has ended."""
        with self.app.app_context():
            return not db.session.scalar(select(func.count()).select_from(AlertDelivery).where(IS_WAITING))

    def count_messages(self, delivery: AlertDelivery) -> int:
        """Return how often the receiver has received a delivery's message."""
        return self.receiver.messages[delivery.payload["message_id"]]

    def restart_queue_server(self) -> None:
        """Start an empty queue server in the same place as the first one."""
        self.queue_server = start_queue_server(self.queue_server.home)


def installed(
    database_url: str, directory: Path, wsgi: str = "wsgi", **settings: str
) -> AbstractContextManager[Installation]:
    """Set up an installation without starting its processes, and remove it at the end.

    directory: for its queue server and logs; short, because the length of a socket's path is limited.
    settings: its environment variables.
    """
    return set_up(database_url, directory, wsgi, settings, Stack)


@contextmanager
def set_up(
    database_url: str, directory: Path, wsgi: str, settings: Mapping[str, str], stack_type: type[Stack]
) -> Iterator[Installation]:
    """Do the same with processes that are started in another way."""
    with receiving() as receiver:
        queue_server = start_queue_server(directory)
        environment = {
            "SECRET_KEY": "a key for tests, long enough to sign with",
            "ALERTCHECK_CONFIG_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": database_url,
            "REDIS_URL": queue_server.url,
            "ALERTCHECK_TRUSTED_ORIGINS": receiver.origin,
        } | dict(settings)
        app_settings = read_settings(environment)
        app = create_app(app_settings)
        with app.app_context():
            workspace = add_workspace("harbor", "Harbor Logistics", datetime.now(UTC))
            owner = add_account(EMAIL, "Owner", PASSWORD, datetime.now(UTC))
            set_role(workspace, owner, Role.ADMIN)
            db.session.commit()
            ids = workspace.id, owner.id
        with run_processes(environment, directory / "logs", wsgi, stack_type=stack_type) as stack:
            installation = Installation(app, app_settings, *ids, queue_server, receiver, stack)
            try:
                yield installation
            finally:
                receiver.release.set()
                stack.stop()
                installation.queue_server.stop()
                with app.app_context():
                    db.engine.dispose()
