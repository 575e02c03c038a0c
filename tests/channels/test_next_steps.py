"""Whoever follows a next step ends with a working destination: each is followed on a receiver that behaves so."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from werkzeug import Request, Response

from tests.channels.conftest import RecordingReceiver
from tests.channels.refusals import find_failure
from webapp.channels import CHANNELS, check_setting
from webapp.channels.contract import Accepted
from webapp.channels.fields import FieldKind
from webapp.channels.message import Message
from webapp.deliveries.badge import next_step
from webapp.demo.receiver.scenarios import Reply, Scenario, Service, reply_to

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OLD, NEW = "oldold", "newnew"  # what is in every secret before and after somebody entered it again

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


def google(status: str, reason: str | None = None) -> str:
    return json.dumps({"error": {"status": status, "details": [{"reason": reason}]}})


SITUATIONS = {
    "moved": Situation("webhook", 308, "Enter the final address", ENTER, headers={"Location": "/new"}),
    "lacks a slash": Situation("webhook", 301, "a / at the end differs", ENTER, headers={"Location": "/new"}),
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
    "deleted webhook of a space": Situation(
        "google_chat", 403, "choose Add webhooks", ENTER, google("PERMISSION_DENIED")
    ),
    "half a key": Situation("google_chat", 400, "and Copy link", ENTER, google("INVALID_ARGUMENT", "API_KEY_INVALID")),
    "deleted space": Situation("google_chat", 404, "choose Add webhooks", ENTER, google("NOT_FOUND")),
    "webhooks forbidden": Situation(
        "google_chat", 403, "ask an admin of your Google", MEND, google("PERMISSION_DENIED")
    ),
    "busy space": Situation("google_chat", 429, "in a minute", MEND, google("RESOURCE_EXHAUSTED")),
    "protected topic": Situation("ntfy", 403, "Enter an access token", ENTER, '{"code": 40301, "http": 403}'),
    "old token": Situation(
        "ntfy", 401, "Access tokens, create one, and enter it", ENTER, '{"code": 40101, "http": 401}'
    ),
    "forbidden topic": Situation("ntfy", 400, "Check the topic in the settings", ENTER, '{"code": 40010, "http": 400}'),
    "daily quota": Situation("ntfy", 429, "at midnight UTC", MEND, '{"code": 42908, "http": 429}'),
    "small messages": Situation("ntfy", 400, "message-size-limit", MEND, '{"code": 40014, "http": 400}'),
    "not ntfy": Situation("ntfy", 405, "enter the ntfy server", ENTER),
    "unknown application": Situation("pushover", 400, "copy its API Token/Key", ENTER, '{"token": "invalid"}'),
    "unknown user": Situation("pushover", 400, "copy Your User Key", ENTER, '{"user": "invalid"}'),
    "no device": Situation("pushover", 400, "Check Your Devices", MEND, '{"user": "invalid"}'),
    "monthly quota": Situation("pushover", 429, "raise the limit on pushover.net", MEND, '{"status": 0}'),
}


@dataclass
class Receiver:
    """A receiver in a situation, until somebody mends it. Requests with the new secrets always work."""

    running: RecordingReceiver
    situation: Situation
    is_mended: bool = False

    def respond(self, request: Request) -> Response:
        if self.is_mended or NEW in f"{request.url} {request.headers} {request.get_data(as_text=True)}":
            return Response(self.acceptance.body, self.acceptance.status)
        return Response(self.situation.body, self.situation.status, self.situation.headers)

    @property
    def acceptance(self) -> Reply:
        return reply_to(Service(self.situation.channel), Scenario.WORKS, 1)

    def send(self, message: Message, word: str) -> Accepted:
        """Send with settings that have this word in every secret."""
        channel, outbound, origin = CHANNELS[self.situation.channel], self.running.outbound, self.running.url("")
        by_kind = {FieldKind.ADDRESS: f"{origin}services/{word}?sig={word}", FieldKind.SERVER: origin}
        target = check_setting(channel, channel.target_field, by_kind[channel.target_field.kind], outbound)
        settings = {field.name: word for field in channel.fields if field.kind is FieldKind.SECRET and field.required}
        signing = {"signing_secret": SECRET} if any(field.name == "signing_secret" for field in channel.fields) else {}
        return channel.send({**settings, **signing, channel.target_field.name: target}, message, outbound)

    def follow_next_step(self) -> str:
        """Do what the next step says. Returns the word of the secrets afterwards."""
        self.is_mended = self.situation.cure == MEND
        return OLD if self.is_mended else NEW


@pytest.fixture
def in_situation(receiver: RecordingReceiver, situation: Situation) -> Receiver:
    server = Receiver(receiver, situation)
    receiver.server.expect_request(re.compile("")).respond_with_handler(server.respond)
    return server


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_following_the_next_step_leads_to_a_working_destination(in_situation: Receiver, message: Message) -> None:
    situation = in_situation.situation
    failure = find_failure(in_situation.send, message, OLD)
    assert situation.step in next_step(failure.code, situation.channel)

    assert in_situation.send(message, in_situation.follow_next_step()) == Accepted(in_situation.acceptance.status or 0)
