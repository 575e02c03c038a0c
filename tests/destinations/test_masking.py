"""The settings that pages show: the target of messages, and no secret."""

from dataclasses import replace

import pytest

from tests.factories import SECRET_PATH, SIGNING_SECRET, SeededIds, get_destination
from webapp.channels import CHANNELS
from webapp.channels.fields import make_choice
from webapp.destinations.masking import MaskedSetting, mask_settings, mask_target
from webapp.models import AlertDestination, Role
from webapp.settings import AppSettings

RECIPIENTS = "owner@example.com, grace@example.org,\nedsger@example.com"


@pytest.fixture
def webhook(context: None, seeded: SeededIds) -> AlertDestination:
    return get_destination(seeded)


@pytest.fixture
def email(webhook: AlertDestination, app_settings: AppSettings) -> AlertDestination:
    webhook.type = "email"
    webhook.config = app_settings.cipher.encrypt({"recipients": RECIPIENTS}, context=webhook.encryption_context)
    return webhook


@pytest.mark.parametrize("role", Role)
def test_nobody_is_shown_a_secret(webhook: AlertDestination, app_settings: AppSettings, role: Role) -> None:
    shown = str(mask_settings(webhook, role, app_settings.cipher))

    assert SECRET_PATH not in shown
    assert SIGNING_SECRET not in shown


@pytest.mark.parametrize("role", Role)
def test_an_address_is_shown_as_its_host_and_a_fingerprint(
    webhook: AlertDestination, app_settings: AppSettings, role: Role
) -> None:
    address = app_settings.cipher.decrypt(webhook.config, context=webhook.encryption_context)["address"]

    [shown, _secret] = mask_settings(webhook, role, app_settings.cipher)

    assert shown.text == address.removeprefix("http://").removesuffix(SECRET_PATH)
    assert shown.fingerprint == app_settings.cipher.fingerprint(address)


def test_a_secret_is_shown_as_set_with_a_fingerprint(webhook: AlertDestination, app_settings: AppSettings) -> None:
    [_address, shown] = mask_settings(webhook, Role.ADMIN, app_settings.cipher)

    assert (shown.text, shown.fingerprint) == ("set", app_settings.cipher.fingerprint(SIGNING_SECRET))


def test_an_optional_secret_that_is_not_set_is_shown_as_none(
    webhook: AlertDestination, app_settings: AppSettings
) -> None:
    webhook.config = app_settings.cipher.encrypt(
        {"address": "https://hooks.example/x"}, context=webhook.encryption_context
    )

    shown = mask_settings(webhook, Role.ADMIN, app_settings.cipher)

    assert [(setting.text, setting.fingerprint is None) for setting in shown] == [
        ("hooks.example", False),
        ("none", True),
    ]


@pytest.mark.parametrize("role", Role)
def test_headers_are_shown_as_their_names_and_a_fingerprint(
    webhook: AlertDestination, app_settings: AppSettings, role: Role
) -> None:
    headers = "X-Api-Key: canary\nAuthorization: Bearer canary"
    webhook.config = app_settings.cipher.encrypt({"headers": headers}, context=webhook.encryption_context)

    [_secret, shown] = mask_settings(webhook, role, app_settings.cipher)

    assert (shown.label, shown.text) == ("Headers", "X-Api-Key, Authorization")
    assert shown.fingerprint == app_settings.cipher.fingerprint(headers)


def test_the_credentials_of_a_webhook_are_shown_only_if_they_are_set(
    webhook: AlertDestination, app_settings: AppSettings
) -> None:
    settings = {"basic_user": "ann", "basic_password": "canary", "method": "PUT", "body": "grafana"}
    webhook.config = app_settings.cipher.encrypt(settings, context=webhook.encryption_context)

    shown = {setting.label: setting.text for setting in mask_settings(webhook, Role.VIEWER, app_settings.cipher)}

    assert shown == {
        "Signing secret": "none",
        "Basic user": "ann",
        "Basic password": "set",
        "Method": "PUT",
        "Body": "As from Grafana (version 1)",
    }


def test_an_admin_is_shown_the_recipients_in_full(email: AlertDestination, app_settings: AppSettings) -> None:
    assert mask_target(email, Role.ADMIN, app_settings.cipher).text == RECIPIENTS.replace("\n", " ")


def test_support_is_shown_the_recipients_masked(email: AlertDestination, app_settings: AppSettings) -> None:
    shown = mask_target(email, Role.SUPPORT, app_settings.cipher).text

    assert shown == "o***r@example.com, g***e@example.org, e***r@example.com"


def test_a_viewer_is_shown_the_number_and_domains_of_the_recipients(
    email: AlertDestination, app_settings: AppSettings
) -> None:
    shown = mask_target(email, Role.VIEWER, app_settings.cipher).text

    assert shown == "3 recipients at example.com, example.org"


def test_a_list_names_two_of_many_recipients_and_counts_the_others(
    email: AlertDestination, app_settings: AppSettings
) -> None:
    many = ", ".join(f"desk{number}@example.com" for number in range(20))
    email.config = app_settings.cipher.encrypt({"recipients": many}, context=email.encryption_context)

    shown = mask_target(email, Role.ADMIN, app_settings.cipher)

    assert (shown.text, shown.short) == (many, "desk0@example.com, desk1@example.com and 18 more")


def test_a_list_names_two_of_many_domains_and_counts_the_others(
    email: AlertDestination, app_settings: AppSettings
) -> None:
    many = ", ".join(f"desk@{letter}.example.com" for letter in "abcd")
    email.config = app_settings.cipher.encrypt({"recipients": many}, context=email.encryption_context)

    assert mask_target(email, Role.VIEWER, app_settings.cipher).short == (
        "4 recipients at a.example.com, b.example.com and 2 more"
    )


def test_two_recipients_need_no_short_text(email: AlertDestination, app_settings: AppSettings) -> None:
    settings = {"recipients": "owner@example.com, grace@example.org"}
    email.config = app_settings.cipher.encrypt(settings, context=email.encryption_context)

    assert mask_target(email, Role.ADMIN, app_settings.cipher).short is None


def test_one_recipient_is_counted_in_the_singular(email: AlertDestination, app_settings: AppSettings) -> None:
    email.config = app_settings.cipher.encrypt({"recipients": "owner@example.com"}, context=email.encryption_context)

    assert mask_target(email, Role.VIEWER, app_settings.cipher).text == "1 recipient at example.com"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("value", "shown"), [("yes", [MaskedSetting("Leave out the Auto-Submitted header", "yes")]), ("", [])]
)
def test_a_flag_is_shown_to_everyone_if_it_is_on(
    email: AlertDestination, app_settings: AppSettings, role: Role, value: str, shown: list[MaskedSetting]
) -> None:
    settings = {"recipients": RECIPIENTS, "omit_auto_submitted": value}
    email.config = app_settings.cipher.encrypt(settings, context=email.encryption_context)

    assert mask_settings(email, role, app_settings.cipher)[1:] == shown


TOPIC, PASSWORD = "canary-topic", "canary-password"
OWN_SERVER = {"topic": TOPIC, "token": "", "user": "ann", "password": PASSWORD, "server": "https://ntfy.acme.com"}


@pytest.fixture
def ntfy(webhook: AlertDestination, app_settings: AppSettings) -> AlertDestination:
    return as_ntfy(webhook, app_settings, OWN_SERVER)


def as_ntfy(destination: AlertDestination, app_settings: AppSettings, settings: dict[str, str]) -> AlertDestination:
    destination.type = "ntfy"
    destination.config = app_settings.cipher.encrypt(settings, context=destination.encryption_context)
    return destination


@pytest.mark.parametrize("role", Role)
def test_of_a_service_with_a_server_everybody_is_shown_all_but_the_secrets(
    ntfy: AlertDestination, app_settings: AppSettings, role: Role
) -> None:
    shown = mask_settings(ntfy, role, app_settings.cipher)

    assert [(setting.label, setting.text) for setting in shown] == [
        ("Topic", "set"),
        ("User name", "ann"),
        ("Password", "set"),
        ("Server", "ntfy.acme.com"),
    ]
    assert [secret for secret in (TOPIC, PASSWORD) if secret in str(shown)] == []


def test_what_is_blank_is_not_shown(webhook: AlertDestination, app_settings: AppSettings) -> None:
    as_ntfy(webhook, app_settings, OWN_SERVER | {"user": "", "password": ""})

    labels = [setting.label for setting in mask_settings(webhook, Role.ADMIN, app_settings.cipher)]

    assert labels == ["Topic", "Server"]


@pytest.mark.parametrize("changed", [{"topic": "other"}, {"user": "bob"}, {"server": "https://ntfy.sh"}])
def test_the_fingerprint_of_a_server_distinguishes_what_is_sent_there(
    webhook: AlertDestination, app_settings: AppSettings, changed: dict[str, str]
) -> None:
    def fingerprint(settings: dict[str, str]) -> str | None:
        target = mask_target(as_ntfy(webhook, app_settings, settings), Role.VIEWER, app_settings.cipher)
        assert target.label == "Server"
        return target.fingerprint

    assert fingerprint(OWN_SERVER) == fingerprint(dict(reversed(OWN_SERVER.items())))
    assert fingerprint(OWN_SERVER) != fingerprint(OWN_SERVER | changed)


@pytest.mark.parametrize(("value", "shown"), [("fast", "Flying"), ("removed since", "removed since")])
def test_a_choice_is_shown_in_its_words(
    webhook: AlertDestination,
    app_settings: AppSettings,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
    shown: str,
) -> None:
    speed = make_choice("speed", "Speed", "Help on speed.", {"slow": "Walking", "fast": "Flying"})
    monkeypatch.setitem(CHANNELS, "pigeons", replace(CHANNELS["webhook"], fields=(speed,)))
    webhook.type = "pigeons"
    webhook.config = app_settings.cipher.encrypt({"speed": value}, context=webhook.encryption_context)

    assert mask_settings(webhook, Role.VIEWER, app_settings.cipher) == [MaskedSetting("Speed", shown)]


def test_where_a_message_goes_is_the_first_setting(webhook: AlertDestination, app_settings: AppSettings) -> None:
    shown = mask_settings(webhook, Role.ADMIN, app_settings.cipher)

    assert mask_target(webhook, Role.ADMIN, app_settings.cipher) == shown[0]


@pytest.mark.parametrize("token", ["", "damaged"])
def test_unreadable_settings_are_reported_as_unreadable(
    webhook: AlertDestination, app_settings: AppSettings, token: str
) -> None:
    webhook.config = token

    assert mask_settings(webhook, Role.ADMIN, app_settings.cipher) == []
    assert mask_target(webhook, Role.ADMIN, app_settings.cipher) == MaskedSetting("Settings", "settings cannot be read")


def test_settings_of_a_removed_channel_are_not_shown(webhook: AlertDestination, app_settings: AppSettings) -> None:
    webhook.type = "carrier-pigeon"

    assert mask_settings(webhook, Role.ADMIN, app_settings.cipher) == []
