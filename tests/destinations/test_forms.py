"""Forms: built from a channel's fields, they check the input and never show secrets."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from wtforms import Form

from tests.factories import SIGNING_SECRET
from tests.imports.found_files import CHOSEN
from webapp.auth.password_forms import PasswordForm, SignInForm
from webapp.channels import CHANNELS
from webapp.channels.contract import Accepted, Channel, Preview
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings, check_flag, fill_in, make_choice
from webapp.channels.message import Message
from webapp.destinations.forms import IN_NAME, IN_TAGS, DestinationForm, make_destination_form
from webapp.outbound import OutboundClient


def _check(text: str, _outbound: OutboundClient) -> str:
    if "wrong" in text:
        raise SettingInvalid("That is wrong.")
    return text.strip().lower()


def _field(name: str, kind: FieldKind, required: bool = True) -> Field:
    return Field(name, name.replace("_", " ").capitalize(), kind, f"Help on {name}.", _check, required)


def _send(_settings: Settings, _message: Message, _outbound: OutboundClient) -> Accepted:
    return Accepted(200)


def _preview(_settings: Settings, _message: Message, _outbound: OutboundClient) -> Preview:
    return Preview("Pigeon", {}, ())


FOOD = {"corn": "Corn", "peas": "Peas"}

# A channel with a field of nearly every kind.
PIGEONS = Channel(
    "Pigeons",
    "Fed",
    "Look at the roof.",
    guide=("Climb onto the roof.",),
    fields=(
        _field("loft", FieldKind.ADDRESS),
        _field("whistle", FieldKind.SECRET),
        _field("password", FieldKind.SECRET, required=False),
        _field("birds", FieldKind.RECIPIENTS),
        Field("at_night", "At night", FieldKind.FLAG, "Help on at_night.", check_flag, required=False),
    ),
    targets=lambda _settings, _outbound: (),
    preview=_preview,
    send=_send,
)

API = "https://api.pigeons.org"


def _find_conflicts(settings: Settings) -> Mapping[str, str]:
    both = settings.get("key") and settings.get("rider")
    return {"rider": "A pigeon has a key or a rider."} if both else {}


# A channel with the kinds of fields of a service with an API.
AIR_MAIL = replace(
    PIGEONS,
    label="Air mail",
    fields=(
        _field("key", FieldKind.SECRET, required=False),
        _field("rider", FieldKind.TEXT, required=False),
        make_choice("speed", "Speed", "Help on speed.", {"slow": "Walking", "fast": "Flying"}),
        Field("server", "Server", FieldKind.SERVER, "Help on server.", _check, default=API),
    ),
    find_conflicts=_find_conflicts,
)
MAILED = {"name": "Roof", "key": "", "rider": "", "speed": "fast", "server": API}

FILLED = {"name": "Roof", "loft": "North", "whistle": "Canary", "password": "", "birds": "Owner, Bob"}
STORED = {"loft": "south", "whistle": "old canary", "password": "old", "birds": "cy"}


Fill = Callable[..., Any]


@pytest.fixture
def submit(app: Flask) -> Iterator[Fill]:
    """Submit a form in a browser's request. data: the initial values of the form."""
    with ExitStack() as requests:

        def submit(form: type[Form], typed: Mapping[str, str], data: Mapping[str, str] | None = None) -> Any:
            requests.enter_context(app.test_request_context(method="POST", data=dict(typed)))
            return form(data=data, meta={"csrf": False})

        yield submit


@pytest.fixture
def fill(submit: Fill) -> Fill:
    """Submit the form of a channel."""

    def fill(typed: Mapping[str, str], stored: Mapping[str, str] | None = None, channel: Channel = PIGEONS) -> Any:
        return submit(make_destination_form(channel, OutboundClient(), stored or {}), typed, stored)

    return fill


def _errors(form: DestinationForm) -> dict[str, list[str]]:
    form.validate()
    return {name: list(errors) for name, errors in form.errors.items()}


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channels_form_has_the_name_and_the_channels_fields_in_order(fill: Fill, name: str) -> None:
    form = fill({}, channel=CHANNELS[name])

    assert [field.name for field in form] == ["name", *(field.name for field in CHANNELS[name].fields), "tags"]
    assert [field.label.text for field in form][1:-1] == [field.label for field in CHANNELS[name].fields]


@pytest.mark.parametrize("name", CHANNELS)
def test_every_required_field_is_asked_for_by_its_label(fill: Fill, name: str) -> None:
    needed = [field for field in CHANNELS[name].fields if field.required and not field.default]

    errors = _errors(fill({"name": "Any"}, channel=CHANNELS[name]))

    asked = {name: [sentence.casefold() for sentence in sentences] for name, sentences in errors.items()}
    assert asked == {field.name: [f"enter the {field.label.casefold()}."] for field in needed}


def test_a_complete_form_returns_the_checked_values(fill: Fill) -> None:
    form = fill(FILLED)

    assert form.validate()
    assert form.read_settings(PIGEONS) == {
        "loft": "north",
        "whistle": "canary",
        "password": "",
        "birds": "owner, bob",
        "at_night": "",
    }


def test_a_field_refused_by_its_channel_shows_the_channels_sentence(fill: Fill) -> None:
    assert _errors(fill(FILLED | {"loft": "wrong", "birds": "wrong too"})) == {
        "loft": ["That is wrong."],
        "birds": ["That is wrong."],
    }


def test_an_optional_field_may_stay_empty(fill: Fill) -> None:
    assert _errors(fill(FILLED | {"password": ""})) == {}


def test_an_optional_field_is_checked_if_it_is_filled_in(fill: Fill) -> None:
    assert _errors(fill(FILLED | {"password": "wrong"})) == {"password": ["That is wrong."]}


@pytest.mark.parametrize("blank", ["", "  ", "\t", "\r\n"])
def test_a_new_destinations_secret_may_not_be_blank(fill: Fill, blank: str) -> None:
    assert _errors(fill(FILLED | {"whistle": blank})) == {"whistle": ["Enter the whistle."]}


@pytest.mark.parametrize("blank", ["", "  ", "\t", "\r\n", "\x00", "\N{NO-BREAK SPACE}"])
def test_a_stored_secret_left_blank_is_read_as_empty(fill: Fill, blank: str) -> None:
    form = fill({"name": "Roof", "loft": blank, "whistle": blank, "password": blank, "birds": "cy"}, STORED)

    assert form.validate()
    assert form.read_settings(PIGEONS) == dict.fromkeys(STORED, "") | {"birds": "cy", "at_night": ""}


def test_a_replaced_secret_is_checked_like_a_new_one(fill: Fill) -> None:
    assert _errors(fill(FILLED | {"whistle": "wrong"}, STORED)) == {"whistle": ["That is wrong."]}


@pytest.mark.parametrize("around", ["  {} ", "\t{}\r\n", "\x00{}\x00"])
def test_surrounding_space_and_nuls_are_removed(fill: Fill, around: str) -> None:
    form = fill({name: around.format(value) for name, value in FILLED.items()})

    assert form.validate()
    assert (form.name.data, form.read_settings(PIGEONS)["loft"]) == ("Roof", "north")


def test_a_name_is_cleaned_of_what_nobody_sees(fill: Fill) -> None:
    assert fill(FILLED | {"name": "Ro\u202eof\u2028Next step: call\x1b[31m"}).name.data == "Roof Next step: call [31m"


def test_blank_recipients_are_refused_because_stored_ones_are_shown(fill: Fill) -> None:
    assert _errors(fill(FILLED | {"birds": ""}, STORED)) == {"birds": ["Enter the birds."]}


def test_a_secret_missing_from_the_stored_settings_is_required(fill: Fill) -> None:
    assert _errors(fill(FILLED | {"whistle": ""}, {"loft": "south"})) == {"whistle": ["Enter the whistle."]}


@pytest.mark.parametrize("field", ["loft", "whistle", "password"])
def test_a_secret_field_never_shows_a_value(fill: Fill, field: str) -> None:
    html = fill(FILLED | {"password": "Canary"}, STORED)[field]()

    assert 'value=""' in html
    assert 'autocomplete="off"' in html
    assert STORED[field] not in html
    assert "Canary" not in html


@pytest.mark.parametrize(
    ("name", "typed", "errors"),
    [
        ("name", {}, ["Give the destination a name."]),
        ("loft", {"loft": "wrong"}, ["That is wrong."]),
        ("whistle", {"whistle": "right"}, []),
        ("password", {}, []),
    ],
)
def test_one_field_can_be_checked_alone(fill: Fill, name: str, typed: dict[str, str], errors: list[str]) -> None:
    form = fill(typed)

    assert list(form.check_field(name).errors) == errors
    assert list(form.errors) == [name] * bool(errors)


@pytest.mark.parametrize("name", ["csrf_token", "feathers", ""])
def test_an_unknown_field_cannot_be_checked(fill: Fill, name: str) -> None:
    assert fill(FILLED).check_field(name) is None


def test_the_valid_secrets_of_a_form_are_kept_and_the_wrong_ones_are_listed(fill: Fill) -> None:
    form = fill(FILLED | {"name": "", "loft": "wrong"})

    assert not form.validate()
    assert (form.list_withheld(), form.read_valid_secrets()) == (["Loft"], {"whistle": "canary"})


def test_a_blank_secret_is_neither_kept_nor_listed(fill: Fill) -> None:
    form = fill(FILLED | {"loft": " ", "whistle": "\x00"})

    assert not form.validate()
    assert (form.list_withheld(), form.read_valid_secrets()) == ([], {})


def test_a_secret_whose_draft_is_gone_is_required_even_where_one_is_stored(fill: Fill) -> None:
    form = fill(FILLED | {"loft": "", "whistle": ""}, STORED)
    form.lost = ["whistle"]

    assert _errors(form) == {"whistle": ["What you entered here was kept for 15 minutes. Enter it again."]}


def test_only_a_stored_secret_that_is_optional_can_be_removed(fill: Fill) -> None:
    stored, new = fill({}, STORED), fill({})

    assert [field.name for field in stored if field.name.startswith("remove_")] == ["remove_password"]
    assert "remove_password" not in new


@pytest.mark.parametrize(("typed", "removed"), [({"remove_password": "yes"}, {"password"}), ({}, set())])
def test_a_box_removes_a_stored_secret(fill: Fill, typed: dict[str, str], removed: set[str]) -> None:
    form = fill(FILLED | typed, STORED)

    assert form.validate()
    assert form.read_removed(PIGEONS) == removed


def test_a_secret_cannot_be_replaced_and_removed(fill: Fill) -> None:
    errors = _errors(fill(FILLED | {"password": "new", "remove_password": "yes"}, STORED))

    assert errors == {"password": ["Enter a new secret, or tick the box below to remove the stored one, but not both."]}


TAGGED = replace(
    PIGEONS,
    fields=(
        *PIGEONS.fields,
        _field("rings", FieldKind.HEADERS, required=False),
        make_choice("food", "Food", "Food.", FOOD),
    ),
)


def test_headers_are_typed_on_several_lines_and_never_shown(fill: Fill) -> None:
    form = fill(FILLED | {"rings": "A: Canary\r\nB: 2"}, STORED | {"rings": "c: old canary"}, TAGGED)
    html = form["rings"](**{"aria-describedby": "rings-help"})

    assert html.startswith('<textarea aria-describedby="rings-help" autocomplete="off" id="rings" name="rings"')
    assert html.endswith("></textarea>")
    assert "anary" not in html
    assert (form.validate(), form.read_settings(TAGGED)["rings"]) == (True, "a: canary\r\nb: 2")
    assert form.read_valid_secrets()["rings"] == "a: canary\r\nb: 2"


def test_stored_headers_can_be_removed_and_not_also_replaced(fill: Fill) -> None:
    stored = STORED | {"rings": "c: old"}

    assert fill(FILLED | {"remove_rings": "yes"}, stored, TAGGED).read_removed(TAGGED) == {"rings"}
    assert list(_errors(fill(FILLED | {"rings": "a: b", "remove_rings": "yes"}, stored, TAGGED))) == ["rings"]


@pytest.mark.parametrize(
    ("typed", "stored", "value"),
    [
        ({}, {}, "corn"),
        ({}, {"food": "peas"}, "peas"),
        ({"food": "peas"}, {}, "peas"),
        ({"food": "corn"}, {"food": "peas"}, "corn"),
    ],
)
def test_a_choice_that_is_not_submitted_stays(
    fill: Fill, typed: dict[str, str], stored: dict[str, str], value: str
) -> None:
    form = fill(FILLED | typed, STORED | stored, TAGGED)

    assert (form.validate(), form.read_settings(TAGGED)["food"]) == (True, value)


def test_only_an_offered_choice_can_be_saved(fill: Fill) -> None:
    assert list(_errors(fill(FILLED | {"food": "canary"}, STORED, TAGGED))) == ["food"]


def test_the_recipients_field_shows_stored_and_typed_recipients(fill: Fill) -> None:
    assert ">\r\ncy</textarea>" in fill({}, STORED)["birds"]()
    assert ">\r\nOwner, Bob</textarea>" in fill(FILLED, STORED)["birds"]()


TICKED = FILLED | {"at_night": "yes"}


@pytest.mark.parametrize(("typed", "value"), [(TICKED, "yes"), (FILLED, "")])
@pytest.mark.parametrize("stored", [STORED, STORED | {"at_night": "yes"}, STORED | {"at_night": ""}])
def test_a_flag_is_what_the_box_shows_whatever_was_stored(
    fill: Fill, typed: dict[str, str], value: str, stored: dict[str, str]
) -> None:
    form = fill(typed, stored)

    assert form.validate()
    assert form.read_settings(PIGEONS)["at_night"] == value


@pytest.mark.parametrize("value", ["on", "no", "canary", "yes\n"])
def test_a_box_submits_one_value_only(fill: Fill, value: str) -> None:
    assert _errors(fill(FILLED | {"at_night": value})) == {"at_night": ["Tick the box, or leave it blank."]}


@pytest.mark.parametrize(("stored", "is_ticked"), [({}, False), ({"at_night": ""}, False), ({"at_night": "yes"}, True)])
def test_the_box_of_a_flag_shows_what_is_stored(app: Flask, stored: dict[str, str], is_ticked: bool) -> None:
    with app.test_request_context():
        box = make_destination_form(PIGEONS, OutboundClient(), stored)(data=stored, meta={"csrf": False})["at_night"]()

    assert 'type="checkbox" value="yes"' in box
    assert (" checked" in box) is is_ticked


def test_a_refused_form_keeps_its_ticks(fill: Fill) -> None:
    form = fill(TICKED | {"loft": "wrong"})

    assert (form.validate(), " checked" in form["at_night"]()) == (False, True)


def test_the_help_of_a_stored_secret_explains_that_blank_keeps_it(fill: Fill) -> None:
    form = fill(FILLED, {"loft": "south"})

    assert form["loft"].description == "Help on loft. Leave blank to keep the stored value."
    assert form["whistle"].description == "Help on whistle."
    assert form["birds"].description == "Help on birds."


@pytest.fixture
def show(app: Flask) -> Callable[[Mapping[str, str]], DestinationForm]:
    """Return the form as it is shown before anybody has typed anything, for these stored settings."""

    def show(stored: Mapping[str, str]) -> DestinationForm:
        with app.test_request_context():
            return make_destination_form(AIR_MAIL, OutboundClient(), stored)(data=stored, meta={"csrf": False})

    return show


Show = Callable[[Mapping[str, str]], DestinationForm]


def test_a_text_shows_what_is_stored(show: Show) -> None:
    assert 'value="Ann &lt;1&gt;"' in show({"rider": "Ann <1>"})["rider"]()
    assert 'value=""' in show({})["rider"]()


@pytest.mark.parametrize("blank", ["", "  ", "\x00"])
def test_a_text_that_is_left_blank_is_cleared(fill: Fill, blank: str) -> None:
    stored = {"rider": "ann", "server": API, "speed": "slow"}
    form = fill(MAILED | {"rider": blank}, stored, AIR_MAIL)

    assert form.validate()
    assert fill_in(form.read_settings(AIR_MAIL), stored, AIR_MAIL.fields)["rider"] == ""


@pytest.mark.parametrize(("typed", "errors"), [("wrong", {"rider": ["That is wrong."]}), (" Ann ", {})])
def test_a_text_is_checked_if_it_is_filled_in(fill: Fill, typed: str, errors: dict[str, list[str]]) -> None:
    assert _errors(fill(MAILED | {"rider": typed}, channel=AIR_MAIL)) == errors


@pytest.mark.parametrize("speed", ["slow", "fast"])
def test_a_choice_shows_and_keeps_each_of_its_values(fill: Fill, show: Show, speed: str) -> None:
    form = fill(MAILED | {"speed": speed}, channel=AIR_MAIL)

    assert form.validate()
    assert form.read_settings(AIR_MAIL)["speed"] == speed
    assert f'<option selected value="{speed}">' in show({"speed": speed})["speed"]()


def test_a_choice_begins_with_its_first_value(show: Show) -> None:
    assert '<option selected value="slow">' in show({})["speed"]()


@pytest.mark.parametrize("value", ["canary", "Flying", "FAST", "fast ", ""])
def test_a_choice_refuses_every_other_value(fill: Fill, value: str) -> None:
    errors = _errors(fill(MAILED | {"speed": value}, channel=AIR_MAIL))

    assert list(errors) == ["speed"]
    assert "canary" not in str(errors)


@pytest.mark.parametrize(("stored", "shown"), [({}, API), ({"server": "https://own.example"}, "https://own.example")])
def test_a_server_shows_what_is_stored_or_the_usual_one(show: Show, stored: dict[str, str], shown: str) -> None:
    assert f'value="{shown}"' in show(stored)["server"]()


@pytest.mark.parametrize("blank", ["", " \t", "\x00"])
@pytest.mark.parametrize("stored", [{}, {"server": "https://own.example", "speed": "slow"}])
def test_a_server_that_is_left_blank_is_the_usual_one(fill: Fill, stored: dict[str, str], blank: str) -> None:
    form = fill(MAILED | {"server": blank}, stored, AIR_MAIL)

    assert form.validate()
    assert fill_in(form.read_settings(AIR_MAIL), stored, AIR_MAIL.fields)["server"] == API


def test_a_server_is_checked(fill: Fill) -> None:
    assert _errors(fill(MAILED | {"server": "wrong"}, channel=AIR_MAIL)) == {"server": ["That is wrong."]}


CONFLICT = {"rider": ["A pigeon has a key or a rider."]}


@pytest.mark.parametrize(
    ("typed", "stored", "errors"),
    [
        ({"key": "k", "rider": "ann"}, {}, CONFLICT),
        ({"key": "k"}, {}, {}),
        ({"rider": "ann"}, {}, {}),
        ({"rider": "ann"}, {"key": "kept"}, CONFLICT),
        ({"rider": "ann", "remove_key": "yes"}, {"key": "removed"}, {}),
        ({"rider": ""}, {"key": "kept", "rider": "cleared"}, {}),
        ({"key": "k", "rider": "ann", "server": "wrong"}, {}, {"server": ["That is wrong."]}),
    ],
)
def test_settings_that_exclude_each_other_are_refused_once_each_is_valid(
    fill: Fill, typed: dict[str, str], stored: dict[str, str], errors: dict[str, list[str]]
) -> None:
    assert _errors(fill(MAILED | typed, stored, AIR_MAIL)) == errors


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        ("n", {}),
        ("ü" * 200, {}),
        ("ü" * 201, {"name": ["Use at most 200 characters."]}),
        ("", {"name": ["Give the destination a name."]}),
        (" \u3000\t", {"name": ["Give the destination a name."]}),
        ("\u200b\u3164\u202e", {"name": ["Give the destination a name."]}),
        ("\u200b" * 100 + "ü" * 200, {}),
    ],
)
def test_a_name_has_1_to_200_characters(fill: Fill, name: str, errors: dict[str, list[str]]) -> None:
    assert _errors(fill(FILLED | {"name": name})) == errors


ADDRESS = "https://hooks.example.com/T0/abc"


@pytest.mark.parametrize(
    ("name", "typed", "stored", "errors"),
    [
        (ADDRESS, ADDRESS, {}, {"name": [IN_NAME]}),
        (ADDRESS, "", {"address": ADDRESS}, {"name": [IN_NAME]}),
        (ADDRESS, "https://hooks.example.com/other", {"address": ADDRESS}, {}),
        ("hooks.example.com", ADDRESS, {}, {}),
    ],
)
def test_a_name_with_a_secret_of_the_destination_is_refused(
    fill: Fill, name: str, typed: str, stored: dict[str, str], errors: dict[str, list[str]]
) -> None:
    form = {"name": name, "address": typed, "signing_secret": SIGNING_SECRET, **CHOSEN}
    assert _errors(fill(form, stored, CHANNELS["webhook"])) == errors


@pytest.mark.parametrize("tags", ["ops, T0PSECRETTOKEN42X", "xt0psecrettoken42"])
def test_a_tag_with_a_secret_of_the_destination_is_refused(fill: Fill, tags: str) -> None:
    form = {"name": "Ops", "address": f"{ADDRESS}/T0psecretToken42x", "tags": tags, **CHOSEN}
    assert _errors(fill(form, {}, CHANNELS["webhook"])) == {"tags": [IN_TAGS]}


def test_the_form_of_one_channel_gets_no_fields_of_another(submit: Fill) -> None:
    make_destination_form(PIGEONS, OutboundClient(), {})

    assert [field.name for field in submit(DestinationForm, {})] == ["name"]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_a_form_reads_form_data_only(app: Flask, content_type: str) -> None:
    body = b'{"email": "owner@example.com", "password": "any"}'

    with app.test_request_context(method="POST", data=body, content_type=content_type):
        form = SignInForm(meta={"csrf": False})

        assert not form.validate()
        assert sorted(form.errors) == ["email", "password"]


@pytest.mark.parametrize(
    ("email", "password", "names"),
    [
        ("e" * 254, "p" * 1000, []),
        ("e" * 255, "p", ["email"]),
        ("e", "p" * 1001, ["password"]),
        ("", "", ["email", "password"]),
    ],
)
def test_sign_in_lengths_are_limited_before_any_hashing(
    submit: Fill, email: str, password: str, names: list[str]
) -> None:
    assert sorted(_errors(submit(SignInForm, {"email": email, "password": password}))) == names


def test_a_password_keeps_surrounding_spaces(submit: Fill) -> None:
    assert submit(SignInForm, {"email": " owner@example.com ", "password": " any "}).password.data == " any "


@pytest.mark.parametrize(
    ("form", "field"), [(SignInForm, "password"), (PasswordForm, "current"), (PasswordForm, "new")]
)
def test_a_password_field_never_shows_a_value(submit: Fill, form: type[Form], field: str) -> None:
    filled = submit(form, {field: "canary"})

    assert filled[field].data == "canary"
    assert "canary" not in filled[field]()
