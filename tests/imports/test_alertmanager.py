"""Tests how an alertmanager.yml is read."""

from time import process_time

import pytest

from tests.imports.files import ALERTMANAGER, SECRET, find, read, read_one
from webapp.imports.alertmanager_kinds import KINDS
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile, FoundReceiver, Unusable
from webapp.imports.file_limits import MAX_RECEIVERS


@pytest.fixture(scope="module")
def harbor() -> FoundFile:
    return read(ALERTMANAGER)


def read_config(kind: str, config: str, defaults: str = "{}") -> FoundReceiver:
    """Return the receiver that one configuration, written in braces, becomes."""
    return read_one(f"global: {defaults}\nreceivers: [{{name: quay, {kind}_configs: [{config}]}}]")


def test_every_integration_of_a_receiver_becomes_a_row(harbor: FoundFile) -> None:
    assert harbor.format is FileFormat.ALERTMANAGER
    assert [receiver.name for receiver in harbor.receivers] == [
        "quay: Slack",
        "quay: Slack (2)",
        "quay: Slack (3)",
        "quay: Email",
        "crane: Webhook",
        "crane: Microsoft Teams",
        "crane: Microsoft Teams (2)",
        "night: PagerDuty",
        "night: PagerDuty (2)",
        "night: Opsgenie",
        "night: Telegram",
        "night: Pushover",
        "night: Discord",
        "night: Mattermost",
        "night: Splunk On-Call (VictorOps)",
    ]


def test_what_is_left_out_of_the_file_is_said(harbor: FoundFile) -> None:
    assert harbor.notes == (
        "1 receiver without any configuration left out: blackhole.",
        "3 routes left out: an import adds destinations, not the rules on who gets which alert.",
        "1 inhibit rule left out.",
        "1 time interval left out.",
        "1 template file left out.",
        "The mail server is left out: your Alertcheck administrator sets it for everyone.",
    )


def test_a_single_integration_has_the_receiver_s_name() -> None:
    assert read_config("slack", "{api_url: 'https://hooks.slack.com/services/T/B/c'}").name == "quay"


def test_integrations_of_one_kind_are_numbered() -> None:
    found = read("receivers: [{name: quay, webhook_configs: [{url: 'https://a.example'}, {url: 'https://b.example'}]}]")
    assert [receiver.name for receiver in found.receivers] == ["quay", "quay (2)"]


def test_a_receiver_without_a_name_gets_one() -> None:
    assert read_one("receivers: [{webhook_configs: [{url: 'https://a.example'}]}]").name == "Receiver 1"


def test_slack_s_global_address_is_the_default(harbor: FoundFile) -> None:
    assert find(harbor, "quay: Slack").settings == {
        "address": f"https://hooks.slack.com/services/T0/B0/global-{SECRET}"
    }
    assert find(harbor, "quay: Slack (2)").settings == {
        "address": f"https://hooks.slack.com/services/T1/B1/own-{SECRET}"
    }


def test_slack_s_channel_and_title_are_said_to_be_left_out(harbor: FoundFile) -> None:
    assert find(harbor, "quay: Slack").dropped == (
        "The channel is left out: the message goes to the channel for which the webhook was created.",
        "Left out: title. Alertcheck sends its own message.",
    )


@pytest.mark.parametrize(
    ("config", "defaults"),
    [
        ("{app_token: xoxb-1}", "{}"),
        ("{app_token: xoxb-1}", "{slack_api_url: 'https://hooks.slack.com/services/T/B/c'}"),
        ("{app_token_file: /etc/token}", "{}"),
        ("{channel: '#quay'}", "{slack_app_token: xoxb-1}"),
        ("{channel: '#quay'}", "{slack_app_token_file: /etc/token}"),
        ("{api_url: 'https://slack.com/api/chat.postMessage', channel: quay}", "{}"),
    ],
)
def test_a_slack_app_s_token_is_not_supported(config: str, defaults: str) -> None:
    found = read_config("slack", config, defaults)
    assert found.unusable is Unusable.NOT_SUPPORTED
    assert "Create an incoming webhook" in found.reason


def test_slack_s_own_address_comes_before_the_global_app_token() -> None:
    found = read_config("slack", "{api_url: 'https://hooks.slack.com/services/T/B/c'}", "{slack_app_token: xoxb-1}")
    assert found.settings == {"address": "https://hooks.slack.com/services/T/B/c"}


@pytest.mark.parametrize(
    ("kind", "config", "defaults", "missing"),
    [
        ("slack", "{api_url_file: /etc/slack}", "{}", {"address"}),
        ("slack", "{channel: quay}", "{slack_api_url_file: /etc/slack}", {"address"}),
        ("slack", "{api_url_file: /etc/slack}", "{slack_api_url: 'https://hooks.slack.com/x'}", {"address"}),
        ("slack", "{channel: quay}", "{}", {"address"}),
        ("slack", "{api_url: null}", "{}", {"address"}),
        ("slack", "{api_url: <secret>}", "{}", {"address"}),
        ("slack", "{api_url: !vault slack/quay}", "{}", {"address"}),
        ("discord", "{webhook_url: '${DISCORD_URL}'}", "{}", {"address"}),
        ("webhook", "{url: 'https://a.example/{{ .GroupLabels.team }}'}", "{}", {"address"}),
        ("telegram", "{chat_id: 0123, bot_token_file: /etc/bot}", "{}", {"bot_token"}),
        ("telegram", "{chat_id_file: /etc/chat}", "{telegram_bot_token_file: /x}", {"bot_token", "chat_id"}),
        ("pushover", "{user_key_file: /a, token: abc}", "{}", {"user_key"}),
        ("pagerduty", "{routing_key_file: /a}", "{}", {"routing_key"}),
        ("email", "{to: '{{ .GroupLabels.owner }}@harbor.example'}", "{}", {"recipients"}),
        ("mattermost", "{channel: quay}", "{mattermost_webhook_url_file: /a}", {"address"}),
        ("msteamsv2", "{webhook_url_file: /a}", "{}", {"address"}),
    ],
)
def test_a_value_that_is_not_in_the_file_is_missing(kind: str, config: str, defaults: str, missing: set[str]) -> None:
    found = read_config(kind, config, defaults)
    assert found.unusable is None
    assert found.missing == missing
    assert not missing & found.settings.keys()


def test_a_computed_value_is_said_to_be_left_out() -> None:
    found = read_config("email", "{to: '{{ .GroupLabels.owner }}@harbor.example'}")
    assert found.dropped == ("A value that is computed from each alert is left out. Enter a fixed one.",)


def test_numbers_stay_as_they_are_written(harbor: FoundFile) -> None:
    found = find(harbor, "night: Telegram")
    assert found.settings["chat_id"] == "-1001234567890"
    assert found.settings["thread_id"] == "7"
    assert read_config("telegram", "{chat_id: 0123, bot_token: 12e4}").settings == {
        "chat_id": "0123",
        "bot_token": "12e4",
    }


def test_telegram_s_api_is_the_server() -> None:
    config = "{chat_id: 1, bot_token: a, api_url: 'https://bots.harbor.example'}"
    assert read_config("telegram", config).settings["server"] == "https://bots.harbor.example"


def test_pagerduty_s_server_is_that_of_the_events_address(harbor: FoundFile) -> None:
    assert find(harbor, "night: PagerDuty").settings["server"] == "https://events.eu.pagerduty.com"


def test_pagerduty_s_older_key_is_not_supported(harbor: FoundFile) -> None:
    found = find(harbor, "night: PagerDuty (2)")
    assert found.unusable is Unusable.NOT_SUPPORTED
    assert "Events API V2" in found.reason


def test_a_retired_connector_says_what_to_do_instead(harbor: FoundFile) -> None:
    found = find(harbor, "crane: Microsoft Teams (2)")
    assert (found.channel, found.unusable) == ("teams", Unusable.RETIRED)
    assert "Create a workflow" in found.reason
    assert found.settings == {}


def test_opsgenie_says_when_it_ends_and_where_to_move(harbor: FoundFile) -> None:
    found = find(harbor, "night: Opsgenie")
    assert found.unusable is Unusable.RETIRED
    assert "5 April 2027" in found.reason
    assert "Jira Service Management" in found.reason


def test_mail_keeps_its_recipients_and_leaves_the_mail_server_to_the_administrator(harbor: FoundFile) -> None:
    found = find(harbor, "quay: Email")
    assert found.settings == {"recipients": '"Desk, Night" <night@harbor.example>, day@harbor.example'}
    assert found.dropped == (
        "The mail server and the sender are left out: your Alertcheck administrator sets them for everyone.",
    )


def test_a_webhook_sends_alertmanager_s_body_with_its_authorization_and_headers(harbor: FoundFile) -> None:
    assert find(harbor, "crane: Webhook").settings == {
        "address": f"https://crane.harbor.example/hook?key={SECRET}",
        "bearer_token": f"bearer-{SECRET}",
        "body": "alertmanager",
        "headers": f"X-Berth: north\nX-Berth: header-{SECRET}",
    }


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].unusable is not None])
def test_a_kind_without_a_channel_is_refused_with_its_name(kind: str) -> None:
    found = read_one(f"receivers: [{{name: quay, {kind}: [{{api_key: {SECRET}}}]}}]")
    assert found.unusable is not None
    assert found.reason.endswith(".")
    assert found.settings == {}


def test_an_unknown_kind_is_refused_with_its_word() -> None:
    found = read_one("receivers: [{name: quay, foghorn_configs: [{key: 1}]}]")
    assert found.unusable is Unusable.NOT_SUPPORTED
    assert found.reason == "Alertcheck has no channel for foghorn."


def test_a_key_that_could_be_a_misplaced_secret_is_not_repeated() -> None:
    found = read_config("slack", f"{{api_url: 'https://hooks.slack.com/x', {SECRET}: 1, fallback: a}}")
    assert found.dropped == ("Left out: fallback. Alertcheck sends its own message.",)
    assert SECRET not in str(read_one(f"receivers: [{{name: quay, {SECRET}_configs: [{{a: 1}}]}}]"))


@pytest.mark.parametrize("text", ["route: {receiver: quay}", "receivers: quay", "receivers: {name: quay}", "global:"])
def test_a_file_without_a_list_of_receivers_says_so(text: str) -> None:
    with pytest.raises(FileUnreadable, match="no list of receivers"):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "receivers: []",
        "receivers: [quay, null, 4, [a]]",
        "receivers: [{name: quay, slack_configs: https://hooks.slack.com/x}]",
        "receivers: [{name: [quay], slack_configs: {api_url: x}}]",
    ],
)
def test_shapes_that_are_no_receivers_are_passed_over(text: str) -> None:
    assert read(text).receivers == ()


def test_an_entry_that_is_no_mapping_needs_its_settings() -> None:
    assert read_config("slack", "null").missing == {"address"}
    assert read_config("webhook", "{url: [a], http_config: [b]}").missing == {"address"}


def test_defaults_of_an_anchor_are_merged() -> None:
    found = read(
        """
        x-slack: &slack {api_url: 'https://hooks.slack.com/services/T/B/c', channel: '#quay'}
        receivers:
          - name: quay
            slack_configs: [{<<: *slack, channel: '#crane'}]
          - name: crane
            slack_configs: [*slack]
        """
    )
    assert [dict(receiver.settings) for receiver in found.receivers] == [
        {"address": "https://hooks.slack.com/services/T/B/c"}
    ] * 2


@pytest.mark.parametrize("escape", ["\\u001b[31m", "\\u202e", "\\ud800"])
def test_what_is_said_of_a_receiver_without_configuration_is_one_line_of_visible_text(escape: str) -> None:
    found = read(f'{{"receivers": [{{"name": "{escape}quay"}}, {{"name": "a", "slack_configs": [{{}}]}}]}}')
    (note,) = found.notes
    assert note.isprintable()
    assert note.endswith("quay.")


def test_many_defaults_are_not_added_to_many_receivers() -> None:
    headers = ", ".join(f"X{number}: {{values: [v]}}" for number in range(5000))
    configs = ", ".join("{url: 'https://hooks.example.com/a'}" for _ in range(900))
    began = process_time()
    with pytest.raises(FileUnreadable, match="block global has too many values"):
        read(
            f"global: {{http_config: {{http_headers: {{{headers}}}}}}}\n"
            f"receivers: [{{name: a, webhook_configs: [{configs}]}}]"
        )
    assert process_time() - began < 5


def test_a_file_has_at_most_a_thousand_receivers() -> None:
    line = "- {name: a, slack_configs: [{}]}\n"
    assert len(read(f"receivers:\n{line * MAX_RECEIVERS}").receivers) == MAX_RECEIVERS
    with pytest.raises(FileUnreadable, match="more than 1,000 receivers"):
        read(f"receivers:\n{line * (MAX_RECEIVERS + 1)}")
