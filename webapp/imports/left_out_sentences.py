"""The sentences about what an import leaves out that several formats have."""

CHANNEL = "The channel is left out: the message goes to the channel for which the webhook was created."
COPIES = "The copies (CC, BCC) are left out. Add them to the recipients if they need the message."
DEVICE = "The device is left out: the message goes to all devices of the user or group."
MAIL_SERVER = "The mail server and the sender are left out: your Alertcheck administrator sets them for everyone."
OAUTH = "OAuth 2.0 is left out: Alertcheck sends a fixed token, or a user and a password."
