"""Tests the limits of JSON."""

from time import process_time

import pytest

from webapp.imports.bounded_json import load_json
from webapp.imports.file_contents import FileUnreadable
from webapp.imports.file_limits import MAX_DEPTH, MAX_NODES

SECRET = "h4rb0rS3cret"


def test_values_are_texts_as_in_yaml() -> None:
    text = '{"a": -100123, "b": 1.50, "c": true, "d": false, "e": null, "f": [1e3], "g": "x", "h": NaN}'
    assert load_json(text) == {
        "a": "-100123",
        "b": "1.50",
        "c": "true",
        "d": "false",
        "e": None,
        "f": ["1e3"],
        "g": "x",
        "h": "NaN",
    }


def test_a_number_of_any_length_is_a_text() -> None:
    assert load_json("1" * 100_000) == "1" * 100_000


def test_depth_is_limited() -> None:
    assert load_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(FileUnreadable, match="50 levels deep"):
        load_json("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    with pytest.raises(FileUnreadable, match="50 levels deep"):
        load_json('{"a":' * 200_000)


def test_the_number_of_values_is_limited() -> None:
    assert load_json(f"[{'1,' * (MAX_NODES - 1)}1]")
    with pytest.raises(FileUnreadable, match="more than 50,000 values"):
        load_json(f"[{'1,' * MAX_NODES}1]")


def test_brackets_in_a_text_do_not_count() -> None:
    assert load_json('["' + "[" * 1000 + '\\"]"]')


def test_a_text_that_never_ends_takes_no_time() -> None:
    start = process_time()
    with pytest.raises(FileUnreadable, match="not valid JSON"):
        load_json('"' + '\\"' * 500_000)
    assert process_time() - start < 5


@pytest.mark.parametrize("text", [f'{{"{SECRET}": 1, "{SECRET}": 2}}', f'{{"a": {{"b": 1, "b": "{SECRET}"}}}}'])
def test_a_repeated_key_is_refused(text: str) -> None:
    with pytest.raises(FileUnreadable, match="key twice") as raised:
        load_json(text)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "{", f'{{"a": "{SECRET}"', f"{{a: {SECRET}}}", f"[{SECRET}]", '["\x01"]', '"a" 1']
)
def test_an_error_names_a_line_and_nothing_of_the_file(text: str) -> None:
    with pytest.raises(FileUnreadable, match="check line 1") as raised:
        load_json(text)
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
