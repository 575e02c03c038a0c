"""The log: one line of JSON an event, and nothing in it that we did not choose."""

import ast
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT
from webapp.logs import JsonLines

SECRET = "https://hooks.example.com/canary"
GRAVITIES = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def _line(logger: str, message: str, *arguments: object, **kept: object) -> dict[str, object]:
    record = logging.LogRecord(logger, logging.WARNING, "/somewhere/file.py", 7, message, arguments, None)
    vars(record).update(kept)
    return json.loads(JsonLines().format(record))


def test_an_event_of_ours_is_one_json_line_with_its_facts() -> None:
    line = _line("webapp.deliveries.sending", "attempt ended", delivery=7, code=None, recorded=True, seconds=0.25)

    assert line.pop("at").endswith("+00:00")
    assert isinstance(line.pop("pid"), int)
    assert line == {
        "level": "warning",
        "logger": "webapp.deliveries.sending",
        "event": "attempt ended",
        "delivery": 7,
        "code": None,
        "recorded": True,
        "seconds": 0.25,
    }


def test_a_line_break_in_a_fact_does_not_break_the_line() -> None:
    record = logging.makeLogRecord({"name": "webapp.views.errors", "msg": "request failed", "rule": "/a\n/b"})

    assert "\n" not in JsonLines().format(record)


def test_what_a_library_puts_into_its_words_is_not_kept() -> None:
    line = _line("rq.worker", "could not connect: %s, retrying in %d s", SECRET, 2)

    assert (line["event"], line["where"]) == ("could not connect: %s, retrying in %d s", "file:7")
    assert SECRET not in str(line)


def test_words_that_a_library_may_have_put_together_are_not_kept() -> None:
    assert _line("urllib3", f"POST {SECRET}")["event"] == "not shown"


def test_an_exception_is_named_by_its_type_alone() -> None:
    record = logging.LogRecord("rq.worker", logging.ERROR, "f.py", 1, "job %s broke", ("x",), None)
    try:
        raise ValueError(SECRET)
    except ValueError:
        record.exc_info = sys.exc_info()

    line = JsonLines().format(record)

    assert (json.loads(line)["error"], SECRET in line) == ("ValueError", False)


def test_a_process_writes_json_lines_to_standard_error(environment: dict[str, str]) -> None:
    script = (
        "import wsgi, logging; logging.getLogger('webapp.x').info('it happened', extra={'delivery': 7});"
        "logging.getLogger('rq').info('quiet'); logging.getLogger('rq').warning('loud %s', 1)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment, cwd=ROOT
    )

    events = [json.loads(line)["event"] for line in ran.stderr.splitlines()]
    assert events == ["web process started", "it happened", "loud %s"]


@pytest.mark.parametrize("path", sorted((ROOT / "webapp").rglob("*.py")), ids=lambda path: path.stem)
def test_every_event_is_a_constant_sentence_and_its_facts_stand_beside_it(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if _logs(node) and "demo" not in path.parts]

    assert [call.lineno for call in calls if len(call.args) != 1 or not _is_constant(call.args[0])] == []


def _logs(node: ast.AST) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in GRAVITIES
    return is_call and isinstance(node.func.value, ast.Name) and node.func.value.id == "log"


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_constant(node.body) and _is_constant(node.orelse)
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
