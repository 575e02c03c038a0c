"""Creates the Flask application of a web process: the core and its pages."""

from importlib import import_module

from flask import Flask
from flask_login import current_user
from jinja2 import StrictUndefined

from webapp import __version__
from webapp.app_state import app_state
from webapp.application_core import create_core
from webapp.auth import form_protection, sessions
from webapp.auth.password_reset import is_reset_offered
from webapp.auth.session_cookie import UntimedSessionInterface
from webapp.dashboard import time_format
from webapp.dashboard.recent_results import count_runs, describe_results
from webapp.deliveries.arrival import describe_receipt, is_uncertain
from webapp.deliveries.badge import describe_status
from webapp.extensions import csrf, login_manager
from webapp.settings import AppSettings
from webapp.text import tags
from webapp.text.names import isolate_name
from webapp.views.blueprints import register_views
from webapp.views.errors import init_errors
from webapp.views.headers import init_headers
from webapp.views.link_paths import init_link_paths
from webapp.views.navigation import init_navigation
from webapp.views.page_refresh import init_page_refresh
from webapp.views.refused_forms import init_refused_forms
from webapp.views.request_sizes import init_request_limits
from webapp.views.static_files import init_static_files
from webapp.views.template_loading import SharedEnvironment
from webapp.views.time_zones import init_time_zones
from webapp.views.unreadable_requests import init_unreadable_requests
from webapp.workspaces.own_workspaces import load_switcher

# Imported by name, so that a production installation imports no demo code.
DEMO = "webapp.views.demo.sign_in"


def create_app(app_settings: AppSettings | None = None) -> Flask:
    """Create the application. Raises `Misconfigured` if a setting is missing or invalid."""
    app = create_core(app_settings)
    app.session_interface = UntimedSessionInterface()
    app.jinja_environment = SharedEnvironment
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    _init_extensions(app)
    _register(app, app_state(app).settings)
    return app


def _init_extensions(app: Flask) -> None:
    csrf.init_app(app)
    # No context processor: on the error page of a failed database it would load the visitor again. The global
    # `current_user` loads them only where it is used.
    login_manager.init_app(app, add_context_processor=False)
    login_manager.user_loader(sessions.find_session_account)
    login_manager.session_protection = None  # its mark of another address, which no view reads, changes the cookie


def _register(app: Flask, app_settings: AppSettings) -> None:
    register_views(app)
    _extend_templates(app, app_settings)
    app.before_request(form_protection.check_form)
    app.before_request(sessions.require_sign_in)
    app.before_request(sessions.note_visit)
    init_headers(app)
    init_static_files(app)
    init_link_paths(app)
    init_navigation(app)
    init_page_refresh(app)
    init_time_zones(app)
    init_errors(app)
    init_unreadable_requests(app)
    init_request_limits(app)
    init_refused_forms(app)
    if app_settings.demo:
        import_module(DEMO).register(app)


def _extend_templates(app: Flask, app_settings: AppSettings) -> None:
    app.jinja_env.filters |= {
        "format_relative": time_format.format_relative,
        "format_exact": time_format.format_exact,
        "format_machine": time_format.format_machine,
        "format_moment": time_format.format_moment,
        "format_local": time_format.format_local,
        "format_clock": time_format.format_clock,
        "format_day": time_format.format_day,
        "format_weekday_time": time_format.format_weekday_time,
        "describe_zone": time_format.describe_zone,
        "isolate_name": isolate_name,
        "describe_receipt": describe_receipt,
        "count_runs": count_runs,
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
        "load_switcher": load_switcher,
        "server_time": time_format.server_time,
        "version": __version__,
    }
