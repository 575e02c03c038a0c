"""The services of Apprise's URLs that become destinations, and those that cannot.

Source: appriseit.com, the page of each service.
"""

from collections.abc import Mapping
from types import MappingProxyType

from webapp.imports.alertmanager_kinds import CONNECTOR_RETIRED, OPSGENIE_ENDS
from webapp.imports.file_contents import Unusable
from webapp.imports.receiver_draft import Kind, make_unsupported

SLACK_BOT_UNSUPPORTED = (
    "Alertcheck posts to Slack through an incoming webhook, not with a bot's token. Create an incoming webhook for the "
    "channel, and add its address."
)
SLACK_WORKFLOW_UNSUPPORTED = (
    "Alertcheck posts to Slack through an incoming webhook, not through a workflow. Create an incoming webhook for the "
    "channel, and add its address."
)
MATTERMOST_BOT_UNSUPPORTED = (
    "Alertcheck posts to Mattermost through an incoming webhook, not with a bot's token. Create an incoming webhook, "
    "and add its address."
)
METHOD_UNSUPPORTED = "Alertcheck sends a webhook with POST or PUT only."

_ADDRESS = frozenset({"address"})

_DISCORD = Kind("Discord", "discord", needed=_ADDRESS)
_EMAIL = Kind("Email", "email", needed=frozenset({"recipients"}))
_JIRA = Kind("Jira Service Management", "jira_service_management", needed=frozenset({"api_key"}))
_MATTERMOST = Kind("Mattermost", "mattermost", needed=_ADDRESS)
_NTFY = Kind("ntfy", "ntfy", needed=frozenset({"topic"}))
_TEAMS = Kind("Microsoft Teams", "teams", needed=_ADDRESS)
_WEBHOOK = Kind("Webhook", "webhook", needed=_ADDRESS)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "discord": _DISCORD,
        "gchat": Kind("Google Chat", "google_chat", needed=_ADDRESS),
        "jira": _JIRA,
        "json": _WEBHOOK,
        "jsons": _WEBHOOK,
        "mailto": _EMAIL,
        "mailtos": _EMAIL,
        "mmost": _MATTERMOST,
        "mmosts": _MATTERMOST,
        "ntfy": _NTFY,
        "ntfys": _NTFY,
        "pagerduty": Kind("PagerDuty", "pagerduty", needed=frozenset({"routing_key"})),
        "pover": Kind("Pushover", "pushover", needed=frozenset({"app_token", "user_key"})),
        "slack": Kind("Slack", "slack", needed=_ADDRESS),
        "tgram": Kind("Telegram", "telegram", needed=frozenset({"bot_token", "chat_id"})),
        "workflow": _TEAMS,
        "workflows": _TEAMS,
        "form": make_unsupported("webhooks that send a form. It sends JSON (json:// or jsons://)"),
        "forms": make_unsupported("webhooks that send a form. It sends JSON (json:// or jsons://)"),
        "msteams": Kind("Microsoft Teams", "teams", unusable=Unusable.RETIRED, reason=CONNECTOR_RETIRED),
        "opsgenie": Kind("Opsgenie", unusable=Unusable.RETIRED, reason=OPSGENIE_ENDS),
        "xml": make_unsupported("webhooks that send XML. It sends JSON (json:// or jsons://)"),
        "xmls": make_unsupported("webhooks that send XML. It sends JSON (json:// or jsons://)"),
    }
)

# Services whose own addresses Apprise accepts too, by host.
NATIVE_HOSTS: Mapping[str, str] = MappingProxyType(
    {
        "chat.googleapis.com": "gchat",
        "discord.com": "discord",
        "discordapp.com": "discord",
        "hooks.slack-gov.com": "slack",
        "hooks.slack.com": "slack",
        "ntfy.sh": "ntfys",
    }
)
NATIVE_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        ".api.powerplatform.com": "workflows",
        ".logic.azure.com": "workflows",
        ".webhook.office.com": "msteams",
    }
)
