"""Text that people and other programs write: names, and ids in URLs."""
