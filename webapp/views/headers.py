"""Sets the security headers of every response."""

from flask import Flask, Response

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",  # Pico's small icons are data URLs
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}

# Whoever knows the URL of a page with a token in its path may use it, so the URL must not spread.
PRIVATE_HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}

NO_STORE = "no-store"
NO_STORE_NO_TRANSFORM = "no-store, no-transform"


def init_headers(app: Flask) -> None:
    """Set the headers on every response. Only static files may be cached, and nobody may rewrite a page or fragment.

    Cloudflare, for one, replaces email addresses with a script, which does not run in a fragment that htmx swaps in.
    """
    always = HEADERS | (STRICT_TRANSPORT if app.config["SESSION_COOKIE_SECURE"] else {})

    @app.after_request
    def set_headers(response: Response) -> Response:
        headers = response.headers
        own = {name.lower() for name, _ in headers}
        headers.extend([(name, value) for name, value in always.items() if name.lower() not in own])
        if "cache-control" not in own:
            headers.add("Cache-Control", NO_STORE if response.mimetype != "text/html" else NO_STORE_NO_TRANSFORM)
        return response
