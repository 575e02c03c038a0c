"""The proxy through which messages leave the network, as the setting describes it."""

from base64 import b64encode
from dataclasses import dataclass, field

from webapp.environment.url_parts import find_scheme, split_url
from webapp.failures import DeliveryFailed
from webapp.outbound.policy.urls import Origin, read_url


@dataclass(frozen=True)
class EgressProxy:
    """authorization: the value of Proxy-Authorization (RFC 7617), or None. It is sent to the proxy and nowhere else."""

    origin: Origin
    authorization: str | None = field(default=None, repr=False)


def read_egress_proxy(url: str) -> EgressProxy:
    """Read `http://host:port`, optionally with `user:password@`. Raises ValueError with the rest of a sentence."""
    scheme = find_scheme(url)
    if scheme != "http":
        reason = "; messages are encrypted inside the tunnel anyway" if scheme == "https" else ""
        raise ValueError(f"takes http://host:port, such as http://proxy.lan:3128{reason}.")
    parts = split_url(url)
    if parts.tail.strip("/"):
        raise ValueError("takes http://host:port, such as http://proxy.lan:3128, without a path.")
    port = "" if parts.port is None else f":{parts.port}"
    try:
        origin = read_url(f"http://{parts.host}{port}").origin
    except DeliveryFailed:
        raise ValueError("takes http://host:port, such as http://proxy.lan:3128; its host is not valid.") from None
    return EgressProxy(origin, _authorize(parts.username, parts.password))


def _authorize(username: str | None, password: str | None) -> str | None:
    if username is None:
        return None
    if not username or not password or ":" in username:
        raise ValueError("takes both a user name without a colon and a password, or neither.")
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode('ascii')}"
