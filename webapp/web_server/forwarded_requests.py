"""Reads a visitor's address and scheme from the headers of the proxies that the administrator counts, and no others."""

from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from webapp.extensions import UNKNOWN_CLIENT, identify_client
from webapp.web_server.advice import Advice, AdviceLog
from webapp.web_server.request_address import PROBES

_ADDRESSES, _SCHEMES = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"

# Headers in which a proxy names one visitor. Alertcheck reads none of them, but they reveal a proxy.
_OTHER_ADDRESSES = (
    *("HTTP_X_REAL_IP", "HTTP_CF_CONNECTING_IP", "HTTP_TRUE_CLIENT_IP", "HTTP_X_CLIENT_IP", "HTTP_X_AZURE_CLIENTIP"),
    *("HTTP_FASTLY_CLIENT_IP", "HTTP_FLY_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_X_ORIGINAL_FORWARDED_FOR"),
)
_SIGNS_OF_A_PROXY = (_ADDRESSES, _SCHEMES, *_OTHER_ADDRESSES, "HTTP_FORWARDED", "HTTP_X_FORWARDED_HOST")


class ForwardedRequests:
    """WSGI middleware that sets REMOTE_ADDR and the scheme, and logs what the number of proxies does not fit.

    proxies: how many of them the administrator counts. https: whether people open the pages over https.
    """

    def __init__(self, app: WSGIApplication, proxies: int, https: bool, advice: AdviceLog) -> None:
        self.app = app
        self.proxies = proxies
        self.https = https
        self.advice = advice

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle a request. A probe reveals nothing: it comes from this machine or a load balancer, for no visitor."""
        addresses = _split(environ.get(_ADDRESSES, ""))
        if self.proxies:
            self._read_headers(environ, addresses)
        if environ.get("PATH_INFO") not in PROBES:
            for problem in self._find_problems(environ, addresses):
                self.advice.report(problem, trusted_proxies=self.proxies)
        return self.app(environ, start_response)

    def _read_headers(self, environ: WSGIEnvironment, addresses: list[str]) -> None:
        if len(addresses) >= self.proxies:
            environ["REMOTE_ADDR"] = addresses[-self.proxies]
        schemes = _split(environ.get(_SCHEMES, "").lower())
        # Most proxies replace this header instead of adding to it, so there may be fewer schemes than proxies.
        scheme = schemes[-min(self.proxies, len(schemes))] if schemes else ""
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme

    def _find_problems(self, environ: WSGIEnvironment, addresses: list[str]) -> Iterator[Advice]:
        is_https = environ["wsgi.url_scheme"] == "https"
        if not self.proxies:
            # Without a proxy, gunicorn serves no https, and knows every visitor's address.
            if (self.https and not is_https) or not environ.get("REMOTE_ADDR") or _shows_proxy(environ):
                yield Advice.PROXY_NOT_COUNTED
            return
        yield from self._check_addresses(environ, addresses)
        if self.https != is_https:
            yield Advice.NOT_HTTPS if self.https else Advice.HTTPS_OFF

    def _check_addresses(self, environ: WSGIEnvironment, addresses: list[str]) -> Iterator[Advice]:
        if len(addresses) < self.proxies:
            yield Advice.TOO_FEW_ADDRESSES if addresses else Advice.NO_ADDRESS
            return
        client = identify_client(environ["REMOTE_ADDR"])
        if client == UNKNOWN_CLIENT:
            yield Advice.UNREADABLE_ADDRESS
        if len(addresses) > self.proxies or _names_another(environ, client):
            yield Advice.MORE_ADDRESSES


def _split(text: str) -> list[str]:
    """Return the values, empty ones too: a visitor must not move into the place of what a proxy wrote."""
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _shows_proxy(environ: WSGIEnvironment) -> bool:
    return any(environ.get(name) for name in _SIGNS_OF_A_PROXY)


def _names_another(environ: WSGIEnvironment, client: str) -> bool:
    named = [environ[name] for name in _OTHER_ADDRESSES if name in environ]
    return any(identify_client(address.strip()) != client for address in named)
