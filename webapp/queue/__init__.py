"""The queue server: its connection, jobs and heartbeats, and why it cannot be used."""

from webapp.queue.connection import connect, limiter_options
from webapp.queue.enqueueing import BATCH_SIZE, enqueue_account_mails, enqueue_deliveries, load_jobs
from webapp.queue.heartbeats import (
    HEARTBEAT_TTL,
    NO_WORKER,
    OTHER_DATABASE,
    Worker,
    WorkerFault,
    count_workers,
    find_fault,
    is_worker_alive,
    list_database_marks,
    list_workers,
    record_fault,
    record_heartbeat,
)
from webapp.queue.outage_classification import classify
from webapp.queue.outage_reasons import QueueOutage, QueueUnavailable
from webapp.queue.readiness import find_outage

__all__ = [
    "BATCH_SIZE",
    "HEARTBEAT_TTL",
    "NO_WORKER",
    "OTHER_DATABASE",
    "QueueOutage",
    "QueueUnavailable",
    "Worker",
    "WorkerFault",
    "classify",
    "connect",
    "count_workers",
    "enqueue_account_mails",
    "enqueue_deliveries",
    "find_fault",
    "find_outage",
    "is_worker_alive",
    "limiter_options",
    "list_database_marks",
    "list_workers",
    "load_jobs",
    "record_fault",
    "record_heartbeat",
]
