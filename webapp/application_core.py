"""Creates the application without pages, which is all that a worker and most commands need."""

import weakref
from typing import Any

from flask import Flask

from webapp import queue
from webapp.app_state import AppState, OutcomeWaits
from webapp.auth.session_lifetime import SESSION_LIFETIME
from webapp.cli import AppCommands
from webapp.dashboard.poll_interval import PollBudget
from webapp.database.engine import engine_options, engine_url, prepare_engine
from webapp.database.sessions import init_sessions
from webapp.deliveries.completion_events import delivery_completed
from webapp.deliveries.recovery.page_recovery import REMEMBERED_ROWS
from webapp.deliveries.recovery.wait_tracker import WaitTracker
from webapp.environment.installed_program import find_assets
from webapp.extensions import db, limiter
from webapp.metrics.counters import count_completion
from webapp.models.database_clock import DatabaseClock
from webapp.queue import limiter_storage, outcome_waits
from webapp.settings import AppSettings, read_settings
from webapp.settings.allowed_hosts import AllowedHosts
from webapp.web_server.forwarded_requests import ForwardedRequests
from webapp.web_server.request_address import CheckedFlask

# The demo shows its metrics without a token, so a page of another site must not reach them by a name of its own.
DEMO_OPEN_PATHS = frozenset({"/healthz"})

# The supervisor of a public demo asks for the second one, which nobody else gets.
PUBLIC_DEMO_OPEN_PATHS = frozenset({"/healthz", "/readyz"})

# Bytes of a request.
MAX_CONTENT_LENGTH, MAX_CONTENT_LENGTH_OF_VISITORS = 64 * 1024, 16 * 1024

# Of all visitors of a public demo from one network.
VISITORS_REQUESTS = "1200 per minute"


def create_core(app_settings: AppSettings | None = None) -> Flask:
    """Create the application without pages. Raises `Misconfigured` if a setting is missing or invalid."""
    app_settings = app_settings or read_settings()
    app = _make_flask(app_settings)
    app.config.update(_flask_settings(app_settings))
    app.cli = AppCommands(app.name, is_demo=app_settings.demo is not None)
    clock, looks = DatabaseClock(), WaitTracker(capacity=REMEMBERED_ROWS)
    redis = queue.connect(app_settings.redis_url, app_settings.ca_file)
    jobs = queue.load_jobs(redis, f"{app_settings.redis_prefix}:rq")
    app.extensions["alertcheck"] = AppState(
        app_settings, redis, jobs, PollBudget(), clock, looks, _make_outcome_waits(app_settings)
    )
    app.config["RATELIMIT_STORAGE_OPTIONS"] = queue.limiter_options(redis.connection_pool, app_settings.redis_prefix)
    _init_extensions(app, clock)
    delivery_completed.connect(count_completion)
    return app


def _make_outcome_waits(app_settings: AppSettings) -> OutcomeWaits:
    redis = queue.connect(app_settings.redis_url, app_settings.ca_file, **outcome_waits.OPTIONS)
    return outcome_waits.OutcomeWaits(redis, app_settings.redis_prefix)


def _make_flask(app_settings: AppSettings) -> CheckedFlask:
    app = CheckedFlask("webapp", root_path=str(find_assets()), static_folder="static", template_folder="templates")
    app.allowed_hosts = AllowedHosts(frozenset(app_settings.hosts))
    if app_settings.is_public_demo:
        app.open_paths = PUBLIC_DEMO_OPEN_PATHS
    elif app_settings.demo:  # it refuses every request of a proxy
        app.open_paths = DEMO_OPEN_PATHS
        return app
    forwarded = ForwardedRequests(app.wsgi_app, app_settings.proxies, app_settings.https, app.advice)
    app.wsgi_app = forwarded  # type: ignore[method-assign]
    return app


def _flask_settings(app_settings: AppSettings) -> dict[str, Any]:
    is_public = app_settings.is_public_demo
    return {
        "SECRET_KEY": app_settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": engine_url(app_settings.database_url),
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(app_settings.database_url, app_settings.ca_file),
        "RATELIMIT_STORAGE_URI": f"{limiter_storage.SCHEME}://",  # the connections are those of our client
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
        "RATELIMIT_STRATEGY": "fixed-window",
        "SESSION_COOKIE_NAME": "__Host-session" if app_settings.https else "session",
        "SESSION_COOKIE_SECURE": app_settings.https,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": SESSION_LIFETIME,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a dashboard stays open for hours
        "WTF_CSRF_CHECK_DEFAULT": False,  # webapp.auth.form_protection checks instead, and knows why it refuses
        "WTF_CSRF_SSL_STRICT": False,
        "MAX_CONTENT_LENGTH": MAX_CONTENT_LENGTH_OF_VISITORS if is_public else MAX_CONTENT_LENGTH,
        "RATELIMIT_APPLICATION": VISITORS_REQUESTS if is_public else None,
    }


def _init_extensions(app: Flask, clock: DatabaseClock) -> None:
    init_sessions(app)
    limiter.init_app(app)
    if not app.config["RATELIMIT_APPLICATION"]:
        # Flask-Limiter's hook checks the limit of the whole application before each request. Views check their own.
        hooks = app.before_request_funcs[None]
        hooks[hooks.index(limiter._check_request_limit)] = _look_for_queue_server
    with app.app_context():
        weakref.finalize(app, db.engine.dispose)  # also when the process ends, as a command's does
        prepare_engine(db.engine)
        clock.follow(db.engine)


def _look_for_queue_server() -> None:
    """Let the limiter find out whether the queue server is back, while it counts in this process without it."""
    if limiter._storage_dead:
        limiter._check_request_limit()
