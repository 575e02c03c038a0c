"""The closed list of failure codes, and what is known of each."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The values of `alert_deliveries.last_error_code`."""

    URL_INVALID = "url_invalid"
    SCHEME_NOT_ALLOWED = "scheme_not_allowed"
    PORT_NOT_ALLOWED = "port_not_allowed"
    HOST_NOT_EXPECTED = "host_not_expected"
    TARGET_NOT_ALLOWED = "target_not_allowed"
    DEMO_RECEIVER_ONLY = "demo_receiver_only"
    CONFIG_INCOMPLETE = "config_incomplete"
    CONFIG_UNREADABLE = "config_unreadable"
    RECIPIENT_INVALID = "recipient_invalid"
    DNS_NOT_FOUND = "dns_not_found"
    DNS_TEMPORARY = "dns_temporary"
    DNS_TIMEOUT = "dns_timeout"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    NETWORK_UNREACHABLE = "network_unreachable"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_SELF_SIGNED = "tls_self_signed"
    TLS_INCOMPLETE_CHAIN = "tls_incomplete_chain"
    TLS_HOSTNAME_MISMATCH = "tls_hostname_mismatch"
    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    TLS_FAILED = "tls_failed"
    CLIENT_CERTIFICATE_REQUIRED = "client_certificate_required"
    READ_TIMEOUT = "read_timeout"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    CONNECTION_CLOSED = "connection_closed"
    INVALID_RESPONSE = "invalid_response"
    REDIRECT_REFUSED = "redirect_refused"
    SIGN_IN_PAGE = "sign_in_page"
    BAD_REQUEST = "bad_request"
    AUTH_FAILED = "auth_failed"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    GONE = "gone"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    RATE_LIMITED = "rate_limited"
    REMOTE_UNAVAILABLE = "remote_unavailable"
    GATEWAY_GAVE_UP = "gateway_gave_up"
    REMOTE_ERROR = "remote_error"
    UNEXPECTED_STATUS = "unexpected_status"
    REMOTE_REJECTED = "remote_rejected"
    SMTP_TEMPORARY = "smtp_temporary"
    SMTP_INTERRUPTED = "smtp_interrupted"
    SMTP_HOST_REFUSED = "smtp_host_refused"
    SMTP_WRONG_PORT = "smtp_wrong_port"
    SMTP_ENCRYPTION_REQUIRED = "smtp_encryption_required"
    SMTP_SIGN_IN_REQUIRED = "smtp_sign_in_required"
    SMTP_APP_PASSWORD_REQUIRED = "smtp_app_password_required"  # noqa: S105 - not a password
    SMTP_DISABLED_BY_TENANT = "smtp_disabled_by_tenant"
    SMTP_RELAY_DENIED = "smtp_relay_denied"
    SMTP_SENDER_NOT_OWNED = "smtp_sender_not_owned"
    MAILBOX_FULL = "mailbox_full"
    SMTP_AUTH_FAILED = "smtp_auth_failed"
    SMTP_AUTH_UNAVAILABLE = "smtp_auth_unavailable"
    SMTP_TLS_UNAVAILABLE = "smtp_tls_unavailable"
    SMTP_PROTOCOL = "smtp_protocol"
    SENDER_REFUSED = "sender_refused"
    RECIPIENTS_REFUSED = "recipients_refused"
    MESSAGE_REFUSED = "message_refused"
    QUEUE_UNAVAILABLE = "queue_unavailable"
    NOT_STARTED = "not_started"
    WORKER_LOST = "worker_lost"
    DESTINATION_DISABLED = "destination_disabled"
    DESTINATION_DELETED = "destination_deleted"
    DESTINATION_CHANGED = "destination_changed"
    SUPERSEDED = "superseded"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True)
class Meaning:
    """What one code means. The sentence has placeholders for safe facts, such as `{host}` and `{status}`.

    next_step: the general one; a channel's `hints` replace it in the words of the service's own screens.
    may_retry: nothing was delivered, and another attempt may succeed.
    may_have_arrived: the receiver may have taken the message, so it is not sent again.
    """

    sentence: str
    next_step: str
    may_retry: bool = False
    may_have_arrived: bool = False
