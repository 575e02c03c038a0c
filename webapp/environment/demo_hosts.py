"""The host names of the demo's receiver. They are in no DNS: only the demo's own outbound client knows where they lead.

`.example` is reserved for documentation (RFC 2606), so nobody else can own one of them.
"""

SERVICE_HOSTS = {
    "teams": "teams.demo.example",
    "webhook": "hooks.demo.example",
    "slack": "slack.demo.example",
    "discord": "discord.demo.example",
    "telegram": "telegram.demo.example",
    "pagerduty": "pagerduty.demo.example",
    "google_chat": "chat.demo.example",
    "mattermost": "mattermost.demo.example",
    "ntfy": "ntfy.demo.example",
    "pushover": "pushover.demo.example",
    "jira_service_management": "jira.demo.example",
}
MAIL_HOST = "mail.demo.example"
MAIL_DOMAIN = "oncall.demo.example"

# In a public demo, each visitor has mailboxes in a subdomain of it. `.invalid` is in no DNS either (RFC 2606).
VISITOR_MAIL_DOMAIN = "inbox.invalid"

# The file with the authority of the receiver's certificates, in the directory to which it writes them.
AUTHORITY_FILE = "authority.pem"

# What comes before a service's host to get one of its certificates that is not just valid.
CERTIFICATES = ("expired", "self-signed", "other-host", "expiring")


def list_hosts() -> tuple[str, ...]:
    """Return every name under which the receiver is reached over HTTPS."""
    services = tuple(SERVICE_HOSTS.values())
    return services + tuple(f"{certificate}.{host}" for certificate in CERTIFICATES for host in services)
