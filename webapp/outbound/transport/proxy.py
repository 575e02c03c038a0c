"""Opens a tunnel through an HTTP proxy to one network address (RFC 9110, 9.3.6)."""

import re
import socket

_MAX_HEAD = 8192
_SUCCESS = re.compile(rb"HTTP/1\.[01] 2[0-9]{2}[ \r\n]")
_SIGN_IN = re.compile(rb"HTTP/1\.[01] 407[ \r\n]")


class TunnelRefused(Exception):
    """The proxy refused the tunnel, or its response is not valid HTTP."""


class SignInRefused(TunnelRefused):
    """The proxy asks for a user name and a password (407), or does not accept those that it got."""


def open_tunnel(connection: socket.socket, address: str, port: int, authorization: str | None) -> None:
    """Turn a connection to a proxy into one to `address`. Raises `TunnelRefused`, or OSError if it breaks.

    authorization: the value of Proxy-Authorization, or None.
    """
    authority = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    lines += [f"Proxy-Authorization: {authorization}"] if authorization else []
    connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii"))
    head = _read_head(connection)
    if _SIGN_IN.match(head):
        raise SignInRefused
    if not _SUCCESS.match(head):
        raise TunnelRefused


def _read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)  # one at a time: the bytes after the head come from the receiver
        if not byte or len(head) >= _MAX_HEAD:
            raise TunnelRefused
        head += byte
    return head
