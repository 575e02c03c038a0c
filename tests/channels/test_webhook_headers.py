"""The headers that a webhook's owner adds: what is accepted, how it is pasted, and what is refused."""

import re
import traceback
from contextlib import suppress
from string import ascii_letters, digits
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.channels.fields import SettingInvalid
from webapp.channels.webhook_headers import (
    MAX_HEADERS,
    MAX_NAME,
    MAX_VALUE,
    has_authorization,
    list_names,
    read_headers,
    write_headers,
)

CANARY = "Kanarienvogel4711"

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
VISIBLE = re.compile(r"[!-~]([ -~]*[!-~])?")

names = st.text(ascii_letters + digits + "-_", min_size=1, max_size=20).map(lambda text: f"X-{text}")
values = st.from_regex(r"[!-~][ -~]{0,40}[!-~]", fullmatch=True)
added = st.dictionaries(names, values, max_size=MAX_HEADERS).filter(
    lambda found: len({name.lower() for name in found}) == len(found)
)
# Texts that are nearly headers, and anything else.
pasted = st.lists(
    st.sampled_from(
        [":", " ", "\n", "\r", "\r\n", "\t", "\x00", "-H", "'", '"', "\\", "Host", "X-Key", "\u2028", "\x85"]
    )
    | st.text(max_size=5)
).map("".join)


def refuse(text: str) -> str:
    """Return why the headers are refused."""
    with pytest.raises(SettingInvalid) as caught:
        read_headers(text)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("", {}),
        (" \n\n", {}),
        ("X-Api-Key: abc", {"X-Api-Key": "abc"}),
        ("X-Api-Key:abc", {"X-Api-Key": "abc"}),
        ("  X-Api-Key:\t abc \t", {"X-Api-Key": "abc"}),
        ("A: 1\r\nB: 2\n\nC: 3", {"A": "1", "B": "2", "C": "3"}),
        ("Authorization: GenieKey a:b c", {"Authorization": "GenieKey a:b c"}),
        ("x_key.1: \"quoted\"; a='b'", {"x_key.1": "\"quoted\"; a='b'"}),
        ("Accept: application/json", {"Accept": "application/json"}),
    ],
)
def test_lines_of_name_and_value_are_headers(text: str, headers: dict[str, str]) -> None:
    assert read_headers(text) == headers


@pytest.mark.parametrize(
    "text",
    [
        "-H 'X-Key: a b'\n-H 'X-Team: ops'",
        "  -H 'X-Key: a b' \\\n  -H \"X-Team: ops\" \\",
        "-H 'X-Key: a b' -H 'X-Team: ops'",
        "--header 'X-Key: a b' --header='X-Team: ops'",
        "-H'X-Key: a b'\n-H\"X-Team: ops\"",
        "'X-Key: a b'\n\"X-Team: ops\"",
    ],
)
def test_the_options_of_a_curl_command_are_headers(text: str) -> None:
    assert read_headers(text) == {"X-Key": "a b", "X-Team": "ops"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (CANARY, "Line 1 is not a header. Enter one header per line, as Name: value."),
        (f"A: 1\n{CANARY}", "Line 2 is not a header."),
        (f"https://example.com/{CANARY}", "Line 1 is not a header."),
        (f": {CANARY}", "The name in line 1"),
        (f"X Key: {CANARY}", "The name in line 1 is not the name of a header"),
        (f"X-Key : {CANARY}", "The name in line 1 is not the name of a header"),
        (f"Schlüssel: {CANARY}", "The name in line 1 is not the name of a header"),
        (f'"X-Key": "{CANARY}"', "The name in line 1 is not the name of a header"),
        (f"'X-Key': '{CANARY}',", "The name in line 1 is not the name of a header"),
        (f"`X-Key`: {CANARY}", "The name in line 1 is not the name of a header"),
        (f"'X-Key': '{CANARY}'", "The name in line 1 is not the name of a header"),
        ("X-Key:", "Line 1 has no value after the colon."),
        (f"X-Key: {CANARY}\rHost: evil", "The value in line 1 has a character that a header cannot have."),
        (f"X-Key: {CANARY}\x00", "The value in line 1 has a character"),
        (f"X-Key: {CANARY}\x0bHost: evil", "The value in line 1 has a character"),
        (f"X-Key: {CANARY}\u2028Host: evil", "The value in line 1 has a character"),
        (f"X-Key: {CANARY}\tx", "The value in line 1 has a character"),
        (f"X-Key: {CANARY}é", "The value in line 1 has a character"),
        (f"X-Key: {CANARY}\nx-key: b", "Line 2 has the name of a header above it."),
        (f"curl -H 'X-Key: {CANARY}' https://example.com", "This is a whole command. Enter only its headers."),
        (f"-H 'X-Key: {CANARY}' -d '{{}}'", "There is more than headers in this text."),
        (f"-H 'X-Key: {CANARY}", "A quotation mark in this text has no partner."),
        ("-H", "Line 1 is not a header."),
    ],
)
def test_anything_else_is_refused_with_what_to_do_and_no_value(text: str, complaint: str) -> None:
    assert refuse(text).startswith(complaint)


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "CONNECTION",
        "keep-alive",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "HTTP2-Settings",
        "Content-Type",
        "content-length",
        "Content-Encoding",
        "Cookie",
        "Cookie2",
        "Expect",
        "Accept-Encoding",
        "User-Agent",
        "webhook-id",
        "Webhook-Signature",
        "webhook-anything",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
    ],
)
@pytest.mark.parametrize("line", ["{}: x", "-H '{}: x'", " {}:\tx"])
def test_a_header_that_alertcheck_sets_or_never_sends_is_refused(name: str, line: str) -> None:
    assert refuse(line.format(name)).startswith("Line 1 has a header that cannot be set. ")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{'n' * (MAX_NAME + 1)}: {CANARY}", "The name in line 1 is longer than 64 characters."),
        (f"X-Key: {CANARY}{'v' * MAX_VALUE}", "The value in line 1 is longer than 2,048 characters."),
        ("\n".join(f"X-{n}: {CANARY}" for n in range(MAX_HEADERS + 1)), "These are 6 headers. Enter at most 5."),
    ],
)
def test_what_exceeds_a_limit_is_refused(text: str, complaint: str) -> None:
    assert refuse(text) == complaint


def test_the_limits_themselves_are_accepted() -> None:
    lines = [f"{'n' * (MAX_NAME - 1)}{number}: {'v' * MAX_VALUE}" for number in range(MAX_HEADERS)]
    assert len(read_headers("\n".join(lines))) == MAX_HEADERS


@pytest.mark.slow
@given(added)
def test_what_is_written_is_read_again(headers: dict[str, str]) -> None:
    assert read_headers(write_headers(headers)) == headers
    assert list_names(write_headers(headers)) == list(headers)


@given(pasted)
def test_whatever_is_pasted_becomes_clean_headers_or_a_complaint(text: str) -> None:
    headers = {}
    with suppress(SettingInvalid):
        headers = read_headers(text)
    assert all(TOKEN.fullmatch(name) and VISIBLE.fullmatch(value) for name, value in headers.items())
    assert len(write_headers(headers).splitlines()) == len(headers) <= MAX_HEADERS
    assert "host" not in map(str.lower, headers)


@pytest.mark.parametrize(
    ("text", "found"), [("", False), ("X-Key: authorization", False), ("X-Key: a\nauthorization: Bearer x", True)]
)
def test_a_header_authorization_is_found_whatever_its_case(text: str, found: bool) -> None:
    assert has_authorization(text) is found


def test_no_value_is_listed_even_of_a_text_that_is_not_canonical() -> None:
    assert list_names(f"{CANARY}\nX-Key: {CANARY}") == ["X-Key"]


def test_thousands_of_headers_are_refused_at_once() -> None:
    began = process_time()
    with pytest.raises(SettingInvalid, match="25000 headers"):
        read_headers("\n".join(f"X-{number}: v" for number in range(25_000)))
    assert process_time() - began < 5
