"""Turns the Apprise URLs of chat services into the settings of a channel."""

import re
from urllib.parse import quote, urlencode

from webapp.imports.apprise_kinds import (
    MATTERMOST_BOT_UNSUPPORTED,
    SLACK_BOT_UNSUPPORTED,
    SLACK_WORKFLOW_UNSUPPORTED,
)
from webapp.imports.apprise_urls import AppriseUrl
from webapp.imports.left_out_sentences import CHANNEL
from webapp.imports.placeholders import is_reference
from webapp.imports.receiver_draft import Draft, NotSupported

_YES = frozenset(("yes", "true", "1", "on", "y", "t", "enable", "enabled"))
_CHAT = re.compile(r"(?P<chat>-?[0-9]+|@?[A-Za-z_-][\w-]*)(?::(?P<thread>[0-9]+))?")


def read_slack(url: AppriseUrl) -> list[Draft]:
    """Return the webhook of Slack. Raises `NotSupported`."""
    tokens = [part for part in re.split("[/,]", url.get("token")) if part] or [url.host, *url.path]
    if tokens[0].startswith("xo"):
        raise NotSupported(SLACK_BOT_UNSUPPORTED)
    if url.get("mode").startswith(("work", "tri")):
        raise NotSupported(SLACK_WORKFLOW_UNSUPPORTED)
    host = "hooks.slack-gov.com" if url.get("mode").startswith("gov") else "hooks.slack.com"
    draft = _with_address(f"https://{host}/services/", tokens[:3], 3)
    if tokens[3:] or url.get("to"):
        draft.note(CHANNEL)
    return [draft]


def read_discord(url: AppriseUrl) -> list[Draft]:
    """Return the webhook of Discord."""
    draft = _with_address("https://discord.com/api/webhooks/", [url.host, *url.path[:1]], 2)
    draft.put("thread_id", url.get("thread"))
    return [draft]


def read_telegram(url: AppriseUrl) -> list[Draft]:
    """Return each chat of a Telegram bot."""
    token, *chats = url.path or ("",)
    chats += re.split(r"[\s,]+", url.get("to")) if url.get("to") else []
    drafts = [_telegram_chat(chat, url.get("topic", "thread")) for chat in chats] or [Draft()]
    for draft in drafts:
        draft.put("bot_token", _join(":", [url.host, token]))
    return drafts


def _telegram_chat(text: str, thread: str) -> Draft:
    draft = Draft()
    found = _CHAT.fullmatch(text)
    chat = found["chat"] if found else text
    draft.put("chat_id", f"@{chat}" if found and not chat.startswith("@") and not chat.lstrip("-").isdigit() else chat)
    draft.put("thread_id", (found and found["thread"]) or thread)
    return draft


def read_workflows(url: AppriseUrl) -> list[Draft]:
    """Return the workflow of Microsoft Teams."""
    path = list(url.path)
    workflow = url.get("workflow", "id") or (path.pop(0) if path else "")
    signature = url.get("signature", "sig") or (path.pop(0) if path else "")
    folder = "/powerautomate/automations/direct" if url.get("powerautomate", "pa").lower() in _YES else ""
    if folder and url.get("route", "routeid"):
        folder += f"/cu/{quote(url.get('route', 'routeid'), safe='')}"
    query = {"api-version": url.get("api-version", "ver") or "2016-06-01", "sp": "/triggers/manual/run", "sv": "1.0"}
    address = f"https://{url.origin}{folder}/workflows/{quote(workflow, safe='')}/triggers/manual/paths/invoke"
    draft = Draft()
    if workflow and signature and not is_reference(signature):
        draft.put("address", f"{address}?{urlencode(query | {'sig': signature})}")
    return [draft]


def read_google_chat(url: AppriseUrl) -> list[Draft]:
    """Return the webhook of a space in Google Chat."""
    path = [*url.path, "", ""]
    space = url.get("workspace") or url.host
    key, token = url.get("key") or path[0], url.get("token") or path[1]
    draft = Draft()
    if space and key and token and not is_reference(key) and not is_reference(token):
        query = urlencode({"key": key, "token": token})
        draft.put("address", f"https://chat.googleapis.com/v1/spaces/{quote(space, safe='')}/messages?{query}")
    if url.path[2:] or url.get("thread", "threadkey"):
        draft.note("The thread is left out: the message goes to the space.")
    return [draft]


def read_mattermost(url: AppriseUrl) -> list[Draft]:
    """Return the webhook of Mattermost. Raises `NotSupported`."""
    if url.get("mode").startswith("bot") or "team" in url.options:
        raise NotSupported(MATTERMOST_BOT_UNSUPPORTED)
    *folders, token = url.path or ("",)
    folder = "".join(f"{quote(each)}/" for each in folders)
    draft = _with_address(f"{url.web_scheme}://{url.origin}/{folder}hooks/", [token], 1)
    if url.get("to", "channel", "channels"):
        draft.note(CHANNEL)
    return [draft]


def _with_address(start: str, parts: list[str], needed: int) -> Draft:
    """Return a draft whose address ends with these parts, unless one of them is not in the file."""
    draft = Draft()
    if len(parts) == needed and all(parts) and not any(map(is_reference, parts)):
        draft.put("address", start + "/".join(quote(part, safe="") for part in parts))
    return draft


def _join(separator: str, parts: list[str]) -> str:
    return separator.join(parts) if all(parts) else ""
