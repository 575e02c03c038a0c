"""Discord, through a webhook of a channel.

Source: Discord's developer documentation, "Execute Webhook", "Rate Limits" and "JSON Error Codes".
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from webapp.channels.addresses import ServiceAddresses, check_address, find_parameter, set_parameters
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, get_setting, preview_of
from webapp.channels.fields import Field, FieldKind, SettingInvalid, Settings, check_pattern
from webapp.channels.hosted_service import make_hints
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.failures import Code
from webapp.outbound import OutboundClient
from webapp.outbound.policy.counted_targets import SendTarget, find_url

HOSTS = ("discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com")

# The hosts of the pages on which people work with Discord.
PAGES = ("discord.gg", "*.discord.com")

# The number of an error and, in short, Discord's words for it, each with what it means. No other error is shown.
WORDS = {
    "10003 Unknown channel": Code.NOT_FOUND,
    "10015 Unknown webhook": Code.NOT_FOUND,
    "20028 Too many messages in the channel": Code.RATE_LIMITED,
    "20029 Too many messages in the server": Code.RATE_LIMITED,
    "40005 Message too large": Code.PAYLOAD_TOO_LARGE,
    "40062 Rate limited": Code.RATE_LIMITED,
    "40333 Blocked by Cloudflare": Code.FORBIDDEN,
    "50001 Missing access": Code.FORBIDDEN,
    "50006 Empty message": Code.BAD_REQUEST,
    "50013 Missing permission": Code.FORBIDDEN,
    "50024 Wrong type of channel": Code.BAD_REQUEST,
    "50027 Invalid webhook token": Code.AUTH_FAILED,
    "50035 Invalid form": Code.BAD_REQUEST,
    "50109 Invalid JSON": Code.BAD_REQUEST,
    "130000 Overloaded": Code.REMOTE_UNAVAILABLE,
    "160005 Locked thread": Code.GONE,
    "200000 Blocked by AutoMod": Code.FORBIDDEN,
    "220001 A forum channel needs a thread": Code.BAD_REQUEST,
    "240000 Blocked as a harmful link": Code.FORBIDDEN,
}
_WORD_BY_NUMBER = {int(word.partition(" ")[0]): word for word in WORDS}

CREATE_WEBHOOK = (
    "In Discord, open the channel's settings, choose Integrations, choose Webhooks, choose the webhook or create a new "
    "one, choose Copy Webhook URL, and enter the address in the settings of the destination."
)
ADDRESS_HELP = "It begins with https://discord.com/api/webhooks/. Find it in the channel's settings, Integrations."
THREAD_HELP = "Optional. For a thread, or a post of a forum channel: open its menu, and choose Copy Thread ID."
NOT_AN_ID = "A thread_id has digits only. In Discord, copy it from the menu of the thread or post."

# Characters of a name, each of which may take two more places when it is escaped. Discord accepts 2,000 in all.
MAX_NAME = 100

_PATH = re.compile(r"(?P<start>/api(?:/v[0-9]{1,2})?)?(?P<webhook>/webhooks/[0-9]{1,20}/[A-Za-z0-9_-]+)(?P<rest>/.*|)")
_COMPATIBLE = {"/slack": "Slack", "/github": "GitHub"}
_MARKUP = re.compile(r"([\\*_~`|<>\[\]()@#/]|(?<![0-9]):|:(?![0-9]))")
_NO_EMBEDS = 4  # the flag SUPPRESS_EMBEDS
_check_thread = check_pattern("[0-9]{1,20}", NOT_AN_ID)


def _check(text: str, outbound: OutboundClient) -> str:
    service = ServiceAddresses(f"Remove them. {CREATE_WEBHOOK}", "Discord", _hosts(outbound), PAGES, CREATE_WEBHOOK)
    address = check_address(text, outbound, service)
    parts = urlsplit(address)
    if parts.hostname in HOSTS:
        _check_path(parts.path)
    if thread_id := find_parameter(address, "thread_id"):
        _check_thread(thread_id, outbound)
    return address


def _check_path(path: str) -> None:
    found = _PATH.fullmatch(path)
    rest = found["rest"].rstrip("/").lower() if found else None
    if rest in _COMPATIBLE:
        raise SettingInvalid(
            f"This address ends with {rest}, so it accepts messages in the form of {_COMPATIBLE[rest]} only. Remove "
            f"{rest} from its end."
        )
    if found is None or not found["start"] or rest:
        raise SettingInvalid(f"This is not the address of a webhook. {CREATE_WEBHOOK}")


def _find_conflicts(settings: Settings) -> Mapping[str, str]:
    typed, pasted = settings.get("thread_id", ""), find_parameter(settings.get("address", ""), "thread_id")
    if typed and pasted and typed != pasted:
        return {"thread_id": "The address already names another thread. Leave this blank, or enter the same id."}
    return {}


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    """Return the webhook, which is the same on each host and in each version of the API."""
    address = settings.get("address", "")
    found = re.fullmatch(r"https://([a-z.]+)(/[^?]*)(?:\?.*)?", address)
    path = _PATH.fullmatch(found[2]) if found and found[1] in HOSTS else None
    return find_url(f"https://{HOSTS[0]}/api{path['webhook']}" if path else address, outbound.policy, HOSTS)


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    pasted = get_setting(settings, "address")
    thread_id = settings.get("thread_id") or find_parameter(pasted, "thread_id")
    # Without `wait`, Discord answers 204 even if it does not store the message.
    address = set_parameters(pasted, {"wait": "true", "thread_id": thread_id})
    response = outbound.post(address, _compose(message).encode(), JSON_HEADERS, _hosts(outbound))
    answer = read_json(response.body)
    accepted = read_response(response, address, _find_word(answer), WORDS, answer.get("retry_after"))
    stored_id = answer.get("id")
    is_stored = isinstance(stored_id, str | int) and re.fullmatch("[0-9]+", str(stored_id)) is not None
    require_own_word(is_stored, response, address)
    return accepted


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return HOSTS + outbound.policy.extra_hosts.get("discord", ())


def _compose(message: Message) -> str:
    return json.dumps(
        {"content": _text(message.with_short_names(MAX_NAME)), "allowed_mentions": {"parse": []}, "flags": _NO_EMBEDS}
    )


def _text(message: Message) -> str:
    facts = [f"**{label}:** {_escape(value)}" for label, value in message.facts.items()]
    link = [f"{I_SEE_IT}: <{message.receipt_link}>"] if message.receipt_link else []
    return "\n".join([f"**{_escape(message.title)}**", message.explanation, *facts, *link])


def _escape(text: str) -> str:
    """Prevent a name from becoming Markdown, a link, a mention or an emoji. A backslash works on each character."""
    return _MARKUP.sub(r"\\\1", text)


def _find_word(answer: Mapping[str, Any]) -> str | None:
    """Return the error of a response, or None if it has none that is known."""
    number = answer.get("code")
    return _WORD_BY_NUMBER.get(number) if isinstance(number, int) else None


CHANNEL = Channel(
    label="Discord",
    accepted="Accepted by Discord",
    after_accepted="No message in Discord? In the server's settings, Integrations, check where the webhook posts.",
    guide=(
        "In Discord, open the settings of the channel that should receive alerts (Edit Channel). You need the "
        "permission Manage Webhooks.",
        "Choose Integrations, choose Webhooks, and choose New Webhook.",
        "Check the name and the channel of the webhook, and choose Save Changes.",
        "Choose Copy Webhook URL and paste the address here. Treat it like a password: anyone who has it can post to "
        "the channel.",
        "A forum or media channel needs the id of one of its posts: turn on Developer Mode in Discord's settings, open "
        "the menu of the post, choose Copy Thread ID, and paste the id here.",
    ),
    fields=(
        Field("address", "Webhook address", FieldKind.ADDRESS, ADDRESS_HELP, _check),
        Field("thread_id", "Thread id", FieldKind.TEXT, THREAD_HELP, _check_thread, required=False),
    ),
    targets=_targets,
    preview=preview_of(_compose),
    send=_send,
    hosts=HOSTS,
    words=WORDS,
    find_conflicts=_find_conflicts,
    hints=make_hints("Discord", "Discord", "discordstatus.com", CREATE_WEBHOOK)
    | {
        Code.BAD_REQUEST: (
            "A forum or media channel needs the thread id of one of its posts: open the menu of the post in Discord, "
            "choose Copy Thread ID, and enter it in the settings of the destination. For any other channel, check the "
            "thread id, or remove it."
        ),
        Code.AUTH_FAILED: f"The end of the address, its token, is not valid or is no longer valid. {CREATE_WEBHOOK}",
        Code.FORBIDDEN: (
            "Ask an admin of the Discord server whether AutoMod or a restriction of the channel blocks the webhook. "
            "If Cloudflare blocks it, ask your Alertcheck administrator whether other programs use the same address."
        ),
        Code.NOT_FOUND: f"The webhook, its channel or the thread was deleted. {CREATE_WEBHOOK}",
        Code.GONE: "The thread is locked. Unlock it in Discord, or enter the id of another thread.",
        Code.REMOTE_REJECTED: f"Check that this is the address of a webhook. {CREATE_WEBHOOK}",
    },
)
