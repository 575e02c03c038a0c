"""Failures that an HTTP receiver reports. Only these sentences use `{status}` as an HTTP status."""

from webapp.failures.cause import Cause
from webapp.failures.code import Code, Meaning

HTTP: dict[Code, Meaning] = {
    Code.REDIRECT_REFUSED: Meaning(
        "{host} answered {status}, a redirect to another address{target}. Alertcheck does not follow redirects.",
        "Enter the final address. Often only https:// at the beginning or a / at the end differs. If you do not know "
        "it, ask whoever runs the receiver.",
    ),
    Code.SIGN_IN_PAGE: Meaning(
        "{host} answered {status}, which points to another page{target}. Services that require a sign-in do this.",
        "Check whether the message arrived before you send another test. If it did not, let the receiver accept "
        "requests to this address without a sign-in.",
        may_have_arrived=True,
    ),
    Code.BAD_REQUEST: Meaning(
        "{host} answered {status}: it does not accept the message in this form{token}.",
        "Check that the address is complete and belongs to this type of destination.",
    ),
    Code.AUTH_FAILED: Meaning(
        "{host} answered {status}: it does not accept the credentials{token}.",
        "Copy the address and the secret from the provider again.",
    ),
    Code.FORBIDDEN: Meaning(
        "{host} answered {status}: it does not allow this request{token}.",
        "Check with the provider who may post to this address, and whether the account there is active and paid.",
    ),
    Code.NOT_FOUND: Meaning(
        "{host} answered {status}: it does not know this address, or no longer accepts it{token}.",
        "Create the webhook again at the provider and enter its new address.",
    ),
    Code.METHOD_NOT_ALLOWED: Meaning(
        "{host} answered {status}: nothing at this address accepts the message{token}.",
        "Check the path of the address: it must accept POST requests with JSON.",
    ),
    Code.GONE: Meaning(
        "{host} answered {status}: the address has been removed permanently{token}.",
        "Create a new webhook at the provider and enter its address, or delete this destination.",
    ),
    Code.PAYLOAD_TOO_LARGE: Meaning(
        "{host} answered {status}: the message is larger than it accepts{token}.",
        "Raise the size limit of the receiver. A test message is smaller than 20 KB.",
    ),
    Code.RATE_LIMITED: Meaning(
        "{host} answered {status}: it has received too many messages{token}.{asked_wait}",
        "Send another test when the waiting time is over, or after a few minutes if none is named.",
        may_retry=True,
    ),
    Code.REMOTE_UNAVAILABLE: Meaning(
        "{host} answered {status}: it is not available at the moment{token}.{asked_wait}",
        "Check the status page of the service. Send another test when the waiting time is over, or later if none is "
        "named.",
        may_retry=True,
    ),
    Code.GATEWAY_GAVE_UP: Meaning(
        "{host} answered {status}: it gave up before it had a usable answer from the service behind it{token}.",
        "Check whether the message arrived before you send another test. Then check the service behind the gateway.",
        may_have_arrived=True,
    ),
    Code.REMOTE_ERROR: Meaning(
        "{host} answered {status}: it failed while it handled the message{token}.",
        "Check whether the message arrived before you send another test. Then check the log of the receiver.",
        may_have_arrived=True,
    ),
    Code.UNEXPECTED_STATUS: Meaning(
        "{host} answered {status}, which this type of destination does not expect{token}.",
        "Check whether the message arrived before you send another test. Then check that the address is right, and the "
        "log of the receiver.",
        may_have_arrived=True,
    ),
    Code.REMOTE_REJECTED: Meaning(
        "{host} answered {status}, but it did not accept the message{token}.",
        "Check the settings of the webhook at the provider.",
    ),
}

# The sentence for each cause, in place of its code's.
HTTP_CAUSES: dict[Cause, str] = {
    Cause.WEB_PAGE: (
        "{host} answered {status} with a web page, as sign-in and error pages do, in place of the answer to a message."
    ),
    Cause.BROWSER_CHALLENGE: (
        "{host} answered {status}: a firewall in front of it wants to see a browser, and did not pass the message on."
    ),
    Cause.NO_ACTIVE_DEVICE: "{host} answered {status}, but no device is active to which it could send the message.",
    Cause.GROUP_UPGRADED: "{host} answered {status}: the group became a supergroup, so its chat id is a new one.",
}
