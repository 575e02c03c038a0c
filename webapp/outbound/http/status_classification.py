"""Maps an HTTP status to a failure code.

Sources: RFC 9110 and 6585; Cloudflare's 5xx errors; nginx's 494 to 499; 463 and 464 of AWS load balancers. A gateway
that gave up may have passed the message on. A gateway that could not reach the service behind it, and a server that
refuses a request, have not. Of 525 to 530, Cloudflare says the latter, but others use them too; 598 and 599 are the
time limits of some proxies.
"""

from webapp.failures import Code

_CODES = {
    302: Code.SIGN_IN_PAGE,
    303: Code.SIGN_IN_PAGE,
    304: Code.UNEXPECTED_STATUS,  # leads nowhere
    400: Code.BAD_REQUEST,
    401: Code.AUTH_FAILED,
    402: Code.FORBIDDEN,  # the provider wants to be paid first
    403: Code.FORBIDDEN,
    404: Code.NOT_FOUND,
    405: Code.METHOD_NOT_ALLOWED,
    406: Code.METHOD_NOT_ALLOWED,
    407: Code.AUTH_FAILED,  # from a proxy in front of the receiver; ours answers before there is a connection
    408: Code.GATEWAY_GAVE_UP,  # also sent when the service behind a gateway is slow
    410: Code.GONE,
    411: Code.METHOD_NOT_ALLOWED,
    412: Code.BAD_REQUEST,
    413: Code.PAYLOAD_TOO_LARGE,
    414: Code.BAD_REQUEST,
    415: Code.METHOD_NOT_ALLOWED,
    417: Code.BAD_REQUEST,
    419: Code.FORBIDDEN,  # Laravel: the address expects a token of its own pages
    421: Code.NOT_FOUND,  # the server is not set up for this host name
    422: Code.BAD_REQUEST,
    423: Code.FORBIDDEN,
    425: Code.REMOTE_UNAVAILABLE,  # RFC 8470: not processed, and a repetition is welcome
    426: Code.METHOD_NOT_ALLOWED,
    428: Code.BAD_REQUEST,
    429: Code.RATE_LIMITED,
    431: Code.BAD_REQUEST,
    440: Code.AUTH_FAILED,  # IIS: the sign-in has expired
    451: Code.FORBIDDEN,
    463: Code.BAD_REQUEST,
    464: Code.METHOD_NOT_ALLOWED,  # what is behind it accepts HTTP/2 only
    494: Code.BAD_REQUEST,
    495: Code.CLIENT_CERTIFICATE_REQUIRED,
    496: Code.CLIENT_CERTIFICATE_REQUIRED,
    499: Code.GATEWAY_GAVE_UP,
    501: Code.METHOD_NOT_ALLOWED,
    502: Code.GATEWAY_GAVE_UP,
    503: Code.REMOTE_UNAVAILABLE,
    504: Code.GATEWAY_GAVE_UP,
    505: Code.METHOD_NOT_ALLOWED,
    511: Code.NETWORK_UNREACHABLE,  # from a network that wants a sign-in first, in place of the receiver
    520: Code.GATEWAY_GAVE_UP,
    521: Code.REMOTE_UNAVAILABLE,
    522: Code.REMOTE_UNAVAILABLE,
    523: Code.REMOTE_UNAVAILABLE,
    524: Code.GATEWAY_GAVE_UP,
    525: Code.GATEWAY_GAVE_UP,
    526: Code.GATEWAY_GAVE_UP,
    527: Code.GATEWAY_GAVE_UP,
    530: Code.GATEWAY_GAVE_UP,
    598: Code.GATEWAY_GAVE_UP,
    599: Code.GATEWAY_GAVE_UP,
}
_CODES_BY_CLASS = {3: Code.REDIRECT_REFUSED, 5: Code.REMOTE_ERROR}


def classify_status(status: int) -> Code | None:
    """Return the failure code of an HTTP status, or None for any 2xx."""
    if 200 <= status < 300:
        return None
    return _CODES.get(status) or _CODES_BY_CLASS.get(status // 100, Code.UNEXPECTED_STATUS)
