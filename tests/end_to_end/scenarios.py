"""For every code of the list, circumstances under which it really happens."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import trustme
from cryptography.fernet import Fernet

from benchmarks.installation.processes import ROOT, wait_until
from benchmarks.installation.scripted_server import closed_port, context_of, full_port, listening
from tests.deliveries.recovery_passes import recover_at
from tests.end_to_end.scenario_runner import Meanwhile, Scenario, Scene, Stage, nothing
from tests.outbound.outcome_of import BRIEF, failing, loopback, trusting
from tests.outbound.scripts import reads_first, script_of
from tests.scripted_mail_server import HANG_UP, mail_server
from webapp import queue
from webapp.channels import CHANNELS
from webapp.deliveries import fail_unqueued, request_test, send
from webapp.deliveries.cooldown import COOLDOWN
from webapp.deliveries.retry_policy import TEST_SEND_POLICY
from webapp.deliveries.transitions import LOST_AFTER
from webapp.destinations.editing import change_destination, delete_destination, set_enabled
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import app_state, db
from webapp.failures import Code
from webapp.models import Account, AlertDelivery
from webapp.outbound import MailServer, OutboundClient, Policy
from webapp.outbound.smtp.client import MailSecurity
from webapp.outbound.transport.dns import Resolver, system_resolver
from webapp.settings import AppSettings

NAME = "hooks.example.com"
NO_TRUST = Policy(extra_hosts=dict.fromkeys(CHANNELS, (NAME,)))
TODAY, DAY = datetime.now(UTC), timedelta(days=1)
YES = script_of("plain", {"status": 200, "body": "ok"})
MAIL_SENDER = "alerts@example.com"
OFFERS_TLS = "250-mail.example\r\n250 STARTTLS"
OFFERS_ALL = "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"
SEND_ONE = (
    "import sys, wsgi\nfrom webapp.settings import current_settings\nfrom webapp.deliveries import send\n"
    "with wsgi.app.app_context(): send(int(sys.argv[1]), current_settings())"
)


def _scene(
    stage: Stage,
    origin: str = f"https://{NAME}",
    policy: Policy | None = None,
    resolver: Resolver = loopback,
    channel: str | None = None,
    meanwhile: Meanwhile = nothing,
) -> Scene:
    """A destination with an address at `origin`, which is trusted unless there is another policy."""
    channel = channel or stage.channel
    outbound = OutboundClient(policy or trusting(f"{origin}/"), resolver=resolver, limits=BRIEF)
    return Scene(channel, stage.settings(channel, origin), outbound, meanwhile)


# Where an address leads


def _leading_to(origin: str, policy: Policy | None = NO_TRUST, channel: str | None = None) -> Scenario:
    return lambda stage: nullcontext(_scene(stage, origin, policy, channel=channel))


def _looked_up_by(resolver: Resolver, origin: str = f"https://{NAME}", policy: Policy | None = NO_TRUST) -> Scenario:
    return lambda stage: nullcontext(_scene(stage, origin, policy, resolver))


def _keep_waiting(host: str) -> list[str]:
    Event().wait(2 * BRIEF.lookup)
    return loopback(host)


def _at_a_closed_port(stage: Stage) -> nullcontext[Scene]:
    return nullcontext(_scene(stage, f"http://127.0.0.1:{closed_port()}"))


@contextmanager
def _at_a_full_port(stage: Stage) -> Iterator[Scene]:
    with full_port() as port:
        yield _scene(stage, f"http://127.0.0.1:{port}")


# What a far end does


def _facing(script: str, scheme: str = "http") -> Scenario:
    """A far end without TLS that does what the script says."""

    @contextmanager
    def scene(stage: Stage) -> Iterator[Scene]:
        with listening(script_of(script, {}), read_first=reads_first(script)) as receiver:
            yield _scene(stage, f"{scheme}://127.0.0.1:{receiver.port}")

    return scene


def _answering(status: int, channel: str | None = None) -> Scenario:
    """A far end that answers with this status, and repeats the secret wherever an answer has room for it."""

    @contextmanager
    def scene(stage: Stage) -> Iterator[Scene]:
        headers = dict.fromkeys(("Location", "Retry-After", "X-Was"), stage.path)
        echo = script_of("plain", {"status": status, "body": f"no such hook: {stage.path}", "headers": headers})
        with listening(echo) as receiver:
            yield _scene(stage, receiver.origin, channel=channel)

    return scene


def _certified(issue: Callable[[trustme.CA], trustme.LeafCert]) -> Scenario:
    """A far end with a certificate, and an operator who trusts one authority of their own."""

    @contextmanager
    def scene(stage: Stage) -> Iterator[Scene]:
        authority = trustme.CA()
        with authority.cert_pem.tempfile() as ca_file, listening(YES, context_of(issue(authority))) as receiver:
            origin = f"https://{NAME}:{receiver.port}"
            yield _scene(stage, origin, trusting(f"{origin}/", ca_file))

    return scene


def _mailing(replies: Mapping[str, str], security: MailSecurity = MailSecurity.NONE) -> Scenario:
    """A mail server that is polite but for these replies; `{}` in them is the recipient. Sign-in only with TLS."""

    @contextmanager
    def scene(stage: Stage) -> Iterator[Scene]:
        authority = trustme.CA()
        script = {moment: reply.format(stage.recipient) for moment, reply in replies.items()}
        user, password = (None, None) if security is MailSecurity.NONE else ("alertcheck", stage.password)
        certificate = authority.issue_cert("127.0.0.1")
        with authority.cert_pem.tempfile() as ca_file, mail_server(script, context_of(certificate)) as receiver:
            server = MailServer("127.0.0.1", receiver.port, MAIL_SENDER, security, user, password, ca_file, BRIEF)
            yield Scene("email", stage.settings("email"), OutboundClient(mail=server))

    return scene


@contextmanager
def accepted(stage: Stage) -> Iterator[Scene]:
    """A far end that takes the message, under a name that the machine's own resolver knows."""
    with listening(YES) as receiver:
        yield _scene(stage, f"http://localhost:{receiver.port}", resolver=system_resolver)


accepted_over_tls = _certified(lambda authority: authority.issue_cert(NAME))
accepted_by_mail = _mailing({})
accepted_by_mail_over_tls = _mailing({"EHLO": OFFERS_ALL}, MailSecurity.STARTTLS)


# What is wrong on our side


def _without_a_mail_server(stage: Stage) -> nullcontext[Scene]:
    return nullcontext(Scene("email", stage.settings("email"), OutboundClient()))


def _with_a_name_beside_the_recipient(stage: Stage) -> nullcontext[Scene]:
    server = MailServer("127.0.0.1", closed_port(), MAIL_SENDER)
    return nullcontext(Scene("email", {"recipients": f"Ann <{stage.recipient}>"}, OutboundClient(mail=server)))


def _with_a_file_of_authorities_that_is_gone(stage: Stage) -> nullcontext[Scene]:
    return nullcontext(_scene(stage, policy=trusting(f"https://{NAME}/", "/nowhere/ca.pem")))


@contextmanager
def _with_a_worker_that_is_killed(stage: Stage) -> Iterator[Scene]:
    """A process that sends is killed when its message has arrived and is not answered yet."""
    with listening(script_of("silent", {})) as receiver:
        environment = os.environ | stage.environment | {"ALERTCHECK_TRUSTED_ORIGINS": receiver.origin}

        def kill(delivery: AlertDelivery, app_settings: AppSettings) -> None:
            command = [sys.executable, "-c", SEND_ONE, str(delivery.id)]
            with subprocess.Popen(command, env=environment, cwd=ROOT) as worker:
                wait_until(lambda: receiver.heads)
                worker.kill()
            recover_at(app_settings, datetime.now(UTC), datetime.now(UTC) + LOST_AFTER)

        yield _scene(stage, receiver.origin, meanwhile=kill)


def _after(meanwhile: Meanwhile) -> Scenario:
    """A press for a destination that could be sent to, if only this had not happened before the job came."""
    return lambda stage: nullcontext(_scene(stage, meanwhile=meanwhile))


def _lose_the_key(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    destination = delivery.destination
    lost = SettingsCipher([Fernet.generate_key().decode()], fingerprint_key="any")
    destination.config = lost.encrypt(_settings_of(delivery, app_settings), context=destination.encryption_context)
    db.session.commit()


def _fail_to_enqueue(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app_state(), "redis", queue.connect(f"redis://127.0.0.1:{closed_port()}"))
        with pytest.raises(queue.QueueUnavailable):
            queue.enqueue_deliveries(delivery.id)
    fail_unqueued(delivery.id, datetime.now(UTC))


def _wait_in_vain(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    recover_at(app_settings, delivery.created_at + TEST_SEND_POLICY.time_limit)


def _disable(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    set_enabled(delivery.destination, _who_pressed(delivery), False, datetime.now(UTC))


def _delete(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    delete_destination(delivery.destination, _who_pressed(delivery), datetime.now(UTC))


def _change(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    typed = {name: f"{value}0" for name, value in _settings_of(delivery, app_settings).items()}
    change_destination(
        delivery.destination, _who_pressed(delivery), "Renamed", typed, app_settings.cipher, datetime.now(UTC)
    )


def _press_again(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    request_test(delivery.destination, _who_pressed(delivery), delivery.created_at + COOLDOWN)


def _settings_of(delivery: AlertDelivery, app_settings: AppSettings) -> dict[str, str]:
    return app_settings.cipher.decrypt(delivery.destination.config, context=delivery.destination.encryption_context)


def _who_pressed(delivery: AlertDelivery) -> Account:
    assert delivery.requested_by is not None
    return delivery.requested_by


def _fail_twice(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    delivery_id = delivery.id
    for _ in range(2):
        send(delivery_id, app_settings)
        recover_at(app_settings, datetime.now(UTC) + timedelta(seconds=60))


@contextmanager
def tried_thrice(stage: Stage) -> Iterator[Scene]:
    """A far end that is not available for as long as it is tried."""
    with SCENARIOS[Code.REMOTE_UNAVAILABLE](stage) as scene:
        yield replace(scene, meanwhile=_fail_twice)


SCENARIOS: Mapping[Code, Scenario] = {
    Code.URL_INVALID: _leading_to(f"https://{NAME}\\@127.0.0.1"),
    Code.SCHEME_NOT_ALLOWED: _leading_to(f"http://{NAME}"),
    Code.PORT_NOT_ALLOWED: _leading_to(f"https://{NAME}:8443"),
    Code.HOST_NOT_EXPECTED: _leading_to("https://elsewhere.example.com", channel="teams"),
    Code.TARGET_NOT_ALLOWED: _looked_up_by(loopback),
    Code.CONFIG_INCOMPLETE: _without_a_mail_server,
    Code.CONFIG_UNREADABLE: _after(_lose_the_key),
    Code.RECIPIENT_INVALID: _with_a_name_beside_the_recipient,
    Code.DNS_NOT_FOUND: _looked_up_by(failing(socket.EAI_NONAME)),
    Code.DNS_TEMPORARY: _looked_up_by(failing(socket.EAI_AGAIN)),
    Code.DNS_TIMEOUT: _looked_up_by(_keep_waiting),
    Code.CONNECT_REFUSED: _at_a_closed_port,
    Code.CONNECT_TIMEOUT: _at_a_full_port,
    # 240/4 has no route; as a trusted origin it gets past our own table.
    Code.NETWORK_UNREACHABLE: _looked_up_by(lambda host: ["255.255.255.255"], "http://receiver.lan", None),
    Code.TLS_UNTRUSTED: _certified(lambda authority: trustme.CA().issue_cert(NAME)),
    Code.TLS_HOSTNAME_MISMATCH: _certified(lambda authority: authority.issue_cert("other.example.com")),
    Code.TLS_EXPIRED: _certified(lambda authority: authority.issue_cert(NAME, not_after=TODAY - DAY)),
    Code.TLS_NOT_YET_VALID: _certified(lambda authority: authority.issue_cert(NAME, not_before=TODAY + DAY)),
    Code.TLS_FAILED: _facing("hangs_up", scheme="https"),
    Code.READ_TIMEOUT: _facing("silent"),
    Code.DEADLINE_EXCEEDED: _facing("dribbled_headers"),
    Code.CONNECTION_CLOSED: _facing("cut_in_headers"),
    Code.INVALID_RESPONSE: _facing("key_value_store"),
    Code.REDIRECT_REFUSED: _answering(307),
    Code.BAD_REQUEST: _answering(400),
    Code.AUTH_FAILED: _answering(401),
    Code.FORBIDDEN: _answering(403),
    Code.NOT_FOUND: _answering(404),
    Code.GONE: _answering(410),
    Code.PAYLOAD_TOO_LARGE: _answering(413),
    Code.RATE_LIMITED: _answering(429),
    Code.REMOTE_UNAVAILABLE: _answering(503),
    Code.REMOTE_ERROR: _answering(500),
    Code.UNEXPECTED_STATUS: _answering(418),
    Code.REMOTE_REJECTED: _answering(200, channel="slack"),
    Code.SMTP_TEMPORARY: _mailing({"RCPT": "451 4.7.1 <{}> greylisted"}),
    Code.SMTP_AUTH_FAILED: _mailing({"EHLO": OFFERS_ALL, "AUTH": "535 5.7.8 wrong"}, MailSecurity.STARTTLS),
    Code.SMTP_AUTH_UNAVAILABLE: _mailing({"EHLO": OFFERS_TLS}, MailSecurity.STARTTLS),
    Code.SMTP_TLS_UNAVAILABLE: _mailing({}, MailSecurity.STARTTLS),
    Code.SMTP_PROTOCOL: _mailing({"GREETING": HANG_UP}),
    Code.SENDER_REFUSED: _mailing({"MAIL": "553 5.7.1 not your address"}),
    Code.RECIPIENTS_REFUSED: _mailing({"RCPT": "550 5.1.1 <{}> no such user"}),
    Code.MESSAGE_REFUSED: _mailing({"END": "554 5.7.1 mail to <{}> looks like spam"}),
    Code.QUEUE_UNAVAILABLE: _after(_fail_to_enqueue),
    Code.NOT_STARTED: _after(_wait_in_vain),
    Code.WORKER_LOST: _with_a_worker_that_is_killed,
    Code.DESTINATION_DISABLED: _after(_disable),
    Code.DESTINATION_DELETED: _after(_delete),
    Code.DESTINATION_CHANGED: _after(_change),
    Code.SUPERSEDED: _after(_press_again),
    Code.INTERNAL_ERROR: _with_a_file_of_authorities_that_is_gone,
}
