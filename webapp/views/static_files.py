"""Serves the static files, under addresses that browsers keep for ever.

The folder of an address is a digest of all files: `/static/<digest>/app.js`. The relative imports of a script stay in
that folder, so a page gets all its files from one version.
"""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request

from webapp.views.icons import SHEET, Icons, compose_sheet, draw_icons, read_symbols

IMMUTABLE = "public, max-age=31536000, immutable"

# For an address without the digest, or with that of another version, whose page may ask during an upgrade.
REVALIDATED = "no-cache"

_DIGITS = 16
_DIGEST = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")

# Bytes from which compression saves a packet.
_WORTH_COMPRESSING = 1000


@dataclass(frozen=True)
class StaticFile:
    """A file as it was when the process started, so that its digest stays true while an upgrade replaces it."""

    content: bytes
    mimetype: str

    @cached_property
    def etag(self) -> str:
        """Return the digest of the file alone."""
        return hashlib.sha256(self.content).hexdigest()[:_DIGITS]

    @cached_property
    def compressed(self) -> bytes:
        """Return the file compressed with gzip, or as it is if that saves nothing. Computed at the first request."""
        if len(self.content) < _WORTH_COMPRESSING:
            return self.content
        return min(gzip.compress(self.content, mtime=0), self.content, key=len)


@dataclass(frozen=True)
class StaticFiles:
    """All static files by their names, the elements of the icons, and a digest of all files together."""

    files: dict[str, StaticFile]
    icons: Icons
    digest: str

    def find(self, path: str) -> tuple[StaticFile, bool] | None:
        """Return the file at a path below `/static/`, and whether its address has the digest; None if there is none."""
        folder, _, name = path.partition("/")
        file = self.files.get(name if _DIGEST.fullmatch(folder) else path)
        return None if file is None else (file, folder == self.digest)


def init_static_files(app: Flask) -> None:
    """Serve the files, let `url_for` name their addresses with the digest, and let templates draw icons."""
    static = load_static_files(Path(app.static_folder or ""))

    @app.url_defaults
    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["filename"] = f"{static.digest}/{values['filename']}"

    def serve(filename: str) -> Response:
        file, has_digest = static.find(filename) or abort(404)
        return _respond(file, IMMUTABLE if has_digest else REVALIDATED)

    app.view_functions["static"] = serve
    app.jinja_env.globals["icon"] = static.icons.__getitem__


@lru_cache
def load_static_files(folder: Path) -> StaticFiles:
    """Read all files of a folder, and add the style sheet of the icons."""
    files = {file.relative_to(folder).as_posix(): _read(file) for file in sorted(folder.rglob("*")) if file.is_file()}
    icons = read_symbols((folder / "icons.svg").read_text()) if "icons.svg" in files else {}
    icons |= {file.stem: file.read_text() for file in sorted(folder.glob("vendor/*/*.svg"))}
    files[SHEET] = StaticFile(compose_sheet(icons).encode(), "text/css")
    digest = hashlib.sha256("".join(f"{name} {file.etag}\n" for name, file in files.items()).encode())
    return StaticFiles(files, draw_icons(icons), digest.hexdigest()[:_DIGITS])


def _read(file: Path) -> StaticFile:
    return StaticFile(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "text/plain")


def _respond(file: StaticFile, cache_control: str) -> Response:
    is_compressed = request.accept_encodings.quality("gzip") > 0 and len(file.compressed) < len(file.content)
    response = Response(file.compressed if is_compressed else file.content, mimetype=file.mimetype)
    response.headers["Cache-Control"] = cache_control
    response.vary.add("Accept-Encoding")
    if is_compressed:
        response.content_encoding = "gzip"
    response.set_etag(f"{file.etag}-gzip" if is_compressed else file.etag)
    response.make_conditional(request)
    return response
