"""`make run`: starts the whole demo, says when it is ready, looks after it, and stops all of it on Ctrl-C."""

import os
import sys
import time

from webapp.demo.supervisor.options import CannotRun, Settings, check_port, claim_data, read_settings
from webapp.demo.supervisor.restart_policy import Watch
from webapp.demo.supervisor.shutdown_request import Interrupted, Interruption
from webapp.demo.supervisor.stack import Stack
from webapp.demo.supervisor.terminal import say


def main() -> int:
    """Run the demo until somebody stops it. Returns the exit code: 1 if it could not run."""
    os.umask(0o077)  # what it keeps is for its owner alone
    interruption = Interruption()
    interruption.listen()
    try:
        settings = read_settings(os.environ)
        with claim_data(settings):
            check_port(settings.port)
            run(settings, interruption)
    except (CannotRun, OSError) as error:
        say(f"Cannot run: {error}")
        return 1
    return 0


def run(settings: Settings, interruption: Interruption) -> None:
    """Start, watch and stop. Raises `CannotRun`."""
    say(f"Alertcheck demo; everything it keeps is in {settings.data}")
    stack = Stack(settings, interruption)
    try:
        stack.start()
        say(f"Ready: {settings.address}")
        say("Ctrl-C stops everything.")
        watch_over(stack)
    except Interrupted:
        say("Stopping ... (a message that is being sent is let finish; Ctrl-C again does not wait)")
    finally:
        stack.stop()
        say("Stopped.")


def watch_over(stack: Stack) -> None:
    """Look after the processes until `Interrupted`."""
    watch = Watch(stack.children, stack.start_worker)
    while True:
        stack.interruption.pause(0.5)
        watch.look(time.monotonic())


if __name__ == "__main__":
    sys.exit(main())
