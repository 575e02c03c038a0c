"""The settings in the log line at the start: what is on, and never a secret or an address."""

import json

from tests.settings.test_reading import NEEDED
from webapp.settings import read_settings
from webapp.startup.settings_summary import summarize_settings

CANARY = {
    "DATABASE_URL": "postgres://canary:canary@canary.example/canary",
    "REDIS_URL": "rediss://canary:canary@canary.example/0",
    "ALERTCHECK_MAIL_URL": "smtps://canary:canary@canary.example",
    "ALERTCHECK_MAIL_FROM": "Canary <canary@canary.example>",
    "ALERTCHECK_EGRESS_PROXY": "http://canary:canary@canary.example:3128",
    "ALERTCHECK_PUBLIC_URL": "https://canary.example",
    "ALERTCHECK_ALLOWED_HOSTS": "canary.example, www.canary.example",
    "ALERTCHECK_TRUSTED_ORIGINS": "http://canary.lan",
    "ALERTCHECK_ALLOWED_NETWORKS": "canary=10.0.0.0/8,*=fd12::/16",
    "ALERTCHECK_TRUSTED_PROXIES": "1",
    "ALERTCHECK_HTTPS": "yes",
    "ALERTCHECK_METRICS_TOKEN": "canary-canary-canary",
    "ALERTCHECK_REAL_ALERT_WAITS": "60",
    "ALERTCHECK_DENIED_NETWORKS": "",
    "OIDC_ISSUER": "https://canary.example",
    "OIDC_CLIENT_ID": "canary",
    "OIDC_CLIENT_SECRET": "canary",
    "OIDC_ONLY": "1",
    "ALERTCHECK_CANARY": "not a setting",
}


def test_what_is_set_is_named_and_counted() -> None:
    summary = summarize_settings(read_settings(NEEDED | CANARY))

    assert str(summary.pop("settings")).split(", ") == sorted(
        {*NEEDED, *CANARY} - {"ALERTCHECK_DENIED_NETWORKS", "ALERTCHECK_CANARY"}
    )
    assert summary == {
        "database": "postgresql",
        "queue": "rediss",
        "mail": "smtps",
        "mail_sign_in": True,
        "https": True,
        "public_url": True,
        "allowed_hosts": 2,
        "trusted_proxies": 1,
        "egress_proxy": True,
        "trusted_origins": 1,
        "allowed_networks": 2,
        "real_alerts": True,
        "single_sign_on": True,
        "passwords": False,
        "ping": False,
        "metrics": True,
        "public_demo": False,
        "demo": False,
    }


def test_nothing_secret_is_in_it() -> None:
    assert "canary" not in json.dumps(summarize_settings(read_settings(NEEDED | CANARY))).lower()


def test_what_is_not_set_is_off() -> None:
    summary = summarize_settings(read_settings(NEEDED))

    assert summary["settings"] == "ALERTCHECK_CONFIG_KEYS, DATABASE_URL, REDIS_URL, SECRET_KEY"
    assert (summary["mail"], summary["https"], summary["allowed_hosts"], summary["egress_proxy"]) == (
        None,
        False,
        0,
        False,
    )
