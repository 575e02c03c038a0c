"""The views of the demo: its sign-in without a password, the panel, the inbox, and the visits to a public demo."""
