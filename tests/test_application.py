"""The application's lifetime: when it closes its database connections."""

import gc

from sqlalchemy import event, text

from webapp.application import create_app
from webapp.extensions import db
from webapp.settings import AppSettings


def test_an_application_closes_its_connections_when_it_is_deleted(app_settings: AppSettings) -> None:
    closed: list[object] = []
    app = create_app(app_settings)
    with app.app_context():
        event.listen(db.engine, "close", lambda connection, _record: closed.append(connection))
        db.session.execute(text("SELECT 1"))
    assert closed == []

    del app
    gc.collect()

    assert len(closed) == 1
