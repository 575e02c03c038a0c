"""Refuses forms that do not certainly come from a page of ours in this session, and finds out why they do not."""

from flask import current_app, g, request, session
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import Headers

from webapp.app_state import current_settings
from webapp.auth.form_origin import find_origin, judge_origin
from webapp.auth.form_refusals import FormRefusal, FormRefused
from webapp.auth.form_tokens import FormToken, account_key, has_token, read_token
from webapp.auth.sessions import current_account, is_public
from webapp.extensions import csrf


def check_form() -> None:
    """Require the CSRF token, and over https also the proof of the page's origin. Runs before every request.

    Raises `FormRefused`.
    """
    try:
        csrf.protect(apply_exemptions=True)
    except CSRFError:
        raise FormRefused(_find_cause()) from None
    cause = find_origin_problem() if request.is_secure and g.get("csrf_valid") else None
    if cause is not None:
        raise FormRefused(cause)


def find_origin_problem() -> FormRefusal | None:
    """Return why the request may come from a page that is not ours, or None if it certainly is ours."""
    here = f"{request.scheme}://{request.host}"
    return judge_origin(request.headers, here, current_settings().links.public_url)


def check_private_form() -> None:
    """Require that a form of a page with `Referrer-Policy: no-referrer` comes from no other site. For exempt views.

    Browsers hide the origin of such a page, also from the page's own server, so "Origin: null" and no header at all
    are accepted: the form's own token proves the page. Raises `FormRefused`.
    """
    headers = Headers([(name, value) for name, value in request.headers if (name, value) != ("Origin", "null")])
    here = f"{request.scheme}://{request.host}"
    cause = judge_origin(headers, here, current_settings().links.public_url) if request.is_secure else None
    if cause not in (None, FormRefusal.ORIGIN_MISSING):
        raise FormRefused(cause)


def _find_cause() -> FormRefusal:
    """Return why the token was refused."""
    token = read_token()
    if current_user.is_authenticated:
        return _find_cause_signed_in(token)
    if token and token.account_key and not is_public():
        return FormRefusal.SIGNED_OUT
    if not has_token():
        return FormRefusal.TOKEN_MISSING
    return _find_cookie_problem() or FormRefusal.TOO_OLD


def _find_cause_signed_in(token: FormToken | None) -> FormRefusal:
    if not has_token():
        return FormRefusal.TOKEN_MISSING
    if token is None or not (is_public() or token.account_key):
        return FormRefusal.TOO_OLD
    if is_public() or token.account_key == account_key(current_account()):
        return FormRefusal.SIGNED_IN_MEANWHILE
    return FormRefusal.OTHER_ACCOUNT


def _find_cookie_problem() -> FormRefusal | None:
    """Return why there is no session, or None if there is one."""
    if session:
        return None
    if current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        return FormRefusal.COOKIE_UNREADABLE
    return FormRefusal.COOKIE_NEEDS_HTTPS if _is_https_missing() else FormRefusal.COOKIE_MISSING


def _is_https_missing() -> bool:
    """Check whether the browser kept the cookie to itself, because it would have to send it over http."""
    page = find_origin(request.headers)
    scheme = page.scheme if page else request.scheme
    return current_settings().https and scheme != "https"
