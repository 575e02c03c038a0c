"""The settings of the single sign-on by OpenID Connect: which there are, and how they are read."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo

from webapp.environment.settings_reader import EnvironmentSettings, needed_with, split
from webapp.environment.values import read_flag
from webapp.failures import DeliveryFailed
from webapp.outbound.policy.urls import Target, read_url
from webapp.text.names import NameInvalid, read_name
from webapp.text.slugs import is_slug

Value = TypeVar("Value")

DEFAULT_NAME = "your company account"
DEFAULT_GROUPS_CLAIM = "groups"
# The same as `webapp.models.Role`, from the highest to the lowest.
ROLES = ("admin", "support", "viewer")

DISCOVERY_PATH = "/.well-known/openid-configuration"
_CALLBACK_PATH = "/sign-in/callback"
_SIGNED_OUT_PATH = "/sign-in"

_MAX_LENGTH = 255
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_EXAMPLE = "such as https://login.example.com/realms/company"
# What could be a whole entry, and something else behind it.
_WRONG_SEPARATOR = re.compile(rf":[^:;]*=\s*(?:{'|'.join(ROLES)})[\s;]", re.IGNORECASE)
_ROLE_FORM = "takes group:workspace=role entries, such as ops:harbor=admin"


@dataclass(frozen=True)
class GroupRole:
    """A role in a workspace, by its slug, for whoever is in a group of the provider's."""

    group: str
    slug: str
    role: str


@dataclass(frozen=True)
class SingleSignOn:
    """The provider whose accounts sign people in.

    issuer: exactly as the provider names itself. name: what pages call it. groups_claim: the claim with the groups.
    is_only: whether nobody may sign in by password. public_url: the origin of the pages.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    groups_claim: str
    group_roles: tuple[GroupRole, ...]
    is_only: bool
    public_url: str

    @property
    def discovery_url(self) -> str:
        """The address of the document with the provider's endpoints (OpenID Connect Discovery 1.0, section 4)."""
        return self.issuer.rstrip("/") + DISCOVERY_PATH

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends browsers back to. It has to know this address."""
        return self.public_url + _CALLBACK_PATH

    @property
    def signed_out_uri(self) -> str:
        """Where the provider sends browsers after a sign-out, if it knows this address."""
        return self.public_url + _SIGNED_OUT_PATH


def is_loopback(target: Target) -> bool:
    """Return whether a target is this machine, by its name."""
    if target.host == "localhost":
        return True
    try:
        return ip_address(target.host).is_loopback
    except ValueError:
        return False


def _read_issuer(text: str | None) -> str | None:
    """Return the issuer as it is: the provider's tokens have to name exactly this text."""
    if text is None:
        return None
    problem = _find_issuer_problem(text)
    if problem:
        raise ValueError(f"{problem}, {_EXAMPLE}.")
    return text


def _find_issuer_problem(text: str) -> str | None:
    """Return the rest of a sentence that does not repeat the address."""
    try:
        target, has_user = read_url(text), "@" in urlsplit(text).netloc
    except (DeliveryFailed, ValueError):
        return "has to be the https:// address of the provider, without a user name, a query or a fragment"
    if has_user or "?" in text or len(text) > _MAX_LENGTH:
        return f"cannot have a user name or a query, nor be longer than {_MAX_LENGTH} characters"
    if text.rstrip("/").endswith(DISCOVERY_PATH):
        return f"is the issuer alone: leave out {DISCOVERY_PATH}"
    if target.scheme == "http" and not is_loopback(target):
        return "has to begin with https://: whoever is on the way could sign in as anybody"
    return None


def _need_issuer(value: Value, info: ValidationInfo) -> Value:
    """Refuse a setting without OIDC_ISSUER: it would have no effect. An issuer that is wrong is reported itself."""
    if value and info.data.get("oidc_issuer", "set, but wrong") is None:
        raise ValueError("has no effect without OIDC_ISSUER, which is not set.")
    return value


def _read_visible(text: str | None) -> str | None:
    if text is None:
        return None
    if not _VISIBLE_ASCII.fullmatch(text) or len(text) > _MAX_LENGTH:
        raise ValueError(f"has to be the text that the provider shows: up to {_MAX_LENGTH} ASCII characters, no space.")
    return text


def _read_name(text: str) -> str:
    try:
        return read_name(text)
    except NameInvalid:
        raise ValueError("has to be a name of up to 200 visible characters, such as Harbor account.") from None


def _read_roles(text: str) -> tuple[GroupRole, ...]:
    return tuple(dict.fromkeys(_read_group_role(number, entry) for number, entry in enumerate(split(text), 1)))


def _read_group_role(number: int, entry: str) -> GroupRole:
    """Read one entry from its end, so that a group may contain colons and equals signs."""
    rest, _, role = (part.strip() for part in entry.rpartition("="))
    group, colon, slug = (part.strip() for part in rest.rpartition(":"))
    problem = _find_role_problem(group, slug if colon else "", role.lower())
    if problem:
        raise ValueError(f"{_ROLE_FORM}; entry {number} {problem}.")
    return GroupRole(unquote(group), slug, role.lower())


def _find_role_problem(group: str, slug: str, role: str) -> str | None:
    """Return the rest of a sentence. A group's name is not secret, but may be long, so the number names the entry."""
    if role not in ROLES:
        return f"does not end in one of {', '.join(f'={known}' for known in ROLES)}. In a group, write a comma as %2C"
    if _WRONG_SEPARATOR.search(group):
        return "goes on behind a role: separate the entries by commas"
    if slug == "*":
        return "stands for every workspace: list each one by its slug"
    if not is_slug(slug):
        return "has no slug of a workspace between the last colon and the equals sign"
    if not group:
        return "has no group in front of the colon"
    return "has a percent sign that begins no code: write it as %25" if _BROKEN_ESCAPE.search(group) else None


_WITH_ISSUER = AfterValidator(_need_issuer)
_NEEDED = needed_with("oidc_issuer", "OIDC_ISSUER")


class SingleSignOnSettings(EnvironmentSettings):
    """The settings of the provider. Without an issuer, there is no single sign-on."""

    oidc_issuer: Annotated[str | None, AfterValidator(_read_issuer)] = Field(None, validation_alias="OIDC_ISSUER")
    oidc_client_id: Annotated[str | None, AfterValidator(_read_visible), _WITH_ISSUER, _NEEDED] = Field(
        None, validation_alias="OIDC_CLIENT_ID", validate_default=True
    )
    oidc_client_secret: Annotated[str | None, AfterValidator(_read_visible), _WITH_ISSUER, _NEEDED] = Field(
        None, validation_alias="OIDC_CLIENT_SECRET", validate_default=True, repr=False
    )
    oidc_name: Annotated[str, AfterValidator(_read_name), _WITH_ISSUER] = Field(
        DEFAULT_NAME, validation_alias="OIDC_NAME"
    )
    oidc_groups_claim: Annotated[str, AfterValidator(_read_visible), _WITH_ISSUER] = Field(
        DEFAULT_GROUPS_CLAIM, validation_alias="OIDC_GROUPS_CLAIM"
    )
    oidc_roles: Annotated[tuple[GroupRole, ...], PlainValidator(_read_roles), _WITH_ISSUER] = Field(
        (), validation_alias="OIDC_ROLES"
    )
    oidc_only: Annotated[bool, PlainValidator(read_flag), _WITH_ISSUER] = Field(False, validation_alias="OIDC_ONLY")

    def make_single_sign_on(self, public_url: str | None) -> SingleSignOn | None:
        """Return what these settings describe, or None. public_url: the origin of the pages."""
        if not (self.oidc_issuer and self.oidc_client_id and self.oidc_client_secret and public_url):
            return None
        return SingleSignOn(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret,
            name=self.oidc_name,
            groups_claim=self.oidc_groups_claim,
            group_roles=self.oidc_roles,
            is_only=self.oidc_only,
            public_url=public_url,
        )
