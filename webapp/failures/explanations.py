"""The sentence and the next step for every failure code. Support staff read both aloud on the phone."""

from dataclasses import dataclass

from webapp.failures.code import Code


@dataclass(frozen=True)
class Explanation:
    """The explanation of one code. The sentence has placeholders for safe facts, such as `{host}` and `{status}`."""

    sentence: str
    next_step: str
    may_retry: bool = False
    may_have_arrived: bool = False


# Only the sentences of codes that are raised with a status use `{status}`.
EXPLANATIONS: dict[Code, Explanation] = {
    Code.URL_INVALID: Explanation(
        "The address cannot be used as it is written.",
        "Copy the whole address again, exactly as the provider shows it.",
    ),
    Code.SCHEME_NOT_ALLOWED: Explanation(
        "The address does not begin with https://.",
        "Enter an address that begins with https://.",
    ),
    Code.PORT_NOT_ALLOWED: Explanation(
        "The address uses a port other than 443.",
        "Use an address on port 443, or ask your Alertcheck administrator to trust this one.",
    ),
    Code.HOST_NOT_EXPECTED: Explanation(
        "{host} is not a host that this type of destination may use.",
        "Check that the type of the destination matches its address.",
    ),
    Code.TARGET_NOT_ALLOWED: Explanation(
        "Alertcheck is not allowed to send messages to this address.",
        "Use an address on the public internet, or ask your Alertcheck administrator to trust this one.",
    ),
    Code.CONFIG_INCOMPLETE: Explanation(
        "A setting that is required for sending is missing.",
        "Open the settings of the destination and fill in what is missing.",
    ),
    Code.CONFIG_UNREADABLE: Explanation(
        "Alertcheck cannot decrypt the stored settings of this destination.",
        "Enter the settings again, or ask your Alertcheck administrator whether an encryption key was lost.",
    ),
    Code.RECIPIENT_INVALID: Explanation(
        "The address of a recipient is not a valid email address.",
        "Correct the recipients in the settings of the destination.",
    ),
    Code.DNS_NOT_FOUND: Explanation("{host} was not found in the DNS.", "Check the spelling of the address."),
    Code.DNS_TEMPORARY: Explanation(
        "{host} could not be looked up in the DNS at the moment.",
        "Send another test in a minute. If it keeps happening, check the DNS servers of this host name.",
        may_retry=True,
    ),
    Code.DNS_TIMEOUT: Explanation(
        "{host} could not be looked up in the DNS in time.",
        "Send another test in a minute. If it keeps happening, check the DNS servers of this host name.",
        may_retry=True,
    ),
    Code.CONNECT_REFUSED: Explanation(
        "{host} refused the connection.",
        "Check that the receiver is running and accepts connections from outside its own network.",
        may_retry=True,
    ),
    Code.CONNECT_TIMEOUT: Explanation(
        "{host} did not complete the connection in time{wait}.",
        "Check that the receiver is running and that no firewall drops connections from outside.",
        may_retry=True,
    ),
    Code.NETWORK_UNREACHABLE: Explanation(
        "{host} could not be reached over the network.",
        "Check whether others can reach the receiver. If so, ask your Alertcheck administrator to check the network of "
        "the Alertcheck server.",
        may_retry=True,
    ),
    Code.TLS_UNTRUSTED: Explanation(
        "{host} has a certificate that is not signed by a trusted authority.",
        "On the receiver, install a certificate from a public authority, with its intermediate certificates.",
    ),
    Code.TLS_HOSTNAME_MISMATCH: Explanation(
        "{host} has a certificate that was issued for another name.",
        "Use the name that the certificate was issued for, or install a certificate for this name.",
    ),
    Code.TLS_EXPIRED: Explanation(
        "{host} has a certificate that has expired.",
        "Renew the certificate of the receiver.",
    ),
    Code.TLS_NOT_YET_VALID: Explanation(
        "{host} has a certificate that is not valid yet.",
        "Check the start date of the certificate, and the clocks of the receiver and the Alertcheck server.",
    ),
    Code.TLS_FAILED: Explanation(
        "The encrypted connection to {host} failed.",
        "Check that the receiver supports TLS 1.2 or later at this address.",
    ),
    Code.READ_TIMEOUT: Explanation(
        "{host} accepted the connection but did not respond in time{wait}.",
        "Check whether the message arrived before you send another test. Then check why the receiver is slow.",
        may_have_arrived=True,
    ),
    Code.DEADLINE_EXCEEDED: Explanation(
        "{host} did not finish its response in time{wait}.",
        "Check whether the message arrived before you send another test. Then check why the receiver is slow.",
        may_have_arrived=True,
    ),
    Code.CONNECTION_CLOSED: Explanation(
        "{host} closed the connection before it finished its response.",
        "Check whether the message arrived before you send another test. Then check the log of the receiver.",
        may_have_arrived=True,
    ),
    Code.INVALID_RESPONSE: Explanation(
        "{host} gave a response that Alertcheck does not understand.",
        "Check whether the message arrived before you send another test. Then check that the address is right.",
        may_have_arrived=True,
    ),
    Code.REDIRECT_REFUSED: Explanation(
        "{host} answered {status}: it points to another address. Alertcheck does not follow redirects.",
        "Enter the address that it points to.",
    ),
    Code.BAD_REQUEST: Explanation(
        "{host} answered {status}: it did not understand the message{token}.",
        "Check that the address belongs to this type of destination.",
    ),
    Code.AUTH_FAILED: Explanation(
        "{host} answered {status}: it does not accept the credentials{token}.",
        "Copy the address and the secret from the provider again.",
    ),
    Code.FORBIDDEN: Explanation(
        "{host} answered {status}: it does not allow this request{token}.",
        "Check with the provider who may post to this address.",
    ),
    Code.NOT_FOUND: Explanation(
        "{host} answered {status}: nothing exists at this address{token}.",
        "Create the webhook again at the provider and enter its new address.",
    ),
    Code.GONE: Explanation(
        "{host} answered {status}: the address has been removed permanently{token}.",
        "Create a new webhook at the provider and enter its address, or delete this destination.",
    ),
    Code.PAYLOAD_TOO_LARGE: Explanation(
        "{host} answered {status}: the message is larger than it accepts.",
        "Raise the size limit of the receiver. A test message is smaller than 20 KB.",
    ),
    Code.RATE_LIMITED: Explanation(
        "{host} answered {status}: it has received too many messages.",
        "Wait a few minutes, then send another test.",
        may_retry=True,
    ),
    Code.REMOTE_UNAVAILABLE: Explanation(
        "{host} answered {status}: it is not available at the moment.",
        "Check the status page of the service, and send another test later.",
        may_retry=True,
    ),
    Code.REMOTE_ERROR: Explanation(
        "{host} answered {status}: it failed while it handled the message.",
        "Check whether the message arrived before you send another test. Then check the log of the receiver.",
        may_have_arrived=True,
    ),
    Code.UNEXPECTED_STATUS: Explanation(
        "{host} answered {status}, which this type of destination does not expect.",
        "Check whether the message arrived before you send another test. Then check that the address is right.",
        may_have_arrived=True,
    ),
    Code.REMOTE_REJECTED: Explanation(
        "{host} answered {status}, but it did not accept the message{token}.",
        "Check the settings of the webhook at the provider.",
    ),
    Code.SMTP_TEMPORARY: Explanation(
        "{host} cannot accept the message at the moment: {status}{token}.",
        "Send another test later. If it keeps happening, ask the administrator of the mail server.",
        may_retry=True,
    ),
    Code.SMTP_AUTH_FAILED: Explanation(
        "{host} did not let Alertcheck sign in: {status}{token}.",
        "Ask your Alertcheck administrator to check the user name and the password in the mail settings.",
    ),
    Code.SMTP_AUTH_UNAVAILABLE: Explanation(
        "{host} does not offer a way to sign in that Alertcheck supports.",
        "Ask your Alertcheck administrator to check the server, the port and the encryption in the mail settings.",
    ),
    Code.SMTP_TLS_UNAVAILABLE: Explanation(
        "{host} does not offer an encrypted connection.",
        "Ask your Alertcheck administrator to check the server, the port and the encryption in the mail settings.",
    ),
    Code.SMTP_PROTOCOL: Explanation(
        "The mail session with {host} failed before the whole message was sent.",
        "Ask your Alertcheck administrator to check the server and the port in the mail settings.",
    ),
    Code.SENDER_REFUSED: Explanation(
        "{host} refused the sender's address: {status}{token}.",
        "Ask your Alertcheck administrator to check the sender's address in the mail settings.",
    ),
    Code.RECIPIENTS_REFUSED: Explanation(
        "{host} refused every recipient: {status}{token}.",
        "Check the spelling of the recipients, and check that their mailboxes exist.",
    ),
    Code.MESSAGE_REFUSED: Explanation(
        "{host} refused the message: {status}{token}.",
        "Ask the administrator of the mail server why it refuses the message.",
    ),
    Code.QUEUE_UNAVAILABLE: Explanation(
        "Alertcheck could not reach its queue, so nothing was sent.",
        "Send another test. If it keeps happening, ask your Alertcheck administrator to check the queue server.",
    ),
    Code.NOT_STARTED: Explanation(
        "No worker picked up the message in time, so nothing was sent.",
        "Ask your Alertcheck administrator whether a worker is running, then send another test.",
    ),
    Code.WORKER_LOST: Explanation(
        "The worker stopped while it was sending the message.",
        "Check whether the message arrived before you send another test.",
        may_have_arrived=True,
    ),
    Code.DESTINATION_DISABLED: Explanation(
        "The destination was disabled before the message went out, so nothing was sent.",
        "Enable the destination, then send another test.",
    ),
    Code.DESTINATION_DELETED: Explanation(
        "The destination was deleted before the message went out, so nothing was sent.",
        "Add the destination again if you still need it.",
    ),
    Code.DESTINATION_CHANGED: Explanation(
        "The settings were changed before the message went out, so nothing was sent.",
        "Send another test to check the new settings.",
    ),
    Code.SUPERSEDED: Explanation(
        "A newer test replaced this one, so nothing more was sent.",
        "Look at the result of the newer test.",
    ),
    Code.INTERNAL_ERROR: Explanation(
        "An internal error occurred in Alertcheck (reference {reference}).",
        "Check whether the message arrived before you send another test. Give the reference to your Alertcheck "
        "administrator.",
        may_have_arrived=True,
    ),
}
