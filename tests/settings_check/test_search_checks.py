"""The search: every destination is found by its host or recipients, or the check says how many are not, and why."""

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import update

from tests.factories import SeededIds, on_both_databases
from webapp.app_state import current_settings
from webapp.application import create_app
from webapp.destinations.search_index import SearchIndexing
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.settings import read_settings
from webapp.settings_check.finding import Severity
from webapp.settings_check.search_checks import check_search


@on_both_databases
def test_an_installation_whose_destinations_are_all_found_is_ok(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        assert [finding.severity for finding in check_search()] == [Severity.OK]


def test_what_the_workers_have_still_to_add_is_counted(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        db.session.execute(update(AlertDestination).values(search_mark=None))
        (finding,) = check_search()

    assert finding.severity is Severity.NOTE
    assert finding.text.startswith("Not yet found by host or recipient: 2 destinations.")


def test_settings_that_no_key_decrypts_are_counted_and_name_the_setting(
    environment: dict[str, str], seeded: SeededIds
) -> None:
    lost = environment | {"ALERTCHECK_CONFIG_KEYS": Fernet.generate_key().decode()}
    with create_app(read_settings(lost)).app_context():
        SearchIndexing(lambda: 0.0).add_missing(current_settings().cipher)
        (finding,) = check_search()
        db.engine.dispose()

    assert finding.severity is Severity.NOTE
    assert finding.text.startswith("Never found by host or recipient: 2 destinations")
    assert "ALERTCHECK_CONFIG_KEYS" in finding.text
