"""TLS certificates and versions: each failure has its own code."""

import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
import trustme

from benchmarks.installation.scripted_server import ScriptedServer, context_of, listening
from tests.outbound.outcome_of import BRIEF, outcome_of, send, trusting
from tests.outbound.scripts import script_of
from webapp.failures import Code
from webapp.outbound.transport.tls import make_context

pytestmark = pytest.mark.slow

NAME = "hooks.example.com"
NOW = datetime.now(UTC)
RESPONSE = script_of("plain", {"status": 200, "body": "ok"})


def secured(certificate: trustme.LeafCert) -> AbstractContextManager[ScriptedServer]:
    """Start a receiver with this certificate."""
    return listening(RESPONSE, context_of(certificate))


def outcome(receiver: ScriptedServer, ca_file: Path | None) -> str | Code:
    """Return the outcome of a send to the receiver under `NAME`."""
    url = f"https://{NAME}:{receiver.port}/hook"
    return outcome_of(url, policy=trusting(url, ca_file))


def test_a_certificate_for_the_name_is_accepted(authority: trustme.CA, ca_file: Path) -> None:
    with secured(authority.issue_cert(NAME)) as receiver:
        url = f"https://{NAME}:{receiver.port}/hook"
        assert send(url, policy=trusting(url, ca_file)).body == b"ok"


@pytest.mark.parametrize(
    ("issue", "code"),
    [
        (lambda ca: ca.issue_cert("other.example.com"), Code.TLS_HOSTNAME_MISMATCH),
        (lambda ca: ca.issue_cert("*.hooks.example.com"), Code.TLS_HOSTNAME_MISMATCH),
        (lambda ca: ca.issue_cert("127.0.0.1"), Code.TLS_HOSTNAME_MISMATCH),
        (lambda ca: ca.issue_cert(NAME, not_after=NOW - timedelta(days=1)), Code.TLS_EXPIRED),
        (lambda ca: ca.issue_cert(NAME, not_before=NOW + timedelta(days=1)), Code.TLS_NOT_YET_VALID),
    ],
    ids=["other_name", "wildcard_below", "only_the_address", "expired", "not_yet_valid"],
)
def test_a_bad_certificate_has_its_own_code_and_nothing_is_sent(
    issue: Callable[[trustme.CA], trustme.LeafCert], code: Code, authority: trustme.CA, ca_file: Path
) -> None:
    with secured(issue(authority)) as receiver:
        assert outcome(receiver, ca_file) is code
    assert b"".join(receiver.heads) == b""


def test_a_private_authority_is_unknown_without_its_file(authority: trustme.CA) -> None:
    with secured(authority.issue_cert(NAME)) as receiver:
        assert outcome(receiver, None) is Code.TLS_INCOMPLETE_CHAIN


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_no_variable_meant_for_other_clients_adds_an_authority(
    name: str, authority: trustme.CA, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(ca_file))
    with secured(authority.issue_cert(NAME)) as receiver:
        assert outcome(receiver, None) is Code.TLS_INCOMPLETE_CHAIN


def test_the_host_name_is_sent_for_servers_with_many_certificates(authority: trustme.CA, ca_file: Path) -> None:
    chosen = context_of(authority.issue_cert(NAME))
    default = context_of(authority.issue_cert("default.example.com"))
    asked: list[str | None] = []

    def choose(line: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        asked.append(name)
        line.context = chosen

    default.sni_callback = choose
    with listening(RESPONSE, default) as receiver:
        assert outcome(receiver, ca_file) == "ok"
    assert asked == [NAME]


@pytest.mark.parametrize(
    ("script", "code"),
    [("dribbled_headers", Code.DEADLINE_EXCEEDED), ("hangs_up", Code.CONNECTION_CLOSED), ("dribbled_body", "ok")],
)
def test_a_hostile_response_is_cut_under_tls(script: str, code: str, authority: trustme.CA, ca_file: Path) -> None:
    context = context_of(authority.issue_cert(NAME))
    started = monotonic()
    with listening(script_of(script, {}), context) as receiver:
        assert outcome(receiver, ca_file) == code
    assert monotonic() - started < BRIEF.whole + 1


def test_the_authorities_are_read_once_per_process(ca_file: Path) -> None:
    assert make_context(str(ca_file)) is make_context(str(ca_file))
    assert make_context(str(ca_file)) is not make_context()


def test_contexts_for_different_protocols_are_not_shared(ca_file: Path) -> None:
    assert make_context(str(ca_file), "http/1.1") is not make_context(str(ca_file))
