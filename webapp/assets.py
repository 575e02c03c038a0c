"""Locates the files that are not Python code: templates, static files and migrations."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def find_assets() -> Path:
    """Return the folder that holds `templates`, `static` and `migrations`.

    An installed package contains them (see `package-dir` in pyproject.toml). In the source tree they are beside it.
    """
    installed = PACKAGE / "_assets"
    return installed if installed.is_dir() else PACKAGE.parent
