"""Why the database cannot be used, for visitors and for administrators, and what to do about it."""

from enum import Enum, StrEnum

from webapp.environment.installed_program import COMMAND

RUN_UPGRADE = f"run {COMMAND} db upgrade"


def describe_database(predicate: str) -> str:
    """Return the sentence about the database with this predicate."""
    return f"The database {predicate}."


class Outage(StrEnum):
    """Why the database cannot be used, until something outside this program changes. As visitors are told."""

    READ_ONLY = "read only"
    FULL = "full"
    NOT_MIGRATED = "not migrated"
    NOT_PERMITTED = "not permitted"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


class Reason(Enum):
    """The same, as administrators are told. predicate: the rest of a sentence about the database, without a full stop.

    It ends with the cure, and quotes no error: that may contain names, addresses and, in a URL, a password.
    """

    outage: Outage
    predicate: str

    def __init__(self, outage: Outage, predicate: str) -> None:
        self.outage = outage
        self.predicate = predicate

    @property
    def sentence(self) -> str:
        """The whole sentence."""
        return describe_database(self.predicate)

    UNREACHABLE = Outage.UNREACHABLE, "is not available: check that it runs at the host and port in DATABASE_URL"
    UNKNOWN_HOST = (
        Outage.UNREACHABLE,
        "is on a host that this machine cannot find: correct the host in DATABASE_URL, or the DNS of this machine",
    )
    NO_SOCKET = (
        Outage.UNREACHABLE,
        "has no socket on this machine: start PostgreSQL, or correct the host in DATABASE_URL (without one, this "
        "machine is meant)",
    )
    REFUSED = (
        Outage.UNREACHABLE,
        "accepts no connections at the host and port in DATABASE_URL: start PostgreSQL, let it listen there "
        "(listen_addresses), or correct DATABASE_URL",
    )
    NO_ROUTE = (
        Outage.UNREACHABLE,
        "cannot be reached from the network of this machine: check the host in DATABASE_URL, and the routes to it",
    )
    SILENT = (
        Outage.UNREACHABLE,
        "does not respond in time: check that it runs at the host and port in DATABASE_URL, and that no firewall or "
        "pooler holds connections up",
    )
    CLOSED = (
        Outage.UNREACHABLE,
        "closed the connection: check that PostgreSQL runs at the host and port in DATABASE_URL, and read its log",
    )
    NOT_POSTGRESQL = (
        Outage.UNREACHABLE,
        "is not PostgreSQL: another service is at the host and port in DATABASE_URL. Correct them",
    )
    STARTING = Outage.UNREACHABLE, "is starting or stopping: wait, or read the log of PostgreSQL"
    SERVER_ERROR = Outage.UNREACHABLE, "has an error of its own: read the log of the server that DATABASE_URL names"

    WRONG_PASSWORD = (
        Outage.UNREACHABLE,
        "refuses the user or the password: correct them in DATABASE_URL, and in the pooler if there is one",
    )
    NO_PASSWORD = (
        Outage.UNREACHABLE,
        "asks for a password: add it to DATABASE_URL, after the user and a colon",
    )
    WRONG_USER = (
        Outage.UNREACHABLE,
        "does not know the user: correct it in DATABASE_URL, or create it (CREATE ROLE ... LOGIN)",
    )
    NO_LOGIN = Outage.UNREACHABLE, "does not let the user in DATABASE_URL sign in: run ALTER ROLE ... LOGIN"
    PEER = (
        Outage.UNREACHABLE,
        "compares the user in DATABASE_URL with that of this process: name the host 127.0.0.1 and a password in "
        "DATABASE_URL, or change pg_hba.conf",
    )
    NO_DATABASE = (
        Outage.UNREACHABLE,
        "does not exist on the server: create it (CREATE DATABASE), or correct its name in DATABASE_URL",
    )
    NO_CONNECT = (
        Outage.UNREACHABLE,
        "does not let the user in DATABASE_URL connect: run GRANT CONNECT ON DATABASE, or correct the user",
    )
    NO_PRIVILEGE = (
        Outage.NOT_PERMITTED,
        "does not let the user in DATABASE_URL use the tables: use the user that ran the migrations, or grant rights",
    )
    NOT_LISTED = (
        Outage.UNREACHABLE,
        "does not allow this machine, the user and the database in DATABASE_URL: add a line for them to pg_hba.conf",
    )
    SIGN_IN_REFUSED = (
        Outage.UNREACHABLE,
        "refuses the connection: check user, password and name of the database in DATABASE_URL, and read the log of "
        "PostgreSQL",
    )

    TLS_REQUIRED = (
        Outage.UNREACHABLE,
        "allows no unencrypted connection from this machine: add sslmode=require to DATABASE_URL, or a line for this "
        "machine, user and database to pg_hba.conf",
    )
    TLS_UNSUPPORTED = (
        Outage.UNREACHABLE,
        "does not support TLS, which sslmode in DATABASE_URL requires: turn on ssl there, or remove sslmode if the "
        "network is private",
    )
    TLS_FAILED = (
        Outage.UNREACHABLE,
        "cannot be reached with TLS: check sslmode in DATABASE_URL, and that the server allows TLS 1.2 or later",
    )
    UNTRUSTED = (
        Outage.UNREACHABLE,
        "has a certificate that cannot be verified: name the file of its authority in ALERTCHECK_CA_FILE, or in "
        "sslrootcert in DATABASE_URL, and check that the certificate has not expired",
    )
    WRONG_NAME = (
        Outage.UNREACHABLE,
        "has a certificate for another name: use a name in it as the host in DATABASE_URL, or sslmode=verify-ca",
    )
    NO_AUTHORITIES = (
        Outage.UNREACHABLE,
        "has a certificate to be verified, and there is no file of authorities: set ALERTCHECK_CA_FILE, or correct "
        "sslrootcert in DATABASE_URL",
    )
    BAD_AUTHORITIES = (
        Outage.UNREACHABLE,
        "has a certificate to be verified, and the file of authorities cannot be read: correct ALERTCHECK_CA_FILE, or "
        "sslrootcert in DATABASE_URL",
    )
    CLIENT_CERTIFICATE = (
        Outage.UNREACHABLE,
        "asks for a client certificate: name its files by sslcert and sslkey in DATABASE_URL, and let only the user of "
        "this process read the key",
    )
    BAD_OPTIONS = (
        Outage.UNREACHABLE,
        "cannot be opened with the options in DATABASE_URL: correct the port, and what follows the question mark",
    )
    POOLER_OPTIONS = (
        Outage.UNREACHABLE,
        "is behind a pooler that refuses an option in DATABASE_URL: remove it, or add it to ignore_startup_parameters "
        "of the pooler",
    )
    POOLER = (
        Outage.UNREACHABLE,
        "is behind a pooler that cannot use PostgreSQL: read the log of the pooler that DATABASE_URL names",
    )

    BUSY = Outage.BUSY, "is busy: it is locked, or has no free connection"
    TOO_MANY = (
        Outage.BUSY,
        "has no free connection: raise max_connections of PostgreSQL, or the limit of the user, database or pooler in "
        "DATABASE_URL, or run fewer processes",
    )
    POOLER_BUSY = (
        Outage.BUSY,
        "is behind a pooler with no free connection to PostgreSQL: check that PostgreSQL runs, or raise pool_size of "
        "the pooler",
    )
    READ_ONLY = (
        Outage.READ_ONLY,
        "accepts no changes: it is read-only. Let DATABASE_URL name the primary server, or turn off "
        "default_transaction_read_only",
    )
    STANDBY = (
        Outage.READ_ONLY,
        "accepts no changes: it is a standby. Let DATABASE_URL name the primary server, or all servers with "
        "target_session_attrs=read-write",
    )
    READ_ONLY_FILE = (
        Outage.READ_ONLY,
        "accepts no changes: let the user of this process write the file in DATABASE_URL, and its folder",
    )
    FULL = Outage.FULL, "has no space left: free space on the disk that holds it"
    NOT_MIGRATED = Outage.NOT_MIGRATED, f"is not migrated: {RUN_UPGRADE}"
    CANNOT_OPEN = (
        Outage.UNREACHABLE,
        "cannot be opened: create the folder of the file in DATABASE_URL, and let the user of this process write there",
    )
    DAMAGED = (
        Outage.UNREACHABLE,
        "is not a sound SQLite file: correct the path in DATABASE_URL, or restore a backup",
    )
