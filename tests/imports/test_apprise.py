"""Tests how lists of Apprise URLs are read."""

from contextlib import suppress
from time import process_time

import pytest

from tests.imports.files import APPRISE, SECRET, read, read_one
from webapp.imports.apprise import read_apprise_text
from webapp.imports.apprise_kinds import KINDS
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile, Unusable
from webapp.imports.file_limits import MAX_RECEIVERS

TEAMS = (
    "https://prod-1.westeurope.logic.azure.com:443/workflows/wf/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s_-g"
)


@pytest.fixture(scope="module")
def harbor() -> FoundFile:
    return read(APPRISE)


def test_every_line_becomes_a_row_named_by_its_comment_its_tags_or_its_service(harbor: FoundFile) -> None:
    assert harbor.format is FileFormat.APPRISE
    assert [receiver.name for receiver in harbor.receivers] == [
        "tower",
        "Pilots",
        "Telegram",
        "Telegram (2)",
        "Email",
        "Webhook",
        "matrixs",
    ]


@pytest.mark.parametrize(
    ("url", "channel", "settings"),
    [
        ("slack://T1/B1/c", "slack", {"address": "https://hooks.slack.com/services/T1/B1/c"}),
        ("slack://bot@T1/B1/c", "slack", {"address": "https://hooks.slack.com/services/T1/B1/c"}),
        ("slack://?token=T1/B1/c", "slack", {"address": "https://hooks.slack.com/services/T1/B1/c"}),
        ("slack://T1/B1/c/?mode=gov-hook", "slack", {"address": "https://hooks.slack-gov.com/services/T1/B1/c"}),
        ("discord://41/tok-en_", "discord", {"address": "https://discord.com/api/webhooks/41/tok-en_"}),
        ("discord://bot@41/t/", "discord", {"address": "https://discord.com/api/webhooks/41/t"}),
        (
            "discord://41/t?thread=7&avatar=no",
            "discord",
            {"address": "https://discord.com/api/webhooks/41/t", "thread_id": "7"},
        ),
        ("tgram://11:AAH-_x/-100123", "telegram", {"bot_token": "11:AAH-_x", "chat_id": "-100123"}),
        ("tgram://bot11%3AAAH/123", "telegram", {"bot_token": "11:AAH", "chat_id": "123"}),
        ("tgram://11/AAH/123", "telegram", {"bot_token": "11:AAH", "chat_id": "123"}),
        ("tgram://11:AAH/%40harbor", "telegram", {"bot_token": "11:AAH", "chat_id": "@harbor"}),
        ("tgram://11:AAH/harbor_1", "telegram", {"bot_token": "11:AAH", "chat_id": "@harbor_1"}),
        ("tgram://11:AAH/-1:5", "telegram", {"bot_token": "11:AAH", "chat_id": "-1", "thread_id": "5"}),
        ("tgram://11:AAH/-1?topic=5", "telegram", {"bot_token": "11:AAH", "chat_id": "-1", "thread_id": "5"}),
        ("workflows://prod-1.westeurope.logic.azure.com:443/wf/s_-g", "teams", {"address": TEAMS}),
        ("workflow://prod-1.westeurope.logic.azure.com:443/?id=wf&sig=s_-g", "teams", {"address": TEAMS}),
        (
            "gchat://space/k/to%2Fken%3D",
            "google_chat",
            {"address": "https://chat.googleapis.com/v1/spaces/space/messages?key=k&token=to%2Fken%3D"},
        ),
        ("mmosts://chat.example.com/hook1", "mattermost", {"address": "https://chat.example.com/hooks/hook1"}),
        (
            "mmost://bot@chat.example.com:8065/team/hook1",
            "mattermost",
            {"address": "http://chat.example.com:8065/team/hooks/hook1"},
        ),
        ("ntfy://berths", "ntfy", {"topic": "berths"}),
        ("ntfys://ntfy.sh/berths", "ntfy", {"topic": "berths"}),
        ("ntfys://tk_1@berths", "ntfy", {"topic": "berths", "token": "tk_1"}),
        (
            "ntfys://tk_1@push.example.com/berths",
            "ntfy",
            {"topic": "berths", "token": "tk_1", "server": "https://push.example.com"},
        ),
        (
            "ntfy://u:p%40ss@push.example.com:8080/berths",
            "ntfy",
            {"topic": "berths", "user": "u", "password": "p@ss", "server": "http://push.example.com:8080"},
        ),
        (
            "ntfys://push.example.com/berths?token=abc",
            "ntfy",
            {"topic": "berths", "token": "abc", "server": "https://push.example.com"},
        ),
        ("pover://user1@token1", "pushover", {"user_key": "user1", "app_token": "token1"}),
        ("pagerduty://key1@api1/source/part", "pagerduty", {"routing_key": "key1"}),
        (
            "pagerduty://key1@api1?region=eu",
            "pagerduty",
            {"routing_key": "key1", "server": "https://events.eu.pagerduty.com"},
        ),
        ("jira://key1/", "jira_service_management", {"api_key": "key1"}),
        ("jsons://example.com", "webhook", {"address": "https://example.com/", "method": "POST"}),
        (
            "json://u:p%3Aw@example.com:8080/a%20b/c?-x=1%262&method=put",
            "webhook",
            {
                "address": "http://example.com:8080/a%20b/c?x=1%262",
                "method": "PUT",
                "basic_user": "u",
                "basic_password": "p:w",
            },
        ),
        (
            "jsons://example.com/?+X-Token=a+b&+X-Other=c",
            "webhook",
            {"address": "https://example.com/", "method": "POST", "headers": "X-Token: a+b\nX-Other: c"},
        ),
        ("mailto://u:p@example.com?to=a@b.example", "email", {"recipients": "a@b.example"}),
        ("mailtos://u:p@example.com:465/a@b.example/c@d.example", "email", {"recipients": "a@b.example, c@d.example"}),
        ("mailto://u:p@example.com", "email", {"recipients": "u@example.com"}),
        ("mailto://u%40other.example:p@example.com", "email", {"recipients": "u@other.example"}),
        ("mailto://u@example.com&pass=secret", "email", {"recipients": "u@example.com"}),
        ("mailto://example.com?user=u&pass=secret", "email", {"recipients": "u@example.com"}),
        ("https://hooks.slack.com/services/T1/B1/c", "slack", {"address": "https://hooks.slack.com/services/T1/B1/c"}),
        ("https://discord.com/api/webhooks/1/a", "discord", {"address": "https://discord.com/api/webhooks/1/a"}),
        ("https://ntfy.sh/berths", "ntfy", {"topic": "berths"}),
        (TEAMS, "teams", {"address": TEAMS}),
    ],
)
def test_each_service_fills_its_channel(url: str, channel: str, settings: dict[str, str]) -> None:
    found = read_one(url)
    assert (found.channel, dict(found.settings)) == (channel, settings)
    assert (found.unusable, found.missing) == (None, frozenset())


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("tgram://11:AAH/1/2/3?to=4,5", ["1", "2", "3", "4", "5"]),
        ("ntfys://push.example.com/a/b?to=c", ["a", "b", "c"]),
        ("ntfy://push.example.com/a/b?mode=cloud", ["push.example.com", "a", "b"]),
    ],
)
def test_a_url_with_several_receivers_becomes_several_rows(url: str, names: list[str]) -> None:
    found = read(url).receivers
    assert [receiver.settings.get("chat_id") or receiver.settings["topic"] for receiver in found] == names
    assert len({receiver.name for receiver in found}) == len(names)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("slack://xoxb-1-2-3/#quay", "not with a bot's token"),
        ("slack://xoxe.xoxp-1-2-3/#quay", "not with a bot's token"),
        ("slack://T1/F1/x/y?mode=workflow", "not through a workflow"),
        ("mmosts://chat.example.com/token?mode=bot", "not with a bot's token"),
        ("jsons://example.com?method=GET", "POST or PUT only"),
        ("xml://example.com", "It sends JSON"),
        ("https://example.com/hook", "write jsons://"),
        ("matrix://u:p@example.com", "no channel for matrix"),
        (f"{SECRET}://a", "no channel for this type of receiver"),
    ],
)
def test_what_is_not_supported_says_why(url: str, reason: str) -> None:
    found = read_one(url)
    assert found.unusable is Unusable.NOT_SUPPORTED
    assert reason in found.reason
    assert found.settings == {}


@pytest.mark.parametrize("url", ["opsgenie://key", "msteams://a/b/c/d", "https://x.webhook.office.com/webhookb2/a"])
def test_what_is_retired_says_what_to_do(url: str) -> None:
    assert read_one(url).unusable is Unusable.RETIRED


@pytest.mark.parametrize(
    ("url", "missing"),
    [
        ("slack://T1/B1", {"address"}),
        ("slack://", {"address"}),
        ("slack://T1/B1/${TOKEN}", {"address"}),
        ("discord://41", {"address"}),
        ("discord://41/****", {"address"}),
        ("tgram://11:AAH", {"chat_id"}),
        ("tgram://abc", {"bot_token", "chat_id"}),
        ("tgram://11:AAH/$CHAT", {"chat_id"}),
        ("workflows://a.logic.azure.com/wf", {"address"}),
        ("workflows://a.logic.azure.com/wf/<signature>", {"address"}),
        ("gchat://space/key", {"address"}),
        ("mmost://chat.example.com", {"address"}),
        ("ntfy://", {"topic"}),
        ("pover://token1", {"user_key"}),
        ("pover://user1@", {"app_token"}),
        ("pagerduty://@api1", {"routing_key"}),
        ("jsons://", {"address"}),
        ("jsons://example.com?+X-Token=$TOKEN", {"headers"}),
        ("mailto://", {"recipients"}),
    ],
)
def test_a_part_that_is_not_in_the_file_is_missing(url: str, missing: set[str]) -> None:
    found = read_one(url)
    assert found.unusable is None
    assert found.missing == missing


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "jsons://example.com?verify=no",
            "verify=no is left out: Alertcheck always checks the receiver's certificate.",
        ),
        ("jsons://example.com?:a=b", "The additions to the body are left out: Alertcheck sends its own message."),
        ("slack://T1/B1/c?format=text&overflow=split", "Left out: format, overflow. Alertcheck sends its own message."),
        (
            "slack://T1/B1/c?to=quay",
            "The channel is left out: the message goes to the channel for which the webhook was created.",
        ),
        (
            "mailto://u:p@example.com?cc=a@b.example",
            "The copies (CC, BCC) are left out. Add them to the recipients if they need the message.",
        ),
        ("pover://u@t/phone", "The devices are left out: the message goes to all devices of the user or group."),
        (
            f"slack://T1/B1/c?{SECRET}=1",
            "Left out: settings that Alertcheck does not know. Alertcheck sends its own message.",
        ),
    ],
)
def test_what_is_left_out_is_said(url: str, sentence: str) -> None:
    assert sentence in read_one(url).dropped


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("slack://T/B/c # Quay: night", "Quay: night"),
        ("ops, night=slack://T/B/c", "ops, night"),
        ("ops = slack://T/B/c", "ops"),
        ("=slack://T/B/c", "Slack"),
        ("\tslack://T/B/c/#quay\t", "Slack"),
        ("2:ops=slack://T/B/c", "2:ops"),
    ],
)
def test_a_line_s_name(line: str, name: str) -> None:
    found = read_one(line, FileFormat.APPRISE)
    assert (found.name, found.settings) == (name, {"address": "https://hooks.slack.com/services/T/B/c"})


def test_other_lines_are_counted() -> None:
    found = read("slack://T/B/c\n\n; comment\n# comment\ngroup = a, b\ninclude http://other.example/x\nnot a line!\n")
    assert len(found.receivers) == 1
    assert found.notes == (
        "1 include left out: an import opens no other file. Import it as well.",
        "1 group of tags left out.",
        "1 line left out: not an Apprise URL.",
    )


def test_the_configuration_in_yaml_is_read() -> None:
    found = read(
        """
        version: 1
        include: [http://other.example/x]
        urls:
          - slack://T/B/c
          - discord://1/a:
              tag: pilots, crane
          - jsons://example.com:
              - to: a
              - tags: [x, y]
          - url: ntfy://berths
            tag: berths
          - 42
        """
    )
    assert [(receiver.name, receiver.channel) for receiver in found.receivers] == [
        ("Slack", "slack"),
        ("pilots, crane", "discord"),
        ("Webhook", "webhook"),
        ("x, y", "webhook"),
        ("berths", "ntfy"),
    ]
    assert len(found.notes) == 2


@pytest.mark.parametrize("text", ["# nothing", "group = a", "version: 1\nurls: []", "urls: slack://T/B/c"])
def test_a_file_without_a_url_says_so(text: str) -> None:
    with pytest.raises(FileUnreadable, match="no Apprise URL"):
        read(text, FileFormat.APPRISE)


def test_a_list_of_urls_with_thousands_of_topics_each_is_refused_at_once() -> None:
    began = process_time()
    with pytest.raises(FileUnreadable, match="more than 1,000 receivers"):
        read(("ntfy://" + "/".join("a" * 4000) + "\n") * 128)
    assert process_time() - began < 3


def test_a_file_has_at_most_a_thousand_receivers() -> None:
    assert len(read("ntfy://a\n" * MAX_RECEIVERS).receivers) == MAX_RECEIVERS
    with pytest.raises(FileUnreadable, match="more than 1,000 receivers"):
        read("ntfy://a\n" * (MAX_RECEIVERS + 1))
    with pytest.raises(FileUnreadable, match="more than 1,000 receivers"):
        read(f"tgram://11:AAH{'/1' * 999}\n" * 2)


def test_a_url_that_is_too_long_is_none() -> None:
    assert read_one(f"slack://T/B/{'c' * 8192}").reason == "This is not an Apprise URL."


@pytest.mark.parametrize("piece", [" ", "a ", "a=", "1", "11:", "a# ", "\t", "a,", "/@", "&", ":1", "@"])
def test_a_long_line_takes_no_time(piece: str) -> None:
    short, long = piece * (8000 // len(piece)), piece * (800_000 // len(piece))
    start = process_time()
    with suppress(FileUnreadable):
        read_apprise_text(f"a://{short}x\n" * 20 + f"a{long}b\ntgram://{short}\n")
    assert process_time() - start < 10


@pytest.mark.parametrize("schema", KINDS)
def test_a_url_of_its_schema_alone_is_read(schema: str) -> None:
    assert all(SECRET not in repr(receiver) for receiver in read(f"{schema}://").receivers)
