"""How a webhook signs in: Basic, bearer tokens, and which of these exclude each other."""

import base64
import traceback

import pytest

from webapp.channels.fields import SettingInvalid
from webapp.channels.webhook_authentication import (
    FIELDS,
    describe_authorization,
    find_conflicts,
    make_authorization,
)
from webapp.outbound import OutboundClient

CANARY = "Kanarienvogel4711"
BASIC_USER, BASIC_PASSWORD, BEARER_TOKEN = FIELDS
BASIC = {"basic_user": "ann", "basic_password": "s:3 crét"}
BEARER = {"bearer_token": "1|abc.DEF~_-+/="}


def decode(settings: dict[str, str]) -> str:
    scheme, _, encoded = make_authorization(settings)["Authorization"].partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(encoded).decode()


def test_basic_is_user_and_password_in_utf_8() -> None:
    assert decode(BASIC) == "ann:s:3 crét"


def test_basic_is_in_normal_form_c_however_it_was_typed() -> None:
    assert decode({"basic_user": "Ame\u0301lie", "basic_password": "u\u0308"}) == "Am\u00e9lie:\u00fc"


def test_a_bearer_token_is_sent_as_it_is() -> None:
    assert make_authorization(BEARER) == {"Authorization": "Bearer 1|abc.DEF~_-+/="}


def test_without_either_there_is_no_header() -> None:
    assert make_authorization({"address": "https://example.com/"}) == {}


@pytest.mark.parametrize("settings", [BASIC, BEARER, {}])
def test_a_description_has_the_same_header_without_its_value(settings: dict[str, str]) -> None:
    described = describe_authorization(settings)
    assert described.keys() == make_authorization(settings).keys()
    assert not any(value in text for value in settings.values() for text in described.values())


@pytest.mark.parametrize("user", ["ann", "Überseehafen", "ann@example.com", "a" * 256])
def test_a_user_without_a_colon_is_kept(user: str) -> None:
    assert BASIC_USER.check(f" {user} ", OutboundClient()) == user


@pytest.mark.parametrize("password", ["a:b", "пароль", " $%&'\"<>", "p" * 1024])
def test_any_password_without_control_characters_is_kept(password: str) -> None:
    assert BASIC_PASSWORD.check(password, OutboundClient()) == password


@pytest.mark.parametrize("typed", ["abc", " abc\n", "Bearer abc", "bearer  abc", "Authorization: Bearer abc", "'abc'"])
def test_a_token_is_kept_however_it_was_pasted(typed: str) -> None:
    assert BEARER_TOKEN.check(typed, OutboundClient()) == "abc"


@pytest.mark.parametrize(
    ("field", "typed", "complaint"),
    [
        (BASIC_USER, f"ann:{CANARY}", "no colon"),
        (BASIC_USER, f"{CANARY}\x7f", "invisible"),
        (BASIC_USER, f"{CANARY}\r\nX: y", "no colon"),
        (BASIC_USER, f"{CANARY}\u202e", "invisible"),
        (BASIC_USER, CANARY + "a" * 256, "longer than 256"),
        (BASIC_PASSWORD, f"{CANARY}\r\nHost: x", "control character"),
        (BASIC_PASSWORD, f"{CANARY}\x00", "control character"),
        (BASIC_PASSWORD, f"{CANARY}\ud800", "control character"),
        (BASIC_PASSWORD, CANARY + "p" * 1024, "longer than 1,024"),
        (BEARER_TOKEN, f"{CANARY} x", "no space"),
        (BEARER_TOKEN, f"Basic {CANARY}", "no space"),
        (BEARER_TOKEN, f"{CANARY}é", "ASCII"),
        (BEARER_TOKEN, "Bearer ", "Copy the whole token"),
        (BEARER_TOKEN, CANARY + "t" * 2048, "longer than 2,048"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_repeating_it(field: object, typed: str, complaint: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        field.check(typed, OutboundClient())  # type: ignore[attr-defined]
    assert complaint in str(caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("settings", "field", "complaint"),
    [
        ({"basic_user": "ann"}, "basic_password", "Enter the password that belongs to the Basic user"),
        ({"basic_password": CANARY}, "basic_user", "Enter the user that belongs to the Basic password"),
        (BASIC | BEARER, "bearer_token", "Basic and a bearer token exclude each other."),
        (BASIC | {"headers": f"AUTHORIZATION: {CANARY}"}, "headers", "The header Authorization and Basic exclude"),
        (BEARER | {"headers": f"authorization: {CANARY}"}, "headers", "Authorization and the bearer token exclude"),
    ],
)
def test_what_excludes_each_other_is_a_conflict_of_one_field(
    settings: dict[str, str], field: str, complaint: str
) -> None:
    ((name, sentence),) = find_conflicts(settings).items()
    assert name == field
    assert complaint in sentence
    assert CANARY not in sentence


@pytest.mark.parametrize(
    "settings", [{}, BASIC, BEARER, {"headers": "Authorization: x"}, BASIC | {"headers": "X-Key: authorization"}]
)
def test_each_way_alone_is_no_conflict(settings: dict[str, str]) -> None:
    assert find_conflicts(settings) == {}
