"""Old names of settings: they work with a warning, unless they contradict the new names."""

import pytest

from webapp.environment.deprecated_names import NEW_NAMES, use_new_names
from webapp.environment.settings_reader import variables_of
from webapp.settings import SettingsModel


@pytest.mark.parametrize("old", NEW_NAMES)
def test_an_old_name_sets_the_new_one_with_a_warning(old: str) -> None:
    renamed = use_new_names({old: "value"})

    assert renamed.environ == {NEW_NAMES[old]: "value"}
    assert renamed.warnings == (f"{old} is an old name. Rename it to {NEW_NAMES[old]}.",)
    assert renamed.problems == ()


def test_every_new_name_is_a_setting_or_a_variable_of_compose() -> None:
    assert set(NEW_NAMES.values()) - set(variables_of(SettingsModel).values()) == {"ALERTCHECK_WEB_ADDRESS"}


def test_the_old_and_the_new_name_may_have_the_same_value() -> None:
    renamed = use_new_names({"HTTPS": " 1", "ALERTCHECK_HTTPS": "1"})

    assert (renamed.environ, renamed.problems) == ({"ALERTCHECK_HTTPS": "1"}, ())


def test_different_values_of_the_old_and_the_new_name_are_a_problem_that_quotes_no_value() -> None:
    renamed = use_new_names({"MAIL_URL": "smtp://canary", "ALERTCHECK_MAIL_URL": "smtps://canary"})

    assert renamed.problems == (
        "MAIL_URL and ALERTCHECK_MAIL_URL are set to different values. Remove MAIL_URL, which is the old name.",
    )


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_value_means_unset(empty: str) -> None:
    assert use_new_names({"HTTPS": empty}).warnings == ()
    assert use_new_names({"HTTPS": "1", "ALERTCHECK_HTTPS": empty}).environ == {"ALERTCHECK_HTTPS": "1"}
    assert use_new_names({"HTTPS": empty, "ALERTCHECK_HTTPS": "1"}).environ == {"ALERTCHECK_HTTPS": "1"}


def test_every_other_variable_is_kept() -> None:
    assert use_new_names({"PORT": "8000", "SECRET_KEY": ""}).environ == {"PORT": "8000", "SECRET_KEY": ""}
