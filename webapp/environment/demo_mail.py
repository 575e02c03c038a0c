"""The domain of the mailboxes of a public demo. Each visitor has a subdomain of it, which no other mail server has."""

# `.invalid` exists in no DNS (RFC 2606).
DEMO_MAIL_DOMAIN = "inbox.invalid"
