"""PORT, DATA_DIR and DEMO_URL, and the sentences for invalid values."""

import stat
import subprocess
from pathlib import Path

import pytest

from webapp.demo.supervisor.options import (
    PROJECT,
    CannotRun,
    DemoOptions,
    check_port,
    claim_data,
    open_socket,
    read_options,
    write_env_file,
    write_private,
)


def test_by_default_the_port_is_8000_and_the_data_is_beside_the_code() -> None:
    assert read_options({}) == DemoOptions(port=8000, data=PROJECT / "data")


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"DEMO_URL": " "}, "http://127.0.0.1:8000"),
        ({"DEMO_URL": " https://demo.example.com "}, "https://demo.example.com"),
    ],
)
def test_a_public_demo_is_opened_at_its_own_address(environment: dict[str, str], address: str) -> None:
    assert read_options(environment).address == address


def test_a_data_directory_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_options({"DATA_DIR": "my data"}).data == tmp_path / "my data"


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "8000 ", "²"])
def test_an_invalid_port_is_refused(text: str) -> None:
    with pytest.raises(CannotRun, match="must be a number from 1 to 65535"):
        read_options({"PORT": text})


def test_a_question_mark_in_the_data_directory_is_refused() -> None:
    with pytest.raises(CannotRun, match="must not contain a question mark"):
        read_options({"DATA_DIR": "/tmp/really?"})


def test_a_busy_port_is_refused_with_a_suggestion() -> None:
    with open_socket(0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotRun, match=rf"Port {port} is in use by another program. Try: PORT=8000 make run"):
            check_port(port)


def test_a_free_port_is_accepted() -> None:
    with open_socket(0) as listener:
        port = listener.getsockname()[1]
    check_port(port)


def test_the_data_directory_is_created_for_its_owner_only(tmp_path: Path) -> None:
    with claim_data(DemoOptions(8000, tmp_path / "new" / "data")):
        assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700


def test_a_data_directory_in_use_is_refused(tmp_path: Path) -> None:
    options = DemoOptions(8000, tmp_path)
    with claim_data(options), pytest.raises(CannotRun, match="Another demo is using"):
        claim_data(options)


def test_a_released_data_directory_can_be_claimed_again(tmp_path: Path) -> None:
    options = DemoOptions(8000, tmp_path)
    claim_data(options).close()
    with claim_data(options) as lock:
        assert not lock.closed


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="cannot be used"):
        claim_data(DemoOptions(8000, tmp_path / "file"))


def test_a_private_file_is_replaced_and_stays_private(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("old")
    write_private(tmp_path / "key", "new")
    assert (tmp_path / "key").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_a_shell_reads_each_value_of_the_settings_file_unchanged(tmp_path: Path) -> None:
    file, value = tmp_path / "a file", "two words, 'quotes' \"both\", a $HOME and a \\ "

    write_env_file(file, "http://127.0.0.1:8000", {"PLAIN": "1", "ODD": value})

    script = 'set -a; . "$1"; set +a; env -0'
    output = subprocess.run(["sh", "-c", script, "sh", file], env={}, capture_output=True, text=True, check=True).stdout
    assert {"PLAIN=1", f"ODD={value}"} <= set(output.split("\0"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
