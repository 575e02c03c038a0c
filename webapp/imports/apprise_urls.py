"""Takes an Apprise URL apart. It is not a web address: a # may be a channel, and a : or an @ a part of a token.

Source: appriseit.com, "URL basics".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

# Characters of one URL.
MAX_URL = 8192

_URL = re.compile(r"(?P<schema>[A-Za-z0-9]{1,32})://(?P<location>[^?]*)(?:\?(?P<options>.*))?", re.DOTALL)
_PORT = re.compile(r"(?P<host>.*):(?P<port>[0-9]{1,5})", re.DOTALL)
_TELEGRAM_TOKEN = re.compile(r"(?:^|(?<=@))(?:bot)?(?P<number>[0-9]+)(?::|%3A)+", re.IGNORECASE)

# What an option's name begins with if it is a header, a part of the query or of the body.
_PREFIXES = "+-:"


@dataclass(frozen=True)
class AppriseUrl:
    """The parts of an Apprise URL, decoded. Secret, but for its schema.

    path: the parts between slashes. raw_path: as it is written, which a web address needs.
    options: by lower-case name. headers, query: the options that begin with + and -, by name.
    extras: whether there are options that begin with a colon, which change the body.
    """

    schema: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    host: str = field(default="", repr=False)
    port: str = ""
    path: tuple[str, ...] = field(default=(), repr=False)
    raw_path: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    extras: bool = False

    def get(self, *names: str) -> str:
        """Return the first of these options that has a value, or ""."""
        return next(filter(None, (self.options.get(name, "") for name in names)), "")

    @property
    def web_scheme(self) -> str:
        """The scheme of the requests to a server that the URL names."""
        return "https" if self.schema.endswith("s") else "http"

    @property
    def origin(self) -> str:
        """The host and the port, as a web address has them."""
        return f"{self.host}:{self.port}" if self.port else self.host


def parse_url(text: str) -> AppriseUrl | None:
    """Return the parts of an Apprise URL, or None if the text is none."""
    found = _URL.fullmatch(text.strip())
    if found is None or len(text) > MAX_URL:
        return None
    schema, location = found["schema"].lower(), found["location"]
    if schema == "tgram":  # the colon in the token does not begin a port
        location = _TELEGRAM_TOKEN.sub(r"\g<number>/", location, count=1)
    authority, slash, path = location.partition("/")
    authority, _, misplaced = authority.partition("&")  # mailto://user@example.com&pass=...
    credentials, _, server = authority.rpartition("@")
    user, _, password = credentials.partition(":")
    host, port = _split_port(server)
    named, headers, query, extras = _read_options("&".join(filter(None, (misplaced, found["options"]))))
    return AppriseUrl(
        schema,
        unquote(user),
        unquote(password),
        unquote(host),
        port,
        tuple(map(unquote, filter(None, path.split("/")))),
        slash + path,
        named,
        headers,
        query,
        extras,
    )


def _split_port(server: str) -> tuple[str, str]:
    found = _PORT.fullmatch(server)
    return (found["host"], found["port"]) if found else (server, "")


def _read_options(text: str) -> tuple[dict[str, str], dict[str, str], dict[str, str], bool]:
    """Return the plain options, the headers and the query, and whether the body is changed."""
    groups: dict[str, dict[str, str]] = {prefix: {} for prefix in ("", *_PREFIXES)}
    for pair in re.split("[&;]", text):
        name, _, value = pair.partition("=")
        name = unquote(name).strip()
        prefix = name[:1] if name[:1] in _PREFIXES else ""
        key = name[1:] if prefix else name.lower()
        if key:
            groups[prefix][key] = unquote(value).strip()
    return groups[""], groups["+"], groups["-"], bool(groups[":"])
