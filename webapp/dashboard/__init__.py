"""Computes what the pages show: the status fragment, the overview, recent results, and the diagnosis."""
