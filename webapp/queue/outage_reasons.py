"""Why the queue server cannot be used, in sentences that name the setting and the cure, and quote no value."""

from enum import StrEnum

from webapp.environment.url_parts import ENCODE


class QueueOutage(StrEnum):
    """Why the queue server cannot be used, and what to do: the rest of a sentence about the queue server."""

    AUTH_REFUSED = f"refuses the password in REDIS_URL: correct it. {ENCODE}"
    USER_REFUSED = (
        "refuses the user or the password in REDIS_URL: correct them, or add or enable this user on the server with"
        " ACL SETUSER"
    )
    AUTH_MISSING = "requires a password, and REDIS_URL has none: write REDIS_URL as redis://:PASSWORD@HOST:PORT/0"
    AUTH_UNEXPECTED = (
        "has no password, or another one than REDIS_URL: remove the password from REDIS_URL, or set it on the server"
    )
    NO_RIGHTS = (
        "does not give the user in REDIS_URL all rights that are needed: allow the keys and channels that begin with"
        " the prefix (REDIS_PREFIX), and the commands in docs/deploy.md"
    )
    WRONG_DATABASE = "has no database with the number in REDIS_URL: end REDIS_URL with a lower number, such as /0"
    UNKNOWN_HOST = "cannot be found, because DNS does not know the host in REDIS_URL: correct the name of the host"
    NO_DNS = "cannot be looked up: check the host in REDIS_URL, and that this machine reaches its DNS server"
    REFUSED = "refuses the connection: start it, and check the host and the port in REDIS_URL"
    NO_SOCKET = "has no socket at the path in REDIS_URL: start it, and check the path"
    FORBIDDEN_SOCKET = (
        "has a socket that this process must not use: set unixsocketperm on the server, or check the path in REDIS_URL"
    )
    UNREACHABLE = "cannot be reached over the network: check the host in REDIS_URL, the route and the firewall"
    TIMEOUT = (
        "does not respond in time: check that it runs, the host and the port in REDIS_URL, and the firewall; only a"
        " server with TLS needs rediss:// in REDIS_URL"
    )
    CLOSED = (
        "closes the connection: check the host and the port in REDIS_URL; a server with TLS needs rediss:// in"
        " REDIS_URL"
    )
    NOT_TLS = "does not use TLS on this port: write redis:// instead of rediss:// in REDIS_URL, or its port with TLS"
    NEEDS_TLS = "uses TLS on this port: write rediss:// instead of redis:// in REDIS_URL, or its port without TLS"
    UNTRUSTED = (
        "has a certificate from an authority that is not trusted: set ALERTCHECK_CA_FILE to the file with that"
        " authority's certificate, or with the server's own"
    )
    WRONG_NAME = (
        "has a certificate for another host: write a host in REDIS_URL that the certificate names, or renew the"
        " certificate"
    )
    EXPIRED = "has a certificate that has expired: renew it, or that of its authority in ALERTCHECK_CA_FILE"
    NOT_YET_VALID = (
        "has a certificate that is not valid yet: check the clocks of this machine and of the host in REDIS_URL"
    )
    BAD_CERTIFICATE = "has a certificate that cannot be accepted for the host in REDIS_URL: replace it on the server"
    CLIENT_CERTIFICATE = (
        "requires a client certificate: set tls-auth-clients no on the server, or add"
        " ?ssl_certfile=PATH&ssl_keyfile=PATH to REDIS_URL"
    )
    TLS_FAILED = "cannot agree on TLS 1.2 or later: check the port in REDIS_URL, and tls-protocols on the server"
    READ_ONLY = "accepts no changes, because it is a replica: REDIS_URL has to lead to the primary"
    NO_PRIMARY = "is a replica that has lost its primary: REDIS_URL has to lead to the primary"
    NO_REPLICAS = (
        "accepts no changes, because it has too few replicas: start them, or set min-replicas-to-write 0 on the server"
        " of REDIS_URL"
    )
    FULL = (
        "is full and accepts no writes: raise its maxmemory, delete other programs' data, or set REDIS_URL to another"
        " server"
    )
    LOADING = "is still loading its data: wait, and read its log if this does not end; REDIS_URL is right"
    CANNOT_SAVE = (
        "accepts no writes, because it cannot save to its disk: free space there, or set save '' on the server of"
        " REDIS_URL, since nothing in it needs saving"
    )
    CLUSTER = (
        "runs in cluster mode, which Alertcheck cannot use: REDIS_URL has to lead to a server with cluster-enabled no"
    )
    SENTINEL = "is a Sentinel: REDIS_URL has to lead to the server that it watches, which has another port"
    TOO_OLD = "is too old: REDIS_URL has to lead to Redis 6.2 or later, or to Valkey"
    TOO_MANY_CLIENTS = "has too many clients: raise its maxclients, or set REDIS_URL to another server"
    PROTECTED = (
        "accepts connections of its own machine only (protected mode): set a password on the server, and write it in"
        " REDIS_URL"
    )
    BUSY = "is busy with another program's script: wait, or set REDIS_URL to a server that Alertcheck does not share"
    NOT_REDIS = "responds, but not as Redis or Valkey does: check the host and the port in REDIS_URL"
    OTHER = "refuses a command: check that REDIS_URL leads to Redis 6.2 or later, or to Valkey, and read its log"

    @property
    def sentence(self) -> str:
        """The whole sentence."""
        return f"The queue server {self.value}."


class QueueUnavailable(Exception):
    """The queue server did not respond, or did not accept what it was sent. outage: why."""

    def __init__(self, outage: QueueOutage) -> None:
        super().__init__(outage.sentence)
        self.outage = outage
