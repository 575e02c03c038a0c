"""Mails to people about their accounts: requested in a web request, sent by a worker, at most once."""
