"""Encryption of destination settings at rest: the cipher and its keys."""
