"""Compares the revision of the schema in the database with the one that this program needs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, String, column, inspect, select, table

from webapp.database.reasons import Reason, describe_database
from webapp.environment.installation import COMMAND

VERSION_TABLE = "alembic_version"

_VERSION = select(column("version_num", String)).select_from(table(VERSION_TABLE))
# A table of ours since the first revision.
_OUR_TABLE = "workspaces"
# Our revisions are numbers. Any other word is not quoted: it may be anything.
_OUR_REVISION = re.compile(r"\d{4}")

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


def get_scripts() -> ScriptDirectory:
    """Return the migrations of the current application."""
    return ScriptDirectory.from_config(current_app.extensions["migrate"].migrate.get_config())


@cache
def list_known_revisions() -> KnownRevisions:
    """List the revisions of this program."""
    scripts = reversed(list(get_scripts().walk_revisions()))
    return KnownRevisions({script.revision: script.doc for script in scripts})


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
