"""Shows metrics to Prometheus."""

import hmac
from importlib import import_module

from flask import Blueprint, Response, abort, request

from webapp.app_state import current_settings
from webapp.auth.sessions import public
from webapp.extensions import limiter

bp = Blueprint("metrics", __name__)

# Imported by name, because it needs a library that an installation without Prometheus never uses.
_SCRAPE = "webapp.views.metrics_exposition"

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@bp.get("/metrics")
@limiter.exempt
@public
def show_metrics() -> Response:
    """Return all metrics to a client with the token. Without a configured token: 404, except in the demo."""
    app_settings = current_settings()
    if app_settings.metrics_token is None and app_settings.demo is None:
        abort(404)
    if app_settings.metrics_token is not None and not _has_token(app_settings.metrics_token):
        return Response("A bearer token is required.\n", 401, {"WWW-Authenticate": "Bearer"}, content_type="text/plain")
    return Response(import_module(_SCRAPE).write_metrics(), content_type=_CONTENT_TYPE)


def _has_token(token: str) -> bool:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(credentials.strip().encode(), token.encode())
