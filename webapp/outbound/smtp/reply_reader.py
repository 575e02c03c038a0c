"""Reads a mail server's replies line by line, and limits their length."""

from io import BufferedReader

# Bytes of one line. RFC 5321, section 4.5.3.1.5, allows 512.
MAX_LINE = 1000

# Bytes of one reply, over all its lines. smtplib has no limit.
MAX_REPLY = 64 * 1024


class ReplyTooLong(ValueError):
    """A line or a reply of the server exceeds its limit."""


class ReplyReader(BufferedReader):
    """The file that smtplib reads replies from, in place of a plain file around the socket."""

    _left = MAX_REPLY

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line. Raises `ReplyTooLong`; smtplib would report an OSError as a lost connection."""
        line = super().readline(MAX_LINE + 1)
        self._left -= len(line)
        if len(line) > MAX_LINE or self._left < 0:
            raise ReplyTooLong
        if line[3:4] != b"-":  # the last line of its reply (RFC 5321, section 4.2.1)
            self._left = MAX_REPLY
        return line
