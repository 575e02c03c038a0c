"""Opens a tunnel through an HTTP proxy to one network address (RFC 9110, 9.3.6)."""

import re
import socket

_MAX_HEAD = 8192
_SUCCESS = re.compile(rb"HTTP/1\.[01] 2[0-9]{2}[ \r\n]")


class TunnelRefused(Exception):
    """The proxy refused the tunnel, or its response is not valid HTTP."""


def open_tunnel(connection: socket.socket, address: str, port: int) -> None:
    """Turn a connection to a proxy into one to `address`. Raises `TunnelRefused`, or OSError if it breaks."""
    authority = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    connection.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode("ascii"))
    if not _SUCCESS.match(_read_head(connection)):
        raise TunnelRefused


def _read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)  # one at a time: the bytes after the head come from the receiver
        if not byte or len(head) >= _MAX_HEAD:
            raise TunnelRefused
        head += byte
    return head
