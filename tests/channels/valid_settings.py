"""Valid settings of every channel, as its form stores them: what a test needs that adds a destination of each."""

SECRET = "whsec_" + "Y2FuYXJ5" * 4
API = {
    "telegram": "https://api.telegram.org",
    "pagerduty": "https://events.pagerduty.com",
    "jira": "https://api.atlassian.com",
    "ntfy": "https://ntfy.sh",
    "pushover": "https://api.pushover.net",
}

VALID_SETTINGS = {
    "teams": {"address": "https://flows.environment.api.powerplatform.com/workflows/1?sig=canary"},
    "slack": {"address": "https://hooks.slack.com/services/T0/B0/canary"},
    "webhook": {
        "address": "https://hooks.example.com/canary-typed",
        "signing_secret": SECRET,
        "method": "POST",
        "body": "standard",
    },
    "email": {"recipients": "ann@example.com, bob@example.org"},
    "discord": {"address": "https://discord.com/api/webhooks/1440000000000000001/canary"},
    "telegram": {"bot_token": "123456789:" + "canary_" * 5, "chat_id": "-1001234567890", "server": API["telegram"]},
    "pagerduty": {"routing_key": "canary42" * 4, "server": API["pagerduty"]},
    "mattermost": {"address": "https://chat.example.com/hooks/canarycanarycanarycanary12"},
    "jira_service_management": {"api_key": "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f", "server": API["jira"]},
    "google_chat": {"address": "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=canary&token=canary"},
    "ntfy": {"topic": "canary", "user": "ann", "password": "canary", "server": API["ntfy"]},
    "pushover": {"app_token": "canary" * 5, "user_key": "CANARY" * 5, "server": API["pushover"]},
}
