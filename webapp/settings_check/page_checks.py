"""Checks whether the settings about the pages fit together."""

from collections.abc import Iterator

from webapp.app_state import current_settings
from webapp.outbound.policy.urls import read_url
from webapp.settings import AppSettings
from webapp.settings_check.finding import Finding, Severity

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - recognized, not bound


def check_page_settings() -> list[Finding]:
    """Compare ALERTCHECK_PUBLIC_URL, _HTTPS, _ALLOWED_HOSTS and _TRUSTED_PROXIES with each other."""
    app_settings = current_settings()
    if app_settings.demo and not app_settings.is_public_demo:
        return [Finding("pages", Severity.NOTE, "Not checked: the demo responds to this machine only.")]
    found = [*_check_public_url(app_settings), *_check_access(app_settings)]
    return found or [Finding("pages", Severity.OK, "The settings about the pages fit together.")]


def _check_public_url(app_settings: AppSettings) -> Iterator[Finding]:
    url = app_settings.links.public_url
    if url is None:
        yield _note("ALERTCHECK_PUBLIC_URL is not set, so test messages have no “I see it” link.")
        return
    target = read_url(url)
    if app_settings.hosts and target.host not in app_settings.hosts:
        yield _problem("ALERTCHECK_ALLOWED_HOSTS does not list the host of ALERTCHECK_PUBLIC_URL: add it.")
    if target.scheme == "http" and app_settings.https:
        yield _problem(
            "ALERTCHECK_HTTPS is on, but ALERTCHECK_PUBLIC_URL begins with http://: nobody can sign in there. Write "
            "https://, or turn ALERTCHECK_HTTPS off."
        )
    if target.scheme == "https" and not app_settings.https:
        yield _note("ALERTCHECK_PUBLIC_URL begins with https://, but ALERTCHECK_HTTPS is off. Set it to 1.")
    if target.host in _THIS_MACHINE:
        yield _note("ALERTCHECK_PUBLIC_URL leads to this machine, so its links work nowhere else.")


def _check_access(app_settings: AppSettings) -> Iterator[Finding]:
    if not app_settings.hosts:
        yield _note("ALERTCHECK_ALLOWED_HOSTS is not set, so the pages respond to any host name. List their own.")
    if app_settings.https and not app_settings.proxies:
        yield _note(
            "ALERTCHECK_HTTPS is on and ALERTCHECK_TRUSTED_PROXIES is 0. If a proxy terminates https, set it to 1: "
            "otherwise all visitors share the limits of one."
        )


def _note(text: str) -> Finding:
    return Finding("pages", Severity.NOTE, text)


def _problem(text: str) -> Finding:
    return Finding("pages", Severity.PROBLEM, text)
