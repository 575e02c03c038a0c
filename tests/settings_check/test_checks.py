"""All checks: run at once, in a limited time, whatever one of them does."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Barrier, Event

import pytest
from flask import Flask, current_app

from webapp.settings_check.checks import CHECKS, check_settings
from webapp.settings_check.finding import Check, Finding, Severity


def _run(checks: Mapping[str, Check], limit: float = 60.0) -> list[Finding]:
    return list(check_settings(Flask("checked"), checks, limit))


def _find(part: str) -> Check:
    return lambda: [Finding(part, Severity.OK, f"{part} works.")]


def _fail() -> Sequence[Finding]:
    raise ConnectionError("canary")


@contextmanager
def _hanging() -> Iterator[Check]:
    """Provide a check that ends only after the `with`."""
    over = Event()

    def hang() -> Sequence[Finding]:
        over.wait(60)
        return []

    try:
        yield hang
    finally:
        over.set()


def test_findings_come_in_the_order_of_the_checks() -> None:
    assert [finding.part for finding in _run({part: _find(part) for part in "cab"})] == ["c", "a", "b"]


def test_a_check_that_fails_is_a_problem_without_its_text_and_the_others_run() -> None:
    found = _run({"bad": _fail, "good": _find("good")})

    assert found[0] == Finding("bad", Severity.PROBLEM, "The check failed (ConnectionError).")
    assert found[1].part == "good"


def test_a_check_that_hangs_is_a_problem_and_the_others_are_shown() -> None:
    with _hanging() as hang:
        started = time.monotonic()
        found = _run({"database": hang, "second": hang, "third": _find("third")}, limit=0.5)
        seconds = time.monotonic() - started

    assert found[:2] == [
        Finding("database", Severity.PROBLEM, "It did not respond within 0.5 s. Check DATABASE_URL."),
        Finding("second", Severity.PROBLEM, "It did not respond within 0.5 s."),
    ]
    assert seconds < 30


@pytest.mark.slow
def test_a_check_that_ended_in_time_counts_although_another_one_used_up_the_time() -> None:
    with _hanging() as hang:
        found = _run({"first": hang, "second": _find("second")}, limit=2.0)

    assert found[1] == Finding("second", Severity.OK, "second works.")


def test_the_checks_run_at_once_each_with_the_application() -> None:
    together = Barrier(3)

    def meet() -> Sequence[Finding]:
        together.wait(60)
        return [Finding(current_app.name, Severity.OK, "It met the others.")]

    assert [finding.part for finding in _run({"a": meet, "b": meet, "c": meet})] == ["checked"] * 3


@pytest.mark.parametrize("part", ["database", "queue", "worker", "mail", "dns", "proxy", "pages"])
def test_every_part_is_checked(part: str) -> None:
    assert part in CHECKS
