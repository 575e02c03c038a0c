"""What a person is told about each way to fail: our own sentences."""

from dataclasses import dataclass

from webapp.failures.code import Code


@dataclass(frozen=True)
class Explanation:
    """What is known of a code. The sentence has places for safe facts: `{host}`, `{status}`, `{token}` and the like."""

    sentence: str
    next_step: str
    may_retry: bool = False
    may_have_arrived: bool = False


EXPLANATIONS: dict[Code, Explanation] = {
    Code.URL_INVALID: Explanation(
        "The address cannot be used as it is written.",
        "Paste the address again, as the provider shows it.",
    ),
    Code.SCHEME_NOT_ALLOWED: Explanation(
        "The address does not begin with https://.",
        "Paste an address that begins with https://.",
    ),
    Code.PORT_NOT_ALLOWED: Explanation(
        "The address names a port other than 443.",
        "Use an address on the usual https port, or ask the operator to trust this one.",
    ),
    Code.HOST_NOT_EXPECTED: Explanation(
        "{host} is not a host of this service.",
        "Check that the type of the destination fits its address.",
    ),
    Code.TARGET_NOT_ALLOWED: Explanation(
        "The address leads to a place that messages may not be sent to.",
        "Use an address that is public on the internet, or ask the operator to trust this one.",
    ),
    Code.CONFIG_INCOMPLETE: Explanation(
        "A setting that is needed to send is missing.",
        "Open the settings and fill in what is missing.",
    ),
    Code.CONFIG_UNREADABLE: Explanation(
        "The stored settings cannot be read with the keys in use.",
        "Enter the settings again, or ask the operator whether an encryption key was lost.",
    ),
    Code.RECIPIENT_INVALID: Explanation(
        "A recipient's address is not a valid e-mail address.",
        "Correct the recipients in the settings.",
    ),
    Code.DNS_NOT_FOUND: Explanation(
        "The name {host} does not exist.",
        "Check the spelling of the address.",
    ),
    Code.DNS_TEMPORARY: Explanation(
        "The name {host} could not be looked up just now.",
        "Press again in a minute; if it stays, check the name's DNS servers.",
        may_retry=True,
    ),
    Code.DNS_TIMEOUT: Explanation(
        "Looking up the name {host} took too long.",
        "Press again in a minute; if it stays, check the name's DNS servers.",
        may_retry=True,
    ),
    Code.CONNECT_REFUSED: Explanation(
        "{host} refused the connection.",
        "Check that the service is running and can be reached from outside.",
        may_retry=True,
    ),
    Code.CONNECT_TIMEOUT: Explanation(
        "{host} did not take the connection in time{wait}.",
        "Check that the service is running and that no firewall drops connections from outside.",
        may_retry=True,
    ),
    Code.NETWORK_UNREACHABLE: Explanation(
        "There is no way through the network to {host}.",
        "Check that the service can be reached from outside; if it can, ask the operator about this server's network.",
        may_retry=True,
    ),
    Code.TLS_UNTRUSTED: Explanation(
        "The certificate of {host} is not signed by a known authority.",
        "Install a certificate from a public authority, with its intermediate certificates.",
    ),
    Code.TLS_HOSTNAME_MISMATCH: Explanation(
        "The certificate of {host} was issued for another name.",
        "Use the name the certificate was issued for, or issue one for this name.",
    ),
    Code.TLS_EXPIRED: Explanation(
        "The certificate of {host} has expired.",
        "Renew the certificate.",
    ),
    Code.TLS_NOT_YET_VALID: Explanation(
        "The certificate of {host} is not valid yet.",
        "Check the certificate's start date and the clocks on both sides.",
    ),
    Code.TLS_FAILED: Explanation(
        "No encrypted connection to {host} could be agreed on.",
        "Check that the service speaks TLS 1.2 or later at this address.",
    ),
    Code.READ_TIMEOUT: Explanation(
        "{host} took the connection but gave no answer in time{wait}.",
        "Look in the channel before you press again; then check why the service is slow.",
        may_have_arrived=True,
    ),
    Code.DEADLINE_EXCEEDED: Explanation(
        "{host} did not finish its answer in time{wait}.",
        "Look in the channel before you press again; then check why the service is slow.",
        may_have_arrived=True,
    ),
    Code.CONNECTION_CLOSED: Explanation(
        "{host} closed the connection before it had answered.",
        "Look in the channel before you press again; then check the service's own log.",
        may_have_arrived=True,
    ),
    Code.INVALID_RESPONSE: Explanation(
        "{host} answered something that is not understood.",
        "Check that this is the right address, and look in the channel before you press again.",
        may_have_arrived=True,
    ),
    Code.REDIRECT_REFUSED: Explanation(
        "{host} answered {status}: it points to another address. Redirects are not followed.",
        "Enter the final address.",
    ),
    Code.BAD_REQUEST: Explanation(
        "{host} answered {status}: it did not understand the message{token}.",
        "Check that the address belongs to this type of destination.",
    ),
    Code.AUTH_FAILED: Explanation(
        "{host} answered {status}: it does not accept the credentials{token}.",
        "Copy the address and secret again from the provider.",
    ),
    Code.FORBIDDEN: Explanation(
        "{host} answered {status}: it does not allow this{token}.",
        "Check at the provider who may post to this address.",
    ),
    Code.NOT_FOUND: Explanation(
        "{host} answered {status}: nothing exists at this address{token}.",
        "Create the webhook again at the provider and paste its new address.",
    ),
    Code.GONE: Explanation(
        "{host} answered {status}: the address has been removed for good{token}.",
        "Create a new webhook at the provider and paste its address, or delete this destination.",
    ),
    Code.PAYLOAD_TOO_LARGE: Explanation(
        "{host} answered {status}: the message is too large for it.",
        "Raise the receiver's limit; a test message is smaller than 20 KB.",
    ),
    Code.RATE_LIMITED: Explanation(
        "{host} answered {status}: it has received too many messages.",
        "Wait for a few minutes, then press again.",
        may_retry=True,
    ),
    Code.REMOTE_UNAVAILABLE: Explanation(
        "{host} answered {status}: the service is not available just now.",
        "Check the service's status page and press again later.",
        may_retry=True,
    ),
    Code.REMOTE_ERROR: Explanation(
        "{host} answered {status}: it failed while it handled the message.",
        "Look in the channel before you press again; then check the service's own log.",
        may_have_arrived=True,
    ),
    Code.UNEXPECTED_STATUS: Explanation(
        "{host} answered {status}, which this type of destination does not expect.",
        "Check that this is the right address, and look in the channel before you press again.",
        may_have_arrived=True,
    ),
    Code.REMOTE_REJECTED: Explanation(
        "{host} answered {status}, but said that it did not take the message{token}.",
        "Check the destination at the provider.",
    ),
    Code.SMTP_TEMPORARY: Explanation(
        "{host} cannot take the message just now: {status}{token}.",
        "Press again later; if it stays, ask whoever runs the mail server.",
        may_retry=True,
    ),
    Code.SMTP_AUTH_FAILED: Explanation(
        "{host} did not accept our sign-in: {status}{token}.",
        "Ask the operator to check the mail settings (user name and password).",
    ),
    Code.SMTP_AUTH_UNAVAILABLE: Explanation(
        "{host} offers no sign-in that can be used.",
        "Ask the operator to check the mail settings (server, port and security).",
    ),
    Code.SMTP_TLS_UNAVAILABLE: Explanation(
        "{host} offers no encrypted connection.",
        "Ask the operator to check the mail settings (server, port and security).",
    ),
    Code.SMTP_PROTOCOL: Explanation(
        "{host} did not keep to the rules of mail transport.",
        "Ask the operator to check the mail settings (server and port).",
    ),
    Code.SENDER_REFUSED: Explanation(
        "{host} refused the sender's address: {status}{token}.",
        "Ask the operator to check the sender's address in the mail settings.",
    ),
    Code.RECIPIENTS_REFUSED: Explanation(
        "{host} refused every recipient: {status}{token}.",
        "Check the spelling of the recipients and that their mailboxes exist.",
    ),
    Code.MESSAGE_REFUSED: Explanation(
        "{host} refused the message: {status}{token}.",
        "Ask whoever runs the mail server why it refuses the message.",
    ),
    Code.QUEUE_UNAVAILABLE: Explanation(
        "The queue could not be reached, so nothing was sent.",
        "Press again; if it stays, ask the operator whether the queue server is running.",
    ),
    Code.NOT_STARTED: Explanation(
        "No worker picked the message up in time, so nothing was sent.",
        "Ask the operator whether a worker is running, then press again.",
    ),
    Code.WORKER_LOST: Explanation(
        "The worker stopped in the middle of sending.",
        "Look in the channel before you press again.",
        may_have_arrived=True,
    ),
    Code.DESTINATION_DISABLED: Explanation(
        "The destination was disabled before the message went out, so nothing was sent.",
        "Enable the destination, then press again.",
    ),
    Code.DESTINATION_DELETED: Explanation(
        "The destination was deleted before the message went out, so nothing was sent.",
        "Add the destination again if it is still needed.",
    ),
    Code.DESTINATION_CHANGED: Explanation(
        "The settings were changed before the message went out, so nothing was sent.",
        "Press again to test the new settings.",
    ),
    Code.SUPERSEDED: Explanation(
        "A newer test took the place of this one, so nothing more was sent.",
        "Look at the newer test.",
    ),
    Code.INTERNAL_ERROR: Explanation(
        "Something went wrong on our side (reference {reference}).",
        "Give the reference to the operator, and look in the channel before you press again.",
        may_have_arrived=True,
    ),
}
"""Every code's sentence and next step. `{status}` is only used by codes that are raised with one."""
