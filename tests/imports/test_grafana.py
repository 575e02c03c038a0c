"""Tests how Grafana's contact points are read."""

import json

import pytest
import yaml

from tests.imports.files import GRAFANA, SECRET, find, read, read_one
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile, FoundReceiver, Unusable
from webapp.imports.grafana_kinds import KINDS


@pytest.fixture(scope="module")
def harbor() -> FoundFile:
    return read(GRAFANA)


def read_receiver(kind: str, settings: str, extra: str = "") -> FoundReceiver:
    receiver = f"{{type: {kind}, settings: {settings}{extra}}}"
    return read_one(f"contactPoints: [{{name: mast, receivers: [{receiver}]}}]")


def test_every_receiver_of_a_contact_point_becomes_a_row(harbor: FoundFile) -> None:
    assert harbor.format is FileFormat.GRAFANA
    assert [receiver.name for receiver in harbor.receivers] == [
        "bridge: Webhook",
        "bridge: Slack",
        "bridge: Telegram",
        "mast: Microsoft Teams",
        "mast: Kafka REST Proxy",
        "mast: Email",
        "mast: PagerDuty",
    ]


def test_what_is_left_out_of_the_file_is_said(harbor: FoundFile) -> None:
    assert harbor.notes == (
        "1 contact point to delete left out: an import adds destinations only.",
        "1 notification policy left out: an import adds destinations only.",
    )


def test_a_webhook_sends_grafana_s_body_with_its_method_credentials_and_headers(harbor: FoundFile) -> None:
    found = find(harbor, "bridge: Webhook")
    assert found.settings == {
        "address": f"https://bridge.harbor.example/in?token={SECRET}",
        "basic_password": f"basic-{SECRET}",
        "basic_user": "bridge",
        "body": "grafana",
        "headers": f"X-Pilot: pilot-{SECRET}",
        "method": "PUT",
    }
    assert found.dropped == ("Left out: title. Alertcheck sends its own message.",)


def test_slack_with_a_token_is_not_supported(harbor: FoundFile) -> None:
    found = find(harbor, "bridge: Slack")
    assert found.unusable is Unusable.NOT_SUPPORTED
    assert "not with a token and a recipient" in found.reason


def test_slack_with_an_address_is_read_even_beside_a_recipient() -> None:
    found = read_receiver("slack", "{url: 'https://hooks.slack.com/services/T/B/c', recipient: '#a', token: ''}")
    assert found.settings == {"address": "https://hooks.slack.com/services/T/B/c"}
    assert found.dropped == (
        "The recipient is left out: the message goes to the channel for which the webhook was created.",
    )


def test_secure_settings_are_read(harbor: FoundFile) -> None:
    assert find(harbor, "mast: PagerDuty").settings == {"routing_key": SECRET}


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        (
            "discord",
            "{url: 'https://discord.com/api/webhooks/1/a'}",
            {"address": "https://discord.com/api/webhooks/1/a"},
        ),
        ("googlechat", "{url: 'https://chat.googleapis.com/a'}", {"address": "https://chat.googleapis.com/a"}),
        ("teams", "{url: 'https://a.example'}", {"address": "https://a.example"}),
        ("TELEGRAM", "{bottoken: '1:a', chatid: -100123}", {"bot_token": "1:a", "chat_id": "-100123"}),
        ("pushover", "{userKey: u, apiToken: 0123}", {"user_key": "u", "app_token": "0123"}),
        ("email", '{addresses: "a@b.example\\nc@d.example"}', {"recipients": "a@b.example\nc@d.example"}),
        (
            "pagerduty",
            "{integrationKey: k, url: 'https://events.eu.pagerduty.com/v2/enqueue'}",
            {"routing_key": "k", "server": "https://events.eu.pagerduty.com"},
        ),
        (
            "webhook",
            "{url: 'https://a.example', authorization_credentials: t}",
            {"address": "https://a.example", "body": "grafana", "bearer_token": "t"},
        ),
        (
            "webhook",
            "{url: 'https://a.example', authorization_scheme: Token, authorization_credentials: t}",
            {"address": "https://a.example", "body": "grafana", "headers": "Authorization: Token t"},
        ),
    ],
)
def test_each_type_fills_its_channel(kind: str, settings: str, expected: dict[str, str]) -> None:
    found = read_receiver(kind, settings)
    assert found.settings == expected
    assert found.missing == frozenset()


@pytest.mark.parametrize(
    ("kind", "settings", "missing"),
    [
        ("slack", "{url: '[REDACTED]'}", {"address"}),
        ("discord", "{url: $DISCORD_URL}", {"address"}),
        ("googlechat", "{url: '$__file{/etc/secrets/chat}'}", {"address"}),
        ("webhook", "{url: 'https://a.example', password: '[REDACTED]', username: a}", {"basic_password"}),
        ("webhook", "{url: 'https://a.example', authorization_credentials: '[REDACTED]'}", {"bearer_token"}),
        ("webhook", "{url: 'https://a.example', headers: {X-A: '[REDACTED]'}}", {"headers"}),
        ("telegram", "{bottoken: '[REDACTED]', chatid: '1'}", {"bot_token"}),
        ("pagerduty", "{integrationKey: '$__env{PD_KEY}'}", {"routing_key"}),
        ("email", "{addresses: <example@email.com>}", {"recipients"}),
        ("email", "{}", {"recipients"}),
    ],
)
def test_a_value_that_is_not_in_the_file_is_missing(kind: str, settings: str, missing: set[str]) -> None:
    found = read_receiver(kind, settings)
    assert found.unusable is None
    assert found.missing == missing


def test_a_secret_that_the_api_only_mentions_is_missing() -> None:
    found = read_receiver("slack", "{recipient: '#a'}", ", secureFields: {url: true}")
    assert found.unusable is None
    assert found.missing == {"address"}


def test_a_token_that_the_api_only_mentions_is_not_supported() -> None:
    found = read_receiver("slack", "{recipient: '#a'}", ", secureFields: {token: true}")
    assert found.unusable is Unusable.NOT_SUPPORTED


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].unusable is not None])
def test_a_type_without_a_channel_is_refused_with_its_name(kind: str) -> None:
    found = read_receiver(kind, f"{{url: {SECRET}}}")
    assert found.unusable is not None
    assert found.reason
    assert found.settings == {}


def test_an_unknown_type_is_refused_with_its_word() -> None:
    assert read_receiver("foghorn", "{}").reason == "Alertcheck has no channel for foghorn."
    assert read_receiver(SECRET, "{}").reason == "Alertcheck has no channel for this type of receiver."


def test_an_export_in_json_is_the_same_as_in_yaml(harbor: FoundFile) -> None:
    found = read(json.dumps(yaml.safe_load(GRAFANA)))
    assert [(each.name, each.settings) for each in found.receivers] == [
        (each.name, each.settings) for each in harbor.receivers
    ]


def test_what_the_provisioning_api_returns_is_read() -> None:
    entry = {"uid": "a", "name": "mast", "type": "discord", "settings": {"url": "https://d.example"}, "provenance": ""}
    found = read(json.dumps([entry, entry | {"uid": "b"}, entry | {"name": "bow"}]))
    assert [receiver.name for receiver in found.receivers] == ["mast", "mast (2)", "bow"]


def test_what_the_configuration_api_returns_is_read() -> None:
    receiver = {"uid": "a", "name": "mast", "type": "discord", "settings": {}, "secureFields": {"url": True}}
    point = {"name": "mast", "grafana_managed_receiver_configs": [receiver]}
    found = read_one(json.dumps({"template_files": {}, "alertmanager_config": {"receivers": [point]}}))
    assert (found.name, found.channel) == ("mast", "discord")
    assert found.missing == {"address"}


@pytest.mark.parametrize("text", ["contactPoints: []", "apiVersion: 1", "contactPoints: mast", "{}", "[1, 2]"])
def test_a_file_without_contact_points_says_where_to_export_them(text: str) -> None:
    with pytest.raises(FileUnreadable, match="Alerting, Contact points"):
        read(text, FileFormat.GRAFANA)
