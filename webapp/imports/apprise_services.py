"""Turns the Apprise URL of each service into the settings of a channel."""

import re
from collections.abc import Callable, Mapping
from itertools import chain
from types import MappingProxyType
from urllib.parse import urlencode

from webapp.imports.apprise_chat import (
    read_discord,
    read_google_chat,
    read_mattermost,
    read_slack,
    read_telegram,
    read_workflows,
)
from webapp.imports.apprise_kinds import METHOD_UNSUPPORTED
from webapp.imports.apprise_urls import AppriseUrl
from webapp.imports.headers import add_header
from webapp.imports.left_out_sentences import COPIES, MAIL_SERVER
from webapp.imports.receiver_draft import Draft, NotSupported


def _ntfy(url: AppriseUrl) -> list[Draft]:
    is_cloud = (url.get("mode") or ("private" if url.path else "cloud")).lower() == "cloud"
    topics = [url.host, *url.path] if is_cloud else list(url.path)
    topics += re.split(r"[\s,]+", url.get("to")) if url.get("to") else []
    drafts = [Draft() for _ in topics]
    for draft, topic in zip(drafts, topics, strict=True):
        draft.put("topic", topic)
        if not is_cloud and url.host.lower() != "ntfy.sh":
            draft.put("server", f"{url.web_scheme}://{url.origin}")
        _authenticate(draft, url)
    return drafts


def _authenticate(draft: Draft, url: AppriseUrl) -> None:
    """Add the credentials of ntfy: a token, alone or as a password, or a user and a password."""
    is_token = url.get("auth") == "token" or bool(url.get("token")) or (not url.password and url.user[:3] == "tk_")
    if is_token:
        draft.put("token", url.get("token") or url.password or url.user)
    else:
        draft.put("user", url.user)
        draft.put("password", url.password)


def _pushover(url: AppriseUrl) -> list[Draft]:
    draft = Draft()
    draft.put("user_key", url.user)
    draft.put("app_token", url.host)
    if url.path or url.get("to"):
        draft.note("The devices are left out: the message goes to all devices of the user or group.")
    return [draft]


def _pagerduty(url: AppriseUrl) -> list[Draft]:
    draft = Draft()
    draft.put("routing_key", url.get("integrationkey") or url.user)
    if url.get("region").lower() == "eu":
        draft.put("server", "https://events.eu.pagerduty.com")
    return [draft]


def _jira(url: AppriseUrl) -> list[Draft]:
    draft = Draft()
    draft.put("api_key", url.get("apikey") or url.host)
    if url.path or url.get("to"):
        draft.note("The responders are left out: the integration's own team responds.")
    return [draft]


def _json(url: AppriseUrl) -> list[Draft]:
    method = url.get("method").upper() or "POST"
    if method not in ("POST", "PUT"):
        raise NotSupported(METHOD_UNSUPPORTED)
    draft = Draft()
    query = f"?{urlencode(url.query)}" if url.query else ""
    draft.put("address", f"{url.web_scheme}://{url.origin}{url.raw_path or '/'}{query}" if url.host else "")
    draft.put("method", method)
    draft.put("basic_user", url.user)
    draft.put("basic_password", url.password)
    for name, value in url.headers.items():
        add_header(draft, name, value)
    if url.extras:
        draft.note("The additions to the body are left out: Alertcheck sends its own message.")
    return [draft]


def _mail(url: AppriseUrl) -> list[Draft]:
    user = url.user or url.get("user")
    own = user if "@" in user else f"{user}@{url.host}" if user and url.host else ""
    recipients = [*url.path, *([url.host] if "@" in url.host else []), url.get("to")]
    draft = Draft()
    draft.put("recipients", ", ".join(filter(None, recipients)) or url.get("from") or own)
    draft.note(MAIL_SERVER)
    if url.get("cc", "bcc"):
        draft.note(COPIES)
    return [draft]


# Each returns the drafts of a URL, which may have several receivers. Raises `NotSupported`.
SERVICES: Mapping[str, Callable[[AppriseUrl], list[Draft]]] = MappingProxyType(
    {
        "discord": read_discord,
        "email": _mail,
        "google_chat": read_google_chat,
        "jira_service_management": _jira,
        "mattermost": read_mattermost,
        "ntfy": _ntfy,
        "pagerduty": _pagerduty,
        "pushover": _pushover,
        "slack": read_slack,
        "teams": read_workflows,
        "telegram": read_telegram,
        "webhook": _json,
    }
)

# The options that a service has a use for. The others are left out, which the person is told.
USED = frozenset(
    chain(
        ("to", "cc", "bcc", "from", "user", "name", "token", "mode", "method", "thread", "topic", "threadkey"),
        ("workflow", "id", "signature", "sig", "powerautomate", "pa", "route", "routeid", "api-version", "ver"),
        ("workspace", "key", "channel", "channels", "auth", "integrationkey", "apikey", "region", "smtp", "pass"),
    )
)
