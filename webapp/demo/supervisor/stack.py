"""Starts the processes of `make run` in order: each is ready before the next one needs it."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from webapp.demo.supervisor.forks import start_fork
from webapp.demo.supervisor.keys import load_keys
from webapp.demo.supervisor.options import PROJECT, CannotRun, DemoOptions, write_env_file, write_private
from webapp.demo.supervisor.ports import ReceiverPorts, choose_ports
from webapp.demo.supervisor.preloading import APPLICATION, load_application, make_certificates
from webapp.demo.supervisor.processes import GRACE_PERIOD, Child
from webapp.demo.supervisor.queue_server import QueueServer, start_queue_server
from webapp.demo.supervisor.readiness import fetch_readiness
from webapp.demo.supervisor.shutdown_request import ShutdownRequest
from webapp.demo.supervisor.terminal import print_line, step
from webapp.environment.demo_hosts import AUTHORITY_FILE
from webapp.environment.deprecated_names import use_new_names

APP_COMMAND = "webapp.demo.app_command"
FIXED = {"ALERTCHECK_DEMO": "1", "PYTHONUNBUFFERED": "1"}
# A public demo is behind a proxy, so there the administrator's own settings count.
FIXED_IF_PRIVATE = {"ALERTCHECK_HTTPS": "0", "ALERTCHECK_TRUSTED_PROXIES": "0"}
MAIL_FROM = "alertcheck@demo.invalid"

# Seconds within which the demo must be ready to send tests.
READY_LIMIT = 60.0

# Seconds that the worker gets to finish its running deliveries. A send takes 8 s at most.
WORKER_GRACE_PERIOD = 12.0


class Stack:
    """The demo's processes. `environment` holds their variables; each step of the start adds to it."""

    def __init__(self, options: DemoOptions, shutdown_request: ShutdownRequest) -> None:
        self.options = options
        self.shutdown_request = shutdown_request
        self.environment = _read_environment() | FIXED | {"DATABASE_URL": _database_url(options)}
        self.environment |= {} if options.public_url else FIXED_IF_PRIVATE
        self.environment["ALERTCHECK_PUBLIC_URL"] = options.address
        self.queue_server: QueueServer | None = None
        self.children: list[Child] = []

    def start(self) -> None:
        """Start everything and return when a test can be sent. Raises `CannotRun` or `ShutdownRequested`."""
        env_file = self.options.data / "env"
        env_file.unlink(missing_ok=True)  # if this start fails, it would describe the previous run
        self._start_queue_server()
        self._set_up_keys()
        ports = choose_ports(self.options.data / "ports.json")
        self._set_up_receiver(ports)
        with step("Loading the application"):
            load_application(self.environment)
        with step("Starting the demo receiver"):
            receiver = self._start("receiver", self._receiver_command(ports))
            self._wait_for_line(receiver, "listening")
        write_env_file(env_file, self.options.address, self._list_settings())
        self._run_to_end("seed", "Migrating the database and adding the demo's data", [APP_COMMAND, "seed-demo"])
        with step("Starting the worker and web server"):
            self.start_worker()
            self._start_web()
            self._wait_until_ready()

    def start_worker(self) -> None:
        """Start the worker, for the first time or after its end."""
        processes = ["--processes", "2"] if self.options.public_url else ["--single"]
        self._start("worker", [APP_COMMAND, "worker", *processes])

    def stop(self) -> None:
        """Stop everything in reverse order; at once if the shutdown is forced."""
        for child in reversed(self.children):
            grace_period = WORKER_GRACE_PERIOD if child.name == "worker" else GRACE_PERIOD
            child.stop(grace_period=grace_period, is_forced=self.shutdown_request.is_forced)
        if self.queue_server:
            self.queue_server.clear()

    def _start_queue_server(self) -> None:
        if self.environment.get("REDIS_URL"):
            print_line("  Using the queue server of REDIS_URL")
            return
        with step("Starting the queue server"):
            self.queue_server = start_queue_server(self.options.data / "queue", self._log("queue"))
            self.children.append(self.queue_server.process)
            self.environment["REDIS_URL"] = self.queue_server.url

    def _set_up_keys(self) -> None:
        keys = load_keys(self.options.data / "keys.env", self.environment)
        secret = self.options.data / "webhook-secret"
        write_private(secret, keys.pop("WEBHOOK_SECRET"))
        self.environment |= {**keys, "ALERTCHECK_DEMO_SIGNING_SECRET_FILE": str(secret)}

    def _set_up_receiver(self, ports: ReceiverPorts) -> None:
        """Add the receiver to the settings, before it starts."""
        inbox = self.options.data / ("inboxes" if self.options.public_url else "inbox.sqlite")
        self.environment |= {"ALERTCHECK_DEMO_INBOX": str(inbox)}
        self._use_receiver(f"http://127.0.0.1:{ports.http}", f"smtp://127.0.0.1:{ports.smtp}")
        make_certificates(self._certificates)
        self._use_names(f"https://127.0.0.1:{ports.https}")

    def _use_names(self, address: str) -> None:
        """Let the receiver have its names, with the authority of its certificates.

        Beside real receivers, those that need `ALERTCHECK_CA_FILE` still do.
        """
        trusted, inherited = self._certificates / "trusted.pem", self.environment.get("ALERTCHECK_CA_FILE")
        others = Path(inherited).read_text() if inherited and Path(inherited).is_file() else ""
        write_private(trusted, f"{(self._certificates / AUTHORITY_FILE).read_text()}{others}")
        self.environment |= {"ALERTCHECK_DEMO_RECEIVER_HTTPS": address, "ALERTCHECK_DEMO_CA_FILE": str(trusted)}

    def _use_receiver(self, address: str, mail_url: str) -> None:
        """Add the receiver to the settings. Inherited ones matter only with ALERTCHECK_DEMO_REAL_RECEIVERS."""
        own = self.environment
        self.environment |= {
            "ALERTCHECK_DEMO_RECEIVER_HTTP": address,
            "ALERTCHECK_DEMO_RECEIVER_SMTP": mail_url,
            "ALERTCHECK_MAIL_URL": own.get("ALERTCHECK_MAIL_URL") or mail_url,
            "ALERTCHECK_MAIL_FROM": own.get("ALERTCHECK_MAIL_FROM") or MAIL_FROM,
            "ALERTCHECK_TRUSTED_ORIGINS": ",".join(filter(None, (own.get("ALERTCHECK_TRUSTED_ORIGINS"), address))),
        }

    def _receiver_command(self, ports: ReceiverPorts) -> list[str]:
        inbox = "--inboxes" if self.options.public_url else "--inbox", self.environment["ALERTCHECK_DEMO_INBOX"]
        command = ["webapp.demo.receiver", "--http-port", str(ports.http), "--smtp-port", str(ports.smtp), *inbox]
        command += ["--https-port", str(ports.https), "--certificates", str(self._certificates)]
        return [*command, "--signing-secret-file", self.environment["ALERTCHECK_DEMO_SIGNING_SECRET_FILE"]]

    def _start_web(self) -> None:
        command = ["gunicorn", APPLICATION, "--bind", f"127.0.0.1:{self.options.port}"]
        self._start("web", [*command, "--workers", "1", "--preload", "--graceful-timeout", "4"])

    def _start(self, name: str, module: Sequence[str]) -> Child:
        child = start_fork(name, module, log=self._log(name), environment=self.environment, directory=PROJECT)
        self.children.append(child)
        return child

    def _run_to_end(self, name: str, title: str, module: Sequence[str]) -> None:
        with step(title):
            child = self._start(name, module)
            while child.exit_code() is None:
                self.shutdown_request.pause(0.05)
        self.children.remove(child)
        if child.exit_code() != 0:
            raise CannotRun(child.describe_end())

    def _wait_for_line(self, child: Child, line: str) -> None:
        deadline = time.monotonic() + READY_LIMIT
        while line not in child.output():
            if child.exit_code() is not None or time.monotonic() > deadline:
                raise CannotRun(child.describe_end())
            self.shutdown_request.pause(0.05)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_LIMIT
        while not (readiness := fetch_readiness(self.options.port)).ready:
            for child in self.children:
                if child.exit_code() is not None:
                    raise CannotRun(child.describe_end())
            if time.monotonic() > deadline:
                raise CannotRun("\n  ".join([f"Not ready after {READY_LIMIT:.0f} s:", *readiness.reasons]))
            self.shutdown_request.pause(0.1)

    def _list_settings(self) -> dict[str, str]:
        """Return the variables that the demo sets, and the settings of .env.example that it inherited."""
        example = (PROJECT / ".env.example").read_text().splitlines()
        settings = {line.partition("=")[0] for line in example if not line.startswith("#")}
        own = {name for name, value in self.environment.items() if os.environ.get(name) != value}
        return {name: self.environment[name] for name in own | (settings & self.environment.keys())}

    @property
    def _certificates(self) -> Path:
        return self.options.data / "certificates"

    def _log(self, name: str) -> Path:
        return self.options.data / "logs" / f"{name}.log"


def _read_environment() -> dict[str, str]:
    """Return the inherited variables under their new names, with a warning for each old one. Raises `CannotRun`."""
    renamed = use_new_names(os.environ)
    if renamed.problems:
        raise CannotRun("\n  ".join(renamed.problems))
    for warning in renamed.warnings:
        print_line(f"  {warning}")
    return dict(renamed.environ)


def _database_url(options: DemoOptions) -> str:
    return os.environ.get("DATABASE_URL") or f"sqlite:///{options.data / 'alertcheck.sqlite'}"
