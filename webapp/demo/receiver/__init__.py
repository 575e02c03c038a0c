"""The demo receiver: stands in for Teams, Slack, a webhook and a mail server, and keeps the messages it receives."""
