"""Pytest plugin: runs a few tests that failed beside others once more, one at a time.

Many tests have time limits, which a busy machine can exceed. A test that fails alone too fails the run. The output
lists those that passed alone.
"""

import subprocess
import sys

import pytest

# With more failures than this, the machine is not the cause.
MAX_FAILED = 5
TIME_LIMIT = 15 * 60


class SecondTries:
    """Collects the tests that fail in a run, and tries them again at its end."""

    def __init__(self) -> None:
        self._failed: dict[str, None] = {}

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
        print(f"\n\nFailed beside other tests, so tried again alone: {', '.join(names)}", flush=True)
        again = subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "0", *names], cwd=session.config.rootpath, timeout=TIME_LIMIT
        )
        if again.returncode == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.OK
            print("All passed alone. They are sensitive to the load of the machine.", flush=True)
