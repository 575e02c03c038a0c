"""Next steps for a service that its provider runs: nobody but the provider can mend its servers and certificates."""

from webapp.failures import Code

_CHECK_FIRST = "Check in {look_in} whether the message arrived before you send another test."
_OUTAGE = f"{_CHECK_FIRST} If it keeps happening, check {{status_page}}."
_COPY_AGAIN = "Copy the whole address again. If that does not help, create a new one. {get_address}"
_BLOCKED = (
    "Check {status_page}. If {service} works, ask your Alertcheck administrator whether a firewall keeps the "
    "Alertcheck server from it."
)
_INTERCEPTED = (
    "A firewall or a proxy between the Alertcheck server and {service} seems to decrypt the connections. If that is "
    "intended, ask your Alertcheck administrator to add its authority to ALERTCHECK_CA_FILE."
)
_IMPOSTOR = (
    "Check {status_page}. If {service} works, ask your Alertcheck administrator to check the clock of the Alertcheck "
    "server, and whether a firewall or a proxy answers in place of {service}."
)
_LOOKUP = (
    "Send another test in a minute. If it keeps happening, ask your Alertcheck administrator to check the DNS of the "
    "Alertcheck server."
)
_HINTS = {
    Code.URL_INVALID: _COPY_AGAIN,
    Code.SCHEME_NOT_ALLOWED: _COPY_AGAIN,
    Code.PORT_NOT_ALLOWED: _COPY_AGAIN,
    Code.HOST_NOT_EXPECTED: (
        "Check that the type of the destination matches its address. For a receiver of your own, add a destination of "
        "type Webhook."
    ),
    Code.TARGET_NOT_ALLOWED: (
        "Ask your Alertcheck administrator why the DNS of the Alertcheck server has a private address for this host."
    ),
    Code.CONFIG_INCOMPLETE: "Enter the address in the settings of the destination. {get_address}",
    Code.DNS_NOT_FOUND: (
        "Check that the address is complete. If it is, ask your Alertcheck administrator to check the DNS of the "
        "Alertcheck server."
    ),
    Code.DNS_TEMPORARY: _LOOKUP,
    Code.DNS_TIMEOUT: _LOOKUP,
    Code.DEMO_RECEIVER_ONLY: (
        "Send another test from an installation that is not a demo, or ask your Alertcheck administrator to start the "
        "demo with ALERTCHECK_DEMO_REAL_RECEIVERS=1."
    ),
    Code.CONNECT_REFUSED: _BLOCKED,
    Code.CONNECT_TIMEOUT: _BLOCKED,
    Code.NETWORK_UNREACHABLE: _BLOCKED,
    Code.TLS_UNTRUSTED: _INTERCEPTED,
    Code.TLS_SELF_SIGNED: _INTERCEPTED,
    Code.TLS_INCOMPLETE_CHAIN: _INTERCEPTED,
    Code.TLS_HOSTNAME_MISMATCH: _IMPOSTOR,
    Code.TLS_EXPIRED: _IMPOSTOR,
    Code.TLS_NOT_YET_VALID: _IMPOSTOR,
    Code.TLS_FAILED: _IMPOSTOR,
    Code.CLIENT_CERTIFICATE_REQUIRED: _IMPOSTOR,
    Code.READ_TIMEOUT: _OUTAGE,
    Code.DEADLINE_EXCEEDED: _OUTAGE,
    Code.CONNECTION_CLOSED: _OUTAGE,
    Code.INVALID_RESPONSE: (
        f"{_CHECK_FIRST} If it keeps happening, ask your Alertcheck administrator whether a proxy answers in place of "
        "{service}."
    ),
    Code.REDIRECT_REFUSED: _COPY_AGAIN,
    Code.SIGN_IN_PAGE: (
        f"{_CHECK_FIRST} If it did not, copy the whole address again. {{get_address}} If that does not help, ask your "
        "Alertcheck administrator whether a proxy answers in place of {service}."
    ),
    Code.BAD_REQUEST: _COPY_AGAIN,
    Code.AUTH_FAILED: _COPY_AGAIN,
    Code.FORBIDDEN: _COPY_AGAIN,
    Code.NOT_FOUND: "{get_address}",
    Code.METHOD_NOT_ALLOWED: _COPY_AGAIN,
    Code.GONE: "{get_address}",
    Code.PAYLOAD_TOO_LARGE: (
        "A test message is smaller than 20 KB, which {service} accepts. Ask your Alertcheck administrator whether a "
        "proxy limits the size of requests."
    ),
    Code.RATE_LIMITED: "Send another test when the waiting time is over, or after a few minutes if none is named.",
    Code.REMOTE_UNAVAILABLE: (
        "Check {status_page}. Send another test when the waiting time is over, or later if none is named."
    ),
    Code.GATEWAY_GAVE_UP: _OUTAGE,
    Code.REMOTE_ERROR: _OUTAGE,
    Code.UNEXPECTED_STATUS: _OUTAGE,
    Code.REMOTE_REJECTED: _COPY_AGAIN,
}

# What a wrong server in the settings leads to, at a service whose server is a field of its own.
WRONG_SERVER = (
    Code.URL_INVALID,
    Code.SCHEME_NOT_ALLOWED,
    Code.PORT_NOT_ALLOWED,
    Code.HOST_NOT_EXPECTED,
    Code.REDIRECT_REFUSED,
    Code.NOT_FOUND,
    Code.METHOD_NOT_ALLOWED,
    Code.GONE,
)


def make_hints(service: str, look_in: str, status_page: str, get_address: str) -> dict[Code, str]:
    """Return the next steps that such services have in common.

    service: "Microsoft Teams". look_in: where messages are shown. status_page: where the service reports outages.
    get_address: how to get a new address, in whole sentences.
    """
    words = {"service": service, "look_in": look_in, "status_page": status_page, "get_address": get_address}
    return {code: hint.format_map(words) for code, hint in _HINTS.items()}


def make_server_hints(check_server: str, status_page: str) -> dict[Code, str]:
    """Return the next steps for a service whose server is a field of its own: they replace those about an address.

    check_server: which server is the right one, in whole sentences. status_page: as for `make_hints`.
    """
    lookup = "ask your Alertcheck administrator to check the DNS of the Alertcheck server"
    return {
        **dict.fromkeys(WRONG_SERVER, f"{check_server} If the server is right, check {status_page}."),
        Code.DNS_NOT_FOUND: f"{check_server} If the server is right, {lookup}.",
    }
