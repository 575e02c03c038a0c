"""Logs what is wrong with the set-up around a web process, each problem once, however often visitors cause it."""

import logging
from enum import StrEnum
from threading import Lock

log = logging.getLogger(__name__)


class Problem(StrEnum):
    """The problems. The value is the cause and the cure, in sentences for the log."""

    HOST_NOT_ALLOWED = (
        "A request was refused, because ALERTCHECK_ALLOWED_HOSTS does not contain its host name. If people open the "
        "pages under that name, add it. If they do not, let the proxy pass on the Host header. A stranger who tries "
        "the IP address is refused as well, and needs no cure."
    )
    UNDER_A_PATH = (
        "A request was refused, because its proxy or server serves Alertcheck under a path. Alertcheck needs a host "
        "name of its own, such as https://alertcheck.example.com. Remove SCRIPT_NAME, X-Script-Name and "
        "X-Forwarded-Prefix from the proxy's or the server's configuration."
    )


class AdviceLog:
    """Remembers which problems this process has logged."""

    def __init__(self) -> None:
        self._logged: set[Problem] = set()
        self._lock = Lock()

    def report(self, problem: Problem) -> None:
        """Log a problem, unless it was logged before."""
        if problem in self._logged:
            return
        with self._lock:
            is_new = problem not in self._logged
            self._logged.add(problem)
        if is_new:
            log.warning("set-up needs attention", extra={"problem": problem.name.lower(), "advice": problem.value})
