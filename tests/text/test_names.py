"""The rule for names: what is removed, what stays, and how a name stands in a plain text."""

import sys
import unicodedata
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.text.names import NameInvalid, clean_name, isolate_name, quote_apart, quote_name, read_name

ANY_TEXT = st.text(st.characters(), max_size=30)  # with lone surrogates
# Invisible characters of many kinds.
INVISIBLE = (
    *(chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)),  # directions
    *"\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u034f\u180e",  # of no width
    *"\u115f\u1160\u3164\uffa0\u17b4\u17b5",  # fillers
    *"\ufe00\ufe0e\ufe0f\U000e0100\U000e01ef\u180b",  # selectors with nothing to select
    *"\U000e0001\U000e0041\U000e007f\U0001d173\ufff9\ufffb\u206a\u2065\ufff0",  # tags, controls, reserved
    *"\ue000\uf8ff\U000f0000\U0010fffd",  # private use
    *"\ufdd0\ufffe\uffff\U0010ffff",  # noncharacters
    *"\ud800\udcff\udfff",  # lone surrogates
)
SEPARATORS = (
    "\n",
    "\r\n",
    "\t",
    "\x00",
    "\x1b",
    "\x7f",
    "\x85",
    "\x9b",
    "\u2028",
    "\u2029",
    "\u00a0",
    "\u3000",
    "\u2800",
)


@pytest.mark.parametrize("character", INVISIBLE, ids=lambda character: f"{ord(character):04X}")
def test_what_nobody_sees_is_removed(character: str) -> None:
    assert clean_name(f"{character}Desk{character}top{character}") == "Desktop"


@pytest.mark.parametrize("separator", SEPARATORS, ids=repr)
def test_line_breaks_controls_and_blanks_become_one_space(separator: str) -> None:
    assert clean_name(f"{separator}Night{separator}{separator} desk{separator}") == "Night desk"


@pytest.mark.parametrize(
    "name",
    [
        "Ops channel",
        "Überseehafen № 7 – “Nord”",
        "Ops 🚢 👩‍🚒 👨🏽‍💻 🏳️‍🌈 ❤️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇪",
        "क्‍ष श्री क्‌ष",  # ZWJ and ZWNJ after a virama
        "ශ්‍රී ලංකා",
        "می‌خواهم",
        "العربية ١٢٣",
        "שָׁלוֹם",
        "東京支社 葛\U000e0100飾区",
        "ᠮᠣᠩᠭᠣᠯ",
        "ภาษาไทย",
        "\u0600١٢",
        "<script>&amp;",
        "=1+1",
    ],
)
def test_a_visible_name_is_unchanged(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("\u0301\u20dd \u0301Ops", "Ops"),
        ("Re\u0301union", "Réunion"),
        ("e\u200b\u0301", "é"),
        ("a\u200db", "ab"),
        ("©\u200d©", "©©"),
        ("🚒\u200d\u200d🚒", "🚒\u200d🚒"),
        ("🚒\u200d", "🚒"),
        ("\u200d🚒", "🚒"),
        ("7\ufe0f", "7"),
        ("🏴\U000e0067\U000e0062", "🏴"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("Ops\nNext step: call", "Ops Next step: call"),
        ("a" * 10 + "\u200b" * 70_000, "a" * 10),
    ],
)
def test_characters_are_judged_where_they_stand(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@pytest.mark.slow
def test_every_format_control_and_separator_of_unicode_is_invisible_or_kept_on_purpose() -> None:
    invisible = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    codes = (chr(code) for code in range(sys.maxunicode + 1))
    kept = [
        code
        for code in codes
        if unicodedata.category(code) in invisible and clean_name(f"a{code}b") not in ("ab", "a b")
    ]

    # The visible number signs of Arabic, Syriac and Kaithi.
    assert "".join(kept) == "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"


@given(ANY_TEXT)
@example("\u1100\u200d\u1161")
@example("a\u0323\u200b\u0301\u0307")
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean_name(clean_name(text)) == clean_name(text)


@given(ANY_TEXT)
def test_a_cleaned_name_can_be_stored_and_stands_on_one_line(text: str) -> None:
    name = clean_name(text)

    assert name.encode().decode() == name
    assert "\x00" not in name
    assert len(f"a{name}".splitlines()) == 1
    assert name == name.strip()


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u3164", "\u202e\u202c", "\ud800", "\u2800"])
def test_a_name_without_a_visible_character_is_refused(name: str) -> None:
    with pytest.raises(NameInvalid, match=r"^The name has no visible character\. Enter a name\.$"):
        read_name(name)


def test_a_text_of_joiners_is_cleaned_quickly() -> None:
    began = process_time()
    clean_name("\N{BLACK SUN WITH RAYS}\ufe0f" * 50_000)
    assert process_time() - began < 10


def test_a_name_has_200_characters_at_most() -> None:
    assert read_name("ü" * 200 + "\u200b") == "ü" * 200
    with pytest.raises(NameInvalid, match=r"^The name is too long\. Use at most 200 characters\.$"):
        read_name("ü" * 201)


def test_only_a_name_written_from_right_to_left_is_isolated() -> None:
    assert isolate_name("Ops 🚢") == "Ops 🚢"
    assert isolate_name("שלום 7") == "\u2068שלום 7\u2069"


@pytest.mark.parametrize("quote", '“”„‟"')
def test_a_quoted_name_contains_no_other_quotation_mark(quote: str) -> None:
    assert quote_name(f"Ops{quote} (Webhook)") == "“Ops' (Webhook)”"


def test_a_name_that_is_too_long_for_a_subject_ends_with_an_ellipsis_inside_its_quotation_marks() -> None:
    assert quote_apart("Night watch", 11) == "“Night watch”"
    assert quote_apart("Night watch", 7) == "“Night…”"
    assert quote_apart("שלום 7", 6) == "\u2068“שלום 7”\u2069"
