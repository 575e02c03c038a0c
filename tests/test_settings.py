"""The operator's settings: what is missing or wrong is said plainly, and no secret is printed."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest

from webapp.settings import AppSettings, Misconfigured, read_settings

KEYS = [base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in range(2)]
NEEDED = {
    "SECRET_KEY": "canary-secret-key",
    "CONFIG_KEYS": KEYS[0],
    "DATABASE_URL": "postgresql+psycopg://me:canary-password@db.example/alertcheck",
    "REDIS_URL": "redis://:canary-password@queue.example",
}
OPTIONAL = (
    "ALERTCHECK_CA_FILE",
    "ALERTCHECK_DENIED_NETWORKS",
    "ALERTCHECK_EGRESS_PROXY",
    "ALERTCHECK_EXTRA_HOSTS",
    "ALERTCHECK_TRUSTED_ORIGINS",
    "ALLOWED_HOSTS",
    "CONFIG_KEYS_FILE",
    "DEMO",
    "HTTPS",
    "MAIL_FROM",
    "MAIL_URL",
    "PRESSES_PER_MEMBER",
    "PRESSES_PER_WORKSPACE",
    "PUBLIC_URL",
    "TRUSTED_PROXIES",
)
DEMO = {"DEMO": "1", "DEMO_INBOX": "/var/demo/inbox", "DEMO_RECEIVER_HTTP": "http://127.0.0.1:8025"}


def read(**settings: str) -> AppSettings:
    return read_settings(NEEDED | settings)


def test_four_settings_are_enough() -> None:
    app_settings = read()

    assert (app_settings.secret_key, app_settings.database_url, app_settings.redis_url) == (
        NEEDED["SECRET_KEY"],
        NEEDED["DATABASE_URL"],
        NEEDED["REDIS_URL"],
    )


def test_what_is_not_set_is_off() -> None:
    app_settings = read()

    assert (app_settings.https, app_settings.proxies, app_settings.demo, app_settings.outbound.mail) == (
        False,
        0,
        None,
        None,
    )
    assert app_settings.metrics_token is None


def test_the_waits_of_real_alerts_are_seconds() -> None:
    assert read(REAL_ALERT_WAITS="60, 1800").real_alert_retry_delays == (timedelta(minutes=1), timedelta(minutes=30))


@pytest.mark.parametrize("waits", ["soon", "1.5", "-3", "60;300", "60,43141", "1000000"])
def test_waits_that_are_no_seconds_or_come_to_more_than_half_a_day_are_refused(waits: str) -> None:
    with pytest.raises(Misconfigured, match="REAL_ALERT_WAITS has to be seconds, such as"):
        read(REAL_ALERT_WAITS=waits)


@pytest.mark.parametrize(("days", "kept"), [("0", None), ("400", timedelta(days=400))])
def test_deliveries_are_kept_for_ever_or_for_some_days(days: str, kept: timedelta | None) -> None:
    assert read(KEEP_DELIVERIES_DAYS=days).keep_deliveries == kept


@pytest.mark.parametrize("days", ["-1", "a year", "36501"])
def test_days_that_cannot_be_are_refused(days: str) -> None:
    with pytest.raises(Misconfigured, match="KEEP_DELIVERIES_DAYS"):
        read(KEEP_DELIVERIES_DAYS=days)


def test_what_is_set_to_nothing_is_as_good_as_left_out() -> None:
    app_settings, emptied = read(), read(**dict.fromkeys(OPTIONAL, ""))

    assert (emptied.https, emptied.hosts, emptied.proxies, emptied.demo) == (False, (), 0, None)
    assert (emptied.presses, emptied.outbound) == (app_settings.presses, app_settings.outbound)


@pytest.mark.parametrize("name", NEEDED)
def test_a_setting_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} is not set"):
        read_settings({key: value for key, value in NEEDED.items() if key != name})


@pytest.mark.parametrize("name", NEEDED)
def test_a_setting_that_is_empty_is_as_good_as_missing(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} is not set"):
        read(**{name: "  "})


@pytest.mark.parametrize("name", ["SECRET_KEY", "CONFIG_KEYS"])
def test_a_key_that_is_missing_comes_with_the_command_that_makes_one(name: str) -> None:
    with pytest.raises(Misconfigured, match="Make one with: python3 -c"):
        read(**{name: ""})


@pytest.mark.parametrize(
    "url", ["postgres://me:canary@db.example/alerts", "mysql://me:canary@db.example/alerts", "canary"]
)
@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_a_url_of_another_kind_is_named_and_not_quoted(name: str, url: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} has to begin with ") as caught:
        read(**{name: url})

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://host.example:canary/alerts"),
        ("DATABASE_URL", "postgresql://me:x@y:canary@host.example/alerts"),
        ("DATABASE_URL", "postgresql://me:x@canary@host.example/alerts"),
        ("REDIS_URL", "redis://:canary/x@host.example/0"),
        ("REDIS_URL", "redis://host.example:canary/0"),
        ("REDIS_URL", "redis://[canary/0"),
    ],
)
def test_a_url_that_cannot_be_read_is_named_and_not_quoted(name: str, url: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} cannot be read") as caught:
        read(**{name: url})

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("password", ["a/b", "a#b", "a?b", "a[b", "a:b", "a%40b"])
def test_a_password_that_the_database_library_can_read_is_taken(password: str) -> None:
    url = f"postgresql://me:{password}@db.example/alerts"

    assert read(DATABASE_URL=url).database_url == url


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/file", "sqlite:///file:x?mode=memory&uri=true"],
)
def test_a_database_in_memory_is_refused_since_each_process_would_have_one_of_its_own(url: str) -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL has to name a file"):
        read(DATABASE_URL=url)


@pytest.mark.parametrize("url", ["rediss://queue.example:6380/1", "unix:///run/queue.sock", "redis://queue.example"])
def test_the_queue_is_reached_by_tcp_by_tls_or_by_a_socket(url: str) -> None:
    assert read(REDIS_URL=url).redis_url == url


@pytest.mark.parametrize("keys", ["canary", f"{KEYS[0]},canary", KEYS[0][:-2], ","])
def test_something_that_is_no_key_is_refused_and_not_quoted(keys: str) -> None:
    with pytest.raises(Misconfigured, match="CONFIG_KEYS") as caught:
        read(CONFIG_KEYS=keys)

    assert keys not in str(caught.value)


def test_settings_sealed_with_any_of_the_keys_can_be_opened() -> None:
    sealed = read(CONFIG_KEYS=KEYS[1]).cipher.encrypt({"address": "x"}, context="row")

    assert read(CONFIG_KEYS=f" {KEYS[0]} , {KEYS[1]}, ").cipher.decrypt(sealed, context="row") == {"address": "x"}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_a_key_file_that_does_not_exist_is_made_for_its_owner_alone(key_file: Path) -> None:
    read(CONFIG_KEYS_FILE=str(key_file))

    assert key_file.stat().st_mode & 0o777 == 0o600


def test_a_key_file_is_the_same_at_the_next_start(key_file: Path) -> None:
    sealed = read(CONFIG_KEYS_FILE=str(key_file)).cipher.encrypt({"address": "x"}, context="row")

    assert read(CONFIG_KEYS_FILE=str(key_file)).cipher.decrypt(sealed, context="row") == {"address": "x"}


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_file_that_others_may_read_is_refused(key_file: Path, mode: int) -> None:
    key_file.write_text(KEYS[0])
    key_file.chmod(mode)

    with pytest.raises(Misconfigured, match="can be read by others"):
        read(CONFIG_KEYS_FILE=str(key_file))


def test_a_key_file_that_cannot_be_made_is_refused(key_file: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be used: No such file or directory"):
        read(CONFIG_KEYS_FILE=str(key_file / "below"))


@pytest.mark.parametrize(("value", "https"), [("1", True), ("0", False), ("", False)])
def test_https_is_on_if_it_is_1(value: str, https: bool) -> None:
    assert read(HTTPS=value).https is https


def test_the_number_of_trusted_proxies_is_read() -> None:
    assert read(TRUSTED_PROXIES="2").proxies == 2


@pytest.mark.parametrize("name", ["TRUSTED_PROXIES", "PRESSES_PER_MEMBER", "PRESSES_PER_WORKSPACE"])
@pytest.mark.parametrize("value", ["two", "-1", "1.5", "²", "9999999999"])
def test_a_number_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} has to be a whole number"):
        read(**{name: value})


def test_a_metrics_token_is_read_without_the_spaces_around_it() -> None:
    assert read(METRICS_TOKEN=" 0123456789abcde= ").metrics_token == "0123456789abcde="


@pytest.mark.parametrize("nothing", ["", "  "])
def test_a_metrics_token_that_is_empty_is_none(nothing: str) -> None:
    assert read(METRICS_TOKEN=nothing).metrics_token is None


@pytest.mark.parametrize(
    "token", ["canary789abcdef", "canary with some spaces", "canary-\u00e4\u00f6\u00fc-456789abcdef"]
)
def test_a_metrics_token_that_is_short_or_fits_no_header_is_refused_and_not_quoted(token: str) -> None:
    with pytest.raises(Misconfigured, match=r"^METRICS_TOKEN needs .* Make one with: python3 -c") as caught:
        read(METRICS_TOKEN=token)

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("nothing", ["", " "])
def test_without_an_address_of_the_pages_there_are_no_links(nothing: str) -> None:
    assert read(PUBLIC_URL=nothing).links.make(7, "K7QM4T") is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (" https://Alertcheck.example.com/ ", "https://alertcheck.example.com/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"),
    ],
)
def test_links_begin_with_the_address_of_the_pages(url: str, origin: str) -> None:
    assert str(read(PUBLIC_URL=url).links.make(7, "K7QM4T")).startswith(f"{origin}seen/")


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
def test_an_address_of_the_pages_that_is_no_origin_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"^PUBLIC_URL takes scheme://host without a path") as caught:
        read(PUBLIC_URL=url)

    assert "canary" not in str(caught.value)


def test_a_mail_server_needs_a_sender() -> None:
    with pytest.raises(Misconfigured, match="MAIL_FROM is not set"):
        read(MAIL_URL="smtp://mail.example:25")


def test_a_mail_server_with_a_sender_is_read() -> None:
    mail = read(MAIL_URL="smtp://mail.example:2525", MAIL_FROM="alerts@example.com").outbound.mail

    assert mail is not None
    assert (mail.host, mail.port) == ("mail.example", 2525)


def test_a_mail_server_that_cannot_be_understood_is_refused() -> None:
    with pytest.raises(Misconfigured, match="mail server's URL has to begin with smtp://"):
        read(MAIL_URL="gopher://mail.example", MAIL_FROM="alerts@example.com")


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


@pytest.mark.parametrize("name", ["DEMO_INBOX", "DEMO_RECEIVER_HTTP"])
def test_a_demo_without_an_inbox_or_a_receiver_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} is not set"):
        read(**(DEMO | {name: ""}))


def test_the_settings_print_without_secrets() -> None:
    mail = {"MAIL_URL": "smtps://me:canary-password@mail.example", "MAIL_FROM": "alerts@example.com"}
    printed = repr(read(METRICS_TOKEN="canary-metrics-token", **mail))

    assert "canary" not in printed
    assert KEYS[0] not in printed


@pytest.mark.parametrize("word", ["1", "true", "True", "YES", " on "])
def test_a_flag_is_set_by_every_usual_word(word: str) -> None:
    assert read(HTTPS=word).https is True


@pytest.mark.parametrize("word", ["", "0", "false", "No", "OFF"])
def test_a_flag_is_unset_by_every_usual_word(word: str) -> None:
    assert read(HTTPS=word).https is False


@pytest.mark.parametrize("name", ["HTTPS", "DEMO"])
@pytest.mark.parametrize("word", ["2", "y", "enabled", "https"])
def test_a_flag_that_is_neither_is_refused_and_never_means_off(name: str, word: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{name} has to be 1, true, yes or on"):
        read(**{name: word})
