"""What the demo's processes are told."""

from pathlib import Path

from webapp.demo.supervisor.options import DemoOptions
from webapp.demo.supervisor.shutdown_request import ShutdownRequest
from webapp.demo.supervisor.stack import Stack


def test_a_message_links_to_the_pages_of_this_very_demo(tmp_path: Path) -> None:
    told = Stack(DemoOptions(8123, tmp_path), ShutdownRequest()).environment

    assert told["PUBLIC_URL"] == "http://127.0.0.1:8123"
