"""The reasons why a form is refused before its view handles it."""

from enum import StrEnum

from werkzeug.exceptions import BadRequest


class FormRefusal(StrEnum):
    """Why a form was refused. The log has the value; the sentences are in `webapp.views.refused_form_texts`."""

    HOST_NOT_PASSED = "host_not_passed"
    SCHEME_DIFFERS = "scheme_differs"
    OTHER_SITE = "other_site"
    ORIGIN_HIDDEN = "origin_hidden"
    ORIGIN_MISSING = "origin_missing"
    COOKIE_NEEDS_HTTPS = "cookie_needs_https"
    COOKIE_MISSING = "cookie_missing"
    COOKIE_UNREADABLE = "cookie_unreadable"
    SIGNED_OUT = "signed_out"
    SIGNED_IN_MEANWHILE = "signed_in_meanwhile"
    OTHER_ACCOUNT = "other_account"
    TOKEN_MISSING = "token_missing"  # noqa: S105 - a word for the log
    TOO_OLD = "too_old"


class FormRefused(BadRequest):
    """A form was not accepted, and nothing was changed."""

    def __init__(self, cause: FormRefusal) -> None:
        super().__init__()
        self.cause = cause
