"""The demo receiver's ports: the same at every start while they are free."""

import json
from pathlib import Path

from webapp.demo.supervisor.options import open_socket
from webapp.demo.supervisor.ports import CANDIDATES, choose_ports, is_free


def test_the_second_start_uses_the_ports_of_the_first(tmp_path: Path) -> None:
    assert choose_ports(tmp_path / "ports.json") == choose_ports(tmp_path / "ports.json")


def test_the_ports_lie_below_the_ephemeral_range(tmp_path: Path) -> None:
    ports = choose_ports(tmp_path / "ports.json")
    assert ports.http in CANDIDATES
    assert ports.smtp in CANDIDATES
    assert CANDIDATES.stop <= 32768


def test_a_port_in_use_is_replaced_and_the_other_is_kept(tmp_path: Path) -> None:
    before = choose_ports(tmp_path / "ports.json")
    with open_socket(before.http):
        after = choose_ports(tmp_path / "ports.json")
    assert after.http != before.http
    assert after.smtp == before.smtp
    assert choose_ports(tmp_path / "ports.json") == after


def test_a_file_of_an_older_version_gets_the_missing_port(tmp_path: Path) -> None:
    before = choose_ports(tmp_path / "ports.json")
    (tmp_path / "ports.json").write_text(json.dumps({"http": before.http, "smtp": before.smtp}))
    after = choose_ports(tmp_path / "ports.json")
    assert (after.http, after.smtp) == (before.http, before.smtp)
    assert json.loads((tmp_path / "ports.json").read_text())["https"] == after.https


def test_an_unreadable_file_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")
    ports = choose_ports(tmp_path / "ports.json")
    assert choose_ports(tmp_path / "ports.json") == ports


def test_a_port_is_free_until_somebody_listens() -> None:
    with open_socket(0) as listener:
        port = listener.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
