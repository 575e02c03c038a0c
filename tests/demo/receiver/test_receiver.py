"""The receiver as a process: its start, its end, and the secrets it never writes."""

import signal
import socket
from pathlib import Path

import pytest

from tests.demo.receiver.test_signature import BODY, signed
from tests.demo.receiver_process import SECONDS, SECRET, Receiver, free_port, start_receiver, wait_until_listening


def everything_written(receiver: Receiver) -> str:
    receiver.process.terminate()
    output, errors = receiver.process.communicate(timeout=SECONDS)
    files = b"".join(file.read_bytes() for file in receiver.inbox_file.parent.glob("inbox*"))
    return f"{output}{errors}{files.decode(errors='replace')}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_receiver_stops_cleanly_on_a_signal(own_receiver: Receiver, number: signal.Signals) -> None:
    own_receiver.process.send_signal(number)
    assert own_receiver.process.communicate(timeout=SECONDS) == ("", "")
    assert own_receiver.process.returncode == 0


def test_the_receiver_stops_while_clients_are_connected(own_receiver: Receiver) -> None:
    with own_receiver.connect(own_receiver.http_port) as http, own_receiver.connect(own_receiver.smtp_port) as smtp:
        http.sendall(b"POST /webhook/silent HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        smtp.sendall(b"EHLO demo.example\r\n")
        assert smtp.recv(4096).startswith(b"220")
        own_receiver.process.terminate()
        assert own_receiver.process.wait(timeout=SECONDS) == 0


def test_a_second_start_finds_the_messages_of_the_first(own_receiver: Receiver, tmp_path: Path) -> None:
    own_receiver.post("/teams/works")
    own_receiver.process.terminate()
    own_receiver.process.wait(timeout=SECONDS)
    with start_receiver(own_receiver.http_port, own_receiver.smtp_port, tmp_path) as second:
        wait_until_listening(second)
        own_receiver.post("/teams/works")
        second.kill()
    assert len(own_receiver.inbox.list_newest()) == 2


@pytest.mark.parametrize("taken", ["http", "smtp", "https"])
def test_a_busy_port_is_reported(tmp_path: Path, taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port: int = other.getsockname()[1]
        ports = {"http": free_port(), "smtp": free_port(), "https": free_port()} | {taken: port}
        with start_receiver(ports["http"], ports["smtp"], tmp_path, ports["https"]) as process:
            output, errors = process.communicate(timeout=SECONDS)
    assert (output, process.returncode) == ("", 1)
    assert errors == f"The demo receiver can't listen on port {port}: Address already in use.\n"


def test_the_secret_in_a_url_is_never_written_to_disk_or_output(own_receiver: Receiver) -> None:
    own_receiver.post("/teams/works?sp=%2Ftriggers&sig=HushHush")
    written = everything_written(own_receiver)
    assert '"scenario": "works"' in written
    assert "HushHush" not in written
    assert "/teams/works" not in written


def test_the_signing_secret_is_never_written_to_disk_or_output(own_receiver: Receiver) -> None:
    own_receiver.post("/webhook/works", BODY, **signed())
    assert own_receiver.inbox.list_newest()[0].signature_ok is True
    assert SECRET.removeprefix("whsec_") not in everything_written(own_receiver)


@pytest.mark.parametrize("port", ["http_port", "smtp_port", "https_port"])
def test_the_receiver_listens_on_one_loopback_address_only(receiver: Receiver, port: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", getattr(receiver, port)), timeout=SECONDS)
