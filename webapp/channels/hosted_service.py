"""Next steps for a service that its provider runs: nobody but the provider can mend its servers and certificates."""

from webapp.failures import Code


def make_hints(service: str, look_in: str, status_page: str, get_address: str) -> dict[Code, str]:
    """Return the next steps that such services have in common.

    service: "Microsoft Teams". look_in: where messages are shown. status_page: where the service reports outages.
    get_address: how to get a new address, in whole sentences.
    """
    ask = "ask your Alertcheck administrator"
    check_first = f"Check in {look_in} whether the message arrived before you send another test."
    blocked = f"Check {status_page}. If {service} works, {ask} whether a firewall keeps the Alertcheck server from it."
    intercepted = (
        f"Something between the Alertcheck server and {service} seems to open encrypted connections, like a firewall "
        f"or a proxy. To trust it, {ask} to set ALERTCHECK_CA_FILE."
    )
    impostor = (
        f"Check {status_page}. If {service} works, {ask} to check the clock of the Alertcheck server, and whether a "
        f"firewall or a proxy answers in place of {service}."
    )
    lookup = f"Send another test in a minute. If it keeps happening, {ask} to check the DNS of the Alertcheck server."
    outage = f"{check_first} If it keeps happening, check {status_page}."
    copy_again = f"Copy the whole address again. {get_address}"
    return {
        Code.URL_INVALID: copy_again,
        Code.SCHEME_NOT_ALLOWED: copy_again,
        Code.PORT_NOT_ALLOWED: copy_again,
        Code.HOST_NOT_EXPECTED: (
            "Check that the type of the destination matches its address. For a receiver of your own, add a destination "
            "of type Webhook."
        ),
        Code.TARGET_NOT_ALLOWED: (
            f"{ask[0].upper()}{ask[1:]} why the DNS of the Alertcheck server has a private address for this host."
        ),
        Code.CONFIG_INCOMPLETE: f"Enter the address in the settings of the destination. {get_address}",
        Code.DNS_NOT_FOUND: f"Check that the address is complete. If it is, {ask} to check the DNS of the server.",
        Code.DNS_TEMPORARY: lookup,
        Code.DNS_TIMEOUT: lookup,
        Code.CONNECT_REFUSED: blocked,
        Code.CONNECT_TIMEOUT: blocked,
        Code.NETWORK_UNREACHABLE: blocked,
        Code.TLS_UNTRUSTED: intercepted,
        Code.TLS_SELF_SIGNED: intercepted,
        Code.TLS_INCOMPLETE_CHAIN: intercepted,
        Code.TLS_HOSTNAME_MISMATCH: impostor,
        Code.TLS_EXPIRED: impostor,
        Code.TLS_NOT_YET_VALID: impostor,
        Code.TLS_FAILED: impostor,
        Code.CLIENT_CERTIFICATE_REQUIRED: impostor,
        Code.READ_TIMEOUT: outage,
        Code.DEADLINE_EXCEEDED: outage,
        Code.CONNECTION_CLOSED: outage,
        Code.INVALID_RESPONSE: f"{check_first} If it keeps happening, {ask} whether a proxy answers in its place.",
        Code.REDIRECT_REFUSED: copy_again,
        Code.SIGN_IN_PAGE: f"{check_first} If it did not, copy the whole address again. {get_address}",
        Code.BAD_REQUEST: copy_again,
        Code.AUTH_FAILED: copy_again,
        Code.FORBIDDEN: copy_again,
        Code.NOT_FOUND: get_address,
        Code.METHOD_NOT_ALLOWED: copy_again,
        Code.GONE: get_address,
        Code.PAYLOAD_TOO_LARGE: (
            f"A test message is smaller than 28 KB, which {service} accepts. {ask[0].upper()}{ask[1:]} whether a proxy "
            "limits the size of requests."
        ),
        Code.REMOTE_UNAVAILABLE: (
            f"Check {status_page}. Send another test when the waiting time is over, or later if none is named."
        ),
        Code.GATEWAY_GAVE_UP: outage,
        Code.REMOTE_ERROR: outage,
        Code.UNEXPECTED_STATUS: outage,
        Code.REMOTE_REJECTED: copy_again,
    }
