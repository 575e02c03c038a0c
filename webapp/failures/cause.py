"""The closed list of causes that are finer than a failure code. They change the sentence only."""

from enum import StrEnum


class Cause(StrEnum):
    """Why something failed, where the sentence of the code alone would not be true for every case."""

    NO_TRUSTED_CHAIN = "no_trusted_chain"
    AUTHORITY_EXPIRED = "authority_expired"
    AUTHORITY_NOT_YET_VALID = "authority_not_yet_valid"
    CHAIN_EXPIRED = "chain_expired"
    CHAIN_NOT_YET_VALID = "chain_not_yet_valid"
    WEAK_CERTIFICATE = "weak_certificate"
    REVOKED = "revoked"
    WRONG_PURPOSE = "wrong_purpose"
    BAD_SIGNATURE = "bad_signature"
    NOT_PERMITTED = "not_permitted"
    UNVERIFIABLE = "unverifiable"
    OLD_TLS = "old_tls"
    WEAK_ENCRYPTION = "weak_encryption"
    NO_SECURE_RENEGOTIATION = "no_secure_renegotiation"
    HANDSHAKE_REFUSED = "handshake_refused"
    NAME_REFUSED = "name_refused"
    NOT_TLS = "not_tls"
    HANDSHAKE_CLOSED = "handshake_closed"
    HANDSHAKE_SILENT = "handshake_silent"
    SERVER_ERROR = "server_error"
    NO_ADDRESS = "no_address"
    PROXY_UNREACHABLE = "proxy_unreachable"
    PROXY_SIGN_IN = "proxy_sign_in"
    PROXY_PASSWORD = "proxy_password"  # noqa: S105 - the name of a cause
    PROXY_REFUSED = "proxy_refused"
    WEB_PAGE = "web_page"
    GROUP_UPGRADED = "group_upgraded"
    NO_ACTIVE_DEVICE = "no_active_device"
    TEAMS_CONNECTOR = "teams_connector"
    OPSGENIE = "opsgenie"
    OWN_SERVER_UNKNOWN = "own_server_unknown"
