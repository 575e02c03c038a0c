"""Who uses the outbound client of no workspace: whoever sends for a workspace needs `outbound_for` instead."""

import re
from pathlib import Path

import webapp

# Modules that send for the installation, or read what is the same for all workspaces.
OF_NO_WORKSPACE = {
    "demo/places.py",
    "demo/supervisor/preloading.py",
    "account_mail/requesting.py",
    "instance/installation_state.py",
    "settings_check/network_checks.py",
    "settings_check/private_receiver_checks.py",
    "single_sign_on/provider.py",
    "startup/settings_summary.py",
    "views/instance_mail.py",
    "worker/account_mails.py",
    "worker/supervisor.py",
}
_USE = re.compile(r"(?:settings|settings\(\))\.outbound\b")


def test_only_what_belongs_to_no_workspace_uses_the_outbound_client_of_none() -> None:
    root = Path(webapp.__file__).parent
    users = {str(file.relative_to(root)) for file in root.rglob("*.py") if _USE.search(file.read_text())}
    assert users == OF_NO_WORKSPACE
