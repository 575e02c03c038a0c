"""Failures and cancellations on Alertcheck's own side."""

from webapp.failures.code import Code, Meaning

ALERTCHECK: dict[Code, Meaning] = {
    Code.QUEUE_UNAVAILABLE: Meaning(
        "Alertcheck could not reach its queue, so nothing was sent.",
        "Send another test. If it keeps happening, ask your Alertcheck administrator to check the queue server.",
    ),
    Code.NOT_STARTED: Meaning(
        "No worker picked up the message in time, so nothing was sent.",
        "Ask your Alertcheck administrator whether a worker is running, then send another test.",
    ),
    Code.WORKER_LOST: Meaning(
        "Alertcheck does not know what became of this message: one of its processes or its database was interrupted, "
        "or a backup was restored.",
        "Check whether the message arrived before you send another test. If it keeps happening, ask your Alertcheck "
        "administrator to read the log of the worker.",
        may_have_arrived=True,
    ),
    Code.DESTINATION_DISABLED: Meaning(
        "The destination was disabled before the message went out, so nothing was sent.",
        "Enable the destination, then send another test.",
    ),
    Code.DESTINATION_DELETED: Meaning(
        "The destination was deleted before the message went out, so nothing was sent.",
        "Add the destination again if you still need it.",
    ),
    Code.DESTINATION_CHANGED: Meaning(
        "The settings were changed before the message went out, so nothing was sent.",
        "Send another test to check the new settings.",
    ),
    Code.SUPERSEDED: Meaning(
        "A newer test replaced this one before it was delivered.",
        "Look at the result of the newer test.",
    ),
    Code.INTERNAL_ERROR: Meaning(
        "An internal error occurred in Alertcheck (reference {reference}).",
        "Check whether the message arrived before you send another test. Give the reference to your Alertcheck "
        "administrator.",
        may_have_arrived=True,
    ),
}
