"""Whether the settings about the pages fit together."""

import pytest
from flask import Flask

from tests.settings.test_reading import DEMO, NEEDED
from webapp.app_state import AppState
from webapp.dashboard.poll_interval import PollBudget
from webapp.deliveries.recovery.wait_tracker import WaitTracker
from webapp.models.database_clock import DatabaseClock
from webapp.queue import connect, load_jobs
from webapp.queue.outcome_waits import OutcomeWaits
from webapp.settings import read_settings
from webapp.settings_check.finding import Finding, Severity
from webapp.settings_check.page_checks import check_page_settings

GOOD = {
    "ALERTCHECK_HTTPS": "1",
    "ALERTCHECK_ALLOWED_HOSTS": "alertcheck.example.com",
    "ALERTCHECK_PUBLIC_URL": "https://alertcheck.example.com",
    "ALERTCHECK_TRUSTED_PROXIES": "1",
}


def _check(**settings: str) -> list[Finding]:
    app_settings = read_settings(NEEDED | settings)
    app = Flask("checked")
    redis = connect(app_settings.redis_url)
    jobs = load_jobs(redis, app_settings.redis_prefix)
    clock, looks = DatabaseClock(), WaitTracker(capacity=1)
    app.extensions["alertcheck"] = AppState(
        app_settings, redis, jobs, PollBudget(), clock, looks, OutcomeWaits(redis, app_settings.redis_prefix)
    )
    with app.app_context():
        return check_page_settings()


def test_settings_that_fit_together_are_ok() -> None:
    assert _check(**GOOD) == [Finding("pages", Severity.OK, "The settings about the pages fit together.")]


@pytest.mark.parametrize(
    ("changed", "severity", "sentence"),
    [
        ({"ALERTCHECK_ALLOWED_HOSTS": "other.example.com"}, Severity.PROBLEM, "ALERTCHECK_ALLOWED_HOSTS does not list"),
        ({"ALERTCHECK_PUBLIC_URL": "http://alertcheck.example.com"}, Severity.PROBLEM, "ALERTCHECK_HTTPS is on, but"),
        ({"ALERTCHECK_HTTPS": "no"}, Severity.NOTE, "ALERTCHECK_PUBLIC_URL begins with https://, but"),
        (
            {"ALERTCHECK_TRUSTED_PROXIES": "0"},
            Severity.NOTE,
            "ALERTCHECK_HTTPS is on and ALERTCHECK_TRUSTED_PROXIES is 0",
        ),
        ({"ALERTCHECK_ALLOWED_HOSTS": ""}, Severity.NOTE, "ALERTCHECK_ALLOWED_HOSTS is not set"),
        ({"ALERTCHECK_PUBLIC_URL": ""}, Severity.NOTE, "ALERTCHECK_PUBLIC_URL is not set"),
        (
            {"ALERTCHECK_PUBLIC_URL": "https://127.0.0.1:8000"},
            Severity.NOTE,
            "ALERTCHECK_PUBLIC_URL leads to this machine",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_named(
    changed: dict[str, str], severity: Severity, sentence: str
) -> None:
    (finding,) = _check(**GOOD | changed)

    assert (finding.part, finding.severity) == ("pages", severity)
    assert finding.text.startswith(sentence)


def test_the_demo_is_not_checked() -> None:
    assert [finding.severity for finding in _check(**DEMO)] == [Severity.NOTE]
