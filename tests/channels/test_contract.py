"""The rules of every channel, whatever its receiver does. A new channel is covered automatically."""

import base64
import logging
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from time import monotonic, sleep

import pytest

from benchmarks.installation.scripted_server import listening
from tests.channels.conftest import RecordingReceiver
from tests.channels.valid_settings import VALID_SETTINGS
from tests.scripted_mail_server import ScriptedMailServer
from tests.scripted_mail_server import mail_server as run_mail_server
from webapp.channels import CHANNELS, check_setting
from webapp.channels.contract import Accepted, Channel, Part, Preview, get_setting
from webapp.channels.fields import FLAG_ON, Field, FieldKind, SettingInvalid, hide_secrets
from webapp.channels.message import I_SEE_IT, Message
from webapp.demo.receiver.scenarios import Scenario, Service, reply_to
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import MailServer, OutboundClient, Policy
from webapp.outbound.policy.urls import Origin
from webapp.outbound.smtp.client import MailSecurity
from webapp.outbound.transport.deadline import Limits

pytestmark = pytest.mark.slow

CANARY = "Kanarienvogel4711"
SECRETS = (FieldKind.SECRET, FieldKind.HEADERS)
LIMITS = Limits(whole=0.6, lookup=0.5, connect=0.5, silence=0.3)
MARGIN = 1.5

Behavior = Callable[[socket.socket], None]


def sends(response: bytes) -> Behavior:
    """Read for a moment, then send the response and nothing more."""

    def behave(connection: socket.socket) -> None:
        connection.settimeout(0.1)
        with suppress(TimeoutError):
            connection.recv(65536)
        connection.sendall(response)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(2)
        with suppress(TimeoutError):
            while connection.recv(65536):
                pass

    return behave


def sends_nothing(connection: socket.socket) -> None:
    with suppress(TimeoutError):
        while connection.recv(65536):
            pass


def sends_endlessly(piece: bytes, connection: socket.socket) -> None:
    while True:
        connection.sendall(piece)
        sleep(0.01)


def make_response(status: str, body: str = "", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()


RESPONSES: dict[str, Behavior] = {
    "500 that repeats the secret": sends(make_response("500 Oops", f"no such hook: {CANARY}")),
    "400 with the secret as its reason": sends(make_response(f"400 {CANARY}", CANARY, f"Retry-After: {CANARY}\r\n")),
    "redirect with the secret": sends(make_response("307 Go", headers=f"Location: /{CANARY}\r\n")),
    "redirect to another place": sends(make_response("302 Go", headers="Location: https://example.com/\r\n")),
    "mail reply that repeats the secret": sends(f"550 5.1.1 <{CANARY}@example.com> unknown\r\n".encode()),
    "garbage": sends(bytes(range(256)) * 8 + CANARY.encode()),
    "half a status line": sends(b"HTTP/1.1 2"),
}
BEHAVIORS: dict[str, Behavior] = RESPONSES | {
    "closed at once": lambda connection: None,
    "silence": sends_nothing,
    "endless headers": partial(sends_endlessly, b"X-Endless: 1\r\n"),
    "endless mail reply": partial(sends_endlessly, b"220-and another thing\r\n"),
    "endless 100 Continue": partial(sends_endlessly, b"HTTP/1.1 100 Continue\r\n\r\n"),
}

MESSAGE = Message(
    event_type="alerts.test",
    message_id="msg_1",
    reference="K7QM-4T",
    workspace="Acme",
    destination="On-call",
    requested_by="Support desk",
    requested_at=datetime(2026, 11, 3, 8, 35, 6, tzinfo=UTC),
)

every_channel = pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
every_field = pytest.mark.parametrize(
    "field",
    [field for channel in CHANNELS.values() for field in channel.fields],
    ids=[f"{name}-{field.name}" for name, channel in CHANNELS.items() for field in channel.fields],
)


@dataclass(frozen=True)
class RunningReceiver:
    """A receiver with a scripted behavior, and an outbound client that may send to it."""

    port: int
    connections: list[int]
    outbound: OutboundClient

    def send(self, channel: Channel) -> Accepted:
        """Send through a channel with the canary in every setting."""
        return channel.send(fill_in(channel, self.port), MESSAGE, self.outbound)


def fill_in(channel: Channel, port: int) -> dict[str, str]:
    """Return settings for a channel with the canary in every value and this port in the address."""
    return fill_in_at(channel, f"http://127.0.0.1:{port}")


def fill_in_at(channel: Channel, origin: str) -> dict[str, str]:
    """Return settings for a channel with the canary in every value and this origin in the address."""
    by_kind = {
        FieldKind.ADDRESS: f"{origin}/services/{CANARY}?sig={CANARY}",
        FieldKind.SERVER: origin,
        FieldKind.RECIPIENTS: f"{CANARY}@example.com, other@example.com",
        FieldKind.TEXT: CANARY,
        FieldKind.FLAG: FLAG_ON,
    }
    settings = {
        field.name: make_secret(field) if field.kind in SECRETS else by_kind.get(field.kind, field.default)
        for field in channel.fields
    }
    # What excludes another setting is left out.
    return settings | dict.fromkeys(channel.find_conflicts(settings), "")


def make_secret(field: Field) -> str:
    """Return another secret for each field, which is a signing secret too."""
    secret = "whsec_" + base64.b64encode(f"{CANARY}-{field.name}-and-some-more-bytes".encode()).decode()
    return f"X-Api-Key: {secret}" if field.kind is FieldKind.HEADERS else secret


@pytest.fixture
def running(behavior: Behavior) -> Iterator[RunningReceiver]:
    """Start a receiver with this behavior for both HTTP and SMTP."""
    connections: list[int] = []

    def behave(connection: socket.socket) -> None:
        connections.append(connection.getpeername()[1])
        behavior(connection)

    with listening(behave, read_first=False) as receiver:
        policy = Policy(trusted_origins=frozenset({Origin("http", "127.0.0.1", receiver.port)}))
        mail = MailServer("127.0.0.1", receiver.port, "alerts@example.com", MailSecurity.NONE, limits=LIMITS)
        yield RunningReceiver(receiver.port, connections, OutboundClient(policy, mail, limits=LIMITS))


@every_channel
@pytest.mark.parametrize("behavior", BEHAVIORS.values(), ids=BEHAVIORS)
def test_any_misbehaving_receiver_causes_the_one_error_in_time_without_the_secret(
    channel: Channel, running: RunningReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    started = monotonic()
    with pytest.raises(DeliveryFailed) as caught:
        running.send(channel)
    assert monotonic() - started < LIMITS.whole + MARGIN
    failure = caught.value
    texts = [repr(failure), failure.message, repr(failure.facts), *traceback.format_exception(failure), caplog.text]
    assert find_secrets(channel, "".join(texts)) == []


@every_channel
@pytest.mark.parametrize("behavior", RESPONSES.values(), ids=RESPONSES)
def test_whatever_the_response_a_channel_connects_once_and_follows_no_redirect(
    channel: Channel, running: RunningReceiver
) -> None:
    with suppress(DeliveryFailed):
        running.send(channel)
    assert len(running.connections) == 1


@every_channel
def test_a_channel_names_what_its_messages_are_sent_to(channel: Channel) -> None:
    settings = fill_in_at(channel, f"https://{CANARY}.example.com")
    targets = channel.targets(settings, OutboundClient())

    own = [settings[field.name] for field in channel.fields if field.kind not in (FieldKind.FLAG, FieldKind.CHOICE)]
    assert any(is_in(targets[0].name, value) for value in own)
    assert CANARY not in repr(targets)
    assert find_secrets(channel, repr(targets)) == []


@every_channel
def test_another_receiver_is_another_target(channel: Channel) -> None:
    settings = fill_in_at(channel, "https://example.com")
    identity = [field.name for field in channel.fields if field.kind is not FieldKind.FLAG and field.required]
    others = [{**settings, name: settings[name].replace("example.com", "other.example.net")} for name in identity]
    others += [{**settings, name: f"{settings[name]}x"} for name in identity]

    assert any(
        channel.targets(other, OutboundClient()) != channel.targets(settings, OutboundClient()) for other in others
    )


@every_channel
@pytest.mark.parametrize("value", [None, "", " \n", CANARY, "\0", "https://[", "@", ",;\n", "https://exa mple.com/%"])
def test_a_channel_names_its_targets_without_raising(channel: Channel, value: str | None) -> None:
    settings = {} if value is None else {field.name: value for field in channel.fields}

    assert isinstance(channel.targets(settings, OutboundClient()), tuple)


@every_channel
@pytest.mark.parametrize("behavior", [sends_nothing])
def test_without_its_settings_a_channel_fails_and_sends_nothing(channel: Channel, running: RunningReceiver) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        channel.send({}, MESSAGE, running.outbound)
    assert caught.value.code is Code.CONFIG_INCOMPLETE
    assert running.connections == []


@dataclass(frozen=True)
class AcceptingReceivers:
    """A web server and a mail server that accept and record everything."""

    web: RecordingReceiver
    mail_server: ScriptedMailServer

    @property
    def outbound(self) -> OutboundClient:
        mail = MailServer("127.0.0.1", self.mail_server.port, "alerts@example.com", MailSecurity.NONE)
        return replace(self.web.outbound, mail=mail)

    def preview(self, channel: Channel, message: Message = MESSAGE) -> Preview:
        return channel.preview(fill_in(channel, self.web.server.port), message, self.outbound)

    def send(self, channel: Channel, message: Message) -> "AcceptingReceivers":
        self._accept_as(channel)
        channel.send(fill_in(channel, self.web.server.port), message, self.outbound)
        return self

    def _accept_as(self, channel: Channel) -> None:
        """Let the web server accept as the demo's receiver does, in the service's own words."""
        service = next(Service(name) for name, known in CHANNELS.items() if known is channel)
        if service is not Service.EMAIL:
            reply = reply_to(service, Scenario.WORKS, 1)
            self.web.respond_with(reply.status or 0, reply.body)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the recorded message, by their lower-case names."""
        posted = [pair for request in self.web.requests for pair in request.headers.items()]
        mailed = [pair for mail in self._mails for pair in mail.items()]
        return {name.lower(): str(value) for name, value in [*posted, *mailed]}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The texts of the recorded message."""
        posted = [Part(str(post.content_type), post.get_data(as_text=True)) for post in self.web.requests]
        mailed = [
            Part(part.get_content_type(), part.get_content().replace("\r\n", "\n"))  # CRLF is only the wire format
            for mail in self._mails
            for part in mail.iter_parts()
        ]
        return (*posted, *mailed)

    @property
    def _mails(self) -> list[EmailMessage]:
        return [message_from_bytes(mime, _class=EmailMessage, policy=default) for mime in self.mail_server.messages]


@pytest.fixture
def accepting(receiver: RecordingReceiver) -> Iterator[AcceptingReceivers]:
    with run_mail_server() as mail_server:
        yield AcceptingReceivers(receiver, mail_server)


@every_channel
@pytest.mark.parametrize("workspace", ["Acme", "Büro \N{FIRE} & <Söhne>"])
def test_a_preview_shows_exactly_what_the_receiver_gets(
    channel: Channel, accepting: AcceptingReceivers, workspace: str
) -> None:
    message = replace(MESSAGE, workspace=workspace)
    preview = accepting.preview(channel, message)
    sent = accepting.send(channel, message).parts
    assert preview.parts == tuple(without_secrets(part, channel) for part in sent) != ()


@every_channel
def test_a_preview_shows_headers_the_receiver_gets_with_every_value_known_in_advance(
    channel: Channel, accepting: AcceptingReceivers
) -> None:
    previewed = accepting.preview(channel).headers
    received = accepting.send(channel, MESSAGE).headers
    known = {name.lower(): value for name, value in previewed.items() if "(" not in value}
    assert {name.lower() for name in previewed} <= set(received)
    assert known == {name: received[name] for name in known}


@every_channel
def test_a_preview_connects_to_nothing_and_shows_no_secret(channel: Channel, accepting: AcceptingReceivers) -> None:
    preview = accepting.preview(channel)
    assert find_secrets(channel, repr(preview)) == []
    assert (accepting.web.requests, accepting.mail_server.commands) == ([], [])


DRILL_LINK = "https://alertcheck.example.com/seen/WzEsIks3Il0.x-_y"
DRILL = replace(MESSAGE, requested_by="Schedule of drills", is_drill=True, receipt_link=DRILL_LINK)


@every_channel
def test_a_drill_says_what_it_is_and_how_to_confirm_it_and_shows_no_secret(
    channel: Channel, accepting: AcceptingReceivers
) -> None:
    preview = accepting.preview(channel, DRILL)
    texts = [*preview.headers.values(), *(part.readable for part in preview.parts)]
    shown = "\n".join(texts).replace("\\", "")  # Markdown escapes brackets

    assert "[test]" in shown.casefold()
    assert "scheduled drill" in shown.casefold()
    assert "test alert" not in shown.casefold()
    assert I_SEE_IT in shown
    assert DRILL_LINK in shown
    assert find_secrets(channel, shown) == []


@every_channel
def test_without_its_settings_a_channels_preview_fails(channel: Channel, accepting: AcceptingReceivers) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        channel.preview({}, MESSAGE, accepting.outbound)
    assert caught.value.code is Code.CONFIG_INCOMPLETE


def test_readable_json_is_indented_and_unescaped() -> None:
    assert Part("application/json", '{"a": "\\u00fc"}').readable == '{\n  "a": "ü"\n}'
    assert Part("text/plain", '{"a": 1}').readable == '{"a": 1}'


@every_channel
def test_a_channels_guide_is_short_and_in_whole_sentences(channel: Channel) -> None:
    assert len(channel.guide) in range(3, 7)
    assert all(step[0].isupper() and step.endswith(".") and len(step) < 250 for step in channel.guide)


@every_channel
def test_a_channel_describes_itself(channel: Channel) -> None:
    assert channel.label
    assert channel.fields
    assert channel.accepted.startswith("Accepted by")
    assert channel.after_accepted.endswith(".")


@every_channel
def test_a_channel_hints_only_at_known_codes_and_in_whole_sentences(channel: Channel) -> None:
    assert set(channel.hints) <= set(Code)
    assert all(hint[0].isupper() and hint.endswith(".") for hint in channel.hints.values())


@every_channel
def test_one_field_determines_the_receiver(channel: Channel) -> None:
    assert channel.target_field.required
    assert channel.target_field.kind is not FieldKind.SECRET


@every_field
def test_the_default_of_a_field_is_valid(field: Field) -> None:
    if field.default:
        assert field.check(field.default, OutboundClient()) == field.default


@every_channel
def test_valid_settings_are_stored_as_they_are(channel: Channel) -> None:
    settings = VALID_SETTINGS[next(name for name, known in CHANNELS.items() if known is channel)]
    typed = [(field, settings[field.name]) for field in channel.fields if settings.get(field.name)]
    assert {field.name: check_setting(channel, field, text, OutboundClient()) for field, text in typed} == settings
    assert channel.find_conflicts({field.name: settings.get(field.name, "") for field in channel.fields}) == {}


@every_field
def test_a_secret_has_no_default(field: Field) -> None:
    assert not field.default or not field.is_secret


@every_field
def test_a_field_has_a_label_and_help(field: Field) -> None:
    assert field.name.isidentifier()
    assert field.label
    assert field.help.endswith(".")


def without_secrets(part: Part, channel: Channel) -> Part:
    """Return the part with the words that a preview has instead of each secret."""
    text = part.text
    for field in channel.fields:
        if field.kind is FieldKind.SECRET:
            text = text.replace(make_secret(field), hide_secrets({field.name: "x"}, channel.fields)[field.name])
    return Part(part.media_type, text)


def find_secrets(channel: Channel, text: str) -> list[str]:
    """Return the secret fields whose value is in the text. In an address, the canary is the secret."""
    return [
        field.name
        for field in channel.fields
        if field.is_secret and (CANARY if field.kind is FieldKind.ADDRESS else make_secret(field)[-60:]) in text
    ]


def is_in(name: str, value: str) -> bool:
    """Check whether the name of a target contains a setting, or the host of one."""
    host = value.partition("://")[2].partition("/")[0] or value.partition(",")[0]
    return host.casefold() in name.casefold()


NONSENSE = [f"http://10.0.0.1/{CANARY}", CANARY, f"{CANARY} <", f"https://[{CANARY}", "\x00"]
# What may be any word in at least one channel: a user name, a password, a header.
FREE_TEXTS = (FieldKind.TEXT, FieldKind.SECRET, FieldKind.HEADERS)


@every_field
@pytest.mark.parametrize("typed", NONSENSE)
def test_a_field_never_repeats_the_nonsense_that_it_refuses(field: Field, typed: str) -> None:
    # Recipients are no secret, so that an error may quote the wrong one.
    assert field.kind is FieldKind.RECIPIENTS or CANARY not in read_complaint(field, typed)


@pytest.mark.parametrize("typed", NONSENSE)
@pytest.mark.parametrize(
    "field",
    [field for channel in CHANNELS.values() for field in channel.fields if field.kind not in FREE_TEXTS],
)
def test_a_field_of_a_known_form_refuses_nonsense(field: Field, typed: str) -> None:
    assert read_complaint(field, typed)


@every_field
@pytest.mark.parametrize("typed", [f"{CANARY}\x00{CANARY}", f"{CANARY}\r\n{CANARY}", f"{CANARY}\x7f{CANARY}"])
def test_what_a_field_stores_has_no_control_character(field: Field, typed: str) -> None:
    stored = "" if read_complaint(field, typed) else field.check(typed, OutboundClient())
    assert stored.isprintable()


def read_complaint(field: Field, typed: str) -> str:
    """Return the error of a field with everything that a log would show of it; empty if the value is accepted."""
    try:
        field.check(typed, OutboundClient())
    except SettingInvalid as error:
        return "".join(traceback.format_exception(error))
    return ""


@pytest.mark.parametrize("settings", [{}, {"address": ""}, {"address": " \n"}])
def test_a_missing_or_blank_setting_is_incomplete(settings: dict[str, str]) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        get_setting(settings, "address")
    assert caught.value.code is Code.CONFIG_INCOMPLETE
