"""Asks an HTTP proxy for a tunnel to one network address (RFC 9110, 9.3.6)."""

import re
import socket

_MAX_HEAD = 8192
_YES = re.compile(rb"HTTP/1\.[01] 2[0-9]{2}[ \r\n]")


class TunnelRefused(Exception):
    """The proxy said no, or something that is not HTTP."""


def open_tunnel(connection: socket.socket, address: str, port: int) -> None:
    """Turn a connection to a proxy into one to `address`. Raises `TunnelRefused`, or OSError when it breaks."""
    authority = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    connection.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode("ascii"))
    if not _YES.match(_read_head(connection)):
        raise TunnelRefused


def _read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)  # one at a time: what follows the head belongs to the far end already
        if not byte or len(head) >= _MAX_HEAD:
            raise TunnelRefused
        head += byte
    return head
