"""Failures that an HTTP receiver reports. Only these sentences use `{status}` as an HTTP status."""

from webapp.failures.code import Code
from webapp.failures.explanations.explanation import Explanation

HTTP: dict[Code, Explanation] = {
    Code.REDIRECT_REFUSED: Explanation(
        "{host} answered {status}: it points to another address. Alertcheck does not follow redirects.",
        "Enter the address that it points to.",
    ),
    Code.SIGN_IN_PAGE: Explanation(
        "{host} answered {status}: it points to another page, as a service does that wants a sign-in first.",
        "Check whether the message arrived before you send another test. If it did not, let the receiver accept "
        "requests to this address without a sign-in.",
        may_have_arrived=True,
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
        "{host} answered {status}: it does not know this address, or no longer accepts it{token}.",
        "Create the webhook again at the provider and enter its new address.",
    ),
    Code.METHOD_NOT_ALLOWED: Explanation(
        "{host} answered {status}: nothing at this address accepts the message.",
        "Check the path of the address: it must accept POST requests with JSON.",
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
    Code.GATEWAY_GAVE_UP: Explanation(
        "{host} answered {status}: its gateway got no answer from the service behind it.",
        "Check whether the message arrived before you send another test. Then check the service behind the gateway.",
        may_have_arrived=True,
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
}
