"""A worker's parent does the rounds of problems and notices beside its other maintenance."""

from tests.notices.conftest import Installation
from webapp.worker.maintenance import Maintenance

# A pass ends after 25 ms, in which a busy machine may not have built the statements.
PASSES = 8


def test_a_worker_writes_the_notices_that_are_due(installation: Installation) -> None:
    installation.fail()

    maintenance = Maintenance(installation.app)
    assert [maintenance.run() for _ in range(PASSES)] == [None] * PASSES

    assert installation.list_notices() == ["queued"]
