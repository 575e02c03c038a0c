"""Finds what is no Python: templates, static files and migrations."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def find_assets() -> Path:
    """Return the folder that holds `templates`, `static` and `migrations`.

    An installed package holds them (see `package-dir` in pyproject.toml); in the source tree they are beside it.
    """
    installed = PACKAGE / "_assets"
    return installed if installed.is_dir() else PACKAGE.parent
