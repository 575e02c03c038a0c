"""Judges from which page a form was sent, by what the browser says about it.

A header counts if it is there: at least one must name our own page, and none may contradict it. So a form is accepted
without `Referer`, which privacy tools and company proxies remove, if `Origin` or `Sec-Fetch-Site` proves the same.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from webapp.auth.form_refusals import FormRefusal

_DEFAULT_PORTS = {"http": 80, "https": 443}

# A host name or an address, and a port. Anything else, such as a list, names no page.
_AUTHORITY = re.compile(r"(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class PageOrigin:
    """Scheme, host and port of a page."""

    scheme: str
    host: str
    port: int | None

    @classmethod
    def read(cls, url: str) -> "PageOrigin | None":
        """Return the origin of an address, or None if it has none."""
        try:
            parts = urlsplit(url)
            port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            return None
        if not parts.scheme or not parts.hostname or not _AUTHORITY.fullmatch(parts.netloc):
            return None
        return cls(parts.scheme, parts.hostname, port)


def find_origin(headers: Headers) -> PageOrigin | None:
    """Return the origin of the page that the browser shows, or None if no header names it."""
    return PageOrigin.read(headers.get("Origin") or headers.get("Referer") or "")


def judge_origin(headers: Headers, here: str, public_url: str | None) -> FormRefusal | None:
    """Return why a form does not certainly come from our own page, or None if it does.

    here: the origin at which the request arrived. public_url: the origin that the administrator set.
    """
    texts = [text for text in (headers.get("Origin"), headers.get("Referer")) if text]
    site = headers.get("Sec-Fetch-Site")
    if headers.get("Origin") == "null":
        return FormRefusal.ORIGIN_HIDDEN
    if _is_list(headers.get("Origin") or ""):
        return FormRefusal.OTHER_SITE
    if not texts and not site:
        return FormRefusal.ORIGIN_MISSING
    if site and site != "same-origin":
        return FormRefusal.OTHER_SITE
    pages, ours = list(map(PageOrigin.read, texts)), PageOrigin.read(here)
    known = {page for page in pages if page}
    if None in pages or ours is None:
        return FormRefusal.OTHER_SITE
    return _compare(known, ours, PageOrigin.read(public_url or ""), is_own_page=site == "same-origin")


def _is_list(origin: str) -> bool:
    """Check for several origins in one header. One alone has no path; the rest of a list would be read as its path."""
    return not set("/?#").isdisjoint(origin.partition("://")[2])


def _compare(
    pages: set[PageOrigin], here: PageOrigin, public: PageOrigin | None, is_own_page: bool
) -> FormRefusal | None:
    """Distinguish a proxy that hides the address from another site. is_own_page: by `Sec-Fetch-Site`."""
    if pages <= {here}:
        return None
    page = pages.pop()
    if pages:  # the headers contradict each other
        return FormRefusal.OTHER_SITE
    if page.host == here.host and page.scheme != here.scheme:
        return FormRefusal.SCHEME_DIFFERS
    if here == public and not is_own_page:  # the proxy passes on the host
        return FormRefusal.OTHER_SITE
    return FormRefusal.HOST_NOT_PASSED
