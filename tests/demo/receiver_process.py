"""Runs the demo receiver as a process, with clients for its HTTP and mail servers."""

import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import requests

from webapp.demo.receiver.certificates import make_certificates
from webapp.demo.receiver.inbox import Inbox
from webapp.demo.receiver.inboxes import Inboxes

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
SECONDS = 60


@dataclass(frozen=True)
class Receiver:
    """A running receiver with its ports and its inbox file."""

    process: subprocess.Popen[str]
    http_port: int
    smtp_port: int
    inbox_file: Path
    https_port: int
    certificates: Path

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.inbox_file)

    @property
    def inboxes(self) -> Inboxes:
        return Inboxes(self.inbox_file.parent / "inboxes", has_keys=True)

    def ask(self, method: str, path: str, body: str | bytes = b"{}", **headers: str) -> requests.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(
            method,
            f"http://127.0.0.1:{self.http_port}{path}",
            data=body,
            headers=names,
            timeout=SECONDS,
            allow_redirects=False,
        )

    def post(self, path: str, body: str | bytes = b"{}", **headers: str) -> requests.Response:
        return self.ask("POST", path, body, **headers)

    def mail(self, *recipients: str, text: str = "Reference: MAIL-1") -> dict[str, tuple[int, bytes]]:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "alerts@demo.example", recipients[0], "[TEST] Grüße"
        message.set_content(text)
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=SECONDS) as server:
            return server.send_message(message, to_addrs=recipients)

    def connect(self, port: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_receiver(
    http_port: int, smtp_port: int, directory: Path, https_port: int | None = None, *, is_public: bool = False
) -> subprocess.Popen[str]:
    ports = [f"--http-port={http_port}", f"--smtp-port={smtp_port}"]
    ports += [f"--https-port={https_port}", f"--certificates={directory / 'certificates'}"] if https_port else []
    if https_port:
        make_certificates(directory / "certificates", datetime.now(UTC))
    inbox = f"--inboxes={directory / 'inboxes'}" if is_public else f"--inbox={directory / 'inbox.sqlite'}"
    files = [inbox, f"--signing-secret-file={directory / 'signing-secret'}"]
    command = [sys.executable, "-m", "webapp.demo.receiver.__main__", *ports, *files]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def run_receiver(directory: Path, *, is_public: bool = False) -> Iterator[Receiver]:
    """Run a receiver. is_public: as in a public demo, with an inbox for each visitor."""
    (directory / "signing-secret").write_text(f"{SECRET}\n")
    http_port, smtp_port, https_port = free_port(), free_port(), free_port()
    with start_receiver(http_port, smtp_port, directory, https_port, is_public=is_public) as process:
        try:
            wait_until_listening(process)
            inbox = directory / "inbox.sqlite"
            yield Receiver(process, http_port, smtp_port, inbox, https_port, directory / "certificates")
        finally:
            process.kill()


def wait_until_listening(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline() == "listening\n"
