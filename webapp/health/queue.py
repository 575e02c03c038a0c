"""Checks the queue server by using it as presses and workers do."""

from webapp import queue


def check_queue() -> str:
    """Return "ok", or what is wrong and what to do, without an address or the text of an error."""
    outage = queue.find_outage()
    return outage.value if outage else "ok"
