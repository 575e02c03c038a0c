"""The addresses at which people reach the pages, as the settings name them."""
