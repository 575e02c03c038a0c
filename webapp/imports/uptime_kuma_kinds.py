"""The types of notifications of Uptime Kuma.

Source: github.com/louislam/uptime-kuma, `server/notification-providers`, which names the settings of each type.
"""

from collections.abc import Mapping
from types import MappingProxyType

from webapp.imports.alertmanager_kinds import OPSGENIE_ENDS
from webapp.imports.file_contents import Unusable
from webapp.imports.left_out_sentences import CHANNEL, COPIES, DEVICE, MAIL_SERVER
from webapp.imports.receiver_draft import Kind

_ADDRESS = frozenset({"address"})

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "GoogleChat": Kind("Google Chat", "google_chat", {"address": "googleChatWebhookURL"}, _ADDRESS),
        "JiraServiceManagement": Kind(
            "Jira Service Management",
            "jira_service_management",
            unusable=Unusable.NOT_SUPPORTED,
            reason="Uptime Kuma uses an account's API token. Add a destination with the API key of an integration.",
        ),
        "Opsgenie": Kind("Opsgenie", unusable=Unusable.RETIRED, reason=OPSGENIE_ENDS),
        "PagerDuty": Kind(
            "PagerDuty",
            "pagerduty",
            {"routing_key": "pagerdutyIntegrationKey", "server": "pagerdutyIntegrationUrl"},
            frozenset({"routing_key"}),
        ),
        "discord": Kind("Discord", "discord", {"address": "discordWebhookUrl"}, _ADDRESS),
        "mattermost": Kind(
            "Mattermost", "mattermost", {"address": "mattermostWebhookUrl"}, _ADDRESS, {"mattermostchannel": CHANNEL}
        ),
        "ntfy": Kind("ntfy", "ntfy", {"topic": "ntfytopic", "server": "ntfyserverurl"}, frozenset({"topic"})),
        "pushover": Kind(
            "Pushover",
            "pushover",
            {"app_token": "pushoverapptoken", "user_key": "pushoveruserkey"},
            frozenset({"app_token", "user_key"}),
            {"pushoverdevice": DEVICE},
        ),
        "slack": Kind("Slack", "slack", {"address": "slackwebhookURL"}, _ADDRESS, {"slackchannel": CHANNEL}),
        "smtp": Kind(
            "Email",
            "email",
            {"recipients": "smtpTo"},
            frozenset({"recipients"}),
            {"smtpHost": MAIL_SERVER, "smtpCC": COPIES, "smtpBCC": COPIES},
        ),
        "teams": Kind("Microsoft Teams", "teams", {"address": "webhookUrl"}, _ADDRESS),
        "telegram": Kind(
            "Telegram",
            "telegram",
            {
                "bot_token": "telegramBotToken",
                "chat_id": "telegramChatID",
                "thread_id": "telegramMessageThreadID",
                "server": "telegramServerUrl",
            },
            frozenset({"bot_token", "chat_id"}),
        ),
        "webhook": Kind("Webhook", "webhook", {"address": "webhookURL"}, _ADDRESS),
    }
)

# The settings of ntfy that its way to authenticate uses.
NTFY_CREDENTIALS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "accessToken": {"token": "ntfyaccesstoken"},
        "usernamePassword": {"user": "ntfyusername", "password": "ntfypassword"},
    }
)
