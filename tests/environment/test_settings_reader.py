"""Reading settings: all problems are reported at once, in sentences that never quote a value."""

import traceback
from typing import Annotated

import pytest
from pydantic import AfterValidator, Field

from webapp.environment.settings_reader import (
    EnvironmentSettings,
    Misconfigured,
    needed_with,
    read_model,
    split,
    variables_of,
)


def _refuse(text: str) -> str:
    raise ValueError("is never right.")


def _fail_inside(text: str) -> bytes:
    return text.encode("ascii")


class Settings(EnvironmentSettings):
    address: str = Field(validation_alias="ADDRESS", description="Ask for one.")
    number: int = 7
    refused: Annotated[str, AfterValidator(_refuse)] = "untouched"
    ascii: Annotated[object, AfterValidator(_fail_inside)] = ""
    server: str | None = None
    sender: Annotated[str | None, needed_with("server")] = Field(None, validate_default=True)


def _problems(**environ: str) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        read_model(Settings, environ)
    return str(caught.value).splitlines()


def test_a_field_is_set_by_its_alias_or_by_the_prefix_and_its_name() -> None:
    settings = read_model(Settings, {"ADDRESS": "here", "ALERTCHECK_NUMBER": "8"})

    assert (settings.address, settings.number) == ("here", 8)


def test_variables_of_returns_the_variable_of_each_field() -> None:
    assert variables_of(Settings) == {
        "address": "ADDRESS",
        "number": "ALERTCHECK_NUMBER",
        "refused": "ALERTCHECK_REFUSED",
        "ascii": "ALERTCHECK_ASCII",
        "server": "ALERTCHECK_SERVER",
        "sender": "ALERTCHECK_SENDER",
    }


@pytest.mark.parametrize("name", ["address", "NUMBER", "alertcheck_number", "ALERTCHECK_number"])
def test_a_name_in_another_spelling_is_not_read(name: str) -> None:
    settings = read_model(Settings, {"ADDRESS": "here", name: "8"})

    assert (settings.address, settings.number) == ("here", 7)


def test_only_the_given_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTCHECK_NUMBER", "8")

    assert read_model(Settings, {"ADDRESS": "here"}).number == 7


def test_spaces_around_a_value_are_dropped_and_a_blank_value_means_unset() -> None:
    settings = read_model(Settings, {"ADDRESS": " here\n", "ALERTCHECK_NUMBER": "  "})

    assert (settings.address, settings.number) == ("here", 7)


def test_a_missing_setting_is_reported_with_the_next_step() -> None:
    assert _problems() == ["ADDRESS is not set. Ask for one."]


def test_every_problem_has_its_own_line() -> None:
    assert _problems(ALERTCHECK_NUMBER="many", ALERTCHECK_REFUSED="x", ALERTCHECK_SERVER="x") == [
        "ADDRESS is not set. Ask for one.",
        "ALERTCHECK_NUMBER has to be a whole number, such as 7.",
        "ALERTCHECK_REFUSED is never right.",
        "ALERTCHECK_SENDER is not set, and ALERTCHECK_SERVER needs it.",
    ]


def test_problems_found_elsewhere_are_reported_too() -> None:
    with pytest.raises(Misconfigured, match=r"^It rains\.$"):
        read_model(Settings, {"ADDRESS": "here"}, ["It rains."])


def test_the_error_of_a_library_is_not_quoted() -> None:
    assert _problems(ADDRESS="here", ALERTCHECK_ASCII="canäry") == [
        "ALERTCHECK_ASCII cannot be read. See docs/settings.md."
    ]


def test_neither_the_error_nor_its_traceback_contains_a_value() -> None:
    with pytest.raises(Misconfigured) as caught:
        read_model(Settings, dict.fromkeys(["ALERTCHECK_NUMBER", "ALERTCHECK_REFUSED"], "y" * 20))

    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "y" * 20 not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_a_list_has_no_empty_entries() -> None:
    assert split(" a,, b ,") == ["a", "b"]
