"""Commands without the settings that they need, run in this process: `test_package.py` runs them as installed."""

import sys
from collections.abc import Callable

import pytest

from webapp.__main__ import main

NEEDED = ("SECRET_KEY", "ALERTCHECK_CONFIG_KEYS", "DATABASE_URL", "REDIS_URL")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Run `alertcheck` without settings. Returns its exit code."""
    monkeypatch.setattr("webapp.__main__.init_logs", lambda: None)
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")  # Flask sets it too, and would leave it behind
    for name in NEEDED:
        monkeypatch.setenv(name, "")

    def run(*words: str) -> object:
        monkeypatch.setattr(sys, "argv", ["alertcheck", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    return run


@pytest.mark.parametrize("command", [("check-worker",), ("worker",), ("db", "upgrade"), ("list-workspaces",)])
def test_a_missing_setting_is_reported(
    run: Callable[..., object], capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert run(*command) == 1

    first, *sentences = capsys.readouterr().err.splitlines()
    assert first == "Alertcheck cannot start:"
    assert [sentence.split(" ", 1)[0] for sentence in sentences] == list(NEEDED)


def test_help_needs_no_settings(run: Callable[..., object], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0

    assert {"worker", "add-workspace", "db", "version"} <= set(capsys.readouterr().out.split())
