"""How this program uses its database: engines, the limits of web requests, and what an error of the database means."""
