"""For every failure code, a scenario in which it really occurs."""

import os
import re
import socket
import ssl
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
from benchmarks.installation.scripted_server import Script, closed_port, context_of, full_port, listening
from tests.deliveries.recovery.recovery_passes import recover_at
from tests.end_to_end.scenario_runner import ActionBeforeJob, Scenario, ScenarioInputs, ScenarioSetup, do_nothing
from tests.factories import begin_claim_record
from tests.outbound import certificates
from tests.outbound.outcome_of import failing, loopback, trusting
from tests.outbound.scripts import reads_first, script_of
from tests.scripted_mail_server import HANG_UP, mail_server
from webapp import queue
from webapp.app_state import app_state
from webapp.channels import CHANNELS
from webapp.deliveries import fail_unqueued, request_test, send
from webapp.deliveries.requesting.cooldown import COOLDOWN
from webapp.deliveries.retry_policy import TEST_SEND_POLICY
from webapp.deliveries.transitions import LOST_AFTER
from webapp.demo.receiver.scenarios import Scenario as Works
from webapp.demo.receiver.scenarios import Service, reply_to
from webapp.destinations.editing import change_destination, delete_destination, set_enabled
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import Account, AlertDelivery
from webapp.outbound import MailServer, OutboundClient, Policy
from webapp.outbound.policy.urls import Origin
from webapp.outbound.smtp.client import MailSecurity
from webapp.outbound.transport.deadline import Limits
from webapp.outbound.transport.dns import Resolver, system_resolver
from webapp.settings import AppSettings

# Short, but long enough for a TLS handshake while all processors are busy.
PATIENT = Limits(whole=4.0, lookup=2.0, connect=2.0, silence=2.0)
NAME = "hooks.example.com"
NO_TRUSTED_ORIGINS = Policy(extra_hosts=dict.fromkeys(CHANNELS, (NAME,)))
UNKNOWN = certificates.authority("Unknown Root")
TODAY, DAY = datetime.now(UTC), timedelta(days=1)
ACCEPT_ALL = script_of("plain", {"status": 200, "body": "ok"})
MAIL_SENDER = "alerts@example.com"
OFFERS_TLS = "250-mail.example\r\n250 STARTTLS"
OFFERS_ALL = "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"
SEND_ONE = (
    "import sys, wsgi\nfrom webapp.app_state import current_settings\nfrom webapp.deliveries import send\n"
    "with wsgi.app.app_context(): send(int(sys.argv[1]), current_settings())"
)


def _accepts(channel: str) -> Script:
    """A receiver that accepts every message, in the words of the channel's service."""
    reply = reply_to(Service(channel), Works.WORKS, 1)
    return script_of("plain", {"status": reply.status, "body": reply.body})


def _make_setup(
    inputs: ScenarioInputs,
    origin: str = f"https://{NAME}",
    policy: Policy | None = None,
    resolver: Resolver = loopback,
    channel: str | None = None,
    before_job: ActionBeforeJob = do_nothing,
) -> ScenarioSetup:
    """Return a destination with an address at `origin`, which is trusted unless a policy is given."""
    channel = channel or inputs.channel
    outbound = OutboundClient(policy or trusting(f"{origin}/"), resolver=resolver, limits=PATIENT)
    return ScenarioSetup(channel, inputs.settings(channel, origin), outbound, before_job)


# Addresses


def _at_address(origin: str, policy: Policy | None = NO_TRUSTED_ORIGINS, channel: str | None = None) -> Scenario:
    return lambda inputs: nullcontext(_make_setup(inputs, origin, policy, channel=channel))


def _resolved_by(
    resolver: Resolver, origin: str = f"https://{NAME}", policy: Policy | None = NO_TRUSTED_ORIGINS
) -> Scenario:
    return lambda inputs: nullcontext(_make_setup(inputs, origin, policy, resolver))


def _time_out(host: str) -> list[str]:
    Event().wait(2 * PATIENT.lookup)
    return loopback(host)


def _at_a_closed_port(inputs: ScenarioInputs) -> nullcontext[ScenarioSetup]:
    return nullcontext(_make_setup(inputs, f"http://127.0.0.1:{closed_port()}"))


@contextmanager
def _at_a_full_port(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
    with full_port() as port:
        yield _make_setup(inputs, f"http://127.0.0.1:{port}")


# Receivers


def _scripted(script: str, scheme: str = "http") -> Scenario:
    """A receiver without TLS that follows the script."""

    @contextmanager
    def setup(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
        with listening(script_of(script, {}), read_first=reads_first(script)) as receiver:
            yield _make_setup(inputs, f"{scheme}://127.0.0.1:{receiver.port}")

    return setup


def _responding(status: int, channel: str | None = None) -> Scenario:
    """A receiver that responds with this status, and repeats the secret in its headers and body."""

    @contextmanager
    def setup(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
        headers = dict.fromkeys(("Location", "Retry-After", "X-Was"), inputs.path)
        echo = script_of("plain", {"status": status, "body": f"no such hook: {inputs.path}", "headers": headers})
        with listening(echo) as receiver:
            yield _make_setup(inputs, receiver.origin, channel=channel)

    return setup


def _secured(serve: Callable[[trustme.CA], ssl.SSLContext]) -> Scenario:
    """A receiver with TLS, and settings that trust one authority."""

    @contextmanager
    def setup(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
        authority = trustme.CA()
        with (
            authority.cert_pem.tempfile() as ca_file,
            listening(_accepts(inputs.channel), serve(authority)) as receiver,
        ):
            origin = f"https://{NAME}:{receiver.port}"
            yield _make_setup(inputs, origin, trusting(f"{origin}/", ca_file))

    return setup


def _certified(issue: Callable[[trustme.CA], trustme.LeafCert]) -> Scenario:
    """A receiver with a certificate, and settings that trust one authority."""
    return _secured(lambda authority: context_of(issue(authority)))


def _ask_for_a_certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = context_of(authority.issue_cert(NAME))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _mail_server(
    replies: Mapping[str, str], security: MailSecurity = MailSecurity.NONE, at_once: bool = False
) -> Scenario:
    """A mail server with these replies; `{}` in them is the recipient. It offers sign-in only with TLS.

    at_once: TLS from the first byte.
    """

    @contextmanager
    def setup(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
        authority = trustme.CA()
        script = {moment: reply.format(inputs.recipient) for moment, reply in replies.items()}
        user, password = (None, None) if security is MailSecurity.NONE else ("alertcheck", inputs.password)
        certificate = authority.issue_cert("127.0.0.1")
        with (
            authority.cert_pem.tempfile() as ca_file,
            mail_server(script, context_of(certificate), at_once) as receiver,
        ):
            server = MailServer("127.0.0.1", receiver.port, MAIL_SENDER, security, user, password, ca_file, PATIENT)
            yield ScenarioSetup("email", inputs.settings("email"), OutboundClient(mail=server))

    return setup


@contextmanager
def accepted(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
    """A receiver that accepts the message, under a name that the system's resolver knows."""
    with listening(_accepts(inputs.channel)) as receiver:
        yield _make_setup(inputs, f"http://localhost:{receiver.port}", resolver=system_resolver)


@contextmanager
def accepted_with_the_address_repeated(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
    """A receiver that repeats the secret address in its headers and its body, also as a media type and a redirect."""
    words = "-".join(re.findall(r"[\w+]+", inputs.path))
    headers = {
        "Content-Type": f"text/{words}; charset={words}",
        "Location": f"https://login.example.com{inputs.path}",
        "Server": words,
    }
    with listening(script_of("plain", {"status": 200, "body": f"ok {inputs.path}", "headers": headers})) as receiver:
        yield _make_setup(inputs, f"http://localhost:{receiver.port}", resolver=system_resolver)


@contextmanager
def redirected_with_the_address_repeated(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
    """A receiver that redirects to another host, with the secret path and query."""
    location = f"https://login.example.com{inputs.path}"
    with listening(script_of("redirect", {"status": 307, "location": location})) as receiver:
        yield _make_setup(inputs, f"http://localhost:{receiver.port}", resolver=system_resolver)


accepted_over_tls = _certified(lambda authority: authority.issue_cert(NAME))
accepted_by_mail = _mail_server({})
accepted_by_mail_over_tls = _mail_server({"EHLO": OFFERS_ALL}, MailSecurity.STARTTLS)


# Failures inside Alertcheck


def _without_a_mail_server(inputs: ScenarioInputs) -> nullcontext[ScenarioSetup]:
    return nullcontext(ScenarioSetup("email", inputs.settings("email"), OutboundClient()))


def _with_a_name_beside_the_recipient(inputs: ScenarioInputs) -> nullcontext[ScenarioSetup]:
    server = MailServer("127.0.0.1", closed_port(), MAIL_SENDER)
    return nullcontext(ScenarioSetup("email", {"recipients": f"Ann {inputs.recipient}"}, OutboundClient(mail=server)))


def _with_a_file_of_authorities_that_is_gone(inputs: ScenarioInputs) -> nullcontext[ScenarioSetup]:
    return nullcontext(_make_setup(inputs, policy=trusting(f"https://{NAME}/", "/nowhere/ca.pem")))


@contextmanager
def _with_a_worker_that_is_killed(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
    """A sending process is killed after its message has arrived and before the response."""
    with listening(script_of("silent", {})) as receiver:
        environment = os.environ | inputs.environment | {"ALERTCHECK_TRUSTED_ORIGINS": receiver.origin}

        def kill(delivery: AlertDelivery, app_settings: AppSettings) -> None:
            command = [sys.executable, "-c", SEND_ONE, str(delivery.id)]
            with subprocess.Popen(command, env=environment, cwd=ROOT) as worker:
                wait_until(lambda: receiver.heads)
                worker.kill()
            recover_at(app_settings, datetime.now(UTC), datetime.now(UTC) + LOST_AFTER)

        yield _make_setup(inputs, receiver.origin, before_job=kill)


def _with_action(before_job: ActionBeforeJob) -> Scenario:
    """A press for a working destination, with this action before the job."""
    return lambda inputs: nullcontext(_make_setup(inputs, before_job=before_job))


def _lose_the_key(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    destination = delivery.destination
    other_cipher = SettingsCipher([Fernet.generate_key().decode()], fingerprint_key="any")
    destination.config = other_cipher.encrypt(
        _decrypt_settings(delivery, app_settings), context=destination.encryption_context
    )
    db.session.commit()


def _fail_to_enqueue(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        unreachable = queue.connect(f"redis://127.0.0.1:{closed_port()}")
        patch.setattr(app_state(), "redis", unreachable)
        patch.setattr(app_state(), "jobs", queue.load_jobs(unreachable, app_settings.redis_prefix))
        with pytest.raises(queue.QueueUnavailable):
            queue.enqueue_deliveries(delivery.id)
    fail_unqueued([delivery.id], datetime.now(UTC))


def _expire(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    begin_claim_record()
    recover_at(app_settings, delivery.created_at + TEST_SEND_POLICY.time_limit)


def _disable(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    set_enabled(delivery.destination, _requester(delivery), False, datetime.now(UTC))


def _delete(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    delete_destination(delivery.destination, _requester(delivery), datetime.now(UTC))


def _change(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    typed = {name: f"{value}0" for name, value in _decrypt_settings(delivery, app_settings).items()}
    change_destination(
        delivery.destination, _requester(delivery), "Renamed", typed, app_settings.cipher, datetime.now(UTC)
    )


def _press_once_more(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    request_test(delivery.destination, _requester(delivery), delivery.created_at + COOLDOWN)


def _decrypt_settings(delivery: AlertDelivery, app_settings: AppSettings) -> dict[str, str]:
    return app_settings.cipher.decrypt(delivery.destination.config, context=delivery.destination.encryption_context)


def _requester(delivery: AlertDelivery) -> Account:
    assert delivery.requested_by is not None
    return delivery.requested_by


def _fail_twice(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    delivery_id = delivery.id
    for _ in range(2):
        send(delivery_id, app_settings)
        recover_at(app_settings, datetime.now(UTC) + timedelta(seconds=60))


@contextmanager
def busy_three_times(inputs: ScenarioInputs) -> Iterator[ScenarioSetup]:
    """A receiver that is unavailable at all three attempts."""
    with SCENARIOS[Code.REMOTE_UNAVAILABLE](inputs) as setup:
        yield replace(setup, before_job=_fail_twice)


SCENARIOS: Mapping[Code, Scenario] = {
    Code.URL_INVALID: _at_address(f"https://{NAME}\\@127.0.0.1"),
    Code.SCHEME_NOT_ALLOWED: _at_address(f"http://{NAME}"),
    Code.PORT_NOT_ALLOWED: _at_address(f"https://{NAME}:8443"),
    Code.HOST_NOT_EXPECTED: _at_address("https://elsewhere.example.com", channel="teams"),
    Code.TARGET_NOT_ALLOWED: _resolved_by(loopback),
    Code.DEMO_RECEIVER_ONLY: _at_address(f"https://{NAME}", Policy(demo_receiver=Origin("http", "127.0.0.1", 8025))),
    Code.CONFIG_INCOMPLETE: _without_a_mail_server,
    Code.CONFIG_UNREADABLE: _with_action(_lose_the_key),
    Code.RECIPIENT_INVALID: _with_a_name_beside_the_recipient,
    Code.DNS_NOT_FOUND: _resolved_by(failing(socket.EAI_NONAME)),
    Code.DNS_TEMPORARY: _resolved_by(failing(socket.EAI_AGAIN)),
    Code.DNS_TIMEOUT: _resolved_by(_time_out),
    Code.CONNECT_REFUSED: _at_a_closed_port,
    Code.CONNECT_TIMEOUT: _at_a_full_port,
    # 240/4 has no route; as a trusted origin it passes the policy.
    Code.NETWORK_UNREACHABLE: _resolved_by(lambda host: ["255.255.255.255"], "http://receiver.lan", None),
    Code.TLS_UNTRUSTED: _secured(lambda _: certificates.serving(certificates.issue("any", UNKNOWN), UNKNOWN)),
    Code.TLS_SELF_SIGNED: _secured(lambda _: certificates.serving(certificates.issue(NAME))),
    Code.TLS_INCOMPLETE_CHAIN: _secured(
        lambda _: certificates.serving(certificates.issue("any", certificates.authority("Issuing CA", UNKNOWN)))
    ),
    Code.TLS_HOSTNAME_MISMATCH: _certified(lambda authority: authority.issue_cert("other.example.com")),
    Code.TLS_EXPIRED: _certified(lambda authority: authority.issue_cert(NAME, not_after=TODAY - DAY)),
    Code.TLS_NOT_YET_VALID: _certified(lambda authority: authority.issue_cert(NAME, not_before=TODAY + DAY)),
    Code.TLS_FAILED: _scripted("hangs_up", scheme="https"),
    Code.CLIENT_CERTIFICATE_REQUIRED: _secured(_ask_for_a_certificate),
    Code.READ_TIMEOUT: _scripted("silent"),
    Code.DEADLINE_EXCEEDED: _scripted("dribbled_headers"),
    Code.CONNECTION_CLOSED: _scripted("cut_in_headers"),
    Code.INVALID_RESPONSE: _scripted("key_value_store"),
    Code.REDIRECT_REFUSED: _responding(307),
    Code.SIGN_IN_PAGE: _responding(302),
    Code.BAD_REQUEST: _responding(400),
    Code.AUTH_FAILED: _responding(401),
    Code.FORBIDDEN: _responding(403),
    Code.NOT_FOUND: _responding(404),
    Code.METHOD_NOT_ALLOWED: _responding(405),
    Code.GONE: _responding(410),
    Code.PAYLOAD_TOO_LARGE: _responding(413),
    Code.RATE_LIMITED: _responding(429),
    Code.REMOTE_UNAVAILABLE: _responding(503),
    Code.GATEWAY_GAVE_UP: _responding(504),
    Code.REMOTE_ERROR: _responding(500),
    Code.UNEXPECTED_STATUS: _responding(418),
    Code.REMOTE_REJECTED: _responding(200, channel="slack"),
    Code.SMTP_TEMPORARY: _mail_server({"RCPT": "451 4.7.1 <{}> greylisted"}),
    Code.SMTP_AUTH_FAILED: _mail_server({"EHLO": OFFERS_ALL, "AUTH": "535 5.7.8 wrong"}, MailSecurity.STARTTLS),
    Code.SMTP_AUTH_UNAVAILABLE: _mail_server({"EHLO": OFFERS_TLS}, MailSecurity.STARTTLS),
    Code.SMTP_TLS_UNAVAILABLE: _mail_server({}, MailSecurity.STARTTLS),
    Code.SMTP_PROTOCOL: _mail_server({"GREETING": "SSH-2.0-OpenSSH_9.6"}),
    Code.SMTP_INTERRUPTED: _mail_server({"DATA": HANG_UP}),
    Code.SMTP_HOST_REFUSED: _mail_server({"GREETING": "554 5.7.1 no connections from your address"}),
    Code.SMTP_WRONG_PORT: _mail_server({}, at_once=True),
    Code.SMTP_ENCRYPTION_REQUIRED: _mail_server({"MAIL": "530 5.7.0 Must issue a STARTTLS command first"}),
    Code.SMTP_SIGN_IN_REQUIRED: _mail_server({"MAIL": "530 5.7.57 Client not authenticated to send mail"}),
    Code.SMTP_APP_PASSWORD_REQUIRED: _mail_server(
        {"EHLO": OFFERS_ALL, "AUTH": "534-5.7.9 Application-specific password required.\r\n534 5.7.9 see"},
        MailSecurity.STARTTLS,
    ),
    Code.SMTP_DISABLED_BY_TENANT: _mail_server(
        {"EHLO": OFFERS_ALL, "AUTH": "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant."},
        MailSecurity.STARTTLS,
    ),
    Code.SMTP_RELAY_DENIED: _mail_server({"RCPT": "554 5.7.1 <{}>: Relay access denied"}),
    Code.SMTP_SENDER_NOT_OWNED: _mail_server({"RCPT": "553 5.7.1 Sender address rejected: not owned by user"}),
    Code.MAILBOX_FULL: _mail_server({"RCPT": "552 5.2.2 <{}>: mailbox is over quota"}),
    Code.SENDER_REFUSED: _mail_server({"MAIL": "553 5.7.1 not your address"}),
    Code.RECIPIENTS_REFUSED: _mail_server({"RCPT": "550 5.1.1 <{}> no such user"}),
    Code.MESSAGE_REFUSED: _mail_server({"END": "554 5.7.1 mail to <{}> looks like spam"}),
    Code.QUEUE_UNAVAILABLE: _with_action(_fail_to_enqueue),
    Code.NOT_STARTED: _with_action(_expire),
    Code.WORKER_LOST: _with_a_worker_that_is_killed,
    Code.DESTINATION_DISABLED: _with_action(_disable),
    Code.DESTINATION_DELETED: _with_action(_delete),
    Code.DESTINATION_CHANGED: _with_action(_change),
    Code.SUPERSEDED: _with_action(_press_once_more),
    Code.INTERNAL_ERROR: _with_a_file_of_authorities_that_is_gone,
}
