"""Shows that a worker works, or why it does not."""

import os
import socket
from contextlib import suppress

from flask import Flask

from webapp.database.outages import Reason
from webapp.queue import QueueUnavailable, WorkerFault, record_fault, record_heartbeat


def report_heartbeat(
    app: Flask, fault: WorkerFault | Reason | None, has_working_child: bool, database_mark: str
) -> None:
    """Record a heartbeat if the worker does its work, or else why not."""
    with app.app_context(), suppress(QueueUnavailable):
        if fault is not None:
            record_fault(fault)
        elif not has_working_child:
            record_fault(WorkerFault.PROCESSES)
        else:
            record_heartbeat(f"{socket.gethostname()}:{os.getpid()}", database_mark)
