"""Reads the receivers of an alertmanager.yml."""

from collections.abc import Iterator, Mapping

from webapp.imports.alertmanager_kinds import GLOBAL_KEYS, KINDS, SERVICE_KEY_UNSUPPORTED, SLACK_APP_UNSUPPORTED
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile, FoundReceiver
from webapp.imports.file_limits import MAX_NODES, check_count, count_nodes
from webapp.imports.file_values import Node, get_list, get_mapping, get_mappings, get_text
from webapp.imports.http_config import get_value, note_connection, note_credentials, read_http_config
from webapp.imports.pagerduty_server import set_server
from webapp.imports.receiver_draft import Draft, Kind, find_kind, name_receivers, note_unused, refuse
from webapp.text.counting import count
from webapp.text.names import MAX_NAME_LENGTH, clean_name

_SUFFIX = "_configs"

# Values of the block `global`, which count once for each configuration of a receiver, because each gets all of them.
MAX_DEFAULTS = 4 * MAX_NODES

# Keys that have no effect on where a message goes, and that are not worth a word.
_SILENT = frozenset(("http_config", "send_resolved", "max_alerts", "timeout"))


def read_alertmanager(tree: Node) -> FoundFile:
    """Return the receivers of a configuration. Raises `FileUnreadable`."""
    root = get_mapping(tree)
    if not isinstance(root.get("receivers"), list):
        raise FileUnreadable("The file has no list of receivers. Import the alertmanager.yml that has receivers.")
    defaults = get_mapping(root.get("global"))
    receivers = list(get_mappings(root["receivers"]))
    configs = sum(1 for receiver in receivers for _ in _list_configs(receiver))
    check_count(configs)
    if configs * count_nodes(root.get("global")) > MAX_DEFAULTS:
        raise FileUnreadable("The block global has too many values. Remove what is not about receivers.")
    found = [each for index, receiver in enumerate(receivers) for each in _read_receiver(receiver, index, defaults)]
    return FoundFile(FileFormat.ALERTMANAGER, tuple(found), tuple(_describe_rest(root, receivers)))


def _list_configs(receiver: Mapping[str, Node]) -> Iterator[tuple[str, Mapping[str, Node]]]:
    for key, configs in receiver.items():
        if key.endswith(_SUFFIX):
            yield from ((key, get_mapping(config)) for config in get_list(configs))


def _read_receiver(receiver: Mapping[str, Node], index: int, defaults: Mapping[str, Node]) -> Iterator[FoundReceiver]:
    configs = [(_get_kind(key), key, config) for key, config in _list_configs(receiver)]
    name = get_text(receiver.get("name")) or f"Receiver {index + 1}"
    names = name_receivers(name, [kind.label for kind, _, _ in configs])
    for each, (kind, key, config) in zip(names, configs, strict=True):
        yield _read_config(each, kind, config, _get_defaults(key, config, defaults))


def _get_kind(key: str) -> Kind:
    return KINDS.get(key) or find_kind({}, key.removesuffix(_SUFFIX))


def _get_defaults(key: str, config: Mapping[str, Node], defaults: Mapping[str, Node]) -> dict[str, Node]:
    """Return what the block `global` adds to a receiver's settings. Each value may be in a file of its own."""
    added: dict[str, Node] = {"http_config": defaults.get("http_config")}
    for own, general in GLOBAL_KEYS.get(key, {}).items():
        if not config.get(own) and f"{own}_file" not in config:
            added |= {own: defaults.get(general)}
            added |= {f"{own}_file": value for name, value in defaults.items() if name == f"{general}_file"}
    if key == "slack_configs" and not _has(config, "app_token"):
        added |= {name.removeprefix("slack_"): value for name, value in defaults.items() if "slack_app_token" in name}
    return added


def _has(config: Mapping[str, Node], key: str) -> bool:
    return bool(config.get(key) or config.get(f"{key}_file"))


def _read_config(name: str, kind: Kind, own: Mapping[str, Node], defaults: Mapping[str, Node]) -> FoundReceiver:
    config = {**defaults, **{key: value for key, value in own.items() if value is not None}}
    if kind.unusable is not None:
        return refuse(name, kind)
    reason = _find_obstacle(kind, own, config)
    if reason:
        return refuse(name, kind, reason)
    draft = Draft()
    for field, key in kind.keys.items():
        draft.put(field, get_value(config, key))
    _adapt(draft, kind, get_mapping(config.get("http_config")))
    note_connection(draft, get_mapping(own.get("http_config")))
    files = {f"{key}_file" for key in kind.keys.values()}
    note_unused(draft, kind, own, _SILENT | files | set(kind.keys.values()))
    return draft.finish(name, kind)


def _find_obstacle(kind: Kind, own: Mapping[str, Node], config: Mapping[str, Node]) -> str:
    """Return why a receiver that uses a known service cannot be imported, or ""."""
    if kind.channel == "slack":
        url = get_text(config.get("api_url"))
        uses_token = _has(config, "app_token") and (_has(own, "app_token") or not _has(config, "api_url"))
        if "slack.com/api/" in url or (uses_token and not _has(own, "api_url")):
            return SLACK_APP_UNSUPPORTED
    is_old_key = kind.channel == "pagerduty" and _has(config, "service_key") and not _has(config, "routing_key")
    return SERVICE_KEY_UNSUPPORTED if is_old_key else ""


def _adapt(draft: Draft, kind: Kind, http_config: Mapping[str, Node]) -> None:
    """Add what a single channel has beside its own keys."""
    if kind.channel == "webhook":
        draft.settings["body"] = "alertmanager"
        read_http_config(draft, http_config)
    else:
        note_credentials(draft, http_config)
    if kind.channel == "pagerduty":
        set_server(draft)


def _describe_rest(root: Mapping[str, Node], receivers: list[Mapping[str, Node]]) -> Iterator[str]:
    empty = [
        clean_name(get_text(receiver.get("name")))[:MAX_NAME_LENGTH]
        for receiver in receivers
        if not any(_list_configs(receiver))
    ]
    if empty:
        yield f"{count(len(empty), 'receiver')} without any configuration left out: {', '.join(filter(None, empty))}."
    routes = _count_routes(root.get("route"))
    if routes:
        yield f"{count(routes, 'route')} left out: an import adds destinations, not the rules on who gets which alert."
    for key, noun in (
        ("inhibit_rules", "inhibit rule"),
        ("time_intervals", "time interval"),
        ("mute_time_intervals", "mute time interval"),
        ("templates", "template file"),
    ):
        entries = get_list(root.get(key))
        if entries:
            yield f"{count(len(entries), noun)} left out."
    general = Draft()
    note_connection(general, get_mapping(get_mapping(root.get("global")).get("http_config")))
    yield from general.dropped
    if any(key.startswith("smtp_") for key in get_mapping(root.get("global"))):
        yield "The mail server is left out: your Alertcheck administrator sets it for everyone."


def _count_routes(route: Node) -> int:
    children = get_list(get_mapping(route).get("routes"))
    return isinstance(route, dict) + sum(map(_count_routes, children))
