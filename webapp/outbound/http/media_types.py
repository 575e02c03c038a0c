"""Names the media type of a response from a closed list: a receiver could repeat our secret address in the header."""

KINDS = frozenset(
    {"application", "audio", "font", "image", "message", "model", "multipart", "text", "video"}
)  # RFC 6838, section 4.2
KNOWN = frozenset(
    {
        "application/grpc",
        "application/javascript",
        "application/json",
        "application/octet-stream",
        "application/pdf",
        "application/problem+json",
        "application/problem+xml",
        "application/soap+xml",
        "application/vnd.api+json",
        "application/x-www-form-urlencoded",
        "application/xhtml+xml",
        "application/xml",
        "application/zip",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/svg+xml",
        "multipart/form-data",
        "text/css",
        "text/csv",
        "text/event-stream",
        "text/html",
        "text/javascript",
        "text/json",
        "text/markdown",
        "text/plain",
        "text/xml",
    }
)


def name_media_type(header: str | None) -> str | None:
    """Return the type that Content-Type declares if it is well known, else only its kind. None without a header."""
    media_type = (header or "").partition(";")[0].partition(",")[0].strip().lower()
    if not media_type:
        return None
    kind = media_type.partition("/")[0]
    if media_type in KNOWN:
        return media_type
    return f"another {kind} type" if "/" in media_type and kind in KINDS else "an unknown type"
