"""Receivers of every kind on the loopback, and the settings that allow sending to them."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from urllib.parse import quote

import trustme

from benchmarks.installation.scripted_server import Script, ScriptedServer, context_of, listening
from tests.end_to_end.scenarios import ACCEPT_ALL, MAIL_SENDER, OFFERS_ALL
from tests.outbound.scripts import script_of
from tests.scripted_mail_server import mail_server
from webapp.demo.receiver.http_server import HttpReceiver


@dataclass(frozen=True)
class Receivers:
    """good accepts every message, gone returns 404, busy returns 503 at first, silent never responds.

    environment: the settings that allow sending to them.
    """

    good: ScriptedServer
    gone: ScriptedServer
    busy: ScriptedServer
    silent: ScriptedServer
    demo_origin: str
    environment: Mapping[str, str]


@contextmanager
def run_receivers(mail_password: str, demo_receiver: HttpReceiver) -> Iterator[Receivers]:
    """Run the receivers, and a mail server that requires a password, for the length of a `with`."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    demo_origin = f"http://127.0.0.1:{demo_receiver.server_address[1]}"
    with (
        listening(ACCEPT_ALL) as good,
        listening(script_of("plain", {"status": 404})) as gone,
        listening(_busy_at_first()) as busy,
        listening(script_of("silent", {})) as silent,
        mail_server({"EHLO": OFFERS_ALL}, context_of(certificate)) as mail,
        authority.cert_pem.tempfile() as ca_file,
    ):
        origins = [demo_origin, *(end.origin for end in (good, gone, busy, silent))]
        environment = {
            "ALERTCHECK_TRUSTED_ORIGINS": ",".join(origins),
            "ALERTCHECK_CA_FILE": ca_file,
            "ALERTCHECK_MAIL_URL": f"smtp+starttls://alertcheck:{quote(mail_password, safe='')}@127.0.0.1:{mail.port}",
            "ALERTCHECK_MAIL_FROM": MAIL_SENDER,
        }
        yield Receivers(good, gone, busy, silent, demo_origin, environment)


def _busy_at_first() -> Script:
    statuses = chain([503], repeat(200))

    def respond(connection: socket.socket) -> None:
        script_of("plain", {"status": next(statuses), "body": "ok"})(connection)

    return respond
