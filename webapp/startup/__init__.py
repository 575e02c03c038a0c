"""What a process logs when it starts: which settings are on, and why the database cannot be used."""
