"""Failures of the DNS lookup and the connection. The next step of a code is right for each of its causes."""

from webapp.failures.cause import Cause
from webapp.failures.code import Code, Meaning

CONNECTION: dict[Code, Meaning] = {
    Code.DNS_NOT_FOUND: Meaning(
        "{host} was not found in the DNS.",
        "Check the spelling of the address, and the DNS records of its host.",
    ),
    Code.DNS_TEMPORARY: Meaning(
        "{host} could not be looked up in the DNS at the moment.",
        "Send another test in a minute. If it keeps happening, check the DNS servers of this domain.",
        may_retry=True,
    ),
    Code.DNS_TIMEOUT: Meaning(
        "{host} could not be looked up in the DNS in time.",
        "Send another test in a minute. If it keeps happening, check the DNS servers of this domain.",
        may_retry=True,
    ),
    Code.CONNECT_REFUSED: Meaning(
        "{host} refused the connection.",
        "Check that the receiver is running and accepts connections from outside its own network.",
        may_retry=True,
    ),
    Code.CONNECT_TIMEOUT: Meaning(
        "{host} did not complete the connection in time{wait}.",
        "Check that the receiver is running, that the address and its port are right, and that no firewall drops "
        "connections from outside.",
        may_retry=True,
    ),
    Code.NETWORK_UNREACHABLE: Meaning(
        "{host} could not be reached over the network.",
        "Check whether others can reach the receiver. If so, ask your Alertcheck administrator to check the network of "
        "the Alertcheck server, and its proxy if it has one.",
        may_retry=True,
    ),
    Code.READ_TIMEOUT: Meaning(
        "{host} accepted the connection but did not respond in time{wait}.",
        "Check whether the message arrived before you send another test. Then check why the receiver is slow.",
        may_have_arrived=True,
    ),
    Code.DEADLINE_EXCEEDED: Meaning(
        "{host} did not finish its response in time{wait}.",
        "Check whether the message arrived before you send another test. Then check why the receiver is slow.",
        may_have_arrived=True,
    ),
    Code.CONNECTION_CLOSED: Meaning(
        "{host} closed the connection before it finished its response.",
        "Check whether the message arrived before you send another test. Then check the log of the receiver.",
        may_have_arrived=True,
    ),
    Code.INVALID_RESPONSE: Meaning(
        "{host} gave a response that Alertcheck does not understand.",
        "Check whether the message arrived before you send another test. Then check that the address is right.",
        may_have_arrived=True,
    ),
}

# The sentence for each cause, in place of its code's.
NETWORK_CAUSES: dict[Cause, str] = {
    Cause.NO_ADDRESS: "{host} exists in the DNS, but without an address.",
    Cause.PROXY_UNREACHABLE: (
        "{host} could not be reached, because Alertcheck could not reach its own proxy (ALERTCHECK_EGRESS_PROXY)."
    ),
    Cause.PROXY_SIGN_IN: (
        "{host} could not be reached: Alertcheck's own proxy asks for a user name and a password. Your Alertcheck "
        "administrator has to add them to ALERTCHECK_EGRESS_PROXY."
    ),
    Cause.PROXY_PASSWORD: (
        "{host} could not be reached: Alertcheck's own proxy does not accept the user name and the password in "
        "ALERTCHECK_EGRESS_PROXY. Your Alertcheck administrator has to correct them."
    ),
    Cause.PROXY_REFUSED: (
        "{host} could not be reached: Alertcheck's own proxy (ALERTCHECK_EGRESS_PROXY) did not connect to it."
    ),
    Cause.OWN_SERVER_UNKNOWN: (
        "{host} was not contacted, because Alertcheck could not look up one of its own servers, which no message may "
        "reach. Your Alertcheck administrator has to check the DNS of the Alertcheck server."
    ),
}
