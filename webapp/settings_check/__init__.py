"""`check-settings`: tries all that the settings name, each part by itself."""
