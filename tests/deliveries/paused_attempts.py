"""An attempt that pauses between claim, send and record, so that other steps can happen in between."""

from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from tests.deliveries.model_state import CODES, ReceiverResponse
from tests.deliveries.reference_model import ReferenceModel
from tests.factories import NOW
from webapp.app_state import app_state
from webapp.channels.contract import Accepted
from webapp.channels.fields import Settings
from webapp.channels.message import Message
from webapp.deliveries.attempts.claiming import Attempt
from webapp.deliveries.attempts.recording import AttemptResult, end_attempt, record
from webapp.deliveries.attempts.sending import attempt_send
from webapp.failures import Code, DeliveryFailed, Facts
from webapp.outbound import OutboundClient
from webapp.settings import AppSettings


@dataclass(frozen=True)
class FixedClock:
    """A database's clock that stands still."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def estimate(self) -> datetime:
        return self.time


STATUSES = {ReceiverResponse.BUSY: 503, ReceiverResponse.REFUSE: 404}


@dataclass
class PausedAttempt:
    """One claimed attempt. response, responded_at and result have no meaning before the message is sent."""

    attempt: Attempt
    app_settings: AppSettings
    response: ReceiverResponse = ReceiverResponse.SILENT
    responded_at: datetime = NOW
    result: AttemptResult | None = None

    def send(self, response: ReceiverResponse, now: datetime, model: ReferenceModel) -> None:
        """Send the message to a receiver that gives this response."""

        def respond(_settings: Settings, _message: Message, _outbound: OutboundClient) -> Accepted:
            model.arrive(self.attempt.delivery_id, self.attempt.number, response)
            if response is ReceiverResponse.ACCEPT:
                return Accepted(204)
            raise DeliveryFailed(Code(CODES[response]), Facts(status=STATUSES.get(response)))

        self.response, self.responded_at = response, now
        attempt = replace(self.attempt, channel=replace(self.attempt.channel, send=respond))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(app_state(), "clock", FixedClock(now))
            self.result = attempt_send(attempt, self.app_settings.outbound_for(attempt.workspace_slug))

    def record(self, now: datetime, model: ReferenceModel) -> None:
        """Try to record the result. It may be too late, or recorded already."""
        assert self.result is not None
        record(end_attempt(self.attempt, self.result, 0.1), now)
        retry_at = self.result.columns.get("send_after")
        model.record(self.attempt.delivery_id, self.attempt.number, self.response, self.responded_at, retry_at, now)
