"""Checks under which address a request arrives: a host name of the installation, and not under a path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any

from flask import Flask, Request
from werkzeug.exceptions import BadHost, SecurityError
from werkzeug.routing import MapAdapter
from werkzeug.wsgi import get_host

from webapp.web_server.advice import AdviceLog, Problem

# Kubernetes, load balancers and Prometheus ask for them by IP address.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

# In which a proxy or a server tells under which path it serves the application, as names of the WSGI environment.
_PATH_VARIABLES = ("SCRIPT_NAME", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_SCRIPT_NAME")


class HostNotAllowed(SecurityError):
    """The installation does not respond to this host name."""

    description = (
        "These pages do not respond to the host name of this request. Tell your Alertcheck administrator to add it to "
        "ALERTCHECK_ALLOWED_HOSTS, or to let the proxy pass on the Host header."
    )


class ServedUnderPath(SecurityError):
    """The pages are served under a path, where their links lead elsewhere."""

    description = (
        "Alertcheck cannot be served under a path. Tell your Alertcheck administrator to give it a host name of its "
        "own, such as https://alertcheck.example.com."
    )


@dataclass(frozen=True)
class HostNames:
    """The host names to which pages respond. names: empty for any name. suffixes: what allowed names may end with."""

    names: frozenset[str]
    suffixes: tuple[str, ...]

    @classmethod
    def of(cls, entries: Iterable[str]) -> "HostNames":
        """Make them from the entries of a setting. A port is ignored. A dot in front allows every subdomain too."""
        normalized = [(entry.startswith("."), _normalize_entry(entry.removeprefix("."))) for entry in entries]
        return cls(frozenset(name for _, name in normalized), tuple(f".{name}" for dot, name in normalized if dot))

    def include(self, host: str) -> bool:
        """Return whether a request's host, which may have a port, is one of them."""
        if not self.names:
            return True
        name = _normalize(host)
        return name in self.names or name.endswith(self.suffixes)


class CheckedFlask(Flask):
    """Flask, which checks the address of every request except those for `open_paths`.

    Flask's own TRUSTED_HOSTS compares capital letters, cannot contain an IPv6 address, and has no exceptions.
    """

    host_names = HostNames(frozenset(), ())
    open_paths: frozenset[str] = PROBES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.advice = AdviceLog()

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what Flask returns. Raises `SecurityError` for a request to another address."""
        if request is None:
            return super().create_url_adapter(None)
        if request.environ.get("PATH_INFO") in self.open_paths:
            request.environ["HTTP_HOST"] = "localhost"  # whatever it was: it need not even be a host
        else:
            self._check_address(request)
        try:
            return super().create_url_adapter(request)
        except BadHost:  # the error page of any other exception contains links, which need a host
            raise HostNotAllowed from None

    def _check_address(self, request: Request) -> None:
        if not self.host_names.include(get_host(request.environ)):
            self.advice.report(Problem.HOST_NOT_ALLOWED)
            raise HostNotAllowed
        if is_under_path(request.environ):
            self.advice.report(Problem.UNDER_A_PATH)
            raise ServedUnderPath


def is_under_path(environ: Mapping[str, Any]) -> bool:
    """Return whether a request, given as its WSGI environment, comes from a server of more than this application."""
    return any(environ.get(name, "").strip(" ,/") for name in _PATH_VARIABLES)


def _normalize(host: str) -> str:
    if host.startswith("["):
        return _normalize_ipv6(host[1:].partition("]")[0])
    return host.partition(":")[0].rstrip(".").lower()


def _normalize_entry(entry: str) -> str:
    if entry.count(":") > 1 and not entry.startswith("["):
        return _normalize_ipv6(entry)
    name = _normalize(entry)
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def _normalize_ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        return text
