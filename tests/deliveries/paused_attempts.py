"""A worker with a row that it has claimed, slow enough for anything to happen between its steps."""

from dataclasses import dataclass, replace
from datetime import datetime

import time_machine

from tests.deliveries.model_state import CODES, Answer
from tests.deliveries.reference_model import Ledger
from tests.factories import NOW
from webapp.channels.contract import Accepted, Message, Settings
from webapp.deliveries.claiming import Attempt
from webapp.deliveries.sending import AttemptResult, attempt_send, record
from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound import OutboundClient
from webapp.settings import AppSettings

STATUSES = {Answer.BUSY: 503, Answer.REFUSE: 404}


@dataclass
class Flight:
    """One attempt. answer, answered_at, outcome: of no meaning before the message is sent."""

    attempt: Attempt
    app_settings: AppSettings
    answer: Answer = Answer.SILENT
    answered_at: datetime = NOW
    outcome: AttemptResult | None = None

    def send(self, answer: Answer, now: datetime, ledger: Ledger) -> None:
        """Send the message to a far end that gives this answer."""

        def play(_settings: Settings, _message: Message, _way_out: OutboundClient) -> Accepted:
            ledger.arrive(self.attempt.delivery_id, self.attempt.number, answer)
            if answer is Answer.ACCEPT:
                return Accepted(204)
            raise DeliveryFailed(Code(CODES[answer]), Facts(status=STATUSES.get(answer)))

        self.answer, self.answered_at = answer, now
        played = replace(self.attempt, channel=replace(self.attempt.channel, send=play))
        with time_machine.travel(now, tick=False):
            self.outcome = attempt_send(played, self.app_settings.outbound)

    def record(self, now: datetime, ledger: Ledger) -> None:
        """Record what came of it, or try to: it may be too late, or have been done before."""
        assert self.outcome is not None
        record(self.attempt, self.outcome, 0.1, now)
        retry_at = self.outcome.columns.get("send_after")
        ledger.record(self.attempt.delivery_id, self.attempt.number, self.answer, self.answered_at, retry_at, now)
