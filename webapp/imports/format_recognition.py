"""Recognizes the format of a text and reads it as such. Nothing is looked up, opened, sent, checked or stored."""

import re
from collections.abc import Callable, Mapping

from webapp.environment.installed_program import COMMAND
from webapp.imports.alertcheck_export import VERSION_KEY, read_export
from webapp.imports.alertmanager import read_alertmanager
from webapp.imports.apprise import is_apprise_text, is_apprise_yaml, read_apprise_text, read_apprise_yaml
from webapp.imports.bounded_json import load_json
from webapp.imports.bounded_yaml import load_yaml
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile
from webapp.imports.file_limits import MAX_BYTES
from webapp.imports.file_values import Node, get_mapping
from webapp.imports.grafana import is_grafana, read_grafana

# How JSON begins. What else begins with a bracket is YAML.
_JSON = re.compile(r"\s*[\[{][\s\[{]*[\"\]}]")

_TOO_LARGE = f"The file is larger than {MAX_BYTES // 1024:,} KiB. Remove what is not about receivers."
_NOT_TEXT = "This is not a text file. Save it as UTF-8, and import it again."
_UNKNOWN = (
    "Alertcheck does not recognize the file. It reads an alertmanager.yml, Grafana's contact points, a list of Apprise "
    "URLs, and its own export."
)
_DATABASE = f"A kuma.db is imported on the command line only: {COMMAND} import kuma.db --workspace SLUG"
_KUBERNETES = "This is a Kubernetes object. Import the alertmanager.yml that is in it, decoded, as a file of its own."
_TERRAFORM = "This is a file of Terraform. In Grafana, export the contact points as YAML or JSON."
_TERRAFORM_START = re.compile(r"^resource[ \t]+\"grafana_", re.MULTILINE)


def decode_file(content: bytes) -> str:
    """Return the text of an uploaded file: UTF-8, or UTF-16 with a byte order mark. Raises `FileUnreadable`."""
    if len(content) > 2 * MAX_BYTES:
        raise FileUnreadable(_TOO_LARGE)
    is_utf_16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError:
        problem = _NOT_TEXT
    # Outside of the handler, because the decoder's error contains the file.
    raise FileUnreadable(problem)


def read_file(text: str, file_format: FileFormat | None = None) -> FoundFile:
    """Return what a file contains. file_format: None to recognize it. Raises `FileUnreadable`, and nothing else."""
    clean = _clean(text)
    if file_format is FileFormat.UPTIME_KUMA:
        raise FileUnreadable(_DATABASE)
    if _is_apprise_list(clean, file_format):
        return read_apprise_text(clean)
    if _TERRAFORM_START.search(clean):
        raise FileUnreadable(_TERRAFORM)
    root = _load(clean)
    return _READERS[file_format or _recognize(root)](root)


def _is_apprise_list(text: str, file_format: FileFormat | None) -> bool:
    if file_format is None:
        return is_apprise_text(text)
    return file_format is FileFormat.APPRISE and not is_apprise_yaml(text)


def _clean(text: str) -> str:
    """Return the text without its byte order mark. Raises `FileUnreadable` for what is too long or no text."""
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        raise FileUnreadable(_TOO_LARGE)
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise FileUnreadable(_NOT_TEXT)
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if not clean.strip():
        raise FileUnreadable("The file is empty.")
    return clean


def _load(text: str) -> Node:
    return load_json(text) if _JSON.match(text) else load_yaml(text)


def _recognize(root: Node) -> FileFormat:
    keys = set(get_mapping(root))
    if VERSION_KEY in keys:
        return FileFormat.ALERTCHECK
    if is_grafana(root):
        return FileFormat.GRAFANA
    if "urls" in keys:
        return FileFormat.APPRISE
    if keys & {"receivers", "route", "global"}:
        return FileFormat.ALERTMANAGER
    raise FileUnreadable(_KUBERNETES if {"apiVersion", "kind"} <= keys else _UNKNOWN)


_READERS: Mapping[FileFormat, Callable[[Node], FoundFile]] = {
    FileFormat.ALERTCHECK: read_export,
    FileFormat.APPRISE: read_apprise_yaml,
    FileFormat.ALERTMANAGER: read_alertmanager,
    FileFormat.GRAFANA: read_grafana,
}
