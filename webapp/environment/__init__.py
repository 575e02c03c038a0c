"""Reads settings from environment variables: the model behind every setting, its checks, and deprecated names."""
