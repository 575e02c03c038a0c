"""Reads the settings from the environment, and warns about names and authorities that need attention."""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from logging import getLogger

from webapp.encryption.settings_cipher import SettingsCipher
from webapp.environment.demo_hosts import VISITOR_MAIL_DOMAIN
from webapp.environment.deprecated_names import use_new_names
from webapp.environment.redis_prefix import derive_redis_prefix
from webapp.environment.settings_reader import PREFIX, Misconfigured, read_model, variables_of
from webapp.outbound import OutboundClient
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import Origin, read_url
from webapp.outbound.transport.certificate_authorities import describe_outdated
from webapp.receipt_links import ReceiptLinks
from webapp.settings.app_settings import AppSettings, Demo, DemoVisitors, SendLimits
from webapp.settings.demo_names import name_mail_server, name_receiver
from webapp.settings.private_receivers import list_own_servers
from webapp.settings.variables import SettingsModel

log = getLogger(__name__)

# Variables that the application does not read, but that are not misspelled settings either.
EXTERNAL_VARIABLES = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "WEB_ADDRESS",  # compose.yaml
        *("CHROMIUM", "NO_SKIP", "MODEL_RUNS", "REDIS_SERVER"),  # tests and benchmarks
    )
)
# With what the names of settings begin that other programs have no use for.
_PREFIXES = (PREFIX, "OIDC_")

# The names by which health checks on this machine reach the pages.
_DEMO_HOSTS = ("127.0.0.1", "localhost")
OWN_HOSTS = (*_DEMO_HOSTS, "::1")

# A visitor of a public demo has one workspace, with few destinations. All recipients are in the visitor's own inbox.
_VISITOR_LIMITS = SendLimits(per_member=20, per_workspace=20, per_target=20, per_recipient=20)


def read_settings(environ: Mapping[str, str] = os.environ) -> AppSettings:
    """Read every setting, and log a warning for each old or unknown name and each outdated authority.

    Raises `Misconfigured`.
    """
    renamed = use_new_names(environ)
    for warning in (*renamed.warnings, *_describe_unknown(renamed.environ)):
        log.warning("setting name needs attention", extra={"advice": warning})
    problems = (*renamed.problems, *_describe_path(renamed.environ))
    settings = read_model(SettingsModel, renamed.environ, problems)
    for warning in describe_outdated(settings.ca_file, datetime.now(UTC)):
        log.warning("certificate needs attention", extra={"advice": warning})
    if settings.allowed_networks and not settings.private_receivers.networks:
        advice = "ALERTCHECK_ALLOWED_NETWORKS has no effect: a public demo sends to its own receiver only."
        log.warning("setting needs attention", extra={"advice": advice})
    return _make_app_settings(settings, _find_own_servers(settings, renamed.environ))


def _find_own_servers(settings: SettingsModel, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts that no private receiver may be. Raises `Misconfigured` if they are needed but not known."""
    try:
        return list_own_servers(dict(settings), environ)
    except ValueError as reason:
        if settings.private_receivers.networks:
            raise Misconfigured(f"ALERTCHECK_ALLOWED_NETWORKS {reason}") from None
    return ()


def _describe_path(environ: Mapping[str, str]) -> list[str]:
    """Describe the path under which gunicorn would serve the pages, whose links lead to the root of the host."""
    if not environ.get("SCRIPT_NAME", "").strip(" /"):
        return []
    return [
        "SCRIPT_NAME has to be removed. Alertcheck needs a host name of its own, and cannot be served under a path."
    ]


def _describe_unknown(environ: Mapping[str, str]) -> list[str]:
    known = EXTERNAL_VARIABLES | set(variables_of(SettingsModel).values())
    unknown = sorted(name for name in environ.keys() - known if name.startswith(_PREFIXES) and environ[name].strip())
    return [f"{name} is not a setting, so it is ignored.{_suggest(name, known)}" for name in unknown]


def _suggest(name: str, known: frozenset[str]) -> str:
    """Suggest the nearest setting. The comparison ignores the prefix, which would make all names similar."""
    prefix = next(prefix for prefix in _PREFIXES if name.startswith(prefix))
    names = [other.removeprefix(prefix) for other in known if other.startswith(prefix)]
    nearest = get_close_matches(name.removeprefix(prefix), names, n=1)
    return f" Did you mean {prefix}{nearest[0]}?" if nearest else ""


def _make_app_settings(settings: SettingsModel, own_servers: tuple[str, ...]) -> AppSettings:
    is_public = _is_public_demo(settings)
    return AppSettings(
        secret_key=settings.secret_key,
        cipher=SettingsCipher(settings.config_keys_file or settings.config_keys, fingerprint_key=settings.secret_key),
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        redis_prefix=settings.redis_prefix or derive_redis_prefix(settings.secret_key),
        ca_file=settings.ca_file,
        outbound=_outbound(settings, own_servers),
        send_limits=_send_limits(settings),
        real_alert_retry_delays=settings.real_alert_waits,
        keep_deliveries=timedelta(days=settings.keep_deliveries_days) or None,
        keep_audit=timedelta(days=settings.keep_audit_days) or None,
        links=ReceiptLinks(settings.secret_key, settings.demo_url if is_public else settings.public_url),
        https=settings.https or is_public,
        hosts=_hosts(settings),
        proxies=max(settings.trusted_proxies, int(is_public)),
        single_sign_on=None if is_public else settings.make_single_sign_on(settings.public_url),
        ping_url=None if settings.demo_url else settings.ping_url,
        metrics_token=settings.metrics_token,
        demo=_demo(settings),
        private_receivers=settings.private_receivers,
        variables=tuple(sorted(variables_of(SettingsModel)[field] for field in settings.model_fields_set)),
    )


def _is_public_demo(settings: SettingsModel) -> bool:
    return settings.demo and settings.demo_url is not None


def _send_limits(settings: SettingsModel) -> SendLimits:
    if _is_public_demo(settings):
        return _VISITOR_LIMITS
    return SendLimits(
        per_member=settings.presses_per_member,
        per_workspace=settings.presses_per_workspace,
        per_target=settings.tests_per_target,
        per_recipient=settings.tests_per_recipient,
    )


def _outbound(settings: SettingsModel, own_servers: tuple[str, ...]) -> OutboundClient:
    demo, policy = _demo(settings), replace(settings.policy, own_servers=own_servers)
    client = OutboundClient(policy, settings.mail)
    if demo is None:
        return client
    policy = name_receiver(policy, settings.demo_receiver_https, settings.demo_ca_file)
    if demo.has_real_receivers:
        return replace(client, policy=policy)
    mail = settings.model_copy(update={"mail_url": settings.demo_receiver_smtp}).mail
    policy = replace(policy, demo_receiver=read_url(demo.receiver).origin)
    if demo.visitors is not None:
        policy = _close(policy, read_url(demo.receiver).origin)
    return OutboundClient(policy, name_mail_server(mail) if mail and demo.has_names else mail)


def _close(policy: Policy, receiver: Origin) -> Policy:
    """Leave nothing but the receiver: whatever else the administrator trusts, strangers must not reach it."""
    return replace(
        policy,
        trusted_origins=frozenset({receiver}),
        extra_hosts={},
        proxy=None,
        proxy_authorization=None,
        demo_mail_domain=VISITOR_MAIL_DOMAIN,
    )


def _hosts(settings: SettingsModel) -> tuple[str, ...]:
    if _is_public_demo(settings):
        return (read_url(settings.demo_url or "").host,)
    if settings.demo:  # it has no passwords, so it allows no other names
        return _DEMO_HOSTS
    return (*settings.allowed_hosts, *OWN_HOSTS) if settings.allowed_hosts else ()


def _demo(settings: SettingsModel) -> Demo | None:
    if not settings.demo or settings.demo_inbox is None or settings.demo_receiver_http is None:
        return None
    return Demo(
        settings.demo_inbox,
        settings.demo_receiver_http,
        settings.demo_signing_secret_file,
        settings.demo_real_receivers,
        settings.demo_receiver_https is not None,
        DemoVisitors(settings.demo_visitors, settings.demo_visitors_per_network) if settings.demo_url else None,
    )
