"""The commands of the worker."""

import pytest

from tests.cli.commands import Run
from webapp.application import create_app
from webapp.queue import QueueOutage
from webapp.settings import read_settings


@pytest.mark.parametrize("processes", ["0", "65", "many"])
def test_a_worker_has_1_to_64_processes(run: Run, processes: str) -> None:
    result = run("worker", "--processes", processes)

    assert result.exit_code == 2
    assert "Invalid value for '--processes'" in result.output


def test_a_worker_without_a_heartbeat_is_not_healthy(run: Run) -> None:
    result = run("check-worker")

    assert (result.exit_code, "No worker has sent a heartbeat for 10 s" in result.output) == (1, True)


def test_a_worker_is_not_healthy_without_a_queue_server(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"REDIS_URL": "redis://:canary@127.0.0.1:1"}))

    result = app.test_cli_runner().invoke(args=["check-worker"])

    assert result.exit_code == 1
    assert result.output == f"Error: No heartbeat of a worker can be read or written. {QueueOutage.REFUSED.sentence}\n"
