"""Tests the limits of YAML."""

import re
from time import process_time

import pytest

from webapp.imports.bounded_yaml import load_yaml
from webapp.imports.file_contents import FileUnreadable
from webapp.imports.file_limits import MAX_DEPTH, MAX_NODES

SECRET = "h4rb0rS3cret"


@pytest.mark.parametrize(
    "word",
    ["yes", "no", "on", "true", "0123", "0x1F", "1_000", "12:30:45", "2026-01-01", "1e3", ".inf", "-100123", "1.0"],
)
def test_a_value_stays_the_text_that_the_file_has(word: str) -> None:
    assert load_yaml(f"a: {word}") == {"a": word}
    assert load_yaml(f"{word}: a") == {word: "a"}


@pytest.mark.parametrize("word", ["", "~", "null", "Null"])
def test_null_is_no_text(word: str) -> None:
    assert load_yaml(f"a: {word}") == {"a": None}


@pytest.mark.parametrize(("word", "text"), [("'null'", "null"), ('"~"', "~"), ("!!str 1", "1")])
def test_a_quoted_null_is_a_text(word: str, text: str) -> None:
    assert load_yaml(f"a: {word}") == {"a": text}


@pytest.mark.parametrize("value", ["!vault abc", "!include other.yml", "!secret slack", "!env TOKEN", "!Ref Hook"])
def test_a_value_that_another_program_would_fetch_is_a_reference(value: str) -> None:
    assert load_yaml(f"a: {value}") == {"a": "<secret>"}


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/name:os.system ''",
        "!!python/object:webapp.imports.file_contents.FoundFile {}",
        "!!binary aGFyYm9y",
        "!!set {a}",
        "!include {a: b}",
        "!<tag:example.com,2026:x> [a]",
    ],
)
def test_a_tag_makes_no_object(value: str) -> None:
    with pytest.raises(FileUnreadable, match="Line 2 has a tag"):
        load_yaml(f"# first\na: {value}")


def test_an_alias_repeats_its_anchor() -> None:
    assert load_yaml("a: &x {b: c}\nd: *x\ne: [*x]") == {"a": {"b": "c"}, "d": {"b": "c"}, "e": [{"b": "c"}]}


def test_merged_keys_come_after_own_ones() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 0}\n"
    assert load_yaml(text) == {
        "x": {"a": "1", "b": "1"},
        "y": {"b": "2", "c": "2"},
        "z": {"a": "0", "b": "1", "c": "2"},
    }


@pytest.mark.parametrize("value", ["text", "[text]", "[[{a: b}]]", "null"])
def test_only_a_mapping_can_be_merged(value: str) -> None:
    with pytest.raises(FileUnreadable, match="not a mapping"):
        load_yaml(f"a: {{<<: {value}}}")


def test_aliases_of_aliases_cannot_multiply() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    start = process_time()
    with pytest.raises(FileUnreadable, match="more than 50,000 values"):
        load_yaml("\n".join(lines))
    assert process_time() - start < 5


def test_merges_of_merges_cannot_multiply() -> None:
    lines = ["a0: &a0 {k: &l [x, x, x, x, x, x, x, x, x, x]}"]
    lines += [f"a{n}: &a{n} {{<<: *a{n - 1}, p{n}: *a{n - 1}, q{n}: *a{n - 1}}}" for n in range(1, 30)]
    with pytest.raises(FileUnreadable, match="more than 50,000 values"):
        load_yaml("\n".join(lines))


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: &x {b: *x}", "a: *x\nb: &x 1", "&x a: *y"])
def test_an_alias_of_what_is_not_complete_is_refused(text: str) -> None:
    with pytest.raises(FileUnreadable):
        load_yaml(text)


def test_depth_is_limited() -> None:
    assert load_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(FileUnreadable, match="50 levels deep"):
        load_yaml("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))
    with pytest.raises(FileUnreadable, match="50 levels deep"):
        load_yaml("[" * 500_000)


def test_the_number_of_values_is_limited() -> None:
    assert load_yaml(f"[{'a,' * (MAX_NODES - 1)}]")
    with pytest.raises(FileUnreadable, match="more than 50,000 values"):
        load_yaml(f"[{'a,' * MAX_NODES}]")


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3", "{a: 1, 'a': 2}", "b: {c: 1}\na: {d: 1, d: 2}"])
def test_a_repeated_key_is_refused(text: str) -> None:
    with pytest.raises(FileUnreadable, match="repeats a key"):
        load_yaml(text)


@pytest.mark.parametrize("text", ["? [a]\n: b", "? {a: b}\n: c", "~: a"])
def test_a_key_is_a_word(text: str) -> None:
    with pytest.raises(FileUnreadable, match="key that is not a word"):
        load_yaml(text)


@pytest.mark.parametrize("text", ["---\na: 1\n", "a: 1\n...\n", "---\n---\na: 1\n---\n", "%YAML 1.1\n---\na: 1"])
def test_one_document_may_have_empty_ones_beside_it(text: str) -> None:
    assert load_yaml(text) == {"a": "1"}


def test_several_documents_are_refused() -> None:
    with pytest.raises(FileUnreadable, match="several YAML documents"):
        load_yaml("a: 1\n---\nb: 2\n")


def test_an_anchor_of_another_document_is_unknown() -> None:
    with pytest.raises(FileUnreadable):
        load_yaml("--- &x {a: 1}\n--- *x\n")


@pytest.mark.parametrize(
    "text",
    [
        f"a: b\n\tc: {SECRET}",
        f"a: '{SECRET}",
        f"{SECRET}: {{",
        f"a: b: {SECRET}",
        f"a: @{SECRET}",
        f"a: \x01{SECRET}",
        f'a: "\\q{SECRET}"',
        f"a: *{SECRET}",
        f"a: !<{SECRET} b",
        f"{SECRET}: 1\n{SECRET}: 2",
        f"a: !!{SECRET} b",
    ],
)
def test_an_error_names_a_line_and_nothing_of_the_file(text: str) -> None:
    with pytest.raises(FileUnreadable) as raised:
        load_yaml(text)
    assert SECRET not in str(raised.value)
    assert re.search(r"[Ll]ine \d", str(raised.value))
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    "text",
    [
        "<<: [" + ",".join(f"{{k{number}: v}}" for number in range(16_000)) + "]",
        "\n".join(f"<<: {{k{number}: v}}" for number in range(12_000)),
    ],
    ids=["in one list", "one by one"],
)
def test_many_merged_mappings_are_not_copied_again_and_again(text: str) -> None:
    began = process_time()
    merged = load_yaml(text)
    assert process_time() - began < 5
    assert isinstance(merged, dict)
    assert len(merged) >= 12_000


def test_the_first_of_two_merged_values_wins_and_the_own_one_wins_over_both() -> None:
    assert load_yaml("<<: {a: 1, b: 1, c: 1}\n<<: {b: 2, d: 2}\nc: 3") == {"a": "1", "b": "1", "c": "3", "d": "2"}


def test_a_file_has_few_directives() -> None:
    with pytest.raises(FileUnreadable, match="more than 100 lines that begin with %"):
        load_yaml("".join(f"%TAG !{number}! x\n" for number in range(101)) + "---\na: b\n")
    assert load_yaml("%TAG !x! y\n---\na: b\n") == {"a": "b"}
