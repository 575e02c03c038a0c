"""Compares the revision of the schema in the database with the one that this program needs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, String, column, inspect, select, table

from webapp.database.outage_reasons import Reason, describe_database
from webapp.environment.installed_program import COMMAND, find_assets

VERSION_TABLE = "alembic_version"

_VERSION = select(column("version_num", String)).select_from(table(VERSION_TABLE))
# A table of ours since the first revision.
_OUR_TABLE = "workspaces"
# Our revisions are numbers. Any other word is not quoted: it may be anything.
_OUR_REVISION = re.compile(r"\d{4}")

# How each of our migrations begins: with its title, and then its revision.
_TITLE = re.compile(r'"""(.+?)(?:\n\n|""")', re.DOTALL)
_REVISION = re.compile(r'^revision = "(\d{4})"$', re.MULTILINE)

RUN_STAMP = f"{COMMAND} db stamp --purge REVISION"


class SchemaFault(StrEnum):
    """Why a schema does not fit this program."""

    OLDER = "older"
    NEWER = "newer"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SchemaProblem:
    """What is wrong with the schema. predicate: the rest of a sentence about the database, without a full stop."""

    fault: SchemaFault
    predicate: str

    @property
    def sentence(self) -> str:
        """The whole sentence."""
        return describe_database(self.predicate)


@dataclass(frozen=True)
class KnownRevisions:
    """The revisions of this program, the oldest first, each with its title."""

    titles: Mapping[str, str]

    @property
    def needed(self) -> str:
        """The newest one."""
        return list(self.titles)[-1]


@cache
def list_known_revisions() -> KnownRevisions:
    """List the revisions of this program.

    Reads the files' texts: each web process does it, and to run them it would have to import Alembic.
    """
    files = sorted((find_assets() / "migrations" / "versions").glob("[0-9]*.py"))
    return KnownRevisions(dict(map(_read_revision, files)))


def _read_revision(file: Path) -> tuple[str, str]:
    """Return the revision of a migration and its title, the first paragraph of its docstring."""
    text = file.read_text(encoding="utf-8")
    title, revision = _TITLE.match(text), _REVISION.search(text)
    if title is None or revision is None:
        raise ValueError(f"{file.name} is not one of our migrations")
    return revision[1], title[1].strip()


def read_revisions(connection: Connection) -> frozenset[str]:
    """Read the revisions that a database records. It should be one; an empty database has none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return frozenset()
    return frozenset(connection.scalars(_VERSION))


def find_schema_problem(connection: Connection) -> SchemaProblem | None:
    """Return what keeps this program from working with the schema, or None if it is the one that it needs."""
    found, known = read_revisions(connection), list_known_revisions()
    if found == {known.needed}:
        return None
    if not found:
        return _judge_without_revision(connection)
    if len(found) > 1:
        return SchemaProblem(
            SchemaFault.UNKNOWN,
            f"records several revisions at once{_quote(found)}: find out which one is true, and record it with"
            f" {RUN_STAMP}",
        )
    (revision,) = found
    return _judge(revision, known)


def _judge_without_revision(connection: Connection) -> SchemaProblem:
    if not inspect(connection).has_table(_OUR_TABLE):
        return SchemaProblem(SchemaFault.OLDER, Reason.NOT_MIGRATED.predicate)
    return SchemaProblem(
        SchemaFault.UNKNOWN,
        f"has Alertcheck's tables, but no revision in {VERSION_TABLE}: restore that table from the backup, or record"
        f" the revision with {RUN_STAMP}",
    )


def _judge(revision: str, known: KnownRevisions) -> SchemaProblem:
    if revision in known.titles:
        return SchemaProblem(
            SchemaFault.OLDER,
            f"{Reason.NOT_MIGRATED.predicate} (it has revision {revision}, this program needs {known.needed})",
        )
    if _OUR_REVISION.fullmatch(revision) and revision > known.needed:
        return SchemaProblem(
            SchemaFault.NEWER,
            "is newer than this program: install the version of Alertcheck that migrated it"
            f" (it has revision {revision}, this program knows those up to {known.needed})",
        )
    return SchemaProblem(
        SchemaFault.UNKNOWN,
        "has a revision that this program does not know: it may be another program's database; check DATABASE_URL",
    )


def _quote(revisions: Iterable[str]) -> str:
    ours = sorted(filter(_OUR_REVISION.fullmatch, revisions))
    return f" ({', '.join(ours)})" if ours else ""
