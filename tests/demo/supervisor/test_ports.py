"""The demo receiver's ports: the same from start to start, as long as they can be."""

from pathlib import Path

from webapp.demo.supervisor.options import open_socket
from webapp.demo.supervisor.ports import CANDIDATES, choose_ports, is_free


def test_the_ports_of_a_first_start_are_those_of_the_second(tmp_path: Path) -> None:
    assert choose_ports(tmp_path / "ports.json") == choose_ports(tmp_path / "ports.json")


def test_the_ports_lie_below_those_that_clients_get(tmp_path: Path) -> None:
    ports = choose_ports(tmp_path / "ports.json")
    assert ports.http in CANDIDATES
    assert ports.smtp in CANDIDATES
    assert CANDIDATES.stop <= 32768


def test_a_port_that_somebody_took_is_chosen_anew_and_the_other_kept(tmp_path: Path) -> None:
    before = choose_ports(tmp_path / "ports.json")
    with open_socket(before.http):
        after = choose_ports(tmp_path / "ports.json")
    assert after.http != before.http
    assert after.smtp == before.smtp
    assert choose_ports(tmp_path / "ports.json") == after


def test_a_file_that_says_nothing_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")
    ports = choose_ports(tmp_path / "ports.json")
    assert choose_ports(tmp_path / "ports.json") == ports


def test_a_port_is_free_until_somebody_listens() -> None:
    with open_socket(0) as listener:
        port = listener.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)
