"""Keeps what Werkzeug, SQLAlchemy, Jinja and Alembic compile or load, for all applications: each test makes its own.

Rules and statements are compiled for an application or an engine, but the results depend on the rule or statement and
on the kind of database alone. Compiling them again would be most of the work of a test that uses a database.
Compiled templates are also kept in the folder of the run, for its other processes.
"""

from collections.abc import Callable, Hashable
from functools import cache
from os import PathLike
from pathlib import Path
from tempfile import gettempdir
from types import ModuleType
from typing import Any

import alembic.util
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

FilePath = str | PathLike[str]

# More statements than all tests have, so that no result depends on the tests before.
STATEMENTS = 20_000

_compile_rule: Callable[[Rule], None] = Rule.compile
_load_file: Callable[..., ModuleType] = alembic.util.load_python_file

_rules: dict[Hashable, tuple[Any, ...]] = {}
_statements: LRUCache[Any, Any] = LRUCache(STATEMENTS)
_templates: dict[tuple[str, str], Any] = {}


def compile_once() -> None:
    """Let all applications of this process share what is compiled."""
    compile_pages_once()
    Engine._compiled_cache = property(_get_statements, _ignore)  # type: ignore[assignment]
    # SQLAlchemy finds a compiled statement by the statement and the dialect, of which each engine has its own.
    DefaultDialect.__eq__ = _is_same_dialect  # type: ignore[method-assign, assignment]
    DefaultDialect.__hash__ = _hash_dialect  # type: ignore[method-assign, assignment]
    alembic.util.load_python_file = _load_migration_once


def compile_pages_once() -> None:
    """Let all applications of this process and its forks share the rules and templates alone."""
    Rule.compile = _compile_rule_once  # type: ignore[method-assign, assignment]
    Flask.jinja_options = {"bytecode_cache": CompiledTemplates()}


def _compile_rule_once(rule: Rule) -> None:
    if rule.defaults:  # which become part of the compiled rule
        _compile_rule(rule)
        return
    key = (
        rule.rule,
        rule.subdomain,
        rule.host,
        rule.merge_slashes,
        rule.map.host_matching,
        *rule.map.converters.items(),
    )
    if key not in _rules:
        _compile_rule(rule)
        builders = (rule._build.__func__, rule._build_unknown.__func__)  # type: ignore[attr-defined]
        _rules[key] = (rule._parts, rule._trace, rule._converters, frozenset(rule.arguments), *builders)
    parts, trace, converters, arguments, build, build_unknown = _rules[key]
    rule._parts, rule._trace, rule._converters = list(parts), list(trace), dict(converters)
    rule.arguments |= arguments
    rule._build = build.__get__(rule, None)
    rule._build_unknown = build_unknown.__get__(rule, None)


def _get_statements(_engine: Engine) -> LRUCache[Any, Any]:
    return _statements


def _ignore(_engine: Engine, _own: object) -> None:
    """Leave the cache that SQLAlchemy makes for a new engine unused."""


def _load_migration_once(dir_: FilePath, filename: FilePath) -> ModuleType:
    """Each upgrade loads every migration, but runs `env.py`, which Alembic loads for that."""
    return _load_file(dir_, filename) if filename == "env.py" else _load_migration(str(dir_), str(filename))


@cache
def _load_migration(folder: str, name: str) -> ModuleType:
    return _load_file(folder, name)


def _describe(dialect: DefaultDialect) -> Hashable:
    """Return what decides how a dialect compiles a statement."""
    return (
        type(dialect),
        dialect.paramstyle,
        getattr(dialect, "server_version_info", None),
        dialect.default_schema_name,
        dialect.use_insertmanyvalues,
        dialect.insertmanyvalues_page_size,
        getattr(dialect, "_json_serializer", None),
        getattr(dialect, "_json_deserializer", None),
    )


def _is_same_dialect(dialect: DefaultDialect, other: object) -> bool:
    return isinstance(other, DefaultDialect) and _describe(dialect) == _describe(other)


def _hash_dialect(dialect: DefaultDialect) -> int:
    return hash(_describe(dialect))


class CompiledTemplates(FileSystemBytecodeCache):
    """The compiled templates, by their names and sources: in memory, and as files for other processes."""

    def __init__(self) -> None:
        """Use the folder for temporary files, which a run sets after this module is imported."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, if another application has compiled it."""
        bucket.code = _templates.get((bucket.key, bucket.checksum))
        if not bucket.code:
            super().load_bytecode(bucket)
            self._keep(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        self._keep(bucket)
        super().dump_bytecode(bucket)

    def _keep(self, bucket: Bucket) -> None:
        if bucket.code:
            _templates[bucket.key, bucket.checksum] = bucket.code

    def _get_cache_filename(self, bucket: Bucket) -> str:
        return str(Path(gettempdir()) / f"template-{bucket.key}")
