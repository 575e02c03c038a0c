"""Tests which values of a file stand for others."""

from time import process_time

import pytest

from webapp.imports.placeholders import is_reference, is_template


@pytest.mark.parametrize(
    "text",
    [
        "<secret>",
        "<redacted>",
        "<REDACTED>",
        "<your webhook>",
        "<SLACK_WEBHOOK_URL>",
        "[REDACTED]",
        "(hidden)",
        "REDACTED",
        "changeme",
        "***",
        "********",
        "••••••",
        "xxxxxxxx",
        "...",
        "${TOKEN}",
        "${TOKEN:-none}",
        "https://hooks.slack.com/services/${TOKEN}",
        "https://hooks.slack.com/services/$TOKEN",
        "https://user:********@example.com/a",
        "$TOKEN",
        "$token",
        "$__file{/etc/secrets/token}",
        "$__env{TOKEN}",
        "$__vault{a:b}",
        "$(TOKEN)",
        "{{ .Values.token }}",
        "https://a.example/{{ .GroupLabels.team }}",
        "ENC[AES256_GCM,data:abc,iv:def]",
        "$ANSIBLE_VAULT;1.1;AES256",
        "vault:secret/data/slack#url",
        "op://team/slack/url",
    ],
)
def test_a_value_that_is_in_another_place_is_a_reference(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://hooks.slack.com/services/T1/B1/abc",
        "https://a.example/?a=$1&b=2",
        "pa$word",
        "pa$$word",
        "a<b>c",
        "<ops@harbor.example>",
        "<https://hooks.slack.com/services/T1/B1/abc>",
        "Desk <desk@harbor.example>",
        "xoxb-1",
        "x",
        "secret",
        "**",
        "a{b}c",
        "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
        "-1001234567890",
    ],
)
def test_a_value_of_its_own_is_none(text: str) -> None:
    assert not is_reference(text)


def test_a_template_is_computed_from_each_alert() -> None:
    assert is_template("{{ .CommonLabels.team }}@harbor.example")
    assert not is_template("${TEAM}@harbor.example")


@pytest.mark.parametrize("piece", ["${", "$(A", "<a ", "$A", "*", "projects/", "{", "$__a", "[redacted", "/$a"])
def test_a_long_value_takes_no_time(piece: str) -> None:
    start = process_time()
    is_reference(piece * (128 * 1024 // len(piece)))
    assert process_time() - start < 1
