"""A worker's parent does the rounds of problems and notices beside its other maintenance."""

from tests.notices.conftest import Installation
from webapp.worker.maintenance import Maintenance


def test_a_worker_writes_the_notices_that_are_due(installation: Installation) -> None:
    installation.fail()

    assert Maintenance(installation.app).run() is None

    assert installation.list_notices() == ["queued"]
