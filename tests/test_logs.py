"""The log: one JSON line per event, with constant event words and no text of libraries' arguments."""

import ast
import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT
from webapp.logs import JsonLines, PlainText

SECRET = "https://hooks.example.com/canary"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def _line(logger: str, message: str, *arguments: object, **extra: object) -> dict[str, object]:
    record = logging.LogRecord(logger, logging.WARNING, "/somewhere/file.py", 7, message, arguments, None)
    vars(record).update(extra)
    line: dict[str, object] = json.loads(JsonLines().format(record))
    return line


def test_an_event_is_one_json_line_with_its_facts() -> None:
    line = _line(
        "webapp.deliveries.attempts.sending", "attempt ended", delivery=7, code=None, recorded=True, seconds=0.25
    )

    assert str(line.pop("at")).endswith("+00:00")
    assert isinstance(line.pop("pid"), int)
    assert line == {
        "level": "warning",
        "logger": "webapp.deliveries.attempts.sending",
        "event": "attempt ended",
        "delivery": 7,
        "code": None,
        "recorded": True,
        "seconds": 0.25,
    }


def test_a_line_break_in_a_fact_does_not_break_the_line() -> None:
    record = logging.makeLogRecord({"name": "webapp.views.errors", "msg": "request failed", "rule": "/a\n/b"})

    assert "\n" not in JsonLines().format(record)


def test_the_arguments_of_a_librarys_message_are_not_logged() -> None:
    line = _line("rq.worker", "could not connect: %s, retrying in %d s", SECRET, 2)

    assert (line["event"], line["where"]) == ("could not connect: %s, retrying in %d s", "file:7")
    assert SECRET not in str(line)


def test_a_librarys_message_without_placeholders_is_not_logged() -> None:
    assert _line("urllib3", f"POST {SECRET}")["event"] == "not shown"


def test_an_exception_is_logged_by_its_type_only() -> None:
    record = logging.LogRecord("rq.worker", logging.ERROR, "f.py", 1, "job %s broke", ("x",), None)
    try:
        raise ValueError(SECRET)
    except ValueError:
        record.exc_info = sys.exc_info()

    line = JsonLines().format(record)

    assert (json.loads(line)["error"], SECRET in line) == ("ValueError", False)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Can't locate revision identified by '0042'", "Can't locate revision identified by '0042'"),
        (f"see {SECRET}, or redis+unix://x", "see [left out] or [left out]"),
        ("the password p*ss is wrong", "the password [left out] is wrong"),
    ],
)
def test_a_librarys_message_for_a_terminal_has_no_url_and_no_secret(message: str, text: str) -> None:
    record = logging.makeLogRecord({"name": "alembic", "msg": "%s", "args": (message,)})

    assert PlainText(["p*ss", ""]).format(record) == text


def _read_lines(output: str) -> list[dict[str, object]]:
    """Read a process's lines, without that of a thread: it is logged when the database has answered."""
    lines = [json.loads(line) for line in output.splitlines()]
    return [line for line in lines if line["logger"] != "webapp.startup.set_up_announcement"]


def test_a_process_writes_json_lines_to_standard_error(environment: dict[str, str]) -> None:
    script = (
        "import wsgi, logging; logging.getLogger('webapp.x').info('it happened', extra={'delivery': 7});"
        "logging.getLogger('rq').info('quiet'); logging.getLogger('rq').warning('loud %s', 1)"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment, cwd=ROOT
    )

    events = [line["event"] for line in _read_lines(process.stderr)]
    assert events == ["web process started", "it happened", "loud %s"]


def test_warnings_and_the_errors_of_threads_are_json_lines_too(environment: dict[str, str]) -> None:
    script = (
        "import wsgi, threading, warnings; warnings.warn('canary'); a = threading.Thread(target=lambda: 1 / 0);"
        "a.start(); a.join()"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment, cwd=ROOT
    )

    lines = _read_lines(process.stderr)
    assert [line["logger"] for line in lines] == ["webapp.wsgi", "py.warnings", "webapp.logs"]
    assert (lines[-1]["error"], "canary" in process.stderr) == ("ZeroDivisionError", False)


@pytest.mark.parametrize("path", sorted((ROOT / "webapp").rglob("*.py")), ids=lambda path: path.stem)
def test_every_log_call_has_one_constant_message(path: Path) -> None:
    log_calls = [call for call in _list_calls(path) if _is_log_call(call) and "demo" not in path.parts]

    assert [call.lineno for call in log_calls if len(call.args) != 1 or not _is_constant(call.args[0])] == []


def _list_calls(path: Path) -> list[ast.Call]:
    """Return the calls of a module that names a log. The others are not parsed."""
    source = path.read_text()
    tree = ast.parse(source if re.search(r"\blog\b", source) else "")
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _is_log_call(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in LEVELS:
        return False
    return isinstance(call.func.value, ast.Name) and call.func.value.id == "log"


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_constant(node.body) and _is_constant(node.orelse)
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
