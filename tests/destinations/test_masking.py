"""What pages show of settings: where a message goes, and nothing that would let anyone else send one."""

import pytest

from tests.factories import SECRET_PATH, SIGNING_SECRET, Cast, get_destination
from webapp.destinations.masking import ShownSetting, show_settings, show_where
from webapp.models import AlertDestination, Role
from webapp.settings import Config

RECIPIENTS = "owner@example.com, grace@example.org,\nedsger@example.com"


@pytest.fixture
def webhook(context: None, cast: Cast) -> AlertDestination:
    return get_destination(cast)


@pytest.fixture
def email(webhook: AlertDestination, config: Config) -> AlertDestination:
    webhook.type = "email"
    webhook.config = config.sealer.seal({"recipients": RECIPIENTS}, bound_to=webhook.seal)
    return webhook


@pytest.mark.parametrize("role", Role)
def test_nobody_is_shown_a_secret(webhook: AlertDestination, config: Config, role: Role) -> None:
    shown = str(show_settings(webhook, role, config.sealer))

    assert SECRET_PATH not in shown
    assert SIGNING_SECRET not in shown


@pytest.mark.parametrize("role", Role)
def test_an_address_is_shown_as_its_host_and_a_fingerprint(
    webhook: AlertDestination, config: Config, role: Role
) -> None:
    address = config.sealer.open(webhook.config, bound_to=webhook.seal)["address"]

    [shown, _secret] = show_settings(webhook, role, config.sealer)

    assert shown.text == address.removeprefix("http://").removesuffix(SECRET_PATH)
    assert shown.fingerprint == config.sealer.fingerprint(address)


def test_a_secret_is_shown_as_set_with_a_fingerprint(webhook: AlertDestination, config: Config) -> None:
    [_address, shown] = show_settings(webhook, Role.ADMIN, config.sealer)

    assert (shown.text, shown.fingerprint) == ("set", config.sealer.fingerprint(SIGNING_SECRET))


def test_a_secret_that_is_not_set_is_not_shown(webhook: AlertDestination, config: Config) -> None:
    webhook.config = config.sealer.seal({"address": "https://hooks.example/x"}, bound_to=webhook.seal)

    assert [shown.text for shown in show_settings(webhook, Role.ADMIN, config.sealer)] == ["hooks.example"]


def test_an_admin_is_shown_the_recipients_in_full(email: AlertDestination, config: Config) -> None:
    assert show_where(email, Role.ADMIN, config.sealer).text == RECIPIENTS


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.VIEWER])
def test_others_are_shown_how_many_recipients_there_are_and_where(
    email: AlertDestination, config: Config, role: Role
) -> None:
    assert show_where(email, role, config.sealer).text == "3 recipients at example.com, example.org"


def test_one_recipient_is_counted_in_the_singular(email: AlertDestination, config: Config) -> None:
    email.config = config.sealer.seal({"recipients": "owner@example.com"}, bound_to=email.seal)

    assert show_where(email, Role.VIEWER, config.sealer).text == "1 recipient at example.com"


def test_where_a_message_goes_is_the_first_setting(webhook: AlertDestination, config: Config) -> None:
    shown = show_settings(webhook, Role.ADMIN, config.sealer)

    assert show_where(webhook, Role.ADMIN, config.sealer) == shown[0]


@pytest.mark.parametrize("token", ["", "damaged"])
def test_settings_that_cannot_be_read_are_said_to_be_so(webhook: AlertDestination, config: Config, token: str) -> None:
    webhook.config = token

    assert show_settings(webhook, Role.ADMIN, config.sealer) == []
    assert show_where(webhook, Role.ADMIN, config.sealer) == ShownSetting("Settings", "settings cannot be read")


def test_settings_of_a_channel_that_is_gone_are_not_shown(webhook: AlertDestination, config: Config) -> None:
    webhook.type = "carrier-pigeon"

    assert show_settings(webhook, Role.ADMIN, config.sealer) == []
