"""Watches the running demo: restarts a worker that ended, and reports what the end of any other process means."""

from collections.abc import Callable
from dataclasses import dataclass, field

from webapp.demo.supervisor.processes import Child
from webapp.demo.supervisor.terminal import print_line

# Seconds between the end of a worker and the start of the next one.
RESTART_DELAY = 5.0

RESTARTS_A_MINUTE = 5

CONSEQUENCES = {
    "queue server": "The queue server stopped. Tests fail at once until you restart the demo.",
    "receiver": "The receiver stopped. Tests to the demo's own addresses fail until you restart the demo.",
    "web": "The web server stopped. There are no pages until you restart the demo.",
}


@dataclass
class RestartPolicy:
    """Watches `children`, a list that `start_worker` appends to."""

    children: list[Child]
    start_worker: Callable[[], None]
    restarts: list[float] = field(default_factory=list)
    restart_at: float | None = None

    def check(self, now: float) -> None:
        """Report the processes that have ended since the last check, and start a worker that is due.

        now: monotonic seconds.
        """
        for child in [child for child in self.children if child.exit_code() is not None]:
            self.children.remove(child)
            child.kill()  # its descendants may still be running
            self._report(child, now)
        if self.restart_at is not None and now >= self.restart_at:
            self.restart_at = None
            self.restarts.append(now)
            self.start_worker()

    def _report(self, child: Child, now: float) -> None:
        print_line(child.describe_end())
        if child.name == "worker":
            self.restart_at = next_restart(self.restarts, now)
            print_line(f"The worker restarts in {self.restart_at - now:.0f} s.")
        else:
            print_line(CONSEQUENCES[child.name])


def next_restart(restarts: list[float], now: float) -> float:
    """Return when a worker that ended at `now` may start again. `restarts`: when workers were restarted before."""
    within_limit = restarts[-RESTARTS_A_MINUTE] + 60 if len(restarts) >= RESTARTS_A_MINUTE else now
    return max(now + RESTART_DELAY, within_limit)
