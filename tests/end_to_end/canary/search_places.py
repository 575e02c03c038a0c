"""Everything that an installation stores, writes and shows, as searchable bytes."""

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from contextvars import Context
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import MetaData, Select, delete, func, select
from werkzeug.test import TestResponse

from benchmarks.installation.servers import QueueServer
from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp import queue
from webapp.auth.access import Visit
from webapp.auth.customer_links import make_link
from webapp.auth.one_time_tokens import TOKEN_LENGTH
from webapp.channels import CHANNELS
from webapp.extensions import db
from webapp.models import (
    Account,
    AlertDelivery,
    AlertDestination,
    CustomerLink,
    Role,
    Workspace,
    database_clock,
)

# The only column that may hold a secret.
ENCRYPTED = "alert_destinations.config"

# Tests whose references are opened, each also with the id of the others.
REFERENCES = 3

ZLIB_HEADERS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


# Of these, a page of one destination of each channel is enough: a destination's page contains the fragments, and
# only admins get more than a refusal from the forms.
FRAGMENTS = {"destinations.show_details", "receipts.watch", "presses.show"}
FORMS = {"destinations.delete", "destination_forms.edit"}

# The variables of links that work once. No page shows anything to whoever has a wrong one.
ONCE = ("setup_token", "account_token", "reset_token", "invitation_token")


@dataclass(frozen=True)
class SearchedInstallation:
    """An installation on SQLite. folder: the folder of its database, the demo's inbox and all logs."""

    app: Flask
    seeded: SeededIds
    queue_server: QueueServer
    folder: Path

    def read_everything(self) -> dict[str, bytes]:
        """Read all stored data, by place."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {
            "rows": self._read_rows(),
            "queue": read_queue(self.queue_server),
            **{str(path.relative_to(self.folder)): path.read_bytes() for path in files},
        }

    def _read_rows(self) -> bytes:
        stored = MetaData()
        with self.app.app_context():
            stored.reflect(db.engine)
            columns = [[column for column in table.c if str(column) != ENCRYPTED] for table in stored.tables.values()]
            rows = [str(row) for chosen in columns for row in db.session.execute(select(*chosen))]
        return "\n".join(rows).encode()

    def show_pages(self, who: str, paths: Iterable[str] | None = None) -> bytes:
        """Visit every GET route as this account, or only these paths, and return all responses."""
        # In its own context, because a context that a test has pushed keeps the first visitor.
        return Context().run(self._visit, who, self.list_paths(who) if paths is None else paths)

    def _visit(self, who: str, paths: Iterable[str]) -> bytes:
        visitor = Visitor.signed_in(self.app, getattr(self.seeded, who))
        return b"".join(_read_response(visitor.get(path)) for path in paths)

    def list_paths(self, who: str = "admin") -> list[str]:
        """List every GET path of the application, with every value of its variables that shows this account more."""
        assert self.app.view_functions.keys() >= FRAGMENTS | FORMS
        repetitive = FRAGMENTS if who == "admin" else FRAGMENTS | FORMS
        with self.app.app_context():
            every = _read_ids(select(AlertDestination.id))
            examples = _read_ids(select(func.max(AlertDestination.id)).group_by(AlertDestination.type))
            newest = select(AlertDelivery).order_by(AlertDelivery.id.desc()).limit(REFERENCES)
            tests = [(str(test.id), test.reference) for test in db.session.scalars(newest)]
            customer_token = self._make_customer_link()
        values = {
            "slug": ["harbor"],
            "delivery_id": [delivery_id for delivery_id, _ in tests],
            "reference": sorted({reference for _, reference in tests if reference}),
            "customer_token": [customer_token],
            "channel_name": list(CHANNELS),
            "batch": ["0123456789abcdef"],
            "token": ["WzEsIkFCIl0.x"],
            "filename": ["app.css"],
            "account_id": list(map(str, (self.seeded.admin, self.seeded.support))),
            "invitation": ["1"],
            "session_key": ["0" * 32],
            "upload": ["u" * 43],
            **{name: ["t" * TOKEN_LENGTH] for name in ONCE},
        }
        adapter = self.app.url_map.bind("localhost")
        paths = []
        for rule in (rule for rule in self.app.url_map.iter_rules() if "GET" in (rule.methods or ())):
            values["destination_id"] = examples if rule.endpoint in repetitive else every
            paths += [adapter.build(rule.endpoint, variables) for variables in _combine(rule.arguments, values)]
        return paths

    def _make_customer_link(self) -> str:
        """Return the token of a link for the customer to a destination in use."""
        query = select(AlertDestination).where(AlertDestination.deleted_at.is_(None))
        destination = db.session.scalars(query.order_by(AlertDestination.id).limit(1)).one()
        workspace = db.session.get_one(Workspace, destination.workspace_id)
        db.session.execute(delete(CustomerLink))
        visit = Visit(db.session.get_one(Account, self.seeded.admin), workspace, Role.ADMIN)
        return make_link(visit, destination, 1, database_clock.now())


def _read_ids(query: Select[int]) -> list[str]:
    return list(map(str, db.session.scalars(query)))


def _read_response(response: TestResponse) -> bytes:
    with closing(response):
        return b"".join([str(response.headers).encode(), response.data])


def _combine(variables: Iterable[str], values: Mapping[str, list[str]]) -> list[dict[str, str]]:
    names = sorted(variables)
    return [dict(zip(names, chosen, strict=True)) for chosen in product(*(values[name] for name in names))]


def read_queue(server: QueueServer) -> bytes:
    """Return every key of the queue server with its values, decompressed."""
    client: Any = queue.connect(server.url)
    return b"\n".join(key + b": " + b" ".join(map(inflate, _read_key(client, key))) for key in client.scan_iter())


def _read_key(client: Any, key: bytes) -> list[bytes]:  # redis-py's types of responses are too wide
    match client.type(key):
        case b"hash":
            return [part for pair in client.hgetall(key).items() for part in pair]
        case b"list":
            return list(client.lrange(key, 0, -1))
        case b"set":
            return list(client.smembers(key))
        case b"zset":
            return list(client.zrange(key, 0, -1))
        case b"stream":
            return [part for _, entry in client.xrange(key) for pair in entry.items() for part in pair]
    return [client.get(key) or b""]


def inflate(value: bytes) -> bytes:
    """Return a value, followed by its decompressed content if it is compressed, in Base64 or not."""
    try:
        packed = value if value.startswith(ZLIB_HEADERS) else base64.b64decode(value, validate=True)
        return value + b" " + zlib.decompress(packed)
    except (zlib.error, binascii.Error):
        return value
