"""Reads Grafana's contact points: provisioning files, exports (YAML and JSON), and what its API returns."""

from collections.abc import Iterator, Mapping

from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile, FoundReceiver
from webapp.imports.file_limits import check_count
from webapp.imports.file_values import Node, get_list, get_mapping, get_mappings, get_text
from webapp.imports.grafana_kinds import KINDS, SLACK_BOT_UNSUPPORTED
from webapp.imports.headers import add_authorization, add_header
from webapp.imports.pagerduty_server import set_server
from webapp.imports.receiver_draft import Draft, Kind, find_kind, name_receivers, note_unused, refuse
from webapp.text.counting import count

_HIDDEN = "[REDACTED]"

# The recipient of the contact point that every new Grafana has.
_EXAMPLE_RECIPIENT = "<example@email.com>"

_WEBHOOK_KEYS = frozenset(("httpMethod", "authorization_scheme", "authorization_credentials", "headers", "maxAlerts"))
_SILENT = frozenset(("singleEmail", "endpointUrl"))
_REST = {
    "deleteContactPoints": "contact point to delete",
    "groups": "rule group",
    "muteTimes": "mute timing",
    "policies": "notification policy",
    "templates": "template",
}
_PLURALS = {"notification policy": "notification policies", "contact point to delete": "contact points to delete"}

Point = tuple[str, list[Mapping[str, Node]]]


def read_grafana(root: Node) -> FoundFile:
    """Return the receivers of the contact points. Raises `FileUnreadable`."""
    points = list(_list_points(root))
    if not points:
        raise FileUnreadable("The file has no contact points. In Grafana, export them under Alerting, Contact points.")
    check_count(sum(len(receivers) for _, receivers in points))
    found = [each for name, receivers in points for each in _read_point(name, receivers)]
    return FoundFile(FileFormat.GRAFANA, tuple(found), tuple(_describe_rest(get_mapping(root))))


def is_grafana(root: Node) -> bool:
    """Check whether a file has the form of one of Grafana's."""
    return any(True for _ in _list_points(root)) or "contactPoints" in get_mapping(root)


def _list_points(root: Node) -> Iterator[Point]:
    """Return each contact point's name and receivers: from a file, or from one of the two forms of the API."""
    for point in get_mappings(get_mapping(root).get("contactPoints")):
        yield get_text(point.get("name")), list(get_mappings(point.get("receivers")))
    configuration = get_mapping(get_mapping(root).get("alertmanager_config")) or get_mapping(root)
    for receiver in get_mappings(configuration.get("receivers")):
        if "grafana_managed_receiver_configs" in receiver:
            yield get_text(receiver.get("name")), list(get_mappings(receiver["grafana_managed_receiver_configs"]))
    yield from _group([receiver for receiver in get_mappings(root) if "type" in receiver and "settings" in receiver])


def _group(receivers: list[Mapping[str, Node]]) -> Iterator[Point]:
    """Put the receivers of the same contact point together."""
    by_name: dict[str, list[Mapping[str, Node]]] = {}
    for receiver in receivers:
        by_name.setdefault(get_text(receiver.get("name")), []).append(receiver)
    yield from by_name.items()


def _read_point(name: str, receivers: list[Mapping[str, Node]]) -> Iterator[FoundReceiver]:
    kinds = [find_kind(KINDS, get_text(receiver.get("type")).lower()) for receiver in receivers]
    names = name_receivers(name or "Contact point", [kind.label for kind in kinds])
    for each, kind, receiver in zip(names, kinds, receivers, strict=True):
        yield _read_receiver(each, kind, _get_settings(receiver))


def _get_settings(receiver: Mapping[str, Node]) -> dict[str, Node]:
    """Return a receiver's settings with its secrets, which a file may keep apart or only mention."""
    hidden = {key: _HIDDEN for key, flag in get_mapping(receiver.get("secureFields")).items() if flag == "true"}
    plain, secure = get_mapping(receiver.get("settings")), get_mapping(receiver.get("secureSettings"))
    return {**hidden, **{key: value for key, value in plain.items() if value not in (None, "")}, **secure}


def _read_receiver(name: str, kind: Kind, settings: Mapping[str, Node]) -> FoundReceiver:
    if kind.unusable is not None:
        return refuse(name, kind)
    url = get_text(settings.get("url"))
    if kind.channel == "slack" and (not url or "slack.com/api/" in url) and ("token" in settings or url):
        return refuse(name, kind, SLACK_BOT_UNSUPPORTED)
    draft = Draft()
    for field, key in kind.keys.items():
        draft.put(field, settings.get(key))
    _adapt(draft, kind, settings)
    own = _WEBHOOK_KEYS if kind.channel == "webhook" else frozenset()
    note_unused(draft, kind, settings, _SILENT | own | set(kind.keys.values()))
    return draft.finish(name, kind)


def _adapt(draft: Draft, kind: Kind, settings: Mapping[str, Node]) -> None:
    """Add what a single channel has beside its own keys."""
    if kind.channel == "webhook":
        draft.settings["body"] = "grafana"
        draft.put("method", get_text(settings.get("httpMethod")).upper())
        add_authorization(
            draft, get_text(settings.get("authorization_scheme")), settings.get("authorization_credentials")
        )
        for header, value in get_mapping(settings.get("headers")).items():
            add_header(draft, header, get_text(value))
    if kind.channel == "pagerduty":
        set_server(draft)
    if draft.settings.get("recipients") == _EXAMPLE_RECIPIENT:
        del draft.settings["recipients"]


def _describe_rest(root: Mapping[str, Node]) -> Iterator[str]:
    for key, noun in _REST.items():
        number = len(get_list(root.get(key)))
        if number:
            yield f"{count(number, noun, _PLURALS.get(noun))} left out: an import adds destinations only."
