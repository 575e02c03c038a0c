"""Whoever follows a next step ends with a working destination: each is followed on a receiver that behaves so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from werkzeug import Request, Response

from tests.channels.conftest import RecordingReceiver
from webapp.channels import CHANNELS, check_setting
from webapp.channels.contract import Accepted
from webapp.channels.message import Message
from webapp.deliveries.outcome import next_step
from webapp.failures import DeliveryFailed

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OLD, NEW = "/services/old?sig=old", "/services/new?sig=new"
ACCEPTED = {"teams": (202, ""), "slack": (200, "ok"), "webhook": (200, "")}

MEND = "mend"  # somebody changes the receiver, and the address stays
ENTER = "enter"  # somebody enters the new address


@dataclass(frozen=True)
class Situation:
    """What a receiver answers at its old address, the words of the next step, and what following it comes to."""

    channel: str
    status: int
    step: str
    cure: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def power_automate(code: str) -> str:
    return json.dumps({"error": {"code": code}})


SITUATIONS = {
    "moved": Situation("webhook", 308, "Enter the final address", ENTER, headers={"Location": NEW}),
    "lacks a slash": Situation("webhook", 301, "a / at the end differs", ENTER, headers={"Location": NEW}),
    "wants a sign-in": Situation("webhook", 302, "without a sign-in", MEND, headers={"Location": "/sign-in"}),
    "wrong path": Situation("webhook", 405, "Check the path of the address", ENTER),
    "media type": Situation("webhook", 415, "must accept JSON", MEND),
    "unknown path": Situation("webhook", 404, "the path of the address", ENTER),
    "gone": Situation("webhook", 410, "enter a new address", ENTER),
    "firewall": Situation("webhook", 403, "Allow Alertcheck at the receiver", MEND),
    "too large": Situation("webhook", 413, "Raise the size limit", MEND),
    "busy": Situation("webhook", 429, "when the waiting time is over", MEND, headers={"Retry-After": "1"}),
    "flow is off": Situation("teams", 400, "turn it on", MEND, power_automate("WorkflowTriggerIsNotEnabled")),
    "flow is gone": Situation("teams", 404, "create a new one", ENTER, power_automate("WorkflowNotFound")),
    "flow for its own tenant": Situation(
        "teams", 401, '"Anyone"', ENTER, power_automate("DirectApiAuthorizationRequired")
    ),
    "another trigger": Situation("teams", 400, "begins with", ENTER, power_automate("TriggerInputSchemaMismatch")),
    "half an address": Situation("teams", 400, "whole address", ENTER, power_automate("MissingApiVersionParameter")),
    "revoked": Situation("slack", 403, "Add New Webhook to Workspace", ENTER, "invalid_token"),
    "no webhook": Situation("slack", 404, "Add New Webhook to Workspace", ENTER, "no_service"),
    "archived": Situation("slack", 410, "Unarchive it", MEND, "channel_is_archived"),
    "restricted": Situation("slack", 403, "Ask the admin to allow the app", MEND, "action_prohibited"),
}


@dataclass
class Receiver:
    """A receiver in a situation, until somebody mends it. Its new address always works."""

    running: RecordingReceiver
    situation: Situation
    is_mended: bool = False

    def respond(self, request: Request) -> Response:
        status, body = ACCEPTED[self.situation.channel]
        if self.is_mended or request.args["sig"] == "new":
            return Response(body, status)
        return Response(self.situation.body, self.situation.status, self.situation.headers)

    def send(self, message: Message, path: str) -> Accepted:
        channel, outbound = CHANNELS[self.situation.channel], self.running.outbound
        address = check_setting(channel, channel.target_field, self.running.url(path), outbound)
        return channel.send({"address": address, "signing_secret": SECRET}, message, outbound)

    def follow_next_step(self) -> str:
        """Do what the next step says. Returns the path to send to afterwards."""
        self.is_mended = self.situation.cure == MEND
        return OLD if self.is_mended else NEW


@pytest.fixture
def in_situation(receiver: RecordingReceiver, situation: Situation) -> Receiver:
    server = Receiver(receiver, situation)
    for path in ("/services/old", "/services/new"):
        receiver.server.expect_request(path).respond_with_handler(server.respond)
    return server


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_following_the_next_step_leads_to_a_working_destination(in_situation: Receiver, message: Message) -> None:
    situation = in_situation.situation
    with pytest.raises(DeliveryFailed) as caught:
        in_situation.send(message, OLD)
    assert situation.step in next_step(caught.value.code, situation.channel)

    assert in_situation.send(message, in_situation.follow_next_step()) == Accepted(ACCEPTED[situation.channel][0])
