"""Reads an HTTP answer up to where its body begins, within a fixed size, before anything else looks at it."""

import re
from http.client import BadStatusLine, HTTPException, LineTooLong
from io import BufferedReader

from webapp.outbound.transport.limits import MAX_HEAD

# RFC 9112, section 4. `int()`, which http.client asks, takes signs, underscores and leading zeros as well.
_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([1-9][0-9]{2})[ \r\n]")
_BLANK = frozenset({b"\r\n", b"\n"})
_SWITCHING_PROTOCOLS = 101


def read_head(answer: BufferedReader) -> bytes:
    """Return the final status line and its headers, the blank line included; interim answers are left out.

    Raises `HTTPException` if it is no HTTP, holds a bare CR or is longer than `MAX_HEAD` with the interim answers.
    """
    left = MAX_HEAD
    while True:
        status, block = _read_block(answer, left)
        left -= len(block)
        # After 101 no other answer follows (RFC 9110, section 15.2.2).
        if status >= 200 or status == _SWITCHING_PROTOCOLS:
            return block


def _read_block(answer: BufferedReader, most: int) -> tuple[int, bytes]:
    line = _read_line(answer, most)
    found = _STATUS_LINE.match(line)
    if found is None:
        raise BadStatusLine("no status line")
    block = bytearray(line)
    while line not in _BLANK:
        line = _read_line(answer, most - len(block))
        block += line
    return int(found[1]), bytes(block)


def _read_line(answer: BufferedReader, most: int) -> bytes:
    line = answer.readline(most + 1)
    if len(line) > most:
        raise LineTooLong("header block")
    # Python's mail parser, which http.client gives the headers to, ends a line at a bare CR as well.
    if b"\r" in line.removesuffix(b"\n").removesuffix(b"\r"):
        raise HTTPException("a bare CR in the header block")
    return line
