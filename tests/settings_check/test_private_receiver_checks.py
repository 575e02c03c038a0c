"""The private receivers: workspaces that do not exist are named, and the own servers have to be found."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from flask import Flask

from tests.factories import SeededIds, on_both_databases
from tests.outbound.outcome_of import failing
from webapp.app_state import app_state
from webapp.outbound.transport.dns import Resolver
from webapp.settings import read_settings
from webapp.settings_check.finding import Finding, Severity
from webapp.settings_check.private_receiver_checks import check_private_receivers


@contextmanager
def _checking(
    app: Flask, environment: dict[str, str], allowed: str, resolver: Resolver = lambda host: ["10.0.0.3"]
) -> Iterator[list[Finding]]:
    settings = read_settings(environment | {"ALERTCHECK_ALLOWED_NETWORKS": allowed, "PGHOST": "db.lan"})
    if not settings.database_url.startswith("postgresql"):
        policy = replace(settings.outbound.policy, own_servers=("db.lan",))
        settings = replace(settings, outbound=replace(settings.outbound, policy=policy))
    app_state(app).settings = replace(settings, outbound=replace(settings.outbound, resolver=resolver))
    with app.app_context():
        yield check_private_receivers()


def test_nothing_is_checked_if_no_network_is_allowed(app: Flask, environment: dict[str, str]) -> None:
    with _checking(app, environment, "") as found:
        assert found == []


@on_both_databases
def test_workspaces_that_exist_are_ok(app: Flask, environment: dict[str, str], seeded: SeededIds) -> None:
    with _checking(app, environment, "harbor=10.0.0.0/8,*=192.168.0.0/16") as found:
        assert [finding.severity for finding in found] == [Severity.OK]


@on_both_databases
def test_workspaces_that_do_not_exist_are_named(app: Flask, environment: dict[str, str], seeded: SeededIds) -> None:
    with _checking(app, environment, "harbor=10.0.0.0/8,harbour=10.0.0.0/8,nowhere=10.0.0.0/8") as (finding,):
        assert finding.severity is Severity.NOTE
        assert finding.text.endswith("names workspaces that do not exist: harbour, nowhere.")


def test_an_own_server_that_is_not_found_is_a_problem(
    app: Flask, environment: dict[str, str], seeded: SeededIds
) -> None:
    with _checking(app, environment, "*=10.0.0.0/8", failing(socket.EAI_NONAME)) as (finding,):
        assert finding.severity is Severity.PROBLEM
        assert "DATABASE_URL" in finding.text
        assert "db.lan" not in finding.text
