"""What the demo's processes are told."""

from pathlib import Path

import pytest

from webapp.demo.supervisor.options import DemoOptions
from webapp.demo.supervisor.shutdown_request import ShutdownRequest
from webapp.demo.supervisor.stack import Stack


def test_a_message_links_to_the_pages_of_this_very_demo(tmp_path: Path) -> None:
    told = Stack(DemoOptions(8123, tmp_path), ShutdownRequest()).environment

    assert told["PUBLIC_URL"] == "http://127.0.0.1:8123"


def test_a_start_that_fails_leaves_no_settings_of_the_run_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    (tmp_path / "env").write_text("SECRET_KEY=stale\n")
    (tmp_path / "webhook-secret").mkdir()  # in the way of a file that the start writes

    with pytest.raises(OSError, match="webhook-secret"):
        Stack(DemoOptions(8123, tmp_path), ShutdownRequest()).start()

    assert not (tmp_path / "env").exists()
