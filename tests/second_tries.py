"""Pytest plugin: runs a few tests that failed beside others once more, one at a time.

Many tests have time limits, which a busy machine can exceed. A test that fails alone too fails the run. The output
ends with the list of those that were tried again.
"""

import subprocess
import sys
from pathlib import Path

import pytest

# More failures than this count as the fault of the change. The limit is a guess: of 24,000 tests on two cores that also
# did other work, 8 failed in one run, most of them by the load. Raising it lets a change that fails now and then pass
# more often, so whoever reads the list should mend what appears in it twice.
MAX_FAILED = 15
# Seconds for all of them.
TIME_LIMIT = 30 * 60


class SecondTries:
    """Collects the tests that fail in a run, and tries them again at its end."""

    def __init__(self) -> None:
        self._failed: dict[str, None] = {}
        self._report = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a test whose setup, call or teardown failed."""
        if report.failed:
            self._failed[report.nodeid] = None

    @pytest.hookimpl(trylast=True)  # after the workers have ended
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Let a run on several workers pass if every failed test passes alone."""
        if not session.config.pluginmanager.has_plugin("dsession"):
            return
        if exitstatus != pytest.ExitCode.TESTS_FAILED or not 0 < len(self._failed) <= MAX_FAILED:
            return
        names = list(self._failed)
        print(f"\n\nTrying again alone what failed beside other tests: {', '.join(names)}", flush=True)
        has_passed = _pass_alone(names, session.config.rootpath)
        if has_passed:
            session.exitstatus = pytest.ExitCode.OK
        end = "All passed. They are sensitive to the load of the machine." if has_passed else "Not all passed."
        self._report = "\n".join(["Failed beside other tests, so tried again alone:", *names, end])

    def pytest_unconfigure(self) -> None:
        """Print the list below everything else, where the end of a log shows it."""
        if self._report:
            print(f"\n{self._report}", flush=True)


def _pass_alone(names: list[str], folder: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-n", "0", *names]
    try:
        return subprocess.run(command, cwd=folder, timeout=TIME_LIMIT).returncode == pytest.ExitCode.OK
    except subprocess.TimeoutExpired:
        return False
