"""Sends mails to people in a worker process: few at once, each in a thread, beside the deliveries."""

from flask import Flask

from webapp.account_mail import sending
from webapp.app_state import current_settings
from webapp.presses.limit_counters import admit_recipient
from webapp.worker.dispatcher import ConcurrencyLimits
from webapp.worker.mail_composers import COMPOSERS
from webapp.worker.thread_errors import log_thread_errors

# A mail server that hangs holds each of them for 8 s. Those that cannot wait are enqueued again by maintenance.
LIMITS = ConcurrencyLimits(concurrent=8, per_workspace=8, waiting=500, waiting_per_workspace=500)


def send_mail(app: Flask, mail_id: int) -> None:
    """Send one mail, and log an unexpected error: recovery ends the row."""
    with app.app_context(), log_thread_errors("mail", mail_id):
        sending.send(mail_id, COMPOSERS, current_settings().outbound, admit_recipient)
