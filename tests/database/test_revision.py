"""What is said of a schema that is not the one that this program needs."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from benchmarks.installation.processes import ROOT
from tests.factories import on_both_databases
from webapp.database.revision import SchemaFault, SchemaProblem, find_schema_problem, list_known_revisions
from webapp.extensions import db

FILES = sorted((ROOT / "migrations" / "versions").glob("0*.py"))
HEAD = FILES[-1].name[:4]

Judge = Callable[..., SchemaProblem | None]


@pytest.fixture
def judge(app: Flask) -> Judge:
    """Judge a migrated database after statements, all of which are rolled back."""

    def judge(*statements: str) -> SchemaProblem | None:
        with app.app_context(), db.engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
            return find_schema_problem(connection)

    return judge


def _record(*revisions: str) -> list[str]:
    rows = [f"INSERT INTO alembic_version VALUES ('{revision}')" for revision in revisions]
    return ["DELETE FROM alembic_version", *rows]


@on_both_databases
def test_a_migrated_database_fits(judge: Judge) -> None:
    assert judge() is None


@on_both_databases
def test_an_older_revision_is_not_migrated_and_both_revisions_are_named(judge: Judge) -> None:
    problem = judge(*_record("0005"))

    assert problem == SchemaProblem(
        SchemaFault.OLDER,
        f"is not migrated: run flask --app wsgi db upgrade (it has revision 0005, this program needs {HEAD})",
    )


@on_both_databases
def test_a_later_revision_is_newer_than_this_program(judge: Judge) -> None:
    problem = judge(*_record("9998"))

    assert problem is not None
    assert (problem.fault, problem.predicate.partition(":")[0]) == (SchemaFault.NEWER, "is newer than this program")
    assert f"(it has revision 9998, this program knows those up to {HEAD})" in problem.predicate


@on_both_databases
@pytest.mark.parametrize("revision", ["ae1027a6acf", "0000", "https://me:canary@x.example"])
def test_another_programs_revision_is_not_quoted(judge: Judge, revision: str) -> None:
    problem = judge(*_record(revision))

    assert problem is not None
    assert (problem.fault, revision in problem.predicate) == (SchemaFault.UNKNOWN, False)
    assert "check DATABASE_URL" in problem.predicate


@on_both_databases
def test_several_revisions_at_once_are_named(judge: Judge) -> None:
    problem = judge(*_record("0007", HEAD, "canary"))

    assert problem is not None
    assert problem.predicate.startswith(f"records several revisions at once (0007, {HEAD}): ")
    assert problem.fault is SchemaFault.UNKNOWN


@on_both_databases
@pytest.mark.parametrize("statement", ["DELETE FROM alembic_version", "DROP TABLE alembic_version"])
def test_our_tables_without_a_revision_are_not_migrated_again(judge: Judge, statement: str) -> None:
    problem = judge(statement)

    assert problem is not None
    assert (problem.fault, "db stamp" in problem.predicate) == (SchemaFault.UNKNOWN, True)


def test_the_revisions_are_those_of_the_files_oldest_first(context: None) -> None:
    known = list_known_revisions()

    assert (list(known.titles), known.needed) == ([file.name[:4] for file in FILES], HEAD)
