"""Where this program is installed: the folder of its assets, and how its commands are typed."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_INSTALLED_ASSETS = _PACKAGE / "_assets"


def find_assets() -> Path:
    """Return the folder that holds `templates`, `static` and `migrations`.

    An installed package contains them (see `package-dir` in pyproject.toml). In the source tree they are beside it.
    """
    return _INSTALLED_ASSETS if _INSTALLED_ASSETS.is_dir() else _PACKAGE.parent


# What sentences begin a command with: `alertcheck` exists only where the package is installed.
COMMAND = "alertcheck" if _INSTALLED_ASSETS.is_dir() else "flask --app wsgi"
