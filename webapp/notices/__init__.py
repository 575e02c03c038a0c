"""Tells the members of a workspace when a destination stops working, and when it works again."""
