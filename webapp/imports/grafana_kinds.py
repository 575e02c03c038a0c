"""The types of receivers in Grafana's contact points.

Source: grafana.com/docs, "Use configuration files to provision alerting resources".
"""

from collections.abc import Mapping
from types import MappingProxyType

from webapp.imports.alertmanager_kinds import OPSGENIE_ENDS
from webapp.imports.file_contents import Unusable
from webapp.imports.left_out_sentences import DEVICE, OAUTH
from webapp.imports.receiver_draft import Kind, make_unsupported

SLACK_BOT_UNSUPPORTED = (
    "Alertcheck posts to Slack through an incoming webhook, not with a token and a recipient. Create an incoming "
    "webhook for the channel, and add its address."
)

_ADDRESS = frozenset({"address"})
_TLS = "TLS settings are left out: your Alertcheck administrator sets them for everyone."
_RECIPIENT = "The recipient is left out: the message goes to the channel for which the webhook was created."

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "discord": Kind("Discord", "discord", {"address": "url"}, _ADDRESS),
        "email": Kind("Email", "email", {"recipients": "addresses"}, frozenset({"recipients"})),
        "googlechat": Kind("Google Chat", "google_chat", {"address": "url"}, _ADDRESS),
        "opsgenie": Kind("Opsgenie", unusable=Unusable.RETIRED, reason=OPSGENIE_ENDS),
        "pagerduty": Kind(
            "PagerDuty", "pagerduty", {"routing_key": "integrationKey", "server": "url"}, frozenset({"routing_key"})
        ),
        "pushover": Kind(
            "Pushover",
            "pushover",
            {"app_token": "apiToken", "user_key": "userKey"},
            frozenset({"app_token", "user_key"}),
            {"device": DEVICE},
        ),
        "slack": Kind("Slack", "slack", {"address": "url"}, _ADDRESS, {"recipient": _RECIPIENT}),
        "teams": Kind("Microsoft Teams", "teams", {"address": "url"}, _ADDRESS),
        "telegram": Kind(
            "Telegram",
            "telegram",
            {"bot_token": "bottoken", "chat_id": "chatid", "thread_id": "message_thread_id"},
            frozenset({"bot_token", "chat_id"}),
        ),
        "webhook": Kind(
            "Webhook",
            "webhook",
            {"address": "url", "basic_user": "username", "basic_password": "password"},
            _ADDRESS,
            {
                "tlsConfig": _TLS,
                "hmacConfig": "The HMAC signature is left out: with a signing secret, Alertcheck signs its messages in "
                "the way of Standard Webhooks.",
                "http_config": OAUTH,
                "payload": "The custom payload is left out: the message has the form of Grafana's own webhook.",
            },
        ),
        "dingding": make_unsupported("DingTalk"),
        "jira": make_unsupported("Jira issues"),
        "kafka": make_unsupported("Kafka REST Proxy"),
        "line": Kind("LINE", unusable=Unusable.RETIRED, reason="LINE Notify ended on 31 March 2025."),
        "mqtt": make_unsupported("MQTT"),
        "oncall": make_unsupported("Grafana OnCall"),
        "prometheus-alertmanager": make_unsupported("an Alertmanager that is itself a receiver"),
        "sensugo": make_unsupported("Sensu Go"),
        "sns": make_unsupported("Amazon SNS"),
        "threema": make_unsupported("Threema"),
        "victorops": make_unsupported("Splunk On-Call (VictorOps)"),
        "webex": make_unsupported("Webex"),
        "wechat": make_unsupported("WeChat"),
        "wecom": make_unsupported("WeCom"),
    }
)
