"""The demo's far ends: a receiver that stands in for Teams, Slack, a webhook and a mail server, and what it keeps."""
