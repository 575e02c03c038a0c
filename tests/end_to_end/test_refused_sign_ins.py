"""A worker reports refused sign-ins to the audit trail, also while the queue server is gone."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from benchmarks.installation.installation import EMAIL, Installation
from benchmarks.installation.processes import wait_until
from tests.factories import on_both_databases
from tests.forked_processes import installed
from webapp import queue
from webapp.extensions import db
from webapp.models import AuditEvent

pytestmark = pytest.mark.slow


@pytest.fixture
def site(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(database_url, tmp_path_factory.mktemp("q")) as site:
        yield site


def _refuse(site: Installation) -> None:
    visitor = site.stack.start_web()
    visitor.get("/sign-in")
    response = visitor.post("/sign-in", {"email": EMAIL, "password": "not it"})
    assert response.status_code == 400


def _list_reports(site: Installation) -> list[str]:
    with site.app.app_context():
        reports = select(AuditEvent.subject).where(AuditEvent.action == "tried to sign in")
        return list(db.session.scalars(reports))


def _has_worker(site: Installation) -> bool:
    with site.app.app_context():
        return queue.is_worker_alive()


@on_both_databases
def test_a_worker_reports_a_refused_sign_in(site: Installation) -> None:
    site.stack.start_worker()

    _refuse(site)

    wait_until(lambda: _list_reports(site) == ["Owner (account 1)"])


def test_a_worker_reports_a_refused_sign_in_while_the_queue_server_is_gone(site: Installation) -> None:
    site.stack.start_worker()
    wait_until(lambda: _has_worker(site))
    site.queue_server.process.kill()

    _refuse(site)

    wait_until(lambda: _list_reports(site) == ["Owner (account 1)"])
