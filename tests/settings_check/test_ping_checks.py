"""The address of the administrator's monitoring: what no worker could request is named before anybody relies on it."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network

import pytest
from flask import Flask

from webapp.app_state import app_state
from webapp.settings.private_receivers import EVERY_WORKSPACE, PrivateReceivers
from webapp.settings_check.checks import CHECKS
from webapp.settings_check.finding import Finding, Severity
from webapp.settings_check.ping_checks import check_ping

PRIVATE = (ip_network("10.0.0.0/8"),)


def _check(app: Flask, url: str | None, opened_for: str = "harbor") -> Sequence[Finding]:
    state = app_state(app)
    private_receivers = PrivateReceivers({opened_for: PRIVATE})
    state.settings = replace(state.settings, ping_url=url, private_receivers=private_receivers)
    with app.app_context():
        return check_ping()


def test_without_an_address_nothing_is_said(app: Flask) -> None:
    assert CHECKS["ping"] is check_ping
    assert _check(app, None) == []


@pytest.mark.parametrize("url", ["https://monitoring.example.com/ping/canary", "http://10.1.2.3/ping/canary"])
def test_an_address_that_a_worker_may_request_is_ok(app: Flask, url: str) -> None:
    (finding,) = _check(app, url, EVERY_WORKSPACE)

    assert finding.severity is Severity.OK


@pytest.mark.parametrize(
    "url",
    [
        "http://monitoring.example.com/canary",
        "https://monitoring.example.com:8443/canary",
        "https://127.0.0.1/canary",
        "http://10.1.2.3/canary",  # open to one workspace only
    ],
)
def test_an_address_that_a_worker_may_not_request_is_a_problem_that_does_not_quote_it(app: Flask, url: str) -> None:
    (finding,) = _check(app, url)

    assert finding.severity is Severity.PROBLEM
    assert finding.text.startswith("Nothing can be requested there. ")
    assert "ALERTCHECK_PING_URL" in finding.text
    assert "canary" not in finding.text
