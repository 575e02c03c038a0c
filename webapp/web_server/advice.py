"""Logs what is wrong with the set-up around a web process, each problem once, however often visitors cause it."""

import logging
from enum import StrEnum
from threading import Lock

log = logging.getLogger(__name__)


class Advice(StrEnum):
    """What to change for each problem. The value is the cause and the cure, in sentences for the log."""

    PROXY_NOT_COUNTED = (
        "Requests come through a proxy, but ALERTCHECK_TRUSTED_PROXIES is 0, so all visitors share the limits of one "
        "client, and a right password can be refused as one attempt too many. Set it to the number of proxies in front "
        "of the web server, each of which sets X-Forwarded-For; see docs/proxies.md. If there is no proxy, a visitor "
        "has made up a header, and there is nothing to fix."
    )
    NO_ADDRESS = (
        "A request came without X-Forwarded-For, which ALERTCHECK_TRUSTED_PROXIES counts on. Visitors whose requests "
        "lack it share the limits of one client. Let the proxy set X-Forwarded-For: Alertcheck reads neither Forwarded "
        "nor X-Real-IP. If a program on this machine asked the web server directly, there is nothing to fix."
    )
    TOO_FEW_ADDRESSES = (
        "X-Forwarded-For has fewer addresses than ALERTCHECK_TRUSTED_PROXIES counts, so all visitors share the limits "
        "of one client. Set it to the number of addresses that your proxies write, or let each proxy add one."
    )
    MORE_ADDRESSES = (
        "A request names more addresses than ALERTCHECK_TRUSTED_PROXIES counts, in X-Forwarded-For or in a header such "
        "as CF-Connecting-IP. If one more proxy is in front, such as Cloudflare, many visitors share the limits of one "
        "client: count it too; see docs/proxies.md. If not, a visitor or a company's proxy has added an address, which "
        "is not believed, and there is nothing to fix."
    )
    UNREADABLE_ADDRESS = (
        "X-Forwarded-For has something other than an IP address where ALERTCHECK_TRUSTED_PROXIES counts, so all such "
        "visitors share the limits of one client. Let the proxy write the visitor's IP address."
    )
    NOT_HTTPS = (
        "A request came over http, but ALERTCHECK_HTTPS is on. Browsers return the session's cookie over https only, "
        "so nobody can sign in over http. Let the proxy redirect http to https, and set X-Forwarded-Proto to the "
        "scheme that the visitor uses, not to that between two proxies."
    )
    HTTPS_OFF = (
        "People open the pages over https, but ALERTCHECK_HTTPS is off. Set it to 1, so that browsers send cookies "
        "over https only."
    )
    HOST_NOT_ALLOWED = (
        "A request was refused, because ALERTCHECK_ALLOWED_HOSTS does not contain its host name. If people open the "
        "pages under that name, add it. If they do not, let the proxy pass on the Host header. A stranger who tries "
        "the IP address is refused as well, and there is nothing to fix."
    )
    UNDER_A_PATH = (
        "A request was refused, because its proxy or server serves Alertcheck under a path. Alertcheck needs a host "
        "name of its own, such as https://alertcheck.example.com. Remove SCRIPT_NAME, X-Script-Name and "
        "X-Forwarded-Prefix from the proxy's or the server's configuration."
    )


class AdviceLog:
    """Remembers which problems this process has logged."""

    def __init__(self) -> None:
        self._logged: set[Advice] = set()
        self._lock = Lock()

    def report(self, problem: Advice, **facts: int) -> None:
        """Log a problem with facts, unless it was logged before."""
        if problem in self._logged:
            return
        with self._lock:
            is_new = problem not in self._logged
            self._logged.add(problem)
        if is_new:
            advice = {"problem": problem.name.lower(), "advice": problem.value}
            log.warning("set-up needs attention", extra={**advice, **facts})
