"""Runs the demo for `make run`: starts its processes, supervises them, and stops them on Ctrl-C."""

import os
import sys
import time

from webapp.demo.supervisor.options import CannotRun, DemoOptions, check_port, claim_data, read_options
from webapp.demo.supervisor.restart_policy import RestartPolicy
from webapp.demo.supervisor.shutdown_request import ShutdownRequest, ShutdownRequested
from webapp.demo.supervisor.stack import Stack
from webapp.demo.supervisor.terminal import print_line


def main() -> int:
    """Run the demo until it is stopped. Returns the exit code: 1 if it cannot run."""
    os.umask(0o077)  # only the owner may read the demo's files
    shutdown_request = ShutdownRequest()
    shutdown_request.listen()
    try:
        options = read_options(os.environ)
        with claim_data(options):
            check_port(options.port)
            run(options, shutdown_request)
    except (CannotRun, OSError) as error:
        print_line(f"Cannot run the demo: {error}")
        return 1
    return 0


def run(options: DemoOptions, shutdown_request: ShutdownRequest) -> None:
    """Start, supervise and stop the demo. Raises `CannotRun`."""
    print_line(f"Alertcheck demo. All its data is in {options.data}")
    stack = Stack(options, shutdown_request)
    try:
        stack.start()
        print_line(f"Ready: {options.address}")
        if options.public_url:
            print_line(f"The proxy passes requests on to http://127.0.0.1:{options.port}, where nothing else responds.")
        print_line("Press Ctrl-C to stop everything.")
        supervise(stack)
    except ShutdownRequested:
        print_line("Stopping after running deliveries have finished. Press Ctrl-C again to stop at once.")
    finally:
        stack.stop()
        print_line("Stopped.")


def supervise(stack: Stack) -> None:
    """Watch the processes until `ShutdownRequested` is raised."""
    restart_policy = RestartPolicy(stack.children, stack.start_worker)
    while True:
        stack.shutdown_request.pause(0.5)
        restart_policy.check(time.monotonic())


if __name__ == "__main__":
    sys.exit(main())
