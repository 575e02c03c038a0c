"""The addresses at which people reach the pages: how they are read, and whether they fit together."""
