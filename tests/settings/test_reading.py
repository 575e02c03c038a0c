"""The settings: missing and invalid ones are reported in sentences, and no secret is printed."""

import base64
import os
import traceback
from datetime import timedelta
from pathlib import Path

import pytest

from tests.outbound.certificates import DAY, authority, write_pem
from webapp.channels import CHANNELS
from webapp.environment.redis_prefix import derive_redis_prefix
from webapp.environment.settings_reader import Misconfigured, read_model, variables_of
from webapp.outbound.policy.urls import Origin
from webapp.settings import AppSettings, DemoVisitors, SettingsModel, read_settings

KEYS = [base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in range(2)]
NEEDED = {
    "SECRET_KEY": "canary-secret-key-of-enough-characters",
    "ALERTCHECK_CONFIG_KEYS": KEYS[0],
    "DATABASE_URL": "postgresql://me:canary-password@db.example/alertcheck",
    "REDIS_URL": "redis://:canary-password@queue.example",
}
OPTIONAL = (
    "ALERTCHECK_CA_FILE",
    "ALERTCHECK_DENIED_NETWORKS",
    "ALERTCHECK_EGRESS_PROXY",
    "ALERTCHECK_EXTRA_HOSTS",
    "ALERTCHECK_TRUSTED_ORIGINS",
    "ALERTCHECK_ALLOWED_HOSTS",
    "ALERTCHECK_ALLOWED_NETWORKS",
    "ALERTCHECK_ALLOWED_PORTS",
    "ALERTCHECK_CONFIG_KEYS_FILE",
    "ALERTCHECK_DEMO",
    "ALERTCHECK_HTTPS",
    "ALERTCHECK_MAIL_FROM",
    "ALERTCHECK_MAIL_URL",
    "ALERTCHECK_PRESSES_PER_MEMBER",
    "ALERTCHECK_PRESSES_PER_WORKSPACE",
    "ALERTCHECK_PUBLIC_URL",
    "ALERTCHECK_TESTS_PER_RECIPIENT",
    "ALERTCHECK_TESTS_PER_TARGET",
    "ALERTCHECK_TRUSTED_PROXIES",
)
DEMO = {
    "ALERTCHECK_DEMO": "1",
    "ALERTCHECK_DEMO_INBOX": "/var/demo/inbox",
    "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:8025",
}


def read(**settings: str) -> AppSettings:
    return read_settings(NEEDED | settings)


def test_four_settings_are_enough() -> None:
    app_settings = read()

    assert (app_settings.secret_key, app_settings.database_url, app_settings.redis_url) == (
        NEEDED["SECRET_KEY"],
        NEEDED["DATABASE_URL"],
        NEEDED["REDIS_URL"],
    )


def test_optional_settings_are_off_by_default() -> None:
    app_settings = read()

    assert (app_settings.https, app_settings.proxies, app_settings.demo, app_settings.outbound.mail) == (
        False,
        0,
        None,
        None,
    )
    assert app_settings.metrics_token is None


def test_the_retry_delays_of_real_alerts_are_read_as_seconds() -> None:
    assert read(ALERTCHECK_REAL_ALERT_WAITS="60, 1800").real_alert_retry_delays == (
        timedelta(minutes=1),
        timedelta(minutes=30),
    )


@pytest.mark.parametrize("waits", ["soon", "1.5", "-3", "60;300", "60,43141", "1000000"])
def test_retry_delays_that_are_not_seconds_or_exceed_half_a_day_are_refused(waits: str) -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_REAL_ALERT_WAITS has to be seconds, such as"):
        read(ALERTCHECK_REAL_ALERT_WAITS=waits)


@pytest.mark.parametrize(("days", "kept"), [("0", None), ("400", timedelta(days=400))])
def test_the_retention_is_forever_or_a_number_of_days(days: str, kept: timedelta | None) -> None:
    assert read(ALERTCHECK_KEEP_DELIVERIES_DAYS=days).keep_deliveries == kept


@pytest.mark.parametrize("days", ["-1", "a year", "36501"])
def test_an_invalid_number_of_days_is_refused(days: str) -> None:
    with pytest.raises(Misconfigured, match="ALERTCHECK_KEEP_DELIVERIES_DAYS"):
        read(ALERTCHECK_KEEP_DELIVERIES_DAYS=days)


@pytest.mark.parametrize(("days", "kept"), [("0", None), ("30", timedelta(days=30)), ("400", timedelta(days=400))])
def test_audit_events_are_kept_forever_or_for_30_days_at_least(days: str, kept: timedelta | None) -> None:
    assert read(ALERTCHECK_KEEP_AUDIT_DAYS=days).keep_audit == kept


@pytest.mark.parametrize("days", ["1", "29", "-1", "a year", "36501"])
def test_another_number_of_days_for_audit_events_is_refused(days: str) -> None:
    with pytest.raises(Misconfigured, match="ALERTCHECK_KEEP_AUDIT_DAYS has to be"):
        read(ALERTCHECK_KEEP_AUDIT_DAYS=days)


def test_an_empty_optional_setting_means_unset() -> None:
    app_settings, emptied = read(), read(**dict.fromkeys(OPTIONAL, ""))

    assert (emptied.https, emptied.hosts, emptied.proxies, emptied.demo) == (False, (), 0, None)
    assert (emptied.send_limits, emptied.outbound) == (app_settings.send_limits, app_settings.outbound)


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} is not set"):
        read_settings({key: value for key, value in NEEDED.items() if key != name})


@pytest.mark.parametrize("name", NEEDED)
def test_an_empty_required_setting_is_missing(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} is not set"):
        read(**{name: "  "})


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALERTCHECK_CONFIG_KEYS"])
def test_a_missing_key_is_reported_with_the_command_that_makes_one(name: str) -> None:
    with pytest.raises(Misconfigured, match="Make one with: python3 -c"):
        read(**{name: ""})


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "mysql://me:canary@db.example/alerts"),
        ("DATABASE_URL", "postgresql://me:canary#b@db.example/alerts"),
        ("DATABASE_URL", "sqlite:///canary.sqlite"),
        ("REDIS_URL", "postgres://me:canary@db.example/alerts"),
        ("REDIS_URL", "redis://:canary/x@host.example/0"),
        ("REDIS_URL", "redis://host.example/canary"),
        ("ALERTCHECK_MAIL_URL", "smtps://me:canary?@mail.example"),
        ("ALERTCHECK_EGRESS_PROXY", "http://me:canary%@proxy.example:3128"),
        ("ALERTCHECK_DEMO_RECEIVER_SMTP", "smtp://me:canary@x@127.0.0.1"),
    ],
)
def test_a_url_that_cannot_work_is_reported_with_its_name_and_not_quoted(name: str, url: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} (has|cannot|takes) ") as caught:
        read(**{"ALERTCHECK_MAIL_FROM": "alerts@example.com", name: url})

    assert "canary" not in str(caught.value)


def test_the_urls_of_platforms_and_of_valkey_are_understood() -> None:
    app_settings = read(DATABASE_URL="postgres://me:pw@DB.example/alerts", REDIS_URL="valkeys://:pw@Queue.example:6380")

    assert app_settings.database_url == "postgresql://me:pw@db.example/alerts"
    assert app_settings.redis_url == "rediss://:pw@queue.example:6380"


def test_the_prefix_in_redis_is_derived_from_the_secret_key_unless_it_is_set() -> None:
    assert read().redis_prefix == derive_redis_prefix(NEEDED["SECRET_KEY"])
    assert read(REDIS_PREFIX="staging:").redis_prefix == "staging"


def test_an_invalid_prefix_in_redis_is_refused_by_name_and_not_quoted() -> None:
    with pytest.raises(Misconfigured, match=r"^REDIS_PREFIX has to be 1 to 64 letters") as caught:
        read(REDIS_PREFIX="canary*")

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("keys", ["canary", f"{KEYS[0]},canary", KEYS[0][:-2], ","])
def test_an_invalid_key_is_refused_and_not_quoted(keys: str) -> None:
    with pytest.raises(Misconfigured, match="ALERTCHECK_CONFIG_KEYS") as caught:
        read(ALERTCHECK_CONFIG_KEYS=keys)

    assert keys not in str(caught.value)


def test_settings_encrypted_with_any_of_the_keys_can_be_decrypted() -> None:
    sealed = read(ALERTCHECK_CONFIG_KEYS=KEYS[1]).cipher.encrypt({"address": "x"}, context="row")

    assert read(ALERTCHECK_CONFIG_KEYS=f" {KEYS[0]} , {KEYS[1]}, ").cipher.decrypt(sealed, context="row") == {
        "address": "x"
    }


@pytest.mark.parametrize("wrap", ['"{}"', "'{}'", "{}\r", "\ufeff{}", " {}\u00a0", "\t{}\n"])
def test_what_editors_and_container_engines_leave_around_a_value_is_ignored(wrap: str) -> None:
    values = NEEDED | {"ALERTCHECK_HTTPS": "Yes", "ALERTCHECK_TRUSTED_PROXIES": "1", "ALERTCHECK_ALLOWED_HOSTS": "A.x"}

    app_settings = read_settings({name: wrap.format(value) for name, value in values.items()})

    assert (app_settings.secret_key, app_settings.database_url) == (NEEDED["SECRET_KEY"], NEEDED["DATABASE_URL"])
    assert (app_settings.https, app_settings.proxies, app_settings.hosts[0]) == (True, 1, "a.x")


def test_a_byte_order_mark_in_front_of_the_first_name_is_ignored() -> None:
    without = {name: value for name, value in NEEDED.items() if name != "SECRET_KEY"}

    assert read_settings(without | {"\ufeffSECRET_KEY": NEEDED["SECRET_KEY"]}).secret_key == NEEDED["SECRET_KEY"]


def test_a_comment_behind_a_value_is_pointed_out() -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_HTTPS has .* Write a comment on a line of its own\.$"):
        read(ALERTCHECK_HTTPS="1  # behind nginx")


def test_a_host_with_a_scheme_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_ALLOWED_HOSTS takes host names .* entry 1 has a scheme"):
        read(ALERTCHECK_ALLOWED_HOSTS="https://alertcheck.example.com")


@pytest.mark.parametrize("proxies", ["10.0.0.0/8", "*", "21", "true"])
def test_the_addresses_of_proxies_are_refused(proxies: str) -> None:
    with pytest.raises(
        Misconfigured, match=r"^ALERTCHECK_TRUSTED_PROXIES has to be .* such as 1\. Do not list their addresses\.$"
    ):
        read(ALERTCHECK_TRUSTED_PROXIES=proxies)


def test_extra_hosts_of_an_unknown_channel_are_refused_with_those_that_exist() -> None:
    with_hosts = ", ".join(sorted(name for name, channel in CHANNELS.items() if channel.hosts))
    with pytest.raises(Misconfigured, match=rf"^ALERTCHECK_EXTRA_HOSTS names a channel .* with one: {with_hosts}\.$"):
        read(ALERTCHECK_EXTRA_HOSTS="teems=flows.example.com")


def test_the_sender_may_have_a_name() -> None:
    mail = read(
        ALERTCHECK_MAIL_URL="smtp://mail.example", ALERTCHECK_MAIL_FROM="Alertcheck <alerts@example.com>"
    ).outbound.mail

    assert mail is not None
    assert (mail.sender, mail.sender_name) == ("alerts@example.com", "Alertcheck")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_a_missing_key_file_is_created_readable_only_by_its_owner(key_file: Path) -> None:
    read(ALERTCHECK_CONFIG_KEYS_FILE=str(key_file))

    assert key_file.stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_kept_at_the_next_start(key_file: Path) -> None:
    sealed = read(ALERTCHECK_CONFIG_KEYS_FILE=str(key_file)).cipher.encrypt({"address": "x"}, context="row")

    assert read(ALERTCHECK_CONFIG_KEYS_FILE=str(key_file)).cipher.decrypt(sealed, context="row") == {"address": "x"}


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_file_that_others_may_read_is_refused(key_file: Path, mode: int) -> None:
    key_file.write_text(KEYS[0])
    key_file.chmod(mode)

    with pytest.raises(Misconfigured, match="can be read by other users"):
        read(ALERTCHECK_CONFIG_KEYS_FILE=str(key_file))


def test_a_key_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_CONFIG_KEYS_FILE names a folder or a device"):
        read(ALERTCHECK_CONFIG_KEYS_FILE=str(tmp_path))


def test_an_empty_key_file_is_refused(key_file: Path) -> None:
    key_file.touch(0o600)

    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_CONFIG_KEYS_FILE contains no key"):
        read(ALERTCHECK_CONFIG_KEYS_FILE=str(key_file))


def test_a_key_file_that_cannot_be_created_is_refused(key_file: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be used: No such file or directory"):
        read(ALERTCHECK_CONFIG_KEYS_FILE=str(key_file / "below"))


@pytest.mark.parametrize("name", ["canary", "./canary", "~/canary", "data/canary"])
def test_a_relative_key_file_is_refused_and_not_created(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "~").mkdir()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_CONFIG_KEYS_FILE has to be the whole path") as caught:
        read(ALERTCHECK_CONFIG_KEYS_FILE=name)

    assert "canary" not in str(caught.value)
    assert not [*tmp_path.rglob("canary")]


@pytest.mark.parametrize(("value", "https"), [("1", True), ("0", False), ("", False)])
def test_https_is_on_if_it_is_1(value: str, https: bool) -> None:
    assert read(ALERTCHECK_HTTPS=value).https is https


def test_the_number_of_trusted_proxies_is_read() -> None:
    assert read(ALERTCHECK_TRUSTED_PROXIES="2").proxies == 2


@pytest.mark.parametrize("path", ["/alertcheck", "alertcheck", " /alertcheck/ "])
def test_a_path_under_which_the_pages_would_be_served_is_refused(path: str) -> None:
    with pytest.raises(
        Misconfigured, match=r"^SCRIPT_NAME has to be removed\. Alertcheck needs a host name of its own"
    ):
        read(SCRIPT_NAME=path)


@pytest.mark.parametrize("path", ["", " ", "/"])
def test_the_root_is_no_such_path(path: str) -> None:
    assert read(SCRIPT_NAME=path).hosts == ()


def test_the_pages_respond_under_the_names_of_this_machine_too() -> None:
    assert read(ALERTCHECK_ALLOWED_HOSTS="a.example, b.example").hosts == (
        *("a.example", "b.example"),
        *("127.0.0.1", "localhost", "::1"),
    )


@pytest.mark.parametrize(
    "name", ["ALERTCHECK_TRUSTED_PROXIES", "ALERTCHECK_PRESSES_PER_MEMBER", "ALERTCHECK_PRESSES_PER_WORKSPACE"]
)
@pytest.mark.parametrize("value", ["two", "-1", "1.5", "²", "9999999999"])
def test_a_value_that_is_not_a_number_is_reported(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} has to be a whole number"):
        read(**{name: value})


def test_a_metrics_token_is_read_without_the_spaces_around_it() -> None:
    assert read(ALERTCHECK_METRICS_TOKEN=" 0123456789abcde= ").metrics_token == "0123456789abcde="


@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_metrics_token_means_none(nothing: str) -> None:
    assert read(ALERTCHECK_METRICS_TOKEN=nothing).metrics_token is None


@pytest.mark.parametrize(
    "token", ["canary789abcdef", "canary with some spaces", "canary-\u00e4\u00f6\u00fc-456789abcdef"]
)
def test_a_metrics_token_that_is_short_or_invalid_in_a_header_is_refused_and_not_quoted(token: str) -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_METRICS_TOKEN needs .* Make one with: python3 -c") as caught:
        read(ALERTCHECK_METRICS_TOKEN=token)

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("nothing", ["", " "])
def test_there_are_no_links_without_a_public_url(nothing: str) -> None:
    assert read(ALERTCHECK_PUBLIC_URL=nothing).links.make(7, "K7QM4T") is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (" https://Alertcheck.example.com/ ", "https://alertcheck.example.com/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"),
    ],
)
def test_links_begin_with_the_public_url(url: str, origin: str) -> None:
    assert str(read(ALERTCHECK_PUBLIC_URL=url).links.make(7, "K7QM4T")).startswith(f"{origin}seen/")


@pytest.mark.parametrize(
    "url",
    [
        "canary",
        "ftp://canary.example",
        "https://me:canary@alertcheck.example.com",
        "https://alertcheck.example.com/canary",
        "https://alertcheck.example.com?canary",
        "https://alertcheck.example.com/#canary",
    ],
)
def test_a_public_url_that_is_not_an_origin_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_PUBLIC_URL has .+ https://alertcheck") as caught:
        read(ALERTCHECK_PUBLIC_URL=url)

    assert "canary" not in str(caught.value)


def test_a_mail_server_needs_a_sender() -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_MAIL_FROM is not set, and ALERTCHECK_MAIL_URL needs it"):
        read(ALERTCHECK_MAIL_URL="smtp://mail.example:25")


def test_a_mail_server_with_a_sender_is_read() -> None:
    mail = read(ALERTCHECK_MAIL_URL="smtp://mail.example:2525", ALERTCHECK_MAIL_FROM="alerts@example.com").outbound.mail

    assert mail is not None
    assert (mail.host, mail.port) == ("mail.example", 2525)


def test_an_invalid_mail_server_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_MAIL_URL has to begin with smtp://"):
        read(ALERTCHECK_MAIL_URL="gopher://mail.example", ALERTCHECK_MAIL_FROM="alerts@example.com")


def test_an_origin_that_cannot_be_trusted_is_refused() -> None:
    with pytest.raises(Misconfigured, match="ALERTCHECK_TRUSTED_ORIGINS"):
        read(ALERTCHECK_TRUSTED_ORIGINS="not an origin")


def test_the_demo_is_on_if_it_is_1() -> None:
    demo = read(**DEMO).demo

    assert demo is not None
    assert (demo.inbox, demo.receiver, demo.signing_secret_file) == (
        Path("/var/demo/inbox"),
        "http://127.0.0.1:8025",
        None,
    )


def test_a_demo_sends_to_its_own_receiver_only() -> None:
    smtp = {"ALERTCHECK_DEMO_RECEIVER_SMTP": "smtp://127.0.0.1:8026"}
    others = {
        "ALERTCHECK_TRUSTED_ORIGINS": "http://receiver.lan:8080",
        "ALERTCHECK_MAIL_URL": "smtp://mail.example.com",
        "ALERTCHECK_MAIL_FROM": "alerts@example.com",
    }

    outbound = read(**DEMO, **smtp, **others).outbound

    assert outbound.policy.demo_receiver == Origin("http", "127.0.0.1", 8025)
    assert outbound.mail is not None
    assert (outbound.mail.host, outbound.mail.port) == ("127.0.0.1", 8026)
    assert read(**DEMO, **others).outbound.mail is None


def test_a_demo_sends_to_others_if_the_administrator_wants_it() -> None:
    mail = {"ALERTCHECK_MAIL_URL": "smtp://mail.example.com", "ALERTCHECK_MAIL_FROM": "alerts@example.com"}

    outbound = read(**DEMO, **mail, ALERTCHECK_DEMO_REAL_RECEIVERS="1").outbound

    assert outbound.policy.demo_receiver is None
    assert outbound.mail is not None
    assert outbound.mail.host == "mail.example.com"


def test_no_demo_setting_restricts_an_installation() -> None:
    assert read(**(DEMO | {"ALERTCHECK_DEMO": "0"})).outbound.policy.demo_receiver is None


@pytest.mark.parametrize("address", ["127.0.0.1:8025", "http://127.0.0.1:8025/hook", "canary"])
def test_a_demos_receiver_has_to_be_an_origin(address: str) -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_DEMO_RECEIVER_HTTP takes scheme://host:port without a path"):
        read(**(DEMO | {"ALERTCHECK_DEMO_RECEIVER_HTTP": address}))


@pytest.mark.parametrize("name", ["ALERTCHECK_DEMO_INBOX", "ALERTCHECK_DEMO_RECEIVER_HTTP"])
def test_a_demo_without_an_inbox_or_a_receiver_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} is not set"):
        read(**(DEMO | {name: ""}))


def test_printed_settings_contain_no_secret() -> None:
    mail = {
        "ALERTCHECK_MAIL_URL": "smtps://me:canary-password@mail.example",
        "ALERTCHECK_MAIL_FROM": "alerts@example.com",
    }
    proxy = {"ALERTCHECK_EGRESS_PROXY": "http://me:canary-password@proxy.example:3128"}
    printed = repr(read(ALERTCHECK_METRICS_TOKEN="canary-metrics-token", **mail, **proxy))

    assert "canary" not in printed
    assert "bWU6Y2FuYXJ5" not in printed  # me:canary in Base64
    assert KEYS[0] not in printed


@pytest.mark.parametrize("word", ["1", "true", "True", "YES", " on "])
def test_every_usual_word_turns_a_flag_on(word: str) -> None:
    assert read(ALERTCHECK_HTTPS=word).https is True


@pytest.mark.parametrize("word", ["", "0", "false", "No", "OFF"])
def test_every_usual_word_turns_a_flag_off(word: str) -> None:
    assert read(ALERTCHECK_HTTPS=word).https is False


@pytest.mark.parametrize("name", ["ALERTCHECK_HTTPS", "ALERTCHECK_DEMO"])
@pytest.mark.parametrize("word", ["2", "y", "enabled", "https"])
def test_any_other_value_of_a_flag_is_refused(name: str, word: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} has to be 1, true, yes or on"):
        read(**{name: word})


@pytest.mark.parametrize("length", [1, 31])
def test_a_secret_key_that_is_too_short_is_refused_with_the_command_that_makes_one(length: int) -> None:
    with pytest.raises(Misconfigured, match=r"^SECRET_KEY needs 32 characters or more\. Make one with: python3 -c"):
        read(SECRET_KEY="k" * length)


def test_a_key_of_random_bytes_is_refused() -> None:
    key = os.fsdecode(b"\xfc\x80" * 20)

    with pytest.raises(Misconfigured, match=r"^SECRET_KEY contains bytes that are not text in UTF-8\. Make one with: "):
        read(SECRET_KEY=key)


def test_a_secret_key_of_32_characters_is_accepted() -> None:
    assert read(SECRET_KEY="k" * 32).secret_key == "k" * 32


def test_all_problems_are_reported_at_once() -> None:
    wrong = {
        "ALERTCHECK_HTTPS": "maybe",
        "ALERTCHECK_MAIL_URL": "gopher://canary",
        "ALERTCHECK_PUBLIC_URL": "canary",
        "ALERTCHECK_CA_FILE": "/nowhere/ca.pem",
        "ALERTCHECK_DEMO": "1",
        "METRICS_TOKEN": "canary",
        "ALERTCHECK_METRICS_TOKEN": "other",
        "SECRET_KEY": "canary",
    }

    with pytest.raises(Misconfigured) as caught:
        read_settings(wrong)

    assert [line.split()[0] for line in str(caught.value).splitlines()] == [
        "METRICS_TOKEN",
        "ALERTCHECK_CA_FILE",
        "ALERTCHECK_MAIL_URL",
        "ALERTCHECK_MAIL_FROM",
        "SECRET_KEY",
        "ALERTCHECK_CONFIG_KEYS",
        "DATABASE_URL",
        "REDIS_URL",
        "ALERTCHECK_HTTPS",
        "ALERTCHECK_PUBLIC_URL",
        "ALERTCHECK_METRICS_TOKEN",
        "ALERTCHECK_DEMO_INBOX",
        "ALERTCHECK_DEMO_RECEIVER_HTTP",
    ]
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("variable", variables_of(SettingsModel).values())
@pytest.mark.parametrize("garbage", ["\udcff canary \x85", "canary://[canary@canary", "canary\u2100", "=canary;,="])
def test_garbage_in_any_setting_is_never_quoted(
    variable: str, garbage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a key file would be created there

    with pytest.raises(Misconfigured) as caught:
        read_settings(NEEDED | {"SECRET_KEY": "short", variable: garbage})

    assert "canary" not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


@pytest.mark.parametrize("content", [b"canary", b"\xff canary"])
def test_a_key_file_with_other_content_is_refused(key_file: Path, content: bytes) -> None:
    key_file.write_bytes(content)
    key_file.chmod(0o600)

    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_CONFIG_KEYS_FILE contains something that is not a") as caught:
        read(ALERTCHECK_CONFIG_KEYS_FILE=str(key_file))

    assert "canary" not in str(caught.value)


def test_a_key_file_is_enough(key_file: Path) -> None:
    without = {name: value for name, value in NEEDED.items() if name != "ALERTCHECK_CONFIG_KEYS"}

    assert read_settings(without | {"ALERTCHECK_CONFIG_KEYS_FILE": str(key_file)}).cipher


def test_a_mail_sender_that_is_not_an_address_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"^ALERTCHECK_MAIL_FROM has to be an email address, such as "):
        read(ALERTCHECK_MAIL_URL="smtp://mail.example:25", ALERTCHECK_MAIL_FROM="alerts")


def _list_advice(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [vars(record)["advice"] for record in caplog.records]


def test_an_old_name_works_with_a_warning_that_contains_the_new_name(caplog: pytest.LogCaptureFixture) -> None:
    assert read(HTTPS="1").https is True
    assert _list_advice(caplog) == ["HTTPS is an old name. Rename it to ALERTCHECK_HTTPS."]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ALERTCHECK_HTPS", " Did you mean ALERTCHECK_HTTPS?"),
        ("ALERTCHECK_TRUSTED_PROXY", " Did you mean ALERTCHECK_TRUSTED_PROXIES?"),
        ("ALERTCHECK_QQQ", ""),
        ("ALERTCHECK_https", ""),
    ],
)
def test_an_unknown_name_is_warned_of(name: str, hint: str, caplog: pytest.LogCaptureFixture) -> None:
    read(**{name: "canary"})

    assert _list_advice(caplog) == [f"{name} is not a setting, so it is ignored.{hint}"]


def test_an_expired_authority_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    expired = write_pem(tmp_path, authority("Harbor Root", valid=(-2 * DAY, -DAY)))
    read(ALERTCHECK_CA_FILE=expired)
    (advice,) = _list_advice(caplog)
    assert advice.startswith("Certificate 1 (“Harbor Root”) in ALERTCHECK_CA_FILE expired on ")


def test_known_empty_and_foreign_names_are_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    read(ALERTCHECK_HTTPS="1", ALERTCHECK_WEB_ADDRESS="127.0.0.1:8000", ALERTCHECK_HTPS="", ALERT="1")

    assert caplog.records == []


def test_the_printed_settings_model_contains_no_secret(key_file: Path) -> None:
    secrets = {
        "ALERTCHECK_MAIL_URL": "smtps://me:canary-password@mail.example",
        "ALERTCHECK_MAIL_FROM": "alerts@example.com",
        "ALERTCHECK_METRICS_TOKEN": "canary-metrics-token",
        "ALERTCHECK_CONFIG_KEYS_FILE": str(key_file),
        "ALERTCHECK_EGRESS_PROXY": "http://me:canary-password@proxy.example:3128",
    }
    printed = repr(read_model(SettingsModel, NEEDED | secrets)) + str(read_model(SettingsModel, NEEDED))

    assert "canary" not in printed
    assert "bWU6Y2FuYXJ5" not in printed
    assert KEYS[0] not in printed
    assert key_file.read_text().strip() not in printed


PUBLIC_DEMO = DEMO | {"DEMO_URL": "https://Demo.Example.com/"}


def test_a_public_demo_is_opened_over_https_by_its_own_name_through_a_proxy() -> None:
    app_settings = read(**PUBLIC_DEMO, ALERTCHECK_ALLOWED_HOSTS="other.example.com", ALERTCHECK_HTTPS="0")

    assert (app_settings.is_public_demo, app_settings.https, app_settings.proxies) == (True, True, 1)
    assert (app_settings.hosts, app_settings.links.public_url) == (("demo.example.com",), "https://demo.example.com")


def test_a_public_demo_counts_the_proxies_that_are_set() -> None:
    assert read(**PUBLIC_DEMO, ALERTCHECK_TRUSTED_PROXIES="2").proxies == 2


def test_a_demo_without_an_address_is_private() -> None:
    app_settings = read(**DEMO)

    assert (app_settings.is_public_demo, app_settings.hosts) == (False, ("127.0.0.1", "localhost"))


def test_the_address_of_a_public_demo_makes_no_demo_of_an_installation() -> None:
    app_settings = read(DEMO_URL="https://demo.example.com", ALERTCHECK_PUBLIC_URL="https://alertcheck.example.com")

    assert (app_settings.demo, app_settings.is_public_demo, app_settings.hosts) == (None, False, ())
    assert app_settings.links.public_url == "https://alertcheck.example.com"


def test_a_public_demo_has_limits_of_its_own() -> None:
    app_settings = read(**PUBLIC_DEMO, ALERTCHECK_PRESSES_PER_WORKSPACE="600", ALERTCHECK_DEMO_VISITORS="7")

    assert app_settings.send_limits.per_workspace == 20
    assert app_settings.demo
    assert app_settings.demo.visitors == DemoVisitors(most=7, most_per_network=10)


@pytest.mark.parametrize(
    "url",
    ["http://demo.example.com", "https://demo.example.com/path", "demo.example.com", "https://me:canary@x.example"],
)
def test_an_address_that_no_public_demo_can_have_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"^DEMO_URL has ") as caught:
        read(**DEMO, DEMO_URL=url)

    assert "canary" not in str(caught.value)
