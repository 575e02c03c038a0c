"""Failures of the DNS lookup and the connection."""

from webapp.failures.code import Code
from webapp.failures.explanations.explanation import Explanation

CONNECTION: dict[Code, Explanation] = {
    Code.DNS_NOT_FOUND: Explanation("{host} was not found in the DNS.", "Check the spelling of the address."),
    Code.DNS_TEMPORARY: Explanation(
        "{host} could not be looked up in the DNS at the moment.",
        "Send another test in a minute. If it keeps happening, check the DNS servers of this domain.",
        may_retry=True,
    ),
    Code.DNS_TIMEOUT: Explanation(
        "{host} could not be looked up in the DNS in time.",
        "Send another test in a minute. If it keeps happening, check the DNS servers of this domain.",
        may_retry=True,
    ),
    Code.CONNECT_REFUSED: Explanation(
        "{host} refused the connection.",
        "Check that the receiver is running and accepts connections from outside its own network.",
        may_retry=True,
    ),
    Code.CONNECT_TIMEOUT: Explanation(
        "{host} did not complete the connection in time{wait}.",
        "Check that the receiver is running, that the address and its port are right, and that no firewall drops "
        "connections from outside.",
        may_retry=True,
    ),
    Code.NETWORK_UNREACHABLE: Explanation(
        "{host} could not be reached over the network.",
        "Check whether others can reach the receiver. If so, ask your Alertcheck administrator to check the network of "
        "the Alertcheck server.",
        may_retry=True,
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
