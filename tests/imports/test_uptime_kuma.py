"""Tests how Uptime Kuma's notifications are read."""

import json
from pathlib import Path
from time import process_time

import pytest

from tests.imports.files import SECRET, spoken
from tests.imports.kuma_database import SCHEMA, make_database, run_script
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundReceiver, Unusable
from webapp.imports.file_limits import MAX_RECEIVERS
from webapp.imports.uptime_kuma import read_database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kuma.db"


def read_one(path: Path, **config: object) -> FoundReceiver:
    (receiver,) = read_database(make_database(path, [{"name": "quay", "isDefault": False} | config])).receivers
    return receiver


@pytest.mark.parametrize(
    ("config", "channel", "settings"),
    [
        (
            {"type": "slack", "slackwebhookURL": "https://hooks.slack.com/services/T/B/c", "slackusername": "kuma"},
            "slack",
            {"address": "https://hooks.slack.com/services/T/B/c"},
        ),
        ({"type": "teams", "webhookUrl": "https://a.example"}, "teams", {"address": "https://a.example"}),
        (
            {
                "type": "webhook",
                "webhookURL": "https://a.example",
                "webhookContentType": "json",
                "webhookAdditionalHeaders": '{"X-Berth": "4", "Content-Type": "application/json"}',
            },
            "webhook",
            {"address": "https://a.example", "headers": "X-Berth: 4"},
        ),
        (
            {"type": "smtp", "smtpHost": "mail", "smtpTo": "a@b.example, c@d.example"},
            "email",
            {"recipients": "a@b.example, c@d.example"},
        ),
        (
            {
                "type": "discord",
                "discordWebhookUrl": "https://d.example",
                "discordChannelType": "postToThread",
                "threadId": 12,
            },
            "discord",
            {"address": "https://d.example", "thread_id": "12"},
        ),
        (
            {"type": "discord", "discordWebhookUrl": "https://d.example", "threadId": "12"},
            "discord",
            {"address": "https://d.example"},
        ),
        (
            {
                "type": "PagerDuty",
                "pagerdutyIntegrationKey": "k",
                "pagerdutyIntegrationUrl": "https://events.pagerduty.com/v2/enqueue",
            },
            "pagerduty",
            {"routing_key": "k", "server": "https://events.pagerduty.com"},
        ),
        (
            {
                "type": "telegram",
                "telegramBotToken": "1:a",
                "telegramChatID": -100123,
                "telegramMessageThreadID": "5",
                "telegramServerUrl": "https://api.telegram.org",
            },
            "telegram",
            {"bot_token": "1:a", "chat_id": "-100123", "thread_id": "5", "server": "https://api.telegram.org"},
        ),
        (
            {"type": "GoogleChat", "googleChatWebhookURL": "https://c.example"},
            "google_chat",
            {"address": "https://c.example"},
        ),
        (
            {"type": "mattermost", "mattermostWebhookUrl": "https://m.example"},
            "mattermost",
            {"address": "https://m.example"},
        ),
        (
            {
                "type": "ntfy",
                "ntfyserverurl": "https://ntfy.sh",
                "ntfytopic": "berths",
                "ntfyAuthenticationMethod": "accessToken",
                "ntfyaccesstoken": "tk_1",
                "ntfyusername": "left over",
            },
            "ntfy",
            {"server": "https://ntfy.sh", "topic": "berths", "token": "tk_1"},
        ),
        (
            {
                "type": "ntfy",
                "ntfytopic": "berths",
                "ntfyAuthenticationMethod": "usernamePassword",
                "ntfyusername": "u",
                "ntfypassword": "p",
            },
            "ntfy",
            {"topic": "berths", "user": "u", "password": "p"},
        ),
        (
            {"type": "ntfy", "ntfytopic": "berths", "ntfyAuthenticationMethod": "none", "ntfypassword": "left over"},
            "ntfy",
            {"topic": "berths"},
        ),
        (
            {"type": "pushover", "pushoveruserkey": "u", "pushoverapptoken": "t"},
            "pushover",
            {"user_key": "u", "app_token": "t"},
        ),
        (
            {"type": "apprise", "appriseURL": "discord://1/a"},
            "discord",
            {"address": "https://discord.com/api/webhooks/1/a"},
        ),
    ],
)
def test_each_type_fills_its_channel(
    path: Path, config: dict[str, object], channel: str, settings: dict[str, str]
) -> None:
    found = read_one(path, **config)
    assert (found.name, found.channel, dict(found.settings)) == ("quay", channel, settings)
    assert (found.unusable, found.missing) == (None, frozenset())


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({"type": "slack"}, {"address"}),
        ({"type": "slack", "slackwebhookURL": None}, {"address"}),
        ({"type": "telegram", "telegramBotToken": "<secret>"}, {"bot_token", "chat_id"}),
        ({"type": "ntfy", "ntfytopic": "a", "ntfyAuthenticationMethod": "accessToken"}, {"token"}),
        ({"type": "webhook", "webhookURL": "https://a.example", "webhookAdditionalHeaders": "{broken"}, {"headers"}),
    ],
)
def test_a_value_that_is_not_in_the_database_is_missing(
    path: Path, config: dict[str, object], missing: set[str]
) -> None:
    assert read_one(path, **config).missing == missing


@pytest.mark.parametrize(
    ("config", "unusable", "reason"),
    [
        ({"type": "Opsgenie", "opsgenieApiKey": SECRET}, Unusable.RETIRED, "5 April 2027"),
        ({"type": "gotify", "gotifyapplicationToken": SECRET}, Unusable.NOT_SUPPORTED, "no channel for gotify"),
        ({"type": "rocket.chat"}, Unusable.NOT_SUPPORTED, "no channel for rocket.chat"),
        ({"type": SECRET}, Unusable.NOT_SUPPORTED, "no channel for this type"),
        ({"type": "JiraServiceManagement", "jsmApiToken": SECRET}, Unusable.NOT_SUPPORTED, "API key of an integration"),
        ({"type": "webhook", "webhookURL": SECRET, "httpMethod": "get"}, Unusable.NOT_SUPPORTED, "not with GET"),
        ({"type": "apprise", "appriseURL": f"gotify://a/{SECRET}"}, Unusable.NOT_SUPPORTED, "no channel for gotify"),
        ({"type": "apprise"}, Unusable.NOT_SUPPORTED, "not an Apprise URL"),
        ({}, Unusable.NOT_SUPPORTED, "cannot be read"),
        ({"type": ["slack"]}, Unusable.NOT_SUPPORTED, "cannot be read"),
    ],
)
def test_what_cannot_be_imported_says_why(
    path: Path, config: dict[str, object], unusable: Unusable, reason: str
) -> None:
    found = read_one(path, **config)
    assert found.unusable is unusable
    assert reason in found.reason
    assert (found.name, found.settings) == ("quay", {})


def test_the_mail_server_and_the_copies_are_said_to_be_left_out(path: Path) -> None:
    found = read_one(
        path, type="smtp", smtpTo="a@b.example", smtpHost="mail", smtpPassword=SECRET, smtpCC="c@d.example"
    )
    assert len(found.dropped) == 2


def test_a_notification_without_a_name_gets_the_one_in_its_settings(path: Path) -> None:
    rows = [(None, '{"type": "slack", "name": "crane"}'), ("", '{"type": "slack"}')]
    found = read_database(run_script(path, [SCHEMA], rows))
    assert [receiver.name for receiver in found.receivers] == ["crane", "Notification"]


@pytest.mark.parametrize(
    "config",
    [None, "", "{", "[]", "null", "4", b"\xff\xfe\x00", "[" * 500, '{"a":1,"a":2}', json.dumps({"type": "a" * 70_000})],
)
def test_settings_that_cannot_be_read_concern_their_row_alone(path: Path, config: object) -> None:
    found = read_database(run_script(path, [SCHEMA], [("quay", config), ("crane", '{"type": "slack"}')]))
    assert [receiver.name for receiver in found.receivers] == ["quay", "crane"]
    assert found.receivers[0].reason == "Its settings in the database cannot be read."


def test_a_database_has_at_most_a_thousand_receivers(path: Path) -> None:
    rows = [("quay", '{"type": "slack"}')] * (MAX_RECEIVERS + 1)
    with pytest.raises(FileUnreadable, match="more than 1,000 receivers"):
        read_database(run_script(path, [SCHEMA], rows))


def test_changes_that_are_not_in_the_file_yet_are_said_to_be_left_out(path: Path) -> None:
    make_database(path, [{"type": "slack", "name": "quay"}])
    assert read_database(path).notes == ()
    path.with_name("kuma.db-wal").write_bytes(b"changes")
    assert "kuma.db-wal" in read_database(path).notes[0]


def test_no_secret_is_said(path: Path) -> None:
    configs = [
        {
            "type": "slack",
            "name": "quay",
            "slackwebhookURL": f"https://hooks.slack.com/{SECRET}",
            "slackchannel": SECRET,
        },
        {"type": "smtp", "name": "desk", "smtpTo": "a@b.example", "smtpPassword": SECRET, "smtpHost": SECRET},
        {"type": "apprise", "name": "old", "appriseURL": f"{SECRET}://{SECRET}?{SECRET}=1"},
    ]
    found = read_database(make_database(path, configs))
    assert found.format is FileFormat.UPTIME_KUMA
    assert SECRET not in spoken(found)


def test_thousands_of_topics_in_each_of_many_urls_are_refused_at_once(path: Path) -> None:
    config = {"type": "apprise", "name": "old", "appriseURL": "ntfy://" + "/".join("a" * 4000)}
    database = make_database(path, [config] * 300)
    began = process_time()
    with pytest.raises(FileUnreadable, match="more than 1,000 receivers"):
        read_database(database)
    assert process_time() - began < 5
