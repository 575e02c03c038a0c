"""How a webhook signs in to its receiver: with Basic, a bearer token, or a header Authorization of its own.

Sources: RFC 7617 (Basic) and RFC 6750 (bearer tokens).
"""

import base64
import re
import unicodedata
from collections.abc import Mapping

from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings
from webapp.channels.webhook_headers import has_authorization
from webapp.outbound import OutboundClient
from webapp.outbound.policy.pasted_urls import strip_wrapping

MAX_USER = 256
MAX_PASSWORD = 1024
MAX_TOKEN = 2048

_TOKEN = re.compile(r"[!-~]+")
_PASTED_SCHEME = re.compile(r"(?:authorization:\s*)?bearer(?:\s+|$)", re.IGNORECASE)
_UNUSABLE = frozenset({"Cc", "Cs"})  # control characters and halves of characters


def _check_user(text: str, outbound: OutboundClient) -> str:
    user = text.strip()
    if ":" in user:
        raise SettingInvalid("A Basic user has no colon in it. Enter what is after the colon as the Basic password.")
    if not user.isprintable():
        raise SettingInvalid("The user has an invisible character in it. Type it instead of pasting it.")
    if len(user) > MAX_USER:
        raise SettingInvalid(f"The user is longer than {MAX_USER} characters.")
    return user


def _check_password(text: str, outbound: OutboundClient) -> str:
    if any(unicodedata.category(character) in _UNUSABLE for character in text):
        raise SettingInvalid("The password has a control character in it, such as a line break. Copy it again.")
    if len(text) > MAX_PASSWORD:
        raise SettingInvalid(f"The password is longer than {MAX_PASSWORD:,} characters.")
    return text


def _check_token(text: str, outbound: OutboundClient) -> str:
    token = _PASTED_SCHEME.sub("", strip_wrapping(text), count=1)
    if not _TOKEN.fullmatch(token):
        raise SettingInvalid(
            "A bearer token has letters, digits and punctuation of ASCII, and no space. Copy the whole token again."
        )
    if len(token) > MAX_TOKEN:
        raise SettingInvalid(f"The token is longer than {MAX_TOKEN:,} characters.")
    return token


def make_authorization(settings: Settings) -> dict[str, str]:
    """Return the header Authorization for Basic or a bearer token; empty without either."""
    if settings.get("bearer_token"):
        return {"Authorization": f"Bearer {settings['bearer_token']}"}
    if settings.get("basic_user"):
        return {"Authorization": encode_basic(settings["basic_user"], settings.get("basic_password", ""))}
    return {}


def describe_authorization(settings: Settings) -> dict[str, str]:
    """Return the header that `make_authorization` makes, with words instead of its value."""
    if settings.get("bearer_token"):
        return {"Authorization": "Bearer (Bearer token, not shown)"}
    if settings.get("basic_user"):
        return {"Authorization": "Basic (Basic user and Basic password in Base64, not shown)"}
    return {}


def find_conflicts(settings: Settings) -> Mapping[str, str]:
    """Return what is wrong with the settings together. Their receiver gets one header Authorization at most."""
    user, password, token = (settings.get(name) for name in ("basic_user", "basic_password", "bearer_token"))
    if user and not password:
        return {"basic_password": "Enter the password that belongs to the Basic user, or remove the Basic user."}
    if password and not user:
        return {"basic_user": "Enter the user that belongs to the Basic password, or remove the Basic password."}
    if user and token:
        return {"bearer_token": "Basic and a bearer token exclude each other. Remove one of them."}
    if (user or token) and has_authorization(settings.get("headers", "")):
        used = "Basic" if user else "the bearer token"
        return {"headers": f"The header Authorization and {used} exclude each other. Remove one of them."}
    return {}


def encode_basic(user: str, password: str) -> str:
    """Return the value of Authorization, in UTF-8 and normal form C, as RFC 7617 recommends."""
    credentials = unicodedata.normalize("NFC", f"{user}:{password}")
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


FIELDS = (
    Field(
        name="basic_user",
        label="Basic user",
        kind=FieldKind.TEXT,
        help="Optional. The user name, for a receiver that wants Basic authentication. Every member can see it.",
        check=_check_user,
        required=False,
    ),
    Field(
        name="basic_password",
        label="Basic password",
        kind=FieldKind.SECRET,
        help="Optional. The password that belongs to the Basic user.",
        check=_check_password,
        required=False,
    ),
    Field(
        name="bearer_token",
        label="Bearer token",
        kind=FieldKind.SECRET,
        help="Optional. The token, for a receiver that wants Authorization: Bearer. Enter only the token.",
        check=_check_token,
        required=False,
    ),
)
