"""Limits the size of a request: a form is small, and a file that is imported may be larger."""

from io import BytesIO
from typing import IO, Any

from flask import Flask, Request, request

from webapp.imports.file_limits import MAX_BYTES

# Bytes of a form that submits a file, or completes what was found in one: a file, and the rest of the form.
IMPORT_LIMIT = MAX_BYTES + 64 * 1024

# Bytes. The proxies of docs/proxies.md pass on no larger body.
LARGEST_PASSED_ON, LARGEST_FILE_PASSED_ON = 128 * 1024, 2 * MAX_BYTES


class UploadRequest(Request):
    """A request whose uploaded files stay in memory: on a disk, even a deleted file keeps what was secret in it."""

    def _get_file_stream(self, *_arguments: Any, **_facts: Any) -> IO[bytes]:
        return BytesIO()


def init_request_limits(app: Flask) -> None:
    """Set the limit before anything reads the request."""
    app.request_class = UploadRequest
    app.before_request_funcs.setdefault(None, []).insert(0, _set_limit)


def is_import() -> bool:
    """Return whether the request is one for the pages that import files."""
    return request.blueprint == "imports"


def find_largest_passed_on() -> int:
    """Return how many bytes of a body that is too large are read, so that the connection can be used again."""
    return LARGEST_FILE_PASSED_ON if is_import() else LARGEST_PASSED_ON


def _set_limit() -> None:
    if is_import():
        request.max_content_length = request.max_form_memory_size = IMPORT_LIMIT
