"""The engine with which a web process uses the database at its start, before it may fork."""

from sqlalchemy import Engine, NullPool, create_engine

from webapp.app_state import current_settings
from webapp.database.engine import connect_args, engine_url, prepare_engine


def make_unpooled_engine() -> Engine:
    """Return an engine that closes each connection at once: with gunicorn's --preload, this process forks next."""
    app_settings = current_settings()
    options = connect_args(app_settings.database_url, app_settings.ca_file)
    engine = create_engine(
        engine_url(app_settings.database_url), poolclass=NullPool, connect_args=options, hide_parameters=True
    )
    prepare_engine(engine)
    return engine
