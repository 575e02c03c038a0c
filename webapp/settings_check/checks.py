"""Tries everything that the settings name, all at once and in a limited time."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from threading import Thread
from time import monotonic

from flask import Flask

from webapp.settings_check.finding import Check, Finding, Severity
from webapp.settings_check.key_checks import check_keys
from webapp.settings_check.network_checks import check_dns, check_egress_proxy, check_mail
from webapp.settings_check.page_checks import check_page_settings
from webapp.settings_check.ping_checks import check_ping
from webapp.settings_check.private_receiver_checks import check_private_receivers
from webapp.settings_check.search_checks import check_search
from webapp.settings_check.server_checks import check_database_server, check_queue_server, check_workers
from webapp.settings_check.sign_in_checks import check_sign_in

# Seconds for all checks together. Each part has shorter limits of its own, except for a server that is frozen.
TIME_LIMIT = 15.0

CHECKS: Mapping[str, Check] = {
    "database": check_database_server,
    "queue": check_queue_server,
    "worker": check_workers,
    "keys": check_keys,
    "search": check_search,
    "mail": check_mail,
    "dns": check_dns,
    "proxy": check_egress_proxy,
    "private": check_private_receivers,
    "ping": check_ping,
    "pages": check_page_settings,
    "sign-in": check_sign_in,
}

# The setting of each part that may be frozen.
_VARIABLES = {
    "database": "DATABASE_URL",
    "queue": "REDIS_URL",
    "mail": "ALERTCHECK_MAIL_URL",
    "proxy": "ALERTCHECK_EGRESS_PROXY",
    "private": "ALERTCHECK_ALLOWED_NETWORKS",
    "sign-in": "OIDC_ISSUER",
}


def check_settings(app: Flask, checks: Mapping[str, Check] = CHECKS, limit: float = TIME_LIMIT) -> Iterator[Finding]:
    """Run all checks, whatever one of them finds, and return the findings in their order."""
    ends_at = monotonic() + limit
    running = {part: _start(app, check) for part, check in checks.items()}
    for part, findings in running.items():
        try:
            yield from findings.result(max(0.0, ends_at - monotonic()))
        except TimeoutError:
            yield Finding(part, Severity.PROBLEM, f"It did not respond within {limit:g} s.{_name_setting(part)}")
        except Exception as error:  # its text may quote a secret
            yield Finding(part, Severity.PROBLEM, f"The check failed ({type(error).__name__}).")


def _name_setting(part: str) -> str:
    return f" Check {_VARIABLES[part]}." if part in _VARIABLES else ""


def _start(app: Flask, check: Check) -> Future[Sequence[Finding]]:
    """Run a check in a thread that does not keep the process from ending."""
    findings: Future[Sequence[Finding]] = Future()
    Thread(target=_run, args=(app, check, findings), daemon=True).start()
    return findings


def _run(app: Flask, check: Check, findings: Future[Sequence[Finding]]) -> None:
    try:
        with app.app_context():
            found = check()
    except BaseException as error:
        findings.set_exception(error)
    else:
        findings.set_result(found)
