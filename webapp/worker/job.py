"""The RQ jobs: each hands ids to a dispatcher of the process that runs it."""

from webapp.app_state import DeliveryDispatcher, app_state
from webapp.worker.signals import defer_signals


def dispatch_deliveries(*delivery_ids: int) -> None:
    """Submit deliveries to this process's dispatcher, which sends them in threads."""
    _submit(app_state().dispatcher, delivery_ids)


def dispatch_account_mails(*mail_ids: int) -> None:
    """Submit mails to people to their own dispatcher, so that they wait for no test, and no test for them."""
    _submit(app_state().mail_dispatcher, mail_ids)


def _submit(dispatcher: DeliveryDispatcher | None, ids: tuple[int, ...]) -> None:
    if dispatcher is None:
        raise RuntimeError("this process has no dispatcher")
    with defer_signals(immediately=dispatcher.close):
        dispatcher.submit(*ids)
