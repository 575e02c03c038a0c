"""Which settings are on: facts for the log line at the start of a process, without a secret, an address or a name."""

from webapp.settings import OWN_HOSTS, AppSettings


def summarize_settings(app_settings: AppSettings) -> dict[str, str | int | bool | None]:
    """Return the names of the variables that are set, and what they switch on. Connects to nothing."""
    outbound = app_settings.outbound
    return {
        "settings": ", ".join(app_settings.variables),
        "database": app_settings.database_url.partition(":")[0],
        "queue": app_settings.redis_url.partition(":")[0],
        "mail": outbound.mail.security.scheme if outbound.mail else None,
        "mail_sign_in": outbound.mail is not None and outbound.mail.username is not None,
        "https": app_settings.https,
        "public_url": app_settings.links.public_url is not None,
        "allowed_hosts": len(set(app_settings.hosts).difference(OWN_HOSTS)),
        "trusted_proxies": app_settings.proxies,
        "egress_proxy": outbound.policy.proxy is not None,
        "trusted_origins": len(outbound.policy.trusted_origins),
        "allowed_networks": sum(map(len, app_settings.private_receivers.networks.values())),
        "real_alerts": bool(app_settings.real_alert_retry_delays),
        "single_sign_on": app_settings.single_sign_on is not None,
        "passwords": app_settings.are_passwords_allowed,
        "ping": app_settings.ping_url is not None,
        "metrics": app_settings.metrics_token is not None,
        "demo": app_settings.demo is not None,
        "public_demo": app_settings.is_public_demo,
    }
