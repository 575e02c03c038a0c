"""Checks of what messages need on their way out: the mail server, the DNS, and the proxy."""

from webapp.app_state import current_settings
from webapp.channels import CHANNELS
from webapp.failures import Cause, Code, DeliveryFailed
from webapp.outbound import OutboundClient, check_mail_server
from webapp.settings_check.finding import Finding, Severity

# A public host that channels send to.
PUBLIC_HOST = next(host for channel in CHANNELS.values() for host in channel.hosts or () if not host.startswith("*"))
# What the proxy is asked for if the DNS does not know that host: a public resolver, which offers https too.
PUBLIC_ADDRESS = "1.1.1.1"

_AUTHORITY = "Add its authority to ALERTCHECK_CA_FILE, or have the mail server use a certificate of a public one."
_SIGN_IN = "Correct the user name and the password in ALERTCHECK_MAIL_URL."
_MAIL_CURES = {
    **dict.fromkeys((Code.TLS_UNTRUSTED, Code.TLS_SELF_SIGNED, Code.TLS_INCOMPLETE_CHAIN), _AUTHORITY),
    **dict.fromkeys((Code.SMTP_AUTH_FAILED, Code.SMTP_APP_PASSWORD_REQUIRED), _SIGN_IN),
}
_CHECK_MAIL_URL = "Check ALERTCHECK_MAIL_URL: the scheme, the host and the port."


def check_mail() -> list[Finding]:
    """Sign in to the mail server, and send nothing."""
    server = current_settings().outbound.mail
    if server is None:
        text = "ALERTCHECK_MAIL_URL is not set: tests of email destinations fail."
        return [Finding("mail", Severity.NOTE, text)]
    try:
        check_mail_server(server)
    except DeliveryFailed as failure:
        cure = _MAIL_CURES.get(failure.code, _CHECK_MAIL_URL)
        return [Finding("mail", Severity.PROBLEM, f"{failure.message} {cure}")]
    sign_in = "the sign-in" if server.username else "the connection, without a sign-in"
    return [Finding("mail", Severity.OK, f"The mail server accepts {sign_in}.")]


def check_dns() -> list[Finding]:
    """Look up a public host."""
    outbound = current_settings().outbound
    if outbound.policy.demo_receiver:
        return [Finding("dns", Severity.NOTE, "Not checked: the demo sends to its own receiver only.")]
    try:
        outbound.look_up(PUBLIC_HOST)
    except DeliveryFailed as failure:
        text = f"{failure.message} Messages to public hosts fail. Check the DNS servers of this machine or container."
        # An installation without a way to the internet may send to its trusted origins only.
        return [Finding("dns", Severity.NOTE if outbound.policy.trusted_origins else Severity.PROBLEM, text)]
    return [Finding("dns", Severity.OK, f"{PUBLIC_HOST} is found.")]


def check_egress_proxy() -> list[Finding]:
    """Open a tunnel to a public host, and send nothing through it."""
    outbound = current_settings().outbound
    if outbound.policy.proxy is None or outbound.policy.demo_receiver:
        return []
    try:
        target = _choose_target(outbound)
        outbound.try_connection(target)
    except DeliveryFailed as failure:
        return [_describe_proxy_failure(failure)]
    return [Finding("proxy", Severity.OK, f"The proxy connects to {target}.")]


def _choose_target(outbound: OutboundClient) -> str:
    try:
        outbound.look_up(PUBLIC_HOST)
    except DeliveryFailed:
        return PUBLIC_ADDRESS
    return PUBLIC_HOST


def _describe_proxy_failure(failure: DeliveryFailed) -> Finding:
    if failure.facts.cause is Cause.PROXY_REFUSED:
        return Finding("proxy", Severity.NOTE, f"{failure.message} The proxy may allow other hosts only.")
    return Finding("proxy", Severity.PROBLEM, failure.message)
