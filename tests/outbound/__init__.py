"""Tests of the outbound client, with real sockets on the loopback and hostile receivers."""
