"""Looks after the running demo: starts a lost worker again, and says what any other loss means."""

from collections.abc import Callable
from dataclasses import dataclass, field

from webapp.demo.supervisor.processes import Child
from webapp.demo.supervisor.terminal import say

RESTART_DELAY = 5.0
"""Seconds between the end of a worker and the next one's start."""

RESTARTS_A_MINUTE = 5

MEANING = {
    "queue server": "Presses will say so, and nothing is sent until you stop this and start it again.",
    "receiver": "Sends to the demo's own addresses will fail until you stop this and start it again.",
    "web": "There are no pages until you stop this and start it again.",
}


@dataclass
class RestartPolicy:
    """Watches `children`, a list that `start_worker` adds to."""

    children: list[Child]
    start_worker: Callable[[], None]
    restarts: list[float] = field(default_factory=list)
    restart_at: float | None = None

    def look(self, now: float) -> None:
        """Deal with whatever has ended since the last look. `now` is monotonic seconds."""
        for child in [child for child in self.children if child.exit_code() is not None]:
            self.children.remove(child)
            child.kill()  # what it left running
            self._report(child, now)
        if self.restart_at is not None and now >= self.restart_at:
            self.restart_at = None
            self.restarts.append(now)
            self.start_worker()

    def _report(self, child: Child, now: float) -> None:
        say(child.describe_end())
        if child.name == "worker":
            self.restart_at = next_restart(self.restarts, now)
            say(f"The worker is started again in {self.restart_at - now:.0f} s.")
        else:
            say(f"{child.name} stopped. {MEANING[child.name]}")


def next_restart(restarts: list[float], now: float) -> float:
    """Return when a worker that ended `now` may start again, given when workers were started again before."""
    crowded = restarts[-RESTARTS_A_MINUTE] + 60 if len(restarts) >= RESTARTS_A_MINUTE else now
    return max(now + RESTART_DELAY, crowded)
