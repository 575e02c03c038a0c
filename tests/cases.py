"""Pytest plugin: where workers run many tests, the cases of a parametrized test without fixtures are one test.

Such a case takes microseconds. To collect a test takes longer on every worker, and to run and report it longer still.
Every case runs, whatever the ones before it did, and the failure contains each one that failed, with its values.
Without workers, as in a run of a single file, each case is a test.
"""

from collections.abc import Callable, Iterator, Sequence
from inspect import signature
from itertools import product
from reprlib import Repr
from types import FunctionType
from typing import Any

import pytest

# Fixtures that a test need not have for each of its cases.
ONCE = frozenset({"_forget_outage"})

# What a case may raise: a failure of pytest is no `Exception`. To skip one case, a test needs a fixture.
FAILURES = (Exception, pytest.fail.Exception, pytest.skip.Exception)

PARAM: Any = type(pytest.param())

Case = dict[str, Any]

_shorten = Repr()
_shorten.maxstring = _shorten.maxother = 200


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> pytest.Item | None:
    """Collect one test for all cases, or leave it to pytest."""
    if not hasattr(collector.config, "workerinput") or type(obj) is not FunctionType or not name.startswith("test_"):
        return None
    marks = getattr(obj, "pytestmark", [])
    if not _list_values_only(marks):
        return None
    cases = [_merge(rows) for rows in product(*map(_list_rows, marks))]
    if not cases or cases[0].keys() != signature(obj).parameters.keys():
        return None
    test = pytest.Function.from_parent(collector, name=name, callobj=join(obj, cases))
    return test if ONCE.issuperset(test.fixturenames) else None


def _list_values_only(marks: Sequence[pytest.Mark]) -> bool:
    """Return whether a test has marks, and all of them list values: no fixture, no marked case."""
    return bool(marks) and all(
        mark.name == "parametrize"
        and "indirect" not in mark.kwargs
        and not any(getattr(values, "marks", ()) for values in mark.args[1])
        for mark in marks
    )


def _list_rows(mark: pytest.Mark) -> Iterator[Case]:
    """Read what `pytest.mark.parametrize` has been given: a row is a value if there is one name, or else a sequence."""
    names, rows = mark.args
    is_single = isinstance(names, str) and "," not in names
    names = names.replace(",", " ").split() if isinstance(names, str) else names
    for row in rows:
        values = row.values if isinstance(row, PARAM) else (row,) if is_single else row
        yield dict(zip(names, values, strict=True))


def _merge(rows: Sequence[Case]) -> Case:
    return {name: value for row in rows for name, value in row.items()}


def join(test: Callable[..., object], cases: Sequence[Case]) -> Callable[[], None]:
    """Return a test that runs another one with each of these values."""

    def run_all() -> None:
        failed = [failure for case in cases if (failure := _run(test, case))]
        if failed:  # of many exceptions in a group, Python prints the first ones
            names = "\n".join(failure.__notes__[-1] for failure in failed)
            raise BaseExceptionGroup(f"{len(failed)} of {len(cases)} cases failed:\n{names}\n", failed)

    run_all.place_as = test  # type: ignore[attr-defined]  # where pytest says that the test is
    return run_all


def _run(test: Callable[..., object], case: Case) -> BaseException | None:
    try:
        test(**case)
    except FAILURES as failure:
        failure.add_note("Case: " + ", ".join(f"{name}={_shorten.repr(value)}" for name, value in case.items()))
        return failure
    return None
