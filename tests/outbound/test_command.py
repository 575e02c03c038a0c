"""`python -m webapp.outbound`, run as an administrator does."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.installation.scripted_server import listening
from tests.outbound.scripts import script_of
from tests.scripted_mail_server import HANG_UP, ScriptedMailServer, mail_server
from webapp.outbound.__main__ import main

ROOT = Path(__file__).parents[2]
TRUSTED = "ALERTCHECK_TRUSTED_ORIGINS"

IMPORT_ALONE = """
import sys, types
package = types.ModuleType("webapp")
package.__path__ = ["webapp"]
sys.modules["webapp"] = package
import webapp.outbound.__main__
sys.exit(bool({"flask", "sqlalchemy"} & sys.modules.keys()))
"""


@pytest.mark.slow
def test_the_command_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "webapp.outbound", "check", "https://10.0.0.1/x"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "target_not_allowed\n", "")


@pytest.mark.slow
def test_the_outbound_client_imports_neither_the_web_framework_nor_the_database() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALONE], cwd=ROOT, timeout=20, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("url", "printed", "status"),
    [
        ("https://hooks.example.com/x", "ok", 0),
        ("http://hooks.example.com/x", "scheme_not_allowed", 1),
        ("", "url_invalid", 1),
        ("-x", "url_invalid", 1),
        ("--help", "url_invalid", 1),
        ("--", "url_invalid", 1),
        ("https://\udcff/", "target_not_allowed", 1),
    ],
)
def test_check_prints_the_verdict(url: str, printed: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", url]) == status
    assert capsys.readouterr().out == f"{printed}\n"


def test_check_applies_the_administrators_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TRUSTED, "http://receiver.lan:8080")
    assert main(["check", "http://receiver.lan:8080/x"]) == 0
    assert capsys.readouterr().out == "ok\n"


@pytest.mark.parametrize(("status", "code", "exit_status"), [(202, "ok", 0), (404, "not_found", 1)])
def test_post_prints_code_and_status(
    status: int, code: str, exit_status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(script_of("plain", {"status": status})) as receiver:
        monkeypatch.setenv(TRUSTED, receiver.origin)
        assert main(["post", f"{receiver.origin}/hook"]) == exit_status
    printed = json.loads(capsys.readouterr().out)
    assert (printed["code"], printed["status"]) == (code, status)
    assert 0 <= printed["seconds"] < 1


@pytest.mark.parametrize(
    ("answer", "code", "may_have_arrived"),
    [
        ({"status": 504}, "gateway_gave_up", True),
        ({"status": 522}, "remote_unavailable", False),
        ({"status": 405}, "method_not_allowed", False),
        ({"status": 302, "headers": {"Location": "/sign-in"}}, "sign_in_page", True),
        ({"status": 308, "headers": {"Location": "/hook/"}}, "redirect_refused", False),
    ],
)
def test_post_prints_whether_the_message_may_have_arrived(
    answer: dict[str, object],
    code: str,
    may_have_arrived: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with listening(script_of("plain", answer)) as receiver:
        monkeypatch.setenv(TRUSTED, receiver.origin)
        assert main(["post", f"{receiver.origin}/hook"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["code"], printed["may_have_arrived"], printed["warning"]) == (code, may_have_arrived, None)


def test_post_prints_the_warning_of_an_accepted_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = {"status": 200, "body": "<html>Sign in</html>", "headers": {"Content-Type": "text/html"}}
    with listening(script_of("plain", page)) as receiver:
        monkeypatch.setenv(TRUSTED, receiver.origin)
        assert main(["post", f"{receiver.origin}/hook"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["code"], printed["may_have_arrived"]) == ("ok", False)
    assert "127.0.0.1 answered with a web page" in printed["warning"]


def test_post_prints_no_status_without_a_response(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["post", "https://127.0.0.1/x"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["code"], printed["status"]) == ("target_not_allowed", None)


@pytest.fixture
def mail_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedMailServer]:
    """Settings that name a mail server, under their new names, and that server."""
    with mail_server() as receiver:
        monkeypatch.setenv("ALERTCHECK_MAIL_URL", f"smtp://127.0.0.1:{receiver.port}")
        monkeypatch.setenv("ALERTCHECK_MAIL_FROM", "alerts@example.com")
        yield receiver


def test_mail_sends_a_small_mail(mail_settings: ScriptedMailServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mail", "ann@example.com"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert 0 < printed.pop("seconds") < 8
    assert printed == {"code": "ok", "status": 250, "may_have_arrived": False, "warning": None}
    (received,) = mail_settings.messages
    assert re.search(
        rb"Subject: \[TEST\] Alertcheck, [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC\r\n", received
    )
    assert b"To: ann@example.com\r\n" in received


def test_mail_reads_the_old_names_of_its_settings(
    mail_settings: ScriptedMailServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ALERTCHECK_MAIL_URL")
    monkeypatch.setenv("MAIL_URL", f"smtp://127.0.0.1:{mail_settings.port}")
    assert main(["mail", "--", "Ann@müller.de"]) == 0
    assert b"To: Ann@xn--mller-kva.de\r\n" in mail_settings.messages[0]
    assert json.loads(capsys.readouterr().out)["code"] == "ok"


@pytest.mark.parametrize(
    ("moment", "reply", "code", "status", "may_have_arrived"),
    [
        ("RCPT", "554 5.7.1 Relay access denied", "smtp_relay_denied", 554, False),
        ("MAIL", HANG_UP, "smtp_interrupted", None, False),
        ("END", HANG_UP, "connection_closed", None, True),
    ],
)
def test_mail_prints_the_failure_and_whether_the_mail_may_have_arrived(
    moment: str,
    reply: str,
    code: str,
    status: int | None,
    may_have_arrived: bool,
    mail_settings: ScriptedMailServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mail_settings.script[moment] = reply
    assert main(["mail", "ann@example.com"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["code"], printed["status"], printed["may_have_arrived"]) == (code, status, may_have_arrived)


@pytest.mark.parametrize("address", ["ann", "", "-x", "ann@example.com\nBcc: eve@example.com", "\udcff@example.com"])
def test_mail_refuses_what_is_no_address(
    address: str, mail_settings: ScriptedMailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mail", address]) == 1
    assert json.loads(capsys.readouterr().out)["code"] == "recipient_invalid"
    assert mail_settings.commands == []


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("ALERTCHECK_MAIL_URL", "", "ALERTCHECK_MAIL_URL is not set"),
        ("ALERTCHECK_MAIL_URL", "smtps://me:canary-password@mail.example/x", "ALERTCHECK_MAIL_URL has to end after"),
        ("ALERTCHECK_MAIL_FROM", "", "ALERTCHECK_MAIL_FROM is not set"),
        ("MAIL_FROM", "other@example.com", "set to different values"),
    ],
)
def test_mail_reports_settings_that_cannot_be_used(
    variable: str,
    value: str,
    complaint: str,
    mail_settings: ScriptedMailServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert main(["mail", "ann@example.com"]) == 2
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert "canary" not in printed.err + printed.out


def test_bad_settings_are_reported_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TRUSTED, "nonsense")
    assert main(["check", "https://hooks.example.com/x"]) == 2
    assert TRUSTED in capsys.readouterr().err


def test_an_address_after_two_dashes_is_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--", "https://hooks.example.com/x"]) == 0
    assert capsys.readouterr().out == "ok\n"


@pytest.mark.parametrize(
    "arguments", [[], ["check"], ["send", "https://a.example.com/"], ["check", "-x", "-y"], ["mail"], ["-x"]]
)
def test_wrong_usage_prints_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "webapp.outbound check URL" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_prints_the_usage(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([asked]) == 0
    assert "webapp.outbound check URL" in capsys.readouterr().out
