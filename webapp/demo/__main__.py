"""`make run`: starts the whole demo, says when it is ready, looks after it, and stops all of it on Ctrl-C."""

import os
import sys
import time

from webapp.demo.supervisor.options import CannotRun, DemoOptions, check_port, claim_data, read_options
from webapp.demo.supervisor.restart_policy import RestartPolicy
from webapp.demo.supervisor.shutdown_request import ShutdownRequest, ShutdownRequested
from webapp.demo.supervisor.stack import Stack
from webapp.demo.supervisor.terminal import say


def main() -> int:
    """Run the demo until somebody stops it. Returns the exit code: 1 if it could not run."""
    os.umask(0o077)  # what it keeps is for its owner alone
    shutdown_request = ShutdownRequest()
    shutdown_request.listen()
    try:
        options = read_options(os.environ)
        with claim_data(options):
            check_port(options.port)
            run(options, shutdown_request)
    except (CannotRun, OSError) as error:
        say(f"Cannot run: {error}")
        return 1
    return 0


def run(options: DemoOptions, shutdown_request: ShutdownRequest) -> None:
    """Start, watch and stop. Raises `CannotRun`."""
    say(f"Alertcheck demo; everything it keeps is in {options.data}")
    stack = Stack(options, shutdown_request)
    try:
        stack.start()
        say(f"Ready: {options.address}")
        say("Ctrl-C stops everything.")
        watch_over(stack)
    except ShutdownRequested:
        say("Stopping ... (a message that is being sent is let finish; Ctrl-C again does not wait)")
    finally:
        stack.stop()
        say("Stopped.")


def watch_over(stack: Stack) -> None:
    """Look after the processes until `ShutdownRequested`."""
    watch = RestartPolicy(stack.children, stack.start_worker)
    while True:
        stack.shutdown_request.pause(0.5)
        watch.look(time.monotonic())


if __name__ == "__main__":
    sys.exit(main())
