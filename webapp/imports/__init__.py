"""Imports destinations from the configuration files of other tools. Reading a file connects to nothing."""
