"""What a person reads about a refused form, by its cause: what happened, and who has to do what."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from webapp.auth.form_refusals import FormRefusal


@dataclass(frozen=True)
class RefusalText:
    """title, advice: for the person at the form. for_admin: what to set, or nothing if the person can help it."""

    title: str
    advice: str
    for_admin: str = ""


class FormNotice(Enum):
    """What other pages say about a refused form."""

    KEPT = auto()
    NOT_KEPT = auto()
    PRESS_AGAIN = auto()
    CHECK_SIGNED_OUT = auto()
    CHECK_SIGNED_IN = auto()
    FILLED_IN = auto()
    KEPT_NO_LONGER = auto()
    SIGN_IN_AGAIN = auto()


NOTICES: Mapping[FormNotice, str] = {
    FormNotice.KEPT: "You were signed out, so nothing was saved. Sign in with the same account to continue: what you "
    "typed is kept for an hour, except secrets.",
    FormNotice.NOT_KEPT: "You were signed out, so nothing was saved, and what you typed could not be kept. Sign in, "
    "then enter it again.",
    FormNotice.PRESS_AGAIN: "You were signed out, so nothing was done. Sign in, then try again.",
    FormNotice.CHECK_SIGNED_OUT: "You were signed out. What you typed is still here. Press the button below the form "
    "to sign in: everything except secrets is kept.",
    FormNotice.CHECK_SIGNED_IN: "You signed in again after this page was opened. What you typed is still here. Press "
    "the button below the form to go on: everything except secrets is kept.",
    FormNotice.FILLED_IN: "What you typed is filled in again, except secrets. Nothing was saved yet.",
    FormNotice.KEPT_NO_LONGER: "What you typed is no longer kept. Enter it again.",
    FormNotice.SIGN_IN_AGAIN: "You were not signed in, because the page was too old. Enter your password again.",
}

_HEADERS_STAY = (
    "A proxy between the browser and Alertcheck must pass on the Origin, Referer and Sec-Fetch-Site headers of "
    "requests, and the Referrer-Policy header of responses, as they are."
)
_REMOVED_BY = (
    "A privacy setting, a browser extension or your company's proxy does this. Turn it off for Alertcheck, or use "
    "another browser."
)

TEXTS: Mapping[FormRefusal, RefusalText] = {
    FormRefusal.HOST_NOT_PASSED: RefusalText(
        "A proxy hides the address of this page",
        "Your browser shows a different host name or port from the one that reached Alertcheck, so nothing was "
        "changed. Show this page to your Alertcheck administrator.",
        "The proxy in front of Alertcheck must pass on the Host header as the browser sent it, with its port. In "
        "nginx: proxy_set_header Host $http_host; in Apache: ProxyPreserveHost On",
    ),
    FormRefusal.SCHEME_DIFFERS: RefusalText(
        "This page was opened over http",
        "Alertcheck expects https here, so nothing was changed. Open the page again, with https at the beginning of "
        "its address.",
        "The proxy in front of Alertcheck must redirect http to https, and set X-Forwarded-Proto to what the browser "
        "uses.",
    ),
    FormRefusal.OTHER_SITE: RefusalText(
        "The form came from another site",
        "Nothing was changed. Open Alertcheck itself in a new tab, then try again there.",
    ),
    FormRefusal.ORIGIN_HIDDEN: RefusalText(
        "Your browser hides where the form came from",
        f"It sent “Origin: null”, so nothing was changed. {_REMOVED_BY}",
        _HEADERS_STAY,
    ),
    FormRefusal.ORIGIN_MISSING: RefusalText(
        "Nothing shows where the form came from",
        f"The request has no Origin, Referer or Sec-Fetch-Site header, so nothing was changed. {_REMOVED_BY}",
        _HEADERS_STAY,
    ),
    FormRefusal.COOKIE_NEEDS_HTTPS: RefusalText(
        "Signing in needs https here",
        "This page was opened over http, and Alertcheck's cookie is sent over https only, so nothing was changed. Open "
        "the page again, with https at the beginning of its address.",
        "ALERTCHECK_HTTPS is on. If people open the pages over http, turn it off. Otherwise, the proxy in front of "
        "Alertcheck must redirect http to https and set X-Forwarded-Proto, and ALERTCHECK_TRUSTED_PROXIES must be the "
        "number of such proxies.",
    ),
    FormRefusal.COOKIE_MISSING: RefusalText(
        "Your browser sent no cookie",
        "Alertcheck needs a cookie to recognize you, so nothing was changed. Allow cookies for this site, load the "
        "page again, then try again.",
        "If this happens to everyone, the proxy in front of Alertcheck must pass on the Cookie and Set-Cookie headers "
        "as they are.",
    ),
    FormRefusal.COOKIE_UNREADABLE: RefusalText(
        "The cookie comes from another server",
        "This server cannot read the cookie that your browser sent, so nothing was changed. Load the page again, then "
        "try again. If it happens again, show this page to your Alertcheck administrator.",
        "All web servers need the same SECRET_KEY; after a new one, everyone signs in again. Another program under the "
        "same host name must not use a cookie named {cookie}, whatever its port.",
    ),
    FormRefusal.SIGNED_OUT: RefusalText("You were signed out", "Nothing was changed. Sign in, then try again."),
    FormRefusal.SIGNED_IN_MEANWHILE: RefusalText(
        "This page is from before your last sign-in",
        "You signed in again, or set a new password, after this page was opened, so nothing was changed. Check the "
        "page, then try again.",
    ),
    FormRefusal.OTHER_ACCOUNT: RefusalText(
        "You are signed in with another account",
        "This page was opened while a different account was signed in, so nothing was changed. Check "
        "who is signed in, then try again.",
    ),
    FormRefusal.TOKEN_MISSING: RefusalText(
        "The form was incomplete",
        "The request did not contain the form's token, so nothing was changed. Load the page again, then try again.",
    ),
    FormRefusal.TOO_OLD: RefusalText(
        "The page was too old", "Nothing was changed. Load the page again, then try again."
    ),
}
