"""Our own dead man's switch: requests an address regularly, so that somebody notices when no worker works."""
