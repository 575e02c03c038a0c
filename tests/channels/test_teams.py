"""Microsoft Teams: the request to a workflow, and the meaning of its responses."""

import json
from dataclasses import replace
from types import MappingProxyType

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.refusals import find_failure, find_refusal, may_have_arrived
from webapp.channels.contract import Accepted
from webapp.channels.fields import SettingInvalid
from webapp.channels.message import Message
from webapp.channels.teams import CHANNEL
from webapp.failures import Code
from webapp.outbound import OutboundClient, Policy

PATH = "/powerautomate/automations/direct/workflows/1/triggers/manual/paths/invoke?api-version=1&sp=%2Ft&sig=S3cr-t_"
WORKFLOW = f"https://default1234abcd.5e.environment.api.powerplatform.com{PATH}"
SECRET_IN_BODY = '{"error": {"code": "S3cretWord", "message": "sig=S3cr-t_"}}'

(FIELD,) = CHANNEL.fields


def error(code: str) -> str:
    return json.dumps({"error": {"code": code, "message": "Request sig=S3cr-t_ was not accepted."}})


def send(receiver: RecordingReceiver, message: Message) -> Accepted:
    return CHANNEL.send({"address": receiver.url(PATH)}, message, receiver.outbound)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_means_that_the_flow_was_started(status: int, receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(status)
    assert send(receiver, message) == Accepted(status)


@pytest.mark.parametrize(
    ("status", "body", "code", "token"),
    [
        (301, "", Code.REDIRECT_REFUSED, None),
        (302, "", Code.SIGN_IN_PAGE, None),
        (400, error("TriggerInputSchemaMismatch"), Code.BAD_REQUEST, "TriggerInputSchemaMismatch"),
        (400, error("MissingApiVersionParameter"), Code.BAD_REQUEST, "MissingApiVersionParameter"),
        (400, error("WorkflowTriggerIsNotEnabled"), Code.NOT_FOUND, "WorkflowTriggerIsNotEnabled"),
        (401, error("DirectApiAuthorizationRequired"), Code.AUTH_FAILED, "DirectApiAuthorizationRequired"),
        (403, error("DirectApiAuthorizationRequired"), Code.AUTH_FAILED, "DirectApiAuthorizationRequired"),
        (404, error("WorkflowNotFound"), Code.NOT_FOUND, "WorkflowNotFound"),
        (404, SECRET_IN_BODY, Code.NOT_FOUND, None),
        (400, '{"error": "TriggerInputSchemaMismatch"}', Code.BAD_REQUEST, None),
        (400, '{"error": {"code": ["WorkflowNotFound"]}}', Code.BAD_REQUEST, None),
        (400, '["error"]', Code.BAD_REQUEST, None),
        (400, "[" * 16000, Code.BAD_REQUEST, None),
        (400, b"\xff\xfe\x00", Code.BAD_REQUEST, None),
        (413, "", Code.PAYLOAD_TOO_LARGE, None),
        (418, "", Code.UNEXPECTED_STATUS, None),
        (429, "", Code.RATE_LIMITED, None),
        (500, "", Code.REMOTE_ERROR, None),
        (404, error("TriggerRequestMethodNotValid"), Code.METHOD_NOT_ALLOWED, "TriggerRequestMethodNotValid"),
        (405, "", Code.METHOD_NOT_ALLOWED, None),
        (502, error("NoResponse"), Code.GATEWAY_GAVE_UP, "NoResponse"),
        (502, error("WorkflowNotFound"), Code.NOT_FOUND, "WorkflowNotFound"),
        (502, "", Code.GATEWAY_GAVE_UP, None),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
        (504, "", Code.GATEWAY_GAVE_UP, None),
    ],
)
def test_any_other_response_is_classified_by_status_and_known_error_code(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, body)
    assert find_refusal(send, receiver, message) == (code, status, token)


@pytest.mark.parametrize("words", ["attachments … Null", "Property 'type' must be 'AdaptiveCard'", "run history"])
def test_without_a_card_the_words_of_the_run_history_lead_to_the_template(words: str) -> None:
    assert words in CHANNEL.after_accepted
    assert "Send webhook alerts to a channel" in CHANNEL.after_accepted


def test_the_requested_retry_delay_is_passed_on(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(429, headers={"Retry-After": "17"})
    assert find_failure(send, receiver, message).retry_after == 17


def test_the_request_carries_one_adaptive_card_in_the_message_envelope(
    receiver: RecordingReceiver, message: Message, facts: dict[str, str]
) -> None:
    receiver.respond_with(202)
    send(receiver, message)
    assert receiver.json["type"] == "message"
    (attachment,) = receiver.json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.2")
    title, _, fact_set = card["body"]
    assert title["text"] == "[TEST] Test alert from Acme GmbH"
    assert {fact["title"]: fact["value"] for fact in fact_set["facts"]} == facts


def test_a_notification_on_a_phone_has_the_title_beside_the_card_and_in_it(
    receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(202)
    send(receiver, replace(message, workspace="[Acme](https://evil.example)"))
    (attachment,) = receiver.json["attachments"]
    assert receiver.json["summary"] == "[TEST] Test alert from [Acme] (https://evil.example)"
    assert attachment["content"]["fallbackText"].startswith(
        "[TEST] Test alert from [Acme] (https://evil.example). Some"
    )


@pytest.mark.parametrize("status", [200, 202])
def test_a_web_page_is_not_the_answer_of_a_flow(status: int, receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(status, "<html><title>Sign in</title></html>", {"Content-Type": "text/html"})
    assert find_refusal(send, receiver, message) == (Code.SIGN_IN_PAGE, status, None)
    assert may_have_arrived(send, receiver, message)


@pytest.mark.parametrize("body", ["ok", '{"started": true}', "<done/>"])
def test_what_the_maker_of_a_flow_lets_it_answer_is_accepted(
    body: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, body)
    assert send(receiver, message) == Accepted(200)


def test_a_link_becomes_the_cards_button(receiver: RecordingReceiver, message_with_link: Message) -> None:
    receiver.respond_with(202)
    send(receiver, message_with_link)
    (attachment,) = receiver.json["attachments"]
    assert attachment["content"]["actions"] == [{"type": "Action.OpenUrl", "title": "I see it", "url": LINK}]


def test_without_a_link_the_card_has_no_button(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(202)
    send(receiver, message)
    (attachment,) = receiver.json["attachments"]
    assert attachment["content"]["actions"] == []


def test_the_request_carries_the_signature_and_no_authorization_beside_it(
    receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(202)
    send(receiver, message)
    assert receiver.request.args["sig"] == "S3cr-t_"
    assert receiver.request.content_type == "application/json"
    assert "Authorization" not in receiver.request.headers


def test_the_longest_names_fit_into_28_kb(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(202)
    endless = "\N{FIRE}" * 100_000
    send(receiver, replace(message, workspace=endless, destination=endless, requested_by=endless))
    assert receiver.request.content_length is not None
    assert receiver.request.content_length < 28 * 1024


def test_a_name_does_not_become_a_link_in_the_card(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(202)
    send(receiver, replace(message, workspace="[Acme](https://evil.example)"))
    assert b"](" not in receiver.request.get_data()


def test_without_an_address_the_settings_are_incomplete(receiver: RecordingReceiver, message: Message) -> None:
    assert find_failure(CHANNEL.send, {}, message, receiver.outbound).code is Code.CONFIG_INCOMPLETE


def test_a_stored_address_of_another_service_is_not_posted_to(message: Message) -> None:
    retired = {"address": "https://contoso.webhook.office.com/webhookb2/1"}
    assert find_failure(CHANNEL.send, retired, message, OutboundClient()).code is Code.HOST_NOT_EXPECTED


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (WORKFLOW, WORKFLOW),
        (f"  {WORKFLOW}\n", WORKFLOW),
        (WORKFLOW.replace(".com/", ".com:443/"), WORKFLOW),
        (f"https://prod-08.westeurope.logic.azure.com:443{PATH}", f"https://prod-08.westeurope.logic.azure.com{PATH}"),
    ],
    ids=["as is", "with space around it", "with port 443", "of the older host"],
)
def test_a_workflow_address_is_kept(typed: str, kept: str) -> None:
    assert FIELD.check(typed, OutboundClient()) == kept


@pytest.mark.parametrize(
    "host",
    [
        "default1234abcd.5e.environment.api.powerplatform.com",
        "default1234abcd.5.environment.api.gov.powerplatform.microsoft.us",
        "default1234abcd.5.environment.api.high.powerplatform.microsoft.us",
        "default1234abcd.5.environment.api.appsplatform.us",
        "default1234abcd.5.environment.api.powerplatform.partner.microsoftonline.cn",
        "prod-08.westeurope.logic.azure.com",
        "prod-08.usgovvirginia.logic.azure.us",
        "prod-08.chinanorth.logic.azure.cn",
    ],
)
def test_the_workflow_hosts_of_every_cloud_are_accepted(host: str) -> None:
    assert FIELD.check(f"https://{host}:443{PATH}", OutboundClient()) == f"https://{host}{PATH}"


def test_a_trusted_origin_may_replace_the_workflow_service(receiver: RecordingReceiver) -> None:
    assert FIELD.check(receiver.url("/teams?sig=abc"), receiver.outbound) == receiver.url("/teams?sig=abc")


def test_a_host_added_by_the_administrator_is_a_workflow_host() -> None:
    outbound = OutboundClient(Policy(extra_hosts=MappingProxyType({"teams": ("*.flows.gov.us",)})))
    assert FIELD.check("https://a.flows.gov.us/x?sig=abc", outbound) == "https://a.flows.gov.us/x?sig=abc"


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("https://contoso.webhook.office.com/webhookb2/1@2/IncomingWebhook/3/4", "choose Workflows"),
        ("https://outlook.office.com/webhook/1@2/IncomingWebhook/3/4", "choose Workflows"),
        ("HTTPS://Outlook.Office365.com/webhook/1", "choose Workflows"),
        ("<https://contoso.webhook.office365.us/webhookb2/1>", "choose Workflows"),
        ("contoso.webhook.office.com/webhookb2/1", "choose Workflows"),
        ("https://outlook.office365.us/webhook/1", "choose Workflows"),
        ("https://outlook-dod.office365.us/webhook/1", "choose Workflows"),
        ("https://outlook.office.com/mail/1", "type of the destination"),
        ("https://teams.microsoft.com/l/channel/19%3a", "choose Workflows"),
        ("https://make.powerautomate.com/environments/1/flows/2", "choose Workflows"),
        (WORKFLOW.replace("&sig=S3cr-t_", ""), '"Who can trigger the flow?" to "Anyone"'),
        (WORKFLOW.replace("S3cr-t_", ""), '"Who can trigger the flow?" to "Anyone"'),
        ("https://hooks.slack.com/services/T/B/x?sig=1", "type of the destination"),
        ("https://environment.api.powerplatform.com.evil.net/?sig=1", "type of the destination"),
        ("http://prod-08.westeurope.logic.azure.com/?sig=1", "https://"),
        ("paste me", "exactly as the provider shows it"),
    ],
)
def test_an_unusable_address_is_refused_with_advice(typed: str, advice: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        FIELD.check(typed, OutboundClient())
    assert advice in str(caught.value)
    assert "S3cr-t_" not in str(caught.value)


def test_each_workflow_has_a_limit_of_its_own_whatever_is_appended_to_its_address() -> None:
    def target(address: str) -> object:
        return CHANNEL.targets({"address": address}, OutboundClient())

    strangers = WORKFLOW.replace("/workflows/1/", "/workflows/2/")
    assert target(WORKFLOW) == target(f"{WORKFLOW}&number=1") != target(strangers)
