"""What editors, shells and container engines leave around a value."""

import pytest

from webapp.environment.cleaning import clean, clean_name


@pytest.mark.parametrize(
    "text",
    [
        "value",
        " \tvalue\t ",
        "value\r",
        "value\r\n",
        "\ufeffvalue",
        "\u00a0value\u00a0",
        "\u200bvalue\u2060",
        "\u3000value\u2003",
        '"value"',
        "'value'",
        "“value”",
        "‘value’",
        ' " value " \r\n',
    ],
)
def test_only_the_value_is_left(text: str) -> None:
    assert clean(text) == "value"


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "'",
        '"value',
        "value'",
        "\"value'",
        '"one" "two"',
        '"Alertcheck" <alerts@example.com>',
        "it's",
        '""value""',
    ],
)
def test_a_quotation_mark_that_belongs_to_the_value_is_kept(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("text", ["", " ", '""', "''", "\ufeff", "\u00a0\r\n", '" "'])
def test_nothing_but_blanks_is_empty(text: str) -> None:
    assert clean(text) == ""


def test_a_byte_order_mark_is_not_part_of_a_name() -> None:
    assert clean_name("\ufeffSECRET_KEY") == "SECRET_KEY"
