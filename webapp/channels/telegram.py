"""Telegram, through a bot.

Source: Telegram's Bot API, `sendMessage` and `ResponseParameters`, and the errors of its server (telegram-bot-api).
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from webapp.channels.addresses import ServiceAddresses, check_server
from webapp.channels.contract import JSON_HEADERS, Accepted, Channel, Preview, get_setting, preview_post
from webapp.channels.fields import Field, FieldKind, Settings, check_pattern
from webapp.channels.hosted_service import make_hints, make_server_hints
from webapp.channels.message import I_SEE_IT, Message
from webapp.channels.responses import read_json, read_response, require_own_word
from webapp.failures import Cause, Code, DeliveryFailed, suggest_integer
from webapp.outbound import HttpResponse, OutboundClient
from webapp.outbound.http.response_classification import make_failure
from webapp.outbound.policy.counted_targets import SendTarget, find_account

SERVER = "https://api.telegram.org"
HOST = "api.telegram.org"

# Telegram's descriptions of errors, without what is before the colon, each with what it means. No other one is shown.
WORDS = {
    "chat not found": Code.NOT_FOUND,
    "PEER_ID_INVALID": Code.NOT_FOUND,
    "message thread not found": Code.NOT_FOUND,
    "TOPIC_DELETED": Code.NOT_FOUND,
    "the group chat was deleted": Code.NOT_FOUND,
    "user is deactivated": Code.NOT_FOUND,
    "group chat was upgraded to a supergroup chat": Code.GONE,
    "bot was blocked by the user": Code.FORBIDDEN,
    "bot can't initiate conversation with a user": Code.FORBIDDEN,
    **{f"bot was kicked from the {kind} chat": Code.FORBIDDEN for kind in ("group", "supergroup", "channel")},
    **{f"bot is not a member of the {kind} chat": Code.FORBIDDEN for kind in ("group", "supergroup", "channel")},
    "have no rights to send a message": Code.FORBIDDEN,
    "not enough rights to send text messages to the chat": Code.FORBIDDEN,
    "need administrator rights in the channel chat": Code.FORBIDDEN,
    # Telegram's own names of errors, which its server passes on (core.telegram.org/method/messages.sendMessage).
    "CHAT_ADMIN_REQUIRED": Code.FORBIDDEN,
    "CHAT_RESTRICTED": Code.FORBIDDEN,
    "CHAT_SEND_PLAIN_FORBIDDEN": Code.FORBIDDEN,
    "CHAT_WRITE_FORBIDDEN": Code.FORBIDDEN,
    "USER_BANNED_IN_CHANNEL": Code.FORBIDDEN,
    "TOPIC_CLOSED": Code.FORBIDDEN,
    # The chat id is the bot's own, or that of another bot.
    "bots can't send messages to bots": Code.BAD_REQUEST,
    "bot can't send messages to bots": Code.BAD_REQUEST,
    "the bot can't send messages to the bot": Code.BAD_REQUEST,
    "Logged out": Code.AUTH_FAILED,  # by `logOut`, which moves a bot to another server
    "Unauthorized": Code.AUTH_FAILED,
    "invalid token specified": Code.AUTH_FAILED,
    "unallowed token specified": Code.AUTH_FAILED,
    "message is too long": Code.PAYLOAD_TOO_LARGE,
}

FIND_IT = (
    "In Telegram, open @BotFather, send /mybots, choose the bot, choose API Token, and enter the token in the settings "
    "of the destination."
)
STATUS = "whether Telegram works for you"  # it has no page about its outages
CHECK_SERVER = f"Check the server in the settings of the destination. It is {SERVER}, unless you run one of your own."

_check_bot = check_pattern(
    "[0-9]{3,20}:[A-Za-z0-9_-]{20,80}",
    "This is not a bot token, which has digits, a colon and 35 more characters. Copy it again from @BotFather.",
)
_check_chat = check_pattern(
    "-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31}", "Enter a number, such as -1001234567890, or a public channel's @name."
)
_check_topic = check_pattern("[0-9]{1,20}", "A topic id has digits only. Copy the link of a message: it is in there.")

BOT_HELP = "Find it in Telegram: open @BotFather, send /mybots, choose the bot, and choose API Token."
CHAT_HELP = "The number of the chat, such as -1001234567890, or the @name of a public channel."
TOPIC_HELP = "Optional. The number of a topic, if the group has topics."
SERVER_HELP = f"Keep {SERVER}, unless your organization runs a Bot API server of its own."


def _check_server(text: str, outbound: OutboundClient) -> str:
    return check_server(text, outbound, ServiceAddresses("Remove them.", "Telegram", _hosts(outbound)))


def _targets(settings: Settings, outbound: OutboundClient) -> tuple[SendTarget, ...]:
    """Return the chat of the bot, whose number is the first part of its token."""
    bot, chat = settings.get("bot_token", "").partition(":")[0], settings.get("chat_id", "").strip().casefold()
    return find_account(_find_server(settings), outbound.policy, bot, chat)


def _preview(settings: Settings, message: Message, outbound: OutboundClient) -> Preview:
    get_setting(settings, "bot_token")
    return preview_post(_compose(settings, message))


def _send(settings: Settings, message: Message, outbound: OutboundClient) -> Accepted:
    token, body = quote(get_setting(settings, "bot_token"), safe=":"), _compose(settings, message)
    address = f"{_find_server(settings)}/bot{token}/sendMessage"
    response = outbound.post(address, body.encode(), JSON_HEADERS, _hosts(outbound))
    answer = read_json(response.body)
    parameters = answer.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    word = _find_word(answer)
    if response.status == 400 and ("migrate_to_chat_id" in parameters or WORDS.get(word or "") is Code.GONE):
        raise _describe_upgrade(response, urlsplit(address).hostname, parameters.get("migrate_to_chat_id"))
    accepted = read_response(response, address, word, WORDS, parameters.get("retry_after"))
    require_own_word(answer.get("ok") is True, response, address)
    return accepted


def _describe_upgrade(response: HttpResponse, host: str | None, new_id: object) -> DeliveryFailed:
    """Return the failure of a group that has a new id. It is suggested, but never used without a press."""
    failure = make_failure(Code.GONE, response, host, cause=Cause.GROUP_UPGRADED)
    return DeliveryFailed(failure.code, failure.facts, suggestion=suggest_integer("chat_id", new_id))


def _find_server(settings: Settings) -> str:
    return settings.get("server", "").strip() or SERVER


def _hosts(outbound: OutboundClient) -> tuple[str, ...]:
    return (HOST, *outbound.policy.extra_hosts.get("telegram", ()))


def _compose(settings: Settings, message: Message) -> str:
    """Compose plain text with each value as code, in which Telegram looks for no mention, link nor hashtag."""
    lines = [("", message.title), (message.explanation, "")]
    lines += [(f"{label}: ", value) for label, value in message.facts.items()]
    text, entities = "", []
    for label, value in lines:
        text += label
        if value:
            entities.append({"type": "code", "offset": _measure(text), "length": _measure(value)})
        text += f"{value}\n"
    text += f"{I_SEE_IT}: {message.receipt_link}" if message.receipt_link else ""
    content = {"chat_id": get_setting(settings, "chat_id"), "text": text.rstrip("\n"), "entities": entities}
    thread_id = settings.get("thread_id", "").strip()
    thread = {"message_thread_id": int(thread_id) if thread_id.isdecimal() else thread_id} if thread_id else {}
    return json.dumps({**content, **thread, "link_preview_options": {"is_disabled": True}})


def _measure(text: str) -> int:
    """Return the length in UTF-16 code units, in which Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def _find_word(answer: Mapping[str, Any]) -> str | None:
    """Return the description of an error without its prefix ("Bad Request: "), or None if it is not known."""
    description = answer.get("description")
    if answer.get("ok") is not False or not isinstance(description, str):
        return None
    word = description.rpartition(": ")[2]
    return word if word in WORDS else None


CHANNEL = Channel(
    label="Telegram",
    accepted="Accepted by Telegram",
    after_accepted="No message in Telegram? Check that the chat id is that of the chat in which you look.",
    guide=(
        "In Telegram, open @BotFather, send /newbot, and follow its questions. It answers with the token of the bot: "
        "paste it here. Treat it like a password: anyone who has it can use the bot.",
        "Add the bot to the group or channel that should receive alerts; in a channel, as an admin who may post. "
        "For a private chat, open the bot and press Start.",
        "Write a message in the chat, then open api.telegram.org/bot<token>/getUpdates with your token in a browser. "
        "The number after “chat” and “id” is the chat id. A group's begins with a minus sign.",
        "For a topic of a group, copy the link of a message in it: the topic id is the number before the last one.",
    ),
    fields=(
        Field("bot_token", "Bot token", FieldKind.SECRET, BOT_HELP, _check_bot),
        Field("chat_id", "Chat id", FieldKind.TEXT, CHAT_HELP, _check_chat),
        Field("thread_id", "Topic id", FieldKind.TEXT, TOPIC_HELP, _check_topic, required=False),
        Field("server", "Server", FieldKind.SERVER, SERVER_HELP, _check_server, default=SERVER),
    ),
    targets=_targets,
    preview=_preview,
    send=_send,
    hosts=(HOST,),
    words=WORDS,
    hints=make_hints("Telegram", "Telegram", STATUS, FIND_IT)
    | make_server_hints(CHECK_SERVER, STATUS)
    | {
        Code.REMOTE_REJECTED: CHECK_SERVER,
        Code.CONFIG_INCOMPLETE: f"Enter the bot token and the chat id in the settings of the destination. {FIND_IT}",
        Code.SIGN_IN_PAGE: (
            f"Check in Telegram whether the message arrived before you send another test. {CHECK_SERVER}"
        ),
        Code.BAD_REQUEST: (
            "Check the chat id and the topic id in the settings of the destination. The number in the bot token is the "
            "bot's own id, not that of a chat."
        ),
        Code.AUTH_FAILED: (
            f"The bot token is not valid or is no longer valid. {FIND_IT} If “Logged out” is named, the bot was moved "
            "to another server: enter that one."
        ),
        Code.FORBIDDEN: (
            "In Telegram, add the bot to the chat and allow it to send messages: in a channel as an admin, in a "
            "private chat by unblocking it and pressing Start. If a topic is closed, reopen it. If CHAT_RESTRICTED is "
            "named, Telegram itself restricts the chat: use another one."
        ),
        Code.NOT_FOUND: (
            "Check the chat id, the topic id and the bot token in the settings of the destination, and that the bot is "
            "in the chat."
        ),
        Code.GONE: (
            "An admin of the workspace can use the new chat id by one press, under “Details of the last test”. If none "
            "is offered there, find it as the form's guide describes, and enter it in the settings of the destination."
        ),
        Code.RATE_LIMITED: (
            "Telegram accepts about 20 messages a minute in a group. Send another test when the waiting time is over, "
            "or in a minute if none is named."
        ),
    },
)
