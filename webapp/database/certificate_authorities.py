"""Names the authorities that may vouch for a PostgreSQL server whose certificate has to be verified."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_VERIFYING = ("verify-ca", "verify-full")

# Where PostgreSQL's client looks by itself.
_DEFAULT_FILE = Path("~/.postgresql/root.crt")


def find_authorities(
    query: Mapping[str, Any], ca_file: str | None, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the option that names the administrator's file of authorities, or nothing if it must not be set.

    query: the options in DATABASE_URL. Without a mode that verifies, the file would silently turn verifying on. A file
    that is named for PostgreSQL alone comes first. The client takes one file, so public authorities do not count too.
    """
    mode = query.get("sslmode") or environ.get("PGSSLMODE")
    if ca_file is None or mode not in _VERIFYING or "sslrootcert" in query or environ.get("PGSSLROOTCERT"):
        return {}
    return {} if _has_default_file() else {"sslrootcert": ca_file}


def _has_default_file() -> bool:
    try:
        return _DEFAULT_FILE.expanduser().exists()
    except (OSError, RuntimeError):  # no home, or one that this user may not enter
        return False
