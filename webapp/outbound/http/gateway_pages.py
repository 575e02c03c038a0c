"""Recognizes what a server in front of the receiver says in its own words, where the status alone would mislead.

Sources: nginx, Apache, Go and Tomcat for 400. Envoy (`resetReasonToString`), Varnish and Fastly, Heroku and Azure
Front Door for 503: they answer it too if the connection broke after they had passed the message on. Cloudflare for
530. For challenges, the documentation of AWS WAF ("Challenge", of which the status is 202), Cloudflare and Vercel.
"""

import re
from collections.abc import Mapping

from webapp.failures import Cause, Code

_PAGES = {
    400: {
        re.compile(
            rb"No required SSL certificate was sent|The SSL certificate error"
        ): Code.CLIENT_CERTIFICATE_REQUIRED,
        re.compile(
            rb"plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL|"
            rb"sent an HTTP request to an HTTPS server|combination of host and port requires TLS"
        ): Code.SCHEME_NOT_ALLOWED,
    },
    503: {
        # Envoy: whatever the reason is, unless there was no connection or the service refused to begin. Of several
        # attempts, it names the reason of the latest only.
        re.compile(
            rb"disconnect/reset before headers"
            rb"(?!\W{0,5}reset reason: [a-z ]{0,20}(?:connection (?:failure|timeout)|overflow|refused))"
        ): Code.GATEWAY_GAVE_UP,
        re.compile(
            rb"Backend fetch failed|backend (?:read|write) error|(?:first|between) bytes? timeout|"
            rb"herokucdn\.com/error-pages/application-error|Our services aren.{1,6}t available right now"
        ): Code.GATEWAY_GAVE_UP,
    },
    530: {
        # The origin has no address (1016), or its tunnel is down (1033).
        re.compile(rb"(?:error code: |Error |cf-error-code\">)10(?:16|33)\b"): Code.REMOTE_UNAVAILABLE,
    },
}

# The headers of firewalls that let only browsers through, which have to solve a challenge first.
_CHALLENGE_HEADERS = ("x-amzn-waf-action", "cf-mitigated", "x-vercel-mitigated")
_CHALLENGES = frozenset({"challenge", "captcha"})


def recognize_page(status: int, body: bytes) -> Code | None:
    """Return the code for a page whose words say more than its status, or None."""
    return next((code for page, code in _PAGES.get(status, {}).items() if page.search(body)), None)


def find_challenge(headers: Mapping[str, str]) -> Cause | None:
    """Return the cause if a firewall did not pass the message on, whatever status it answers with."""
    values = (headers.get(name, "").strip().lower() for name in _CHALLENGE_HEADERS)
    return Cause.BROWSER_CHALLENGE if any(value in _CHALLENGES for value in values) else None
