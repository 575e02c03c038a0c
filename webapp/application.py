"""Creates the Flask application: settings, extensions, routes and commands."""

import weakref
from importlib import import_module
from typing import Any

from flask import Flask
from flask_login import current_user
from jinja2 import StrictUndefined

from webapp import __version__, cli, queue
from webapp.app_state import AppState
from webapp.auth import access, form_protection, sessions
from webapp.auth.accounts import SESSION_LIFETIME
from webapp.auth.password_reset import is_reset_offered
from webapp.auth.session_cookie import UntimedSessionInterface
from webapp.dashboard import time_format
from webapp.dashboard.poll_interval import PollBudget
from webapp.dashboard.recent_results import describe_results
from webapp.database.engine import engine_options, engine_url, prepare_engine
from webapp.database.schema_commands import schema_commands
from webapp.database.sessions import init_sessions
from webapp.deliveries.arrival import describe_receipt, is_uncertain
from webapp.deliveries.completion_events import delivery_completed
from webapp.deliveries.outcome import describe_status
from webapp.deliveries.overdue import REMEMBERED_ROWS
from webapp.deliveries.wait_tracker import WaitTracker
from webapp.environment.installation import find_assets
from webapp.extensions import csrf, db, limiter, login_manager, migrate
from webapp.metrics.counters import count_completion
from webapp.models.database_clock import DatabaseClock
from webapp.settings import AppSettings, read_settings
from webapp.settings.allowed_hosts import AllowedHosts
from webapp.single_sign_on.provider import init_single_sign_on
from webapp.text import tags
from webapp.text.names import isolate_name
from webapp.views.errors import init_errors
from webapp.views.headers import init_headers
from webapp.views.link_paths import init_link_paths
from webapp.views.navigation import init_navigation
from webapp.views.page_refresh import init_page_refresh
from webapp.views.refused_forms import init_refused_forms
from webapp.views.registration import register_views
from webapp.views.request_limits import init_request_limits
from webapp.views.static_files import init_static_files
from webapp.views.time_zones import init_time_zones
from webapp.views.unreadable_requests import init_unreadable_requests
from webapp.web_server.addresses import CheckedFlask
from webapp.web_server.forwarded_requests import ForwardedRequests

# Imported by name, so that a production installation imports no demo code.
DEMO = "webapp.views.demo_sign_in"

# The demo shows its metrics without a token, so a page of another site must not reach them by a name of its own.
DEMO_OPEN_PATHS = frozenset({"/healthz"})

# The supervisor of a public demo asks for the second one, which nobody else gets.
PUBLIC_DEMO_OPEN_PATHS = frozenset({"/healthz", "/readyz"})

# Bytes of a request.
MAX_CONTENT_LENGTH, MAX_CONTENT_LENGTH_OF_VISITORS = 64 * 1024, 16 * 1024

# Of all visitors of a public demo from one network.
VISITORS_REQUESTS = "1200 per minute"


def create_app(app_settings: AppSettings | None = None) -> Flask:
    """Create the application. Raises `Misconfigured` if a setting is missing or invalid."""
    app_settings = app_settings or read_settings()
    app = _make_flask(app_settings)
    app.config.update(_flask_settings(app_settings))
    app.session_interface = UntimedSessionInterface()
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    clock, looks = DatabaseClock(), WaitTracker(capacity=REMEMBERED_ROWS)
    redis = queue.connect(app_settings.redis_url, app_settings.ca_file)
    jobs = queue.load_jobs(redis, f"{app_settings.redis_prefix}:rq")
    app.extensions["alertcheck"] = AppState(app_settings, redis, jobs, PollBudget(), clock, looks)
    app.config["RATELIMIT_STORAGE_OPTIONS"] = queue.limiter_options(redis.connection_pool, app_settings.redis_prefix)
    _init_extensions(app, clock)
    _register(app, app_settings)
    return app


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
        "RATELIMIT_STORAGE_URI": "redis://",  # names the kind of storage; the connections are those of our client
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
    migrate.init_app(app, db, directory=str(find_assets() / "migrations"))
    limiter.init_app(app)
    csrf.init_app(app)
    # No context processor: on the error page of a failed database it would load the visitor again. The global
    # `current_user` loads them only where it is used.
    login_manager.init_app(app, add_context_processor=False)
    login_manager.user_loader(sessions.find_session_account)
    login_manager.session_protection = None  # its mark of another address, which no view reads, changes the cookie
    with app.app_context():
        weakref.finalize(app, db.engine.dispose)  # also when the process ends, as a command's does
        prepare_engine(db.engine)
        clock.follow(db.engine)


def _register(app: Flask, app_settings: AppSettings) -> None:
    register_views(app)
    _extend_templates(app, app_settings)
    delivery_completed.connect(count_completion)
    app.before_request(form_protection.check_form)
    app.before_request(sessions.require_sign_in)
    app.before_request(sessions.note_visit)
    init_headers(app)
    init_static_files(app)
    init_link_paths(app)
    init_navigation(app)
    init_single_sign_on(app)
    init_page_refresh(app)
    init_time_zones(app)
    init_errors(app)
    init_unreadable_requests(app)
    init_request_limits(app)
    init_refused_forms(app)
    if app_settings.demo:
        import_module(DEMO).register(app)
    for command in (*cli.COMMANDS, schema_commands):  # the latter replaces the group of Flask-Migrate
        app.cli.add_command(command)


def _extend_templates(app: Flask, app_settings: AppSettings) -> None:
    app.jinja_env.filters |= {
        "format_relative": time_format.format_relative,
        "format_exact": time_format.format_exact,
        "format_moment": time_format.format_moment,
        "format_local": time_format.format_local,
        "format_clock": time_format.format_clock,
        "format_day": time_format.format_day,
        "format_weekday_time": time_format.format_weekday_time,
        "describe_zone": time_format.describe_zone,
        "isolate_name": isolate_name,
        "describe_receipt": describe_receipt,
        "describe_results": describe_results,
        "describe_status": describe_status,
        "is_uncertain": is_uncertain,
    }
    app.jinja_env.globals |= {
        "current_user": current_user,
        "split_tags": tags.split_tags,
        "color_of_tag": tags.color_of,
        "is_demo": app_settings.demo is not None,
        "is_public_demo": app_settings.is_public_demo,
        "are_passwords_allowed": app_settings.are_passwords_allowed,
        "provider_name": app_settings.single_sign_on.name if app_settings.single_sign_on else None,
        "has_real_receivers": app_settings.demo is None or app_settings.demo.has_real_receivers,
        "is_reset_offered": is_reset_offered,
        "list_membership_links": access.list_membership_links,
        "server_time": time_format.server_time,
        "version": __version__,
    }
