"""Connections to receivers: DNS, TCP, TLS, proxies, and the deadline over all of them."""
