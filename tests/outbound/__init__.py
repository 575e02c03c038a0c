"""Tests of the way out: real sockets on the loopback, and far ends that mean harm."""
