"""Views: each loads through access, calls one use case, enqueues, and renders."""
