"""Ends, resumes and requeues deliveries that no worker moves on, for the worker's parent and for pages."""
