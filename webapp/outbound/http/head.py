"""Reads and checks the head of an HTTP response, within a fixed size, before any library parses it."""

import re
from http.client import BadStatusLine, HTTPException, LineTooLong
from io import BufferedReader

# Bytes before the body of a response, including interim responses. A longer head is an invalid response.
MAX_HEAD = 32 * 1024

# RFC 9112, section 4. http.client uses `int()`, which also accepts signs, underscores and leading zeros.
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})[ \r\n]")
_BLANK = frozenset({b"\r\n", b"\n"})
_SWITCHING_PROTOCOLS = 101


def read_head(stream: BufferedReader) -> bytes:
    """Return the final status line and its headers, including the blank line. Skips interim responses.

    Raises `HTTPException` if this is not HTTP, contains a bare CR, or exceeds `MAX_HEAD` with interim responses.
    """
    left = MAX_HEAD
    while True:
        status, block = _read_block(stream, left)
        left -= len(block)
        # No other response follows a 101 (RFC 9110, section 15.2.2).
        if status >= 200 or status == _SWITCHING_PROTOCOLS:
            return block


def _read_block(stream: BufferedReader, limit: int) -> tuple[int, bytes]:
    line = _read_line(stream, limit)
    found = _STATUS_LINE.match(line)
    if found is None:
        raise BadStatusLine("no status line")
    block = bytearray(line)
    while line not in _BLANK:
        line = _read_line(stream, limit - len(block))
        block += line
    return int(found[1]), bytes(block)


def _read_line(stream: BufferedReader, limit: int) -> bytes:
    line = stream.readline(limit + 1)
    if len(line) > limit:
        raise LineTooLong("header block")
    # http.client parses headers with Python's mail parser, which also ends a line at a bare CR.
    if b"\r" in line.removesuffix(b"\n").removesuffix(b"\r"):
        raise HTTPException("a bare CR in the header block")
    return line
