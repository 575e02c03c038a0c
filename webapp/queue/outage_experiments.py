"""Finds by experiment why the queue server cannot be used, where the error alone does not show it.

Each experiment is one more connection with the time limits of a client that fails fast. No password is sent over a
connection that the URL does not ask for.
"""

import socket
import ssl
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from redis.exceptions import RedisError

from webapp.outbound.transport.client_certificates import TlsSocket, is_certificate_rejection, record_requests
from webapp.queue.connection import CONNECT_TIMEOUT, connect
from webapp.queue.outage_classification import classify
from webapp.queue.outage_reasons import QueueOutage

# Redis and Valkey before this version lack commands that Alertcheck uses. Valkey reports the version it replaces.
OLDEST_VERSION = (6, 2)


def explain(error: RedisError, redis_url: str, ca_file: str | None) -> QueueOutage:
    """Return why a command failed, after an experiment if its error leaves that open."""
    outage = classify(error, redis_url)
    is_encrypted = redis_url.startswith("rediss://")
    match outage:
        case QueueOutage.TIMEOUT if is_encrypted:
            return QueueOutage.NOT_TLS if _responds_plainly(redis_url) else outage
        case QueueOutage.CLOSED | QueueOutage.TLS_FAILED if is_encrypted:
            return QueueOutage.CLIENT_CERTIFICATE if _requests_certificate(redis_url) else outage
        case QueueOutage.CLOSED if redis_url.startswith("redis://"):
            return QueueOutage.NEEDS_TLS if _requests_certificate(redis_url) is not None else outage
        case QueueOutage.OTHER:
            return _find_in_first_database(redis_url, ca_file) or outage
    return outage


def find_misfit(server: dict[str, Any]) -> QueueOutage | None:
    """Return why Alertcheck cannot use a server that reports this about itself (INFO server)."""
    mode = server.get("redis_mode") or server.get("server_mode")
    if mode in ("cluster", "sentinel"):
        return QueueOutage.CLUSTER if mode == "cluster" else QueueOutage.SENTINEL
    version = str(server.get("redis_version", "")).split(".")[:2]
    is_old = all(map(str.isdecimal, version)) and tuple(map(int, version)) < OLDEST_VERSION
    return QueueOutage.TOO_OLD if is_old else None


def _find_in_first_database(redis_url: str, ca_file: str | None) -> QueueOutage | None:
    """Ask the server about itself without selecting a database, and in the protocol that old versions know too."""
    with closing(connect(_without_database(redis_url), ca_file, protocol=2)) as client:
        try:
            misfit = find_misfit(client.info("server"))
        except RedisError as error:
            again = classify(error, redis_url)
            return None if again is QueueOutage.OTHER else again
    return misfit or (QueueOutage.WRONG_DATABASE if _options(redis_url).get("db") else None)


def _without_database(redis_url: str) -> str:
    parts = urlsplit(redis_url)
    query = urlencode([(name, text) for name, text in parse_qsl(parts.query) if name not in ("db", "protocol")])
    path = parts.path if parts.scheme == "unix" else ""
    return f"{parts.scheme}://{parts.netloc}{path}{query and '?'}{query}"


def _responds_plainly(redis_url: str) -> bool:
    """Return whether a server replies to an unencrypted PING, be it by an error."""
    try:
        with _open(redis_url) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(1) in (b"+", b"-")
    except OSError:
        return False


def _requests_certificate(redis_url: str) -> bool | None:
    """Return whether a server asks for a client certificate in a TLS handshake; None if it does not use TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent after the handshake
    record_requests(context)
    encrypted = None
    try:
        with _open(redis_url) as connection:
            encrypted = context.wrap_socket(connection, do_handshake_on_connect=False)
            encrypted.do_handshake()
    except OSError as error:
        if not is_certificate_rejection(error, encrypted):
            return None
    finally:
        if encrypted is not None:
            encrypted.close()
    return isinstance(encrypted, TlsSocket) and encrypted.client_certificate_requested


def _open(redis_url: str) -> socket.socket:
    options = _options(redis_url)
    address = options.get("host", "localhost"), options.get("port", 6379)
    return socket.create_connection(address, CONNECT_TIMEOUT)


def _options(redis_url: str) -> dict[str, Any]:
    """Return what redis-py reads in a URL."""
    options: dict[str, Any] = connect(redis_url).connection_pool.connection_kwargs
    return options
