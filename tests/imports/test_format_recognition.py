"""Tests how a file is recognized and decoded, and that nothing of it is looked up, opened, expanded or repeated."""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import process_time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.imports.files import ALERTMANAGER, APPRISE, GRAFANA, SECRET, read, spoken
from webapp.imports.alertmanager_kinds import KINDS as ALERTMANAGER_KINDS
from webapp.imports.apprise_kinds import KINDS as APPRISE_KINDS
from webapp.imports.file_contents import FileFormat, FileUnreadable
from webapp.imports.file_limits import MAX_BYTES
from webapp.imports.format_recognition import decode_file, read_file
from webapp.imports.grafana_kinds import KINDS as GRAFANA_KINDS

SAMPLES = (ALERTMANAGER, GRAFANA, APPRISE, "alertcheck: 1\ndestinations: [{name: a, type: slack, needs: [address]}]")

KEYS = st.sampled_from(
    [
        *("receivers", "contactPoints", "urls", "alertcheck", "destinations", "global", "route", "routes", "name"),
        *(
            "type",
            "settings",
            "secureSettings",
            "secureFields",
            "headers",
            "http_config",
            "basic_auth",
            "api_url",
            "url",
        ),
        *(
            "authorization",
            "http_headers",
            "values",
            "files",
            "alertmanager_config",
            "grafana_managed_receiver_configs",
        ),
        *("slack_api_url", "needs", "enabled", "tag", "include", "inhibit_rules", "templates", "authorization_scheme"),
        *ALERTMANAGER_KINDS,
    ]
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["1", "true", "<secret>", "https://a.example/b", "slack://a/b/c", *GRAFANA_KINDS, *APPRISE_KINDS]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=4),
    max_leaves=25,
)


@pytest.mark.parametrize(
    ("text", "file_format"),
    [
        (ALERTMANAGER, FileFormat.ALERTMANAGER),
        (GRAFANA, FileFormat.GRAFANA),
        (APPRISE, FileFormat.APPRISE),
        ("version: 1\nurls: ['slack://a/b/c']", FileFormat.APPRISE),
        ("https://hooks.slack.com/services/T/B/c", FileFormat.APPRISE),
        ("alertcheck: 1", FileFormat.ALERTCHECK),
        ('{"receivers": []}', FileFormat.ALERTMANAGER),
        ("{receivers: []}", FileFormat.ALERTMANAGER),
    ],
)
def test_the_format_is_recognized(text: str, file_format: FileFormat) -> None:
    assert read_file(text).format is file_format


@pytest.mark.parametrize(
    "text", ["a: b", "just words", "42", "[]", "services: {web: {image: nginx}}", "a,b\nc,d", "<html>"]
)
def test_another_file_names_what_can_be_read(text: str) -> None:
    with pytest.raises(FileUnreadable, match="does not recognize the file"):
        read_file(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("apiVersion: v1\nkind: Secret\ndata: {alertmanager.yaml: cmVjZWl2ZXJz}", "is a Kubernetes object"),
        ("apiVersion: monitoring.coreos.com/v1beta1\nkind: AlertmanagerConfig\nspec: {receivers: []}", "Kubernetes"),
        ('resource "grafana_contact_point" "quay" {\n  name = "quay"\n}\n', "as YAML or JSON"),
    ],
)
def test_the_wrapped_form_of_a_file_says_what_to_import_instead(text: str, hint: str) -> None:
    with pytest.raises(FileUnreadable, match=hint):
        read_file(text)


@pytest.mark.parametrize("text", ["", " \n\t", "\ufeff", "\r\n"])
def test_an_empty_file_says_so(text: str) -> None:
    with pytest.raises(FileUnreadable, match="empty"):
        read_file(text)


def test_a_database_is_imported_on_the_command_line() -> None:
    with pytest.raises(FileUnreadable, match="command line"):
        read_file("anything", FileFormat.UPTIME_KUMA)


@pytest.mark.parametrize("change", [lambda text: f"\ufeff{text}", lambda text: text.replace("\n", "\r\n")])
@pytest.mark.parametrize("text", SAMPLES)
def test_a_byte_order_mark_and_the_line_ends_of_windows_change_nothing(text: str, change: Callable[[str], str]) -> None:
    assert read_file(change(text)) == read_file(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_the_encodings_that_editors_write_are_decoded(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("-bom") else ""
    content = f"{mark}name: Ländе".encode(encoding.removesuffix("-bom"))
    assert decode_file(content).removeprefix("\ufeff") == "name: Ländе"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a\xe4b", b"\x89PNG\r\n\x1a\n\x00\xff", b"\xfe\xff\xd8"])
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(FileUnreadable, match="not a text file") as raised:
        decode_file(content)
    assert raised.value.__context__ is None


@pytest.mark.parametrize("text", ["receivers: []\0", "a: \ud800", "\udfff"])
def test_characters_that_are_no_text_are_refused(text: str) -> None:
    with pytest.raises(FileUnreadable, match="not a text file"):
        read_file(text)


def test_the_size_is_limited_in_bytes() -> None:
    text = "receivers: []\n#"
    assert read_file(text + "a" * (MAX_BYTES - len(text)))
    with pytest.raises(FileUnreadable, match="larger than 1,024 KiB"):
        read_file(text + "a" * (MAX_BYTES - len(text) + 1))
    with pytest.raises(FileUnreadable, match="larger than 1,024 KiB"):
        read_file(text + "ä" * (MAX_BYTES // 2))
    with pytest.raises(FileUnreadable, match="larger than 1,024 KiB"):
        decode_file(b"a" * (2 * MAX_BYTES + 1))


@pytest.mark.parametrize("text", SAMPLES)
def test_no_secret_is_said(text: str) -> None:
    assert SECRET not in spoken(read_file(text))


@pytest.mark.parametrize("file_format", [each for each in FileFormat if each is not FileFormat.UPTIME_KUMA])
@pytest.mark.parametrize("text", SAMPLES)
def test_the_wrong_format_says_no_secret_either(text: str, file_format: FileFormat) -> None:
    with suppress(FileUnreadable):
        assert SECRET not in spoken(read_file(text, file_format))


@pytest.mark.parametrize("cut", range(0, len(GRAFANA), 97))
def test_a_cut_file_says_no_secret(cut: int) -> None:
    for text in (ALERTMANAGER[:cut], GRAFANA[:cut], json.dumps(yaml.safe_load(GRAFANA))[:cut], APPRISE[:cut]):
        try:
            said = spoken(read_file(text))
        except FileUnreadable as error:
            said = f"{error!r}{error.__cause__}{error.__context__}"
        assert SECRET not in said


def test_nothing_is_looked_up_opened_or_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened, or a name was looked up")

    secret = tmp_path / "token"
    secret.write_text(SECRET)
    monkeypatch.setenv("SLACK_URL", SECRET)
    for name in ("socket", "getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("io.open", refuse)
    found = read(
        f"""
        global: {{slack_api_url_file: {secret}, slack_api_url: $SLACK_URL}}
        receivers:
          - name: quay
            slack_configs:
              - channel: quay
              - api_url: ${{SLACK_URL}}
              - api_url: $__file{{{secret}}}
              - api_url: !include {secret}
        """
    )
    assert [receiver.missing for receiver in found.receivers] == [{"address"}] * 4


@pytest.mark.slow
@given(value=VALUES, file_format=st.sampled_from([*FileFormat, None]), as_json=st.booleans())
def test_fuzz_a_file_of_any_shape_raises_nothing_else(
    value: object, file_format: FileFormat | None, as_json: bool
) -> None:
    text = json.dumps(value) if as_json else yaml.safe_dump(value, allow_unicode=True)
    with suppress(FileUnreadable):
        check_found(text, file_format)


@given(text=st.text(max_size=200), file_format=st.sampled_from([*FileFormat, None]))
def test_fuzz_any_text_raises_nothing_else(text: str, file_format: FileFormat | None) -> None:
    with suppress(FileUnreadable):
        check_found(text, file_format)


@given(
    schema=st.sampled_from([*APPRISE_KINDS, "https"]),
    rest=st.text("abAB019:/@?&=+-#%;,. \t[]<>{}$_*xo~|\\\"'\u00e4\u202e", max_size=60),
)
def test_fuzz_any_url_raises_nothing_else(schema: str, rest: str) -> None:
    with suppress(FileUnreadable):
        check_found(f"{schema}://{rest}", FileFormat.APPRISE)


@given(content=st.binary(max_size=200))
def test_fuzz_any_bytes_raise_nothing_else(content: bytes) -> None:
    with suppress(FileUnreadable):
        check_found(decode_file(content), None)


@pytest.mark.slow
@given(
    position=st.integers(0, len(ALERTMANAGER)),
    piece=st.sampled_from(["&a ", "*a", "\t", "'", "{", "- ", ": ", "!!x ", "\0"]),
)
def test_fuzz_a_damaged_file_raises_nothing_else(position: int, piece: str) -> None:
    with suppress(FileUnreadable):
        check_found(ALERTMANAGER[:position] + piece + ALERTMANAGER[position:], None)


def check_found(text: str, file_format: FileFormat | None) -> None:
    """Check what holds for every file."""
    found = read_file(text, file_format)
    for receiver in found.receivers:
        assert receiver.name
        assert bool(receiver.reason) == (receiver.unusable is not None)
        assert not (receiver.unusable and (receiver.settings or receiver.missing))
        assert all(value.strip() == value != "" for value in receiver.settings.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["a: &a [*a]\n", "- ", "[", "{a: ", "? ", "- a\n", "a:\n ", '"', "'", "#", "{{", "<", "&a ", "!a ", "a: |\n", "%"],
)
def test_a_hostile_file_of_the_largest_size_takes_no_time(piece: str) -> None:
    start = process_time()
    with suppress(FileUnreadable):
        read_file(f"receivers:\n{piece * (1_000_000 // len(piece))}")
    assert process_time() - start < 20
