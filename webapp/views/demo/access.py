"""Keeps strangers out of the demo, which has no passwords: it accepts direct requests from its own machine only.

A proxy on this machine would let everyone in who reaches the proxy. One that adds no header, speaks HTTP/1.1 and sends
our own name as the host can be recognized by what browsers send, but not if the visitor forges that too.
"""

import logging
import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, render_template, request

from webapp.app_state import current_settings
from webapp.web_server.request_address import HostNotAllowed

log = logging.getLogger(__name__)

# Responds through a proxy too: it tells nobody anything.
_OPEN_ENDPOINT = "health.show_liveness"

# Headers by which proxies, load balancers, content delivery networks and tunnels tell whose request they pass on, as
# names of the WSGI environment. Browsers and command-line clients send none of them.
_FORWARDING_HEADER = re.compile(
    r"""HTTP_(?:
        VIA | .*FORWARD.* | .*PROX(?:Y|IED).* | .*(?:_|CLIENT|REAL|CONNECTING|REMOTE)IP | IP | .*IP_?ADDR(?:ESS)?
        | .*(?:CLIENT|REMOTE|PEER|EXTERNAL)_?(?:ADDR(?:ESS)?|HOST) | X_ORIGINAL_.* | X_HOST | X_(?:URL_)?SCHEME
        | X_REWRITE_.* | X_SSL.* | FRONT_END_.*
        | X_(?:AMZN?|AZURE|ARR|ENVOY|VERCEL|VARNISH|APPENGINE|CLOUD_TRACE|REPLIT)(?:_.*)?
        | (?:CF|CDN|CLOUDFRONT|FASTLY|FLY|AKAMAI|TAILSCALE|NGROK|INCAP|RENDER|DO|TRUE)_.*
    )""",
    re.VERBOSE,
)
_OLD_PROTOCOLS = ("HTTP/0.9", "HTTP/1.0")


class RefusalReason(StrEnum):
    """Why a request was refused, as a sentence for the page."""

    FORWARDED = "This request came through a proxy: it has a header that proxies add."
    OLD_PROTOCOL = "This request uses HTTP/1.0, as proxies do by default."
    OTHER_MACHINE = "This request came from another machine."
    OTHER_NAME = "This request is for a name other than 127.0.0.1 or localhost."
    OTHER_ORIGIN = "The browser shows an address other than the one that this request is for, as behind a proxy."


def init_demo_access(app: Flask) -> None:
    """Check every request before anything else, such as a rate limit or a session, handles it."""
    app.before_request_funcs.setdefault(None, []).insert(0, _refuse_indirect_request)


def find_reason(environ: Mapping[str, Any]) -> RefusalReason | None:
    """Return why a request, given as its WSGI environment, may not come directly from this machine, or None."""
    if any(map(_FORWARDING_HEADER.fullmatch, environ)):
        return RefusalReason.FORWARDED
    if environ.get("SERVER_PROTOCOL", "") in _OLD_PROTOCOLS:
        return RefusalReason.OLD_PROTOCOL
    if not _is_loopback(environ.get("REMOTE_ADDR", "")):
        return RefusalReason.OTHER_MACHINE
    return RefusalReason.OTHER_ORIGIN if _is_from_other_origin(environ) else None


def _refuse_indirect_request() -> tuple[str, int] | None:
    reason = None if request.endpoint == _OPEN_ENDPOINT else find_reason(request.environ) or _check_host()
    if reason is None:
        return None
    log.warning("demo request refused", extra={"reason": reason.name})
    address = current_settings().links.public_url
    return render_template("demo_refused.html", reason=reason, address=address), 403


def _check_host() -> RefusalReason | None:
    return RefusalReason.OTHER_NAME if isinstance(request.routing_exception, HostNotAllowed) else None


def _is_loopback(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:  # such as the peer of a Unix socket, which only proxies use
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _is_from_other_origin(environ: Mapping[str, Any]) -> bool:
    """Compare the page that the browser shows with the host of the request. A proxy may have replaced the host."""
    pages = [environ.get("HTTP_ORIGIN", "null")]
    if environ.get("HTTP_SEC_FETCH_SITE") == "same-origin":
        pages.append(environ.get("HTTP_REFERER", "null"))
    return any(page != "null" and _read_host(page) != environ.get("HTTP_HOST") for page in pages)


def _read_host(url: str) -> str | None:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return None
