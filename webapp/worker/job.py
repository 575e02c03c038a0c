"""The one RQ job: hands deliveries to the dispatcher of the process that runs it."""

from webapp.app_state import app_state
from webapp.worker.signals import defer_signals


def dispatch_deliveries(*delivery_ids: int) -> None:
    """Submit deliveries to this process's dispatcher, which sends them in threads."""
    dispatcher = app_state().dispatcher
    if dispatcher is None:
        raise RuntimeError("this process has no dispatcher")
    with defer_signals(immediately=dispatcher.close):
        dispatcher.submit(*delivery_ids)
