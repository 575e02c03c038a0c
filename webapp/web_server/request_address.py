"""Checks under which address a request arrives: a host name of the installation, and not under a path."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Request
from werkzeug.exceptions import BadHost, SecurityError
from werkzeug.routing import MapAdapter
from werkzeug.wsgi import get_host

from webapp.settings.allowed_hosts import AllowedHosts
from webapp.web_server.advice import Advice, AdviceLog

# Kubernetes, load balancers and Prometheus ask for them by IP address.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

# WSGI names in which a proxy or a server states the path under which it serves the application.
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


class CheckedFlask(Flask):
    """Flask, which checks the address of every request except those for `open_paths`, and has no coroutines.

    Flask's own TRUSTED_HOSTS compares capital letters, cannot contain an IPv6 address, and has no exceptions.
    """

    allowed_hosts = AllowedHosts(frozenset())
    open_paths: frozenset[str] = PROBES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.advice = AdviceLog()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function unchanged: none is a coroutine, and Flask would check each at each request."""
        return func

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
        if not self.allowed_hosts.include(get_host(request.environ)):
            self.advice.report(Advice.HOST_NOT_ALLOWED)
            raise HostNotAllowed
        if is_under_path(request.environ):
            self.advice.report(Advice.UNDER_A_PATH)
            raise ServedUnderPath


def is_under_path(environ: Mapping[str, Any]) -> bool:
    """Return whether a request, given as its WSGI environment, comes from a server of more than this application."""
    return any(environ.get(name, "").strip(" ,/") for name in _PATH_VARIABLES)
