"""Failures of the DNS lookup, the connection and the encryption."""

from webapp.failures.code import Code
from webapp.failures.explanations.explanation import Explanation

CONNECTION: dict[Code, Explanation] = {
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
        "{host} has a certificate from an authority that Alertcheck does not trust.",
        "On the receiver, install a certificate from a public authority. If the authority is your company's own, ask "
        "your Alertcheck administrator to set ALERTCHECK_CA_FILE.",
    ),
    Code.TLS_SELF_SIGNED: Explanation(
        "{host} has a self-signed certificate.",
        "On the receiver, install a certificate from a public authority. If it is meant to be self-signed, "
        "ask your Alertcheck administrator to trust it with ALERTCHECK_CA_FILE.",
    ),
    Code.TLS_INCOMPLETE_CHAIN: Explanation(
        "{host} does not send the intermediate certificates that lead from its certificate to a trusted authority.",
        "On the receiver, install the complete chain: the certificate, followed by its intermediate certificates.",
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
    Code.CLIENT_CERTIFICATE_REQUIRED: Explanation(
        "{host} asks for a client certificate, which Alertcheck does not support, so nothing was sent.",
        "Let the receiver accept requests to this address without a client certificate, or use another address.",
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
}
