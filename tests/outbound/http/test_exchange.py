"""The secret part of a URL stays out of logs, exceptions and tracebacks."""

import logging
import socket
import ssl
import traceback
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.installation.scripted_server import listening
from tests.outbound.outcome_of import BRIEF, loopback, send
from tests.outbound.scripts import reads_first, script_of
from webapp.failures import MEANINGS, DeliveryFailed
from webapp.outbound.exchange_facts import ExchangeRecorder
from webapp.outbound.http.body import read_body
from webapp.outbound.http.client import _send
from webapp.outbound.http.exchange import Exchange
from webapp.outbound.policy.urls import read_url
from webapp.outbound.transport.deadline import MAX_BODY, Deadline

pytestmark = pytest.mark.slow

SECRET = "canary"  # a constant, because a traceback quotes source lines of this file
ODD_RESPONSES = ["echoed_path", "redirect_with_endless_body", "length_and_chunks", "continue_then_ok", "dribbled_body"]
FAILURES = [
    "dribbled_headers",
    "many_headers",
    "endless_header",
    "two_lengths",
    "secure_shell",
    "silent",
    "hangs_up",
    "resets",
    "cut_in_headers",
]


@pytest.mark.parametrize("script", ODD_RESPONSES)
def test_a_response_logs_no_path_at_debug_level(script: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")
    with listening(script_of(script, {})) as receiver:
        send(f"{receiver.origin}/{SECRET}?sig={SECRET}")
    assert SECRET.encode() in receiver.heads[0]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("script", FAILURES)
def test_a_failure_shows_no_path_in_log_or_traceback(script: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    listener = listening(script_of(script, {}), read_first=reads_first(script))
    with listener as receiver, pytest.raises(DeliveryFailed) as caught:
        send(f"{receiver.origin}/{SECRET}?sig={SECRET}")
    logging.getLogger("worker").error("failed", exc_info=caught.value)
    assert SECRET not in caplog.text
    assert caught.value.message.startswith("127.0.0.1 ")


def test_no_chained_exception_of_a_failure_contains_the_path() -> None:
    with listening(script_of("hangs_up", {}), read_first=False) as receiver, pytest.raises(DeliveryFailed) as caught:
        send(f"{receiver.origin}/{SECRET}")
    behind = caught.value.__context__
    assert behind is not None
    assert SECRET not in "".join(traceback.format_exception(behind)) + repr(vars(behind))


WORDS = [
    *(
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 ",
        b"204",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b" ",
        b": ",
        b",",
    ),
    *(
        b"Content-Length",
        b"Transfer-Encoding: chunked",
        b"Content-Encoding: gzip",
        b"Content-Type: a/b; c=",
        b"Set-Cookie: ",
    ),
    *(
        b"Retry-After: NaN",
        b"Location: //[",
        b"0",
        b"-1",
        b"5",
        b"ffffffffffffffff",
        b"99999999999999999999",
        b"\xff",
        b"\x00",
    ),
]


@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=6), max_size=30).map(b"".join))
def test_any_bytes_are_a_response_or_a_known_failure(response: bytes) -> None:
    ours, theirs = socket.socketpair()
    target = read_url("http://receiver.lan/hook")
    with ours, theirs, Deadline(5) as deadline:
        theirs.sendall(response)
        theirs.shutdown(socket.SHUT_WR)
        with (
            suppress(DeliveryFailed),
            closing(
                _send(target, ("POST", b"{}", {}), Exchange(target, ours, deadline, BRIEF, ExchangeRecorder()))
            ) as got,
        ):
            assert len(read_body(got, MAX_BODY)[0]) <= len(response)


def test_a_tls_error_after_the_message_may_have_arrived() -> None:
    ours, theirs = socket.socketpair()
    target = read_url("https://receiver.lan/hook")

    class Broken(socket.socket):
        """A connection whose encryption breaks as soon as the message is written."""

        def recv_into(self, *_: object) -> int:
            raise ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]")

    with theirs, Broken(fileno=ours.detach()) as broken, Deadline(5) as deadline:
        with pytest.raises(DeliveryFailed) as caught:
            _send(target, ("POST", b"{}", {}), Exchange(target, broken, deadline, BRIEF, ExchangeRecorder()))
        assert b"POST /hook" in theirs.recv(4096)
    assert MEANINGS[caught.value.code].may_have_arrived


def test_the_outbound_client_uses_no_requests_session() -> None:
    sources = Path(send.__globals__["post"].__code__.co_filename).parent.glob("*.py")
    assert all("Session(" not in source.read_text(encoding="utf-8") for source in sources)


def test_a_failure_names_the_host_as_it_was_resolved() -> None:
    with listening(script_of("hangs_up", {}), read_first=False) as receiver, pytest.raises(DeliveryFailed) as caught:
        send(f"http://Receiver.LAN:{receiver.port}/{SECRET}", resolver=loopback)
    assert caught.value.facts.host == "receiver.lan"
