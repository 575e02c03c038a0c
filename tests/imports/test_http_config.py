"""Tests how the authentication of Alertmanager's webhooks is read."""

import pytest

from tests.imports.files import read, read_one
from webapp.imports.file_contents import FoundReceiver

CONNECTION = "Proxy and TLS settings are left out: your Alertcheck administrator sets them for everyone."


def read_webhook(http_config: str, defaults: str = "null") -> FoundReceiver:
    return read_one(
        f"global: {{http_config: {defaults}}}\n"
        f"receivers: [{{name: a, webhook_configs: [{{url: 'https://a.example', http_config: {http_config}}}]}}]"
    )


@pytest.mark.parametrize(
    ("http_config", "settings"),
    [
        ("{authorization: {credentials: abc}}", {"bearer_token": "abc"}),
        ("{authorization: {type: bearer, credentials: abc}}", {"bearer_token": "abc"}),
        ("{authorization: {type: GenieKey, credentials: abc}}", {"headers": "Authorization: GenieKey abc"}),
        ("{bearer_token: abc}", {"bearer_token": "abc"}),
        ("{bearer_token: 0123}", {"bearer_token": "0123"}),
        ("{basic_auth: {username: gate, password: 'p: w'}}", {"basic_user": "gate", "basic_password": "p: w"}),
        ("{http_headers: {X-A: {values: [b]}}}", {"headers": "X-A: b"}),
        ("{http_headers: {X-A: {secrets: [b]}, X-C: {values: [d]}}}", {"headers": "X-A: b\nX-C: d"}),
        ("{http_headers: {X-A: {values: ['b\n\n X-Forged: c']}}}", {"headers": "X-A: b X-Forged: c"}),
        ("{follow_redirects: true, enable_http2: false}", {}),
        ("null", {}),
    ],
)
def test_credentials_and_headers_become_settings(http_config: str, settings: dict[str, str]) -> None:
    found = read_webhook(http_config)
    assert found.settings == {"address": "https://a.example", "body": "alertmanager"} | settings
    assert found.missing == frozenset()


@pytest.mark.parametrize(
    ("http_config", "missing"),
    [
        ("{authorization: {credentials_file: /etc/token}}", {"bearer_token"}),
        ("{authorization: {credentials: <secret>}}", {"bearer_token"}),
        ("{authorization: {type: GenieKey, credentials_file: /etc/token}}", {"headers"}),
        ("{bearer_token_file: /etc/token}", {"bearer_token"}),
        ("{basic_auth: {username: gate, password_file: /etc/password}}", {"basic_password"}),
        ("{basic_auth: {username_file: /etc/user, password: '********'}}", {"basic_user", "basic_password"}),
        ("{http_headers: {X-A: {files: [/etc/a]}}}", {"headers"}),
        ("{http_headers: {X-A: {secrets: [<secret>]}}}", {"headers"}),
    ],
)
def test_credentials_that_are_not_in_the_file_are_missing(http_config: str, missing: set[str]) -> None:
    assert read_webhook(http_config).missing == missing


def test_the_other_headers_are_kept_if_one_is_missing() -> None:
    found = read_webhook("{http_headers: {X-A: {files: [/etc/a]}, X-B: {values: [c]}}}")
    assert found.settings["headers"] == "X-B: c"
    assert found.dropped == ("The value of a header is not in the file. Enter all headers again.",)


@pytest.mark.parametrize("name", ["Content-Type", "accept-encoding", "Connection", "Cookie", "webhook-id", "Proxy-Key"])
def test_headers_that_a_webhook_cannot_have_are_left_out(name: str) -> None:
    found = read_webhook(f"{{http_headers: {{{name}: {{values: [a]}}, X-B: {{values: [c]}}}}}}")
    assert found.settings["headers"] == "X-B: c"
    assert found.dropped == ("Headers that Alertcheck sets itself or never sends, such as Content-Type, are left out.",)


@pytest.mark.parametrize(
    ("http_config", "sentence"),
    [
        ("{tls_config: {ca_file: /etc/ca}}", CONNECTION),
        ("{proxy_url: 'http://user:password@proxy:3128'}", CONNECTION),
        ("{proxy_from_environment: true}", CONNECTION),
        (
            "{oauth2: {client_id: a}}",
            "OAuth 2.0 is left out: Alertcheck sends a fixed token, or a user and a password.",
        ),
    ],
)
def test_what_concerns_the_connection_is_said_to_be_left_out(http_config: str, sentence: str) -> None:
    assert read_webhook(http_config).dropped == (sentence,)


def test_a_proxy_from_the_environment_that_is_off_is_nothing_to_say() -> None:
    assert read_webhook("{proxy_from_environment: false, proxy_url: ''}").dropped == ()


def test_the_global_configuration_is_the_default() -> None:
    defaults = "{bearer_token: global}"
    assert read_webhook("null", defaults).settings["bearer_token"] == "global"
    assert "bearer_token" not in read_webhook("{basic_auth: {username: a, password: b}}", defaults).settings


def test_a_global_connection_is_said_once_for_the_file() -> None:
    found = read(
        """
        global: {http_config: {proxy_url: 'http://proxy:3128'}}
        receivers: [{name: a, webhook_configs: [{url: 'https://a.example'}], email_configs: [{to: a@b.example}]}]
        """
    )
    assert found.notes == (CONNECTION,)
    assert [receiver.dropped for receiver in found.receivers] == [(), ()]


def test_only_a_webhook_keeps_credentials() -> None:
    config = "{webhook_url: 'https://discord.com/api/webhooks/1/a', http_config: {bearer_token: abc}}"
    found = read_one(f"receivers: [{{name: a, discord_configs: [{config}]}}]")
    assert found.settings == {"address": "https://discord.com/api/webhooks/1/a"}
    assert found.dropped == ("The headers and credentials in http_config are left out: only a webhook has them.",)
