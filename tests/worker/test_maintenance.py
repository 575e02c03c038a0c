"""The maintenance of a worker's parent process."""

from flask import Flask
from sqlalchemy import delete, func, select, update

from tests.factories import SeededIds
from webapp.extensions import db
from webapp.models import AlertDestination, SearchKey
from webapp.worker.maintenance import Maintenance


def test_it_adds_the_search_keys_that_an_upgrade_leaves_out(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        db.session.execute(delete(SearchKey))
        db.session.execute(update(AlertDestination).values(search_mark=None))
        db.session.commit()

    assert Maintenance(app).run() is None

    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SearchKey)) == 2
