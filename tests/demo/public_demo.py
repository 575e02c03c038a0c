"""A public demo as an application, and its visitors: browsers behind the proxy, each from an address of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.demo.demo_settings import find_authority_file
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DemoVisit, Workspace
from webapp.settings import read_settings

URL = "https://demo.example.com"
# Nothing listens there. Tests that send use a receiver of their own.
RECEIVER = "http://127.0.0.1:1"

_addresses = count(1)


def public_settings(environment: dict[str, str], directory: Path, **more: str) -> dict[str, str]:
    """Return the settings of a public demo, as `make run` sets them."""
    demo = {
        "DEMO_URL": URL,
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(directory / "inboxes"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": RECEIVER,
        "ALERTCHECK_DEMO_RECEIVER_HTTPS": "https://127.0.0.1:1",
        "ALERTCHECK_DEMO_CA_FILE": find_authority_file(),
        "ALERTCHECK_DEMO_RECEIVER_SMTP": "smtp://127.0.0.1:1",
        "ALERTCHECK_MAIL_FROM": "alertcheck@demo.invalid",
    }
    (directory / "inboxes").mkdir(exist_ok=True)
    return environment | demo | more


def make_public_demo(environment: dict[str, str], directory: Path, **more: str) -> Flask:
    return create_app(read_settings(public_settings(environment, directory, **more)))


@dataclass
class DemoVisitor(Visitor):
    """A browser that opens the demo through the proxy. address: its own, as the proxy tells it."""

    address: str = "203.0.113.1"

    @classmethod
    def arriving(cls, app: Flask, address: str | None = None) -> "DemoVisitor":
        """Return a visitor who has opened the start page: by default, alone in their network."""
        number = next(_addresses)
        visitor = cls(app.test_client(), address=address or f"198.{18 + number // 250}.{number % 250}.7")
        assert visitor.get("/sign-in").status_code == 200
        return visitor

    @classmethod
    def started(cls, app: Flask, address: str | None = None) -> "DemoVisitor":
        """Return a visitor who has started a demo, and whose browser shows its list."""
        visitor = cls.arriving(app, address)
        assert visitor.start().status_code == 303
        assert visitor.get("/", follow_redirects=True).status_code == 200
        return visitor

    def start(self) -> TestResponse:
        return self.post("/demo/start")

    def get(self, path: str, **arguments: Any) -> TestResponse:
        return super().get(path, base_url=URL, headers=self._headers(arguments), **arguments)

    def post(self, path: str, data: Mapping[str, object] | bytes | None = None, **arguments: Any) -> TestResponse:
        headers = {"Origin": URL} | self._headers(arguments)
        return super().post(path, data, base_url=URL, headers=headers, **arguments)

    def _headers(self, arguments: dict[str, Any]) -> dict[str, str]:
        forwarded = {"X-Forwarded-For": self.address, "X-Forwarded-Proto": "https"}
        headers: dict[str, str] = arguments.pop("headers", {})
        return forwarded | headers

    @property
    def slug(self) -> str:
        found = re.search(r"/w/([\w-]+)/", self.get("/").headers["Location"])
        assert found
        return found[1]


def get_visit(visitor: DemoVisitor) -> DemoVisit:
    """Return the row of a visitor's demo, in an application context."""
    workspace = select(Workspace.id).where(Workspace.slug == visitor.slug).scalar_subquery()
    return db.session.scalars(select(DemoVisit).where(DemoVisit.workspace_id == workspace)).one()


def list_destinations(visit: DemoVisit) -> list[int]:
    """Return the ids of a visit's destinations."""
    return list(
        db.session.scalars(
            select(AlertDestination.id)
            .where(AlertDestination.workspace_id == visit.workspace_id)
            .order_by(AlertDestination.id)
        )
    )


def list_deliveries(visit: DemoVisit) -> list[int]:
    """Return the ids of a visit's deliveries."""
    return list(db.session.scalars(select(AlertDelivery.id).where(AlertDelivery.workspace_id == visit.workspace_id)))
