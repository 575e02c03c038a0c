"""The visits to a public demo: each visitor gets a workspace of their own, which is deleted after two hours."""
