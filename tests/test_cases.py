"""On a worker, the cases of a test without fixtures are one test, which runs and names each of them."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.installation.processes import ROOT
from tests.cases import join

TESTS = """
import pytest
from flask import g  # outside a request, every look at it raises

even = pytest.mark.parametrize("number", [2, 3, 4, 5])

@even
def test_plain(number):
    assert number % 2 == 0

@even
@pytest.mark.parametrize(("letter", "other"), [("a", "b"), pytest.param("c", "c", id="same")])
def test_product(number, letter, other):
    assert letter != other

@even
def test_with_a_fixture(number, tmp_path):
    pass

@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_with_a_marked_case(number):
    pass

@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.slow
def test_with_a_mark(number):
    pass

@pytest.mark.parametrize("tmp_path", [1, 2], indirect=True)
def test_of_a_fixture(tmp_path):
    pass
"""


def _check_even(number: int) -> None:
    assert number % 2 == 0, "it is odd"


def _expect_a_refusal(number: int) -> None:
    with pytest.raises(ZeroDivisionError):
        1 // number


def _skip_all(number: int) -> None:
    pytest.skip(f"no {number}")


@pytest.mark.parametrize("test", [_check_even, _expect_a_refusal, _skip_all])
def test_every_case_that_does_not_pass_is_named(test: Callable[[int], None]) -> None:
    cases = [{"number": number} for number in range(1, 41, 2)]

    with pytest.raises(BaseExceptionGroup) as caught:
        join(test, cases)()

    names = [f"Case: number={number}" for number in range(1, 41, 2)]
    assert caught.value.message.splitlines() == ["20 of 20 cases failed:", *names]
    assert [failure.__notes__ for failure in caught.value.exceptions] == [[name] for name in names]


def test_a_case_that_passes_is_not_named() -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        join(_check_even, [{"number": 2}, {"number": 3}, {"number": 4}])()

    assert caught.value.message.splitlines() == ["1 of 3 cases failed:", "Case: number=3"]


def test_nothing_is_raised_if_all_cases_pass() -> None:
    join(_check_even, [{"number": 2}, {"number": 4}])()


@pytest.mark.slow
def test_the_cases_of_a_test_without_fixtures_and_other_marks_are_one_test(tmp_path: Path) -> None:
    (tmp_path / "test_numbers.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\naddopts = --tb=no -p no:cacheprovider\n")
    command = [sys.executable, "-m", "pytest", "-n", "1", "-p", "tests.cases", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "PYTEST_ADDOPTS": ""}

    printed = subprocess.run(command, env=environment, capture_output=True, text=True).stdout

    assert re.findall(r"^FAILED \S+::(\S+) - ExceptionGroup: (\d of \d)", printed, re.M) == [
        ("test_plain", "2 of 4"),
        ("test_product", "4 of 8"),
    ]
    assert "2 failed, 10 passed" in printed
