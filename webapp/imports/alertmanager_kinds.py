"""The kinds of receivers in alertmanager.yml.

Source: prometheus.io, "Alerting configuration", which describes each `<..._config>`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from webapp.imports.file_contents import Unusable
from webapp.imports.left_out_sentences import CHANNEL, DEVICE, MAIL_SERVER
from webapp.imports.receiver_draft import Kind, make_unsupported

CONNECTOR_RETIRED = (
    "Microsoft has retired these connectors. Create a workflow in Teams that posts when a webhook request is received, "
    "and add its address as a destination of type Microsoft Teams."
)
OPSGENIE_ENDS = (
    "Opsgenie ends on 5 April 2027. Move the team to Jira Service Management, and add a destination of that type with "
    "the API key of its integration."
)
SLACK_APP_UNSUPPORTED = (
    "Alertcheck posts to Slack through an incoming webhook, not with an app's token. Create an incoming webhook for "
    "the channel, and add its address."
)
SERVICE_KEY_UNSUPPORTED = (
    "This is a key of PagerDuty's older integration type Prometheus. Add an integration of type Events API V2 to the "
    "service, and add its integration key."
)

_MAIL_KEYS = (
    "from hello smarthost auth_username auth_password auth_password_file auth_secret auth_secret_file auth_identity "
    "require_tls tls_config force_implicit_tls"
)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "discord_configs": Kind("Discord", "discord", {"address": "webhook_url"}, frozenset({"address"})),
        "email_configs": Kind(
            "Email",
            "email",
            {"recipients": "to"},
            frozenset({"recipients"}),
            dict.fromkeys(_MAIL_KEYS.split(), MAIL_SERVER),
        ),
        "mattermost_configs": Kind(
            "Mattermost", "mattermost", {"address": "webhook_url"}, frozenset({"address"}), {"channel": CHANNEL}
        ),
        "msteams_configs": Kind("Microsoft Teams", "teams", unusable=Unusable.RETIRED, reason=CONNECTOR_RETIRED),
        "msteamsv2_configs": Kind("Microsoft Teams", "teams", {"address": "webhook_url"}, frozenset({"address"})),
        "opsgenie_configs": Kind("Opsgenie", unusable=Unusable.RETIRED, reason=OPSGENIE_ENDS),
        "pagerduty_configs": Kind(
            "PagerDuty", "pagerduty", {"routing_key": "routing_key", "server": "url"}, frozenset({"routing_key"})
        ),
        "pushover_configs": Kind(
            "Pushover",
            "pushover",
            {"app_token": "token", "user_key": "user_key"},
            frozenset({"app_token", "user_key"}),
            {"device": DEVICE},
        ),
        "slack_configs": Kind("Slack", "slack", {"address": "api_url"}, frozenset({"address"}), {"channel": CHANNEL}),
        "telegram_configs": Kind(
            "Telegram",
            "telegram",
            {"bot_token": "bot_token", "chat_id": "chat_id", "thread_id": "message_thread_id", "server": "api_url"},
            frozenset({"bot_token", "chat_id"}),
        ),
        "webhook_configs": Kind(
            "Webhook",
            "webhook",
            {"address": "url"},
            frozenset({"address"}),
            {"payload": "The custom payload is left out: the message has the form of Alertmanager's own webhook."},
        ),
        "hipchat_configs": Kind("HipChat", unusable=Unusable.RETIRED, reason="HipChat has ended."),
        "incidentio_configs": make_unsupported("incident.io"),
        "jira_configs": make_unsupported("Jira issues"),
        "rocketchat_configs": make_unsupported("Rocket.Chat"),
        "sns_configs": make_unsupported("Amazon SNS"),
        "victorops_configs": make_unsupported("Splunk On-Call (VictorOps)"),
        "webex_configs": make_unsupported("Webex"),
        "wechat_configs": make_unsupported("WeChat"),
    }
)

# The defaults that the block `global` has for a key of a kind.
GLOBAL_KEYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "mattermost_configs": {"webhook_url": "mattermost_webhook_url"},
        "pagerduty_configs": {"url": "pagerduty_url"},
        "slack_configs": {"api_url": "slack_api_url"},
        "telegram_configs": {"bot_token": "telegram_bot_token", "api_url": "telegram_api_url"},
    }
)
