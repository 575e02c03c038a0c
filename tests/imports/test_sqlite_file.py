"""Tests how a database that somebody else made is opened."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.imports.kuma_database import SCHEMA, run_script
from webapp.imports import sqlite_file
from webapp.imports.file_contents import FileUnreadable
from webapp.imports.sqlite_file import MAX_CONFIG, MAX_FILE, read_notifications

SECRET = "h4rb0rS3cret"
COLUMNS = "(id INTEGER PRIMARY KEY, name TEXT, config TEXT)"

# A query that would take hours.
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kuma.db"


def test_names_and_settings_are_read_in_their_order(path: Path) -> None:
    run_script(path, [SCHEMA], [("quay", "{}"), (None, None), (4, 5)])
    assert read_notifications(path) == [("quay", "{}"), ("", None), ("4", "5")]


def test_nothing_is_written_and_the_file_may_be_read_only(path: Path) -> None:
    run_script(path, ["PRAGMA journal_mode = WAL", SCHEMA], [("quay", "{}")])
    path.chmod(0o400)
    before, content = path.stat(), path.read_bytes()
    assert read_notifications(path) == [("quay", "{}")]
    assert path.read_bytes() == content
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert os.listdir(path.parent) == ["kuma.db"]  # noqa: PTH208 - the names are enough


def test_a_database_that_another_process_uses_is_read(path: Path) -> None:
    run_script(path, [SCHEMA], [("quay", "{}")])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert read_notifications(path) == [("quay", "{}")]


def test_settings_are_read_up_to_their_limit(path: Path) -> None:
    run_script(path, [SCHEMA], [("quay", "a" * MAX_CONFIG), ("crane", "a" * (MAX_CONFIG + 1))])
    assert read_notifications(path) == [("quay", "a" * MAX_CONFIG), ("crane", None)]


@pytest.mark.parametrize("name", ["a?mode=rwc", "a#b", "a%20b", "ä ö", "file:kuma"])
def test_a_path_is_no_address(tmp_path: Path, name: str) -> None:
    run_script(tmp_path / "plain", [SCHEMA], [("quay", "{}")])
    (tmp_path / "plain").rename(tmp_path / name)
    assert read_notifications(tmp_path / name) == [("quay", "{}")]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "statements",
    [
        [f"CREATE TABLE other {COLUMNS}", "CREATE VIEW notification AS SELECT 1 AS id, 'a' AS name, 'b' AS config"],
        [f"CREATE VIEW notification AS SELECT 1 AS id, '{SECRET}' AS name, ({ENDLESS}) AS config"],
        ["CREATE VIRTUAL TABLE notification USING fts5(id, name, config)"],
        ["CREATE TABLE other (a)"],
        [f"CREATE TABLE other {COLUMNS}", "CREATE INDEX notification ON other (name)"],
    ],
)
def test_a_database_without_the_table_is_refused(path: Path, statements: list[str]) -> None:
    run_script(path, statements)
    with pytest.raises(FileUnreadable, match="not a database of Uptime Kuma"):
        read_notifications(path)


def test_a_table_with_other_columns_is_refused(path: Path) -> None:
    run_script(path, ["CREATE TABLE notification (id INTEGER)"])
    with pytest.raises(FileUnreadable, match="damaged"):
        read_notifications(path)


def test_a_trigger_never_fires(path: Path) -> None:
    change = "CREATE TRIGGER t AFTER INSERT ON notification BEGIN UPDATE notification SET name = 'changed'; END"
    run_script(path, [SCHEMA, "INSERT INTO notification (name, config) VALUES ('quay', '{}')", change])
    assert read_notifications(path) == [("quay", "{}")]


@pytest.mark.parametrize("kind", ["VIRTUAL", "STORED"])
def test_a_table_with_a_computed_column_is_refused(path: Path, kind: str) -> None:
    column = f"config TEXT GENERATED ALWAYS AS (instr(hex(zeroblob(400000)), name)) {kind}"
    run_script(path, [f"CREATE TABLE notification (id INTEGER, name TEXT, {column})"])
    with pytest.raises(FileUnreadable, match="not a database of Uptime Kuma"):
        read_notifications(path)


def test_a_query_ends_at_the_time_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_script(path, [SCHEMA], [("quay", "{}")] * 1000)
    assert len(read_notifications(path)) == 1000
    monkeypatch.setattr(sqlite_file, "TIME_LIMIT", 0.0)
    with pytest.raises(FileUnreadable, match="damaged"):
        read_notifications(path)


def test_a_huge_value_concerns_its_row_alone(path: Path) -> None:
    run_script(
        path, [SCHEMA, "INSERT INTO notification (name, config) VALUES ('quay', zeroblob(3000000))"], [("crane", "{}")]
    )
    assert read_notifications(path) == [("quay", None), ("crane", "{}")]


def test_text_in_no_encoding_is_read(path: Path) -> None:
    run_script(path, [SCHEMA], [(b"quay\xff", "{}")])
    assert read_notifications(path) == [("quay\ufffd", "{}")]


@pytest.mark.parametrize(
    "content",
    [b"", b"not a database " + SECRET.encode(), b"SQLite format 3\x00" + SECRET.encode() * 500, b"\x00" * 4096],
)
def test_another_file_is_refused_without_repeating_it(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(FileUnreadable) as raised:
        read_notifications(path)
    assert SECRET not in str(raised.value)
    assert raised.value.__context__ is None


def test_a_damaged_database_is_refused(path: Path) -> None:
    run_script(path, [SCHEMA], [("quay", "a" * 5000)] * 20)
    content = bytearray(path.read_bytes())
    content[5000:] = b"\xff" * (len(content) - 5000)
    path.write_bytes(content)
    with pytest.raises(FileUnreadable, match="damaged"):
        read_notifications(path)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def make_huge_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)


@pytest.mark.parametrize("make", [make_pipe, link_to_device, link_to_itself, Path.mkdir, make_huge_file, Path.touch])
def test_what_is_no_file_of_a_usual_size_is_not_opened(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    with pytest.raises(FileUnreadable):
        read_notifications(path)


@pytest.mark.parametrize("name", ["missing.db", "missing/kuma.db", "a\0b", "a" * 5000])
def test_a_path_that_leads_nowhere_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileUnreadable, match="Check its path"):
        read_notifications(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_database_is_followed(tmp_path: Path, path: Path) -> None:
    run_script(path, [SCHEMA], [("quay", "{}")])
    link = tmp_path / "link.db"
    link.symlink_to(path)
    assert read_notifications(link) == [("quay", "{}")]
