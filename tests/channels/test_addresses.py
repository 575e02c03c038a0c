"""Addresses in forms: read as they were pasted, and refused with everything that is wrong and what helps."""

from types import MappingProxyType

import pytest

from webapp.channels import CHANNELS, check_setting
from webapp.channels.addresses import ServiceAddresses, check_server, find_parameter, set_parameters
from webapp.channels.contract import Channel
from webapp.channels.fields import Field, FieldKind, SettingInvalid
from webapp.outbound import OutboundClient, Policy
from webapp.outbound.policy.urls import Origin, Route

SECRET = "s3cr-tPath"
FLOW = f"https://default1.5e.environment.api.powerplatform.com/x/invoke?api-version=1&sp=%2Ft&sv=1.0&sig={SECRET}"
HOOK = f"https://hooks.slack.com/services/T01/B02/{SECRET}"
OWN = f"https://alerts.acme.com/hook?key={SECRET}"
OWN_ADDRESSES = {"teams": FLOW, "slack": HOOK, "webhook": OWN}
FOREIGN = [(name, other) for name in CHANNELS for other in ("teams", "slack") if other != name]
ON_PREMISES = OutboundClient(
    Policy(trusted_origins=frozenset({Origin("http", "alert_receiver", 8080), Origin("https", "hooks.slack.com", 443)}))
)

every_field = pytest.mark.parametrize(
    ("channel", "field"),
    [
        pytest.param(channel, field, id=f"{name}-{field.name}")
        for name, channel in CHANNELS.items()
        for field in channel.fields
        if field.kind in (FieldKind.ADDRESS, FieldKind.SERVER, FieldKind.SECRET, FieldKind.TEXT, FieldKind.RECIPIENTS)
    ],
)
every_address = pytest.mark.parametrize(("name", "address"), OWN_ADDRESSES.items(), ids=OWN_ADDRESSES)


def check(channel: Channel, typed: str, outbound: OutboundClient | None = None) -> str:
    """Return what saving this as the channel's first field would store."""
    return check_setting(channel, channel.target_field, typed, outbound or OutboundClient())


def complaint_of(channel: Channel, field: Field, typed: str) -> str:
    with pytest.raises(SettingInvalid) as caught:
        check_setting(channel, field, typed, OutboundClient())
    assert SECRET not in str(caught.value)
    return str(caught.value)


def error_of(name: str, typed: str, outbound: OutboundClient | None = None) -> str:
    with pytest.raises(SettingInvalid) as caught:
        check(CHANNELS[name], typed, outbound)
    assert SECRET not in str(caught.value)
    return str(caught.value)


@every_address
@pytest.mark.parametrize(
    "pasted",
    [
        "{}",
        "<{}>",
        '"{}"',
        "`{}`",
        "[our hook]({})",
        "\u200b{}\ufeff",
        "\u00a0{}\u00a0",
        "{}.",
        "URL: {}",
        "curl -d x '{}'",
    ],
)
def test_an_address_is_kept_however_it_was_pasted(name: str, address: str, pasted: str) -> None:
    assert check(CHANNELS[name], pasted.format(address)) == address


@every_address
def test_an_escaped_address_without_its_scheme_is_kept(name: str, address: str) -> None:
    assert check(CHANNELS[name], address.removeprefix("https://").replace("&", "&amp;")) == address


def test_a_query_right_after_the_host_is_kept() -> None:
    assert check(CHANNELS["webhook"], "https://example.com?token=abc") == "https://example.com/?token=abc"


@pytest.mark.parametrize(("name", "other"), FOREIGN)
def test_the_address_of_another_service_is_refused_with_its_host_and_type(name: str, other: str) -> None:
    error = error_of(name, OWN_ADDRESSES[other].replace("&", "&amp;"))
    host = OWN_ADDRESSES[other].split("/")[2]
    assert error.startswith(f"{host} is a host of {CHANNELS[other].label}")
    assert error.endswith(f"Add a destination of type {CHANNELS[other].label} instead.")


@pytest.mark.parametrize("name", ["teams", "slack"])
def test_an_own_receiver_is_offered_the_type_webhook(name: str) -> None:
    error = error_of(name, OWN)
    assert error.startswith(f"alerts.acme.com is not a host of {CHANNELS[name].label}")
    assert "add a destination of type Webhook" in error


@pytest.mark.parametrize("name", OWN_ADDRESSES)
def test_an_email_address_is_offered_the_type_email(name: str) -> None:
    assert "add a destination of type Email" in error_of(name, f"{SECRET}@example.com")


@every_field
@pytest.mark.parametrize(
    "typed",
    [
        f"https://acme.webhook.office.com/webhookb2/{SECRET}",
        f"outlook.office.com/webhook/{SECRET}",
        f"<http://acme.webhook.office365.us/{SECRET}>",
    ],
)
def test_a_retired_connector_is_refused_in_every_field_with_what_to_do_instead(
    channel: Channel, field: Field, typed: str
) -> None:
    error = complaint_of(channel, field, typed)
    assert "belongs to the connectors of Microsoft Teams, which Microsoft has retired. Create a workflow" in error
    assert "add it as a destination of type Microsoft Teams" in error
    assert "choose Workflows" in error


@every_field
@pytest.mark.parametrize(
    "typed",
    [
        f"https://api.opsgenie.com/v2/alerts?apiKey={SECRET}",
        f"api.eu.opsgenie.com/v1/json/prometheus?apiKey={SECRET}",
        f"curl -X POST https://API.opsgenie.com/v2/alerts -H 'Authorization: GenieKey {SECRET}'",
        f"http://acme.app.opsgenie.com:8443/{SECRET}",
        f"`https://opsgenie.com/{SECRET}`",
    ],
)
def test_opsgenie_is_refused_in_every_field_with_the_day_it_ends_and_what_to_do_instead(
    channel: Channel, field: Field, typed: str
) -> None:
    error = complaint_of(channel, field, typed)
    assert "belongs to Opsgenie, which Atlassian ends on 5 April 2027." in error
    assert "add it as a destination of type Jira Service Management. In Jira Service Management, open" in error


@pytest.mark.parametrize("host", ["opsgenie.com.acme.com", "myopsgenie.com", "outlook.office.com", "office.com"])
def test_a_host_that_resembles_a_retired_service_is_kept(host: str) -> None:
    assert check(CHANNELS["webhook"], f"https://{host}/mail/{SECRET}") == f"https://{host}/mail/{SECRET}"


def test_an_address_of_another_service_is_recognized_in_the_field_of_a_secret() -> None:
    typed = f"https://hooks.slack.com/services/T01/B02/{SECRET}"
    secret = next(field for field in CHANNELS["webhook"].fields if field.kind is FieldKind.SECRET)
    assert complaint_of(CHANNELS["webhook"], secret, typed).startswith("hooks.slack.com is a host of Slack")


@pytest.mark.parametrize("name", ["slack", "teams"])
def test_a_service_needs_no_administrator_to_be_reached_over_https(name: str) -> None:
    error = error_of(name, OWN_ADDRESSES[name].replace("https://", "http://"))
    assert error.endswith("begins with http:// instead of https://. Enter it with https://.")


def test_credentials_are_recognized_without_a_scheme() -> None:
    assert "does not support credentials" in error_of("webhook", f"user:{SECRET}@alerts.acme.com/hook")


def test_an_origin_that_the_administrator_trusts_may_be_another_services() -> None:
    assert check(CHANNELS["webhook"], HOOK, ON_PREMISES) == HOOK


def test_a_hosts_own_channel_accepts_hosts_that_the_administrator_added() -> None:
    outbound = OutboundClient(Policy(extra_hosts=MappingProxyType({"slack": ("chat.acme.com",)})))
    assert check(CHANNELS["slack"], "chat.acme.com/services/x", outbound) == "https://chat.acme.com/services/x"


@pytest.mark.parametrize(
    ("name", "cure"), [("webhook", "Basic password"), ("slack", "Add New Webhook"), ("teams", "Workflows")]
)
@pytest.mark.parametrize("credentials", [f"user:{SECRET}", SECRET, f"{SECRET}:"])
def test_credentials_are_refused_with_what_replaces_them(name: str, cure: str, credentials: str) -> None:
    error = error_of(name, OWN_ADDRESSES[name].replace("https://", f"https://{credentials}@"))
    assert OWN_ADDRESSES[name].split("/")[2] in error
    assert "does not support credentials in an address" in error
    assert cure in error


@pytest.mark.parametrize(
    ("typed", "complaints"),
    [
        ("http://192.168.0.214:8080/hook", ["begins with http://", "port 8080", "not on the public internet"]),
        ("192.168.0.214:8080/hook", ["port 8080", "not on the public internet"]),
        ("http://alerts.acme.com/hook", ["begins with http://"]),
        ("https://alerts.acme.com:8443/hook", ["port 8443"]),
        ("https://10.0.0.1/hook", ["not on the public internet"]),
        ("http://localhost:8080/hook", ["begins with http://", "port 8080", "not on the public internet"]),
        ("http://other_receiver:8080/hook", ["begins with http://", "port 8080", "not on the public internet"]),
        ("https://[fd00::1]:8443/hook", ["port 8443", "not on the public internet"]),
    ],
)
@pytest.mark.parametrize("name", OWN_ADDRESSES)
def test_a_private_receiver_is_refused_once_with_everything_and_how_it_is_allowed(
    name: str, typed: str, complaints: list[str]
) -> None:
    error = error_of(name, f"{typed}/{SECRET}?sig={SECRET}", ON_PREMISES)
    origin = typed.removesuffix("/hook")
    assert [complaint for complaint in complaints if complaint not in error] == []
    assert f"add {origin if '://' in origin else f'https://{origin}'} to ALERTCHECK_TRUSTED_ORIGINS" in error


@pytest.mark.parametrize("name", OWN_ADDRESSES)
def test_what_the_error_names_is_accepted_once_the_administrator_adds_it(name: str) -> None:
    typed = f"http://192.168.0.214:8080/hook?sig={SECRET}"
    named = error_of(name, typed).partition("to add ")[2].partition(" to ")[0]
    allowed = OutboundClient(Policy(trusted_origins=frozenset({Origin("http", "192.168.0.214", 8080)})))
    assert named == "http://192.168.0.214:8080"
    assert check(CHANNELS[name], typed, allowed) == typed


def test_a_host_with_an_underscore_is_kept_if_the_administrator_names_it() -> None:
    typed = f"http://alert_receiver:8080/{SECRET}"
    assert check(CHANNELS["webhook"], typed, ON_PREMISES) == typed


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (SECRET, "does not begin with https://"),
        (f"ftp://example.com/{SECRET}", "does not begin with https://"),
        (f"javascript:{SECRET}", "does not begin with https://"),
        (f"https://example.com/a {SECRET}", "a space"),
        (f"{OWN}\n{HOOK}", "more than one address"),
        (f"{OWN}{HOOK}", "more than one address"),
        (f"https://hooks.slack.com/services/T01…/{SECRET}", "shortened"),
        (f"https://example.com/x#{SECRET}", "has a #"),
        (f"#{SECRET}", "does not begin with https://"),
        (f"https://example.com/{SECRET * 300}", "longer than 2048"),
        (f"https://-{SECRET}-/x", "not a valid host name"),
        ("https://example.com:99999/x", "cannot be used as it is written"),
        ("\u200b", "does not begin with https://"),
    ],
)
def test_a_text_that_is_no_address_is_refused_with_its_reason(typed: str, complaint: str) -> None:
    assert complaint in error_of("webhook", typed)


API = ServiceAddresses("Remove them.", "Pigeons", ("api.pigeons.org",))


@pytest.mark.parametrize("typed", ["https://api.pigeons.org", " api.pigeons.org/ ", "https://API.pigeons.org:443/"])
def test_a_server_is_kept_without_a_slash_at_its_end(typed: str) -> None:
    assert check_server(typed, OutboundClient(), API) == "https://api.pigeons.org"


@pytest.mark.parametrize("rest", [f"/bot{SECRET}/send", f"/?token={SECRET}", f"//{SECRET}"])
def test_a_server_is_named_without_the_rest_of_a_pasted_address(rest: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        check_server(f"https://api.pigeons.org{rest}", OutboundClient(), API)
    assert str(caught.value) == "Enter the server only: https://api.pigeons.org. Alertcheck adds what follows it."


@pytest.mark.parametrize("typed", ["http://alert_receiver:8080/api", "http://alert_receiver:8080/api/"])
def test_a_server_that_the_administrator_trusts_may_have_a_path(typed: str) -> None:
    assert check_server(typed, ON_PREMISES, API) == "http://alert_receiver:8080/api"


def test_no_server_has_a_query() -> None:
    with pytest.raises(SettingInvalid, match=r"^The server's address has a \? in it\."):
        check_server(f"http://alert_receiver:8080/api?{SECRET}", ON_PREMISES, API)


@pytest.mark.parametrize("name", [name for name, channel in CHANNELS.items() if channel.hosts])
def test_a_services_hosts_belong_to_one_channel(name: str) -> None:
    others = [set(channel.hosts) for other, channel in CHANNELS.items() if other != name]
    assert not set(CHANNELS[name].hosts) & set().union(*others)
    assert CHANNELS[name].target_field.kind in (FieldKind.ADDRESS, FieldKind.SERVER)


@pytest.mark.parametrize(
    ("address", "changed"),
    [
        ("https://a.example/x", "https://a.example/x?wait=true"),
        ("https://a.example/x?", "https://a.example/x?wait=true"),
        ("https://a.example/x?wait=false&a=1&wait=0", "https://a.example/x?a=1&wait=true"),
        ("https://a.example/x?old=1&a=b+c%26d&e=", "https://a.example/x?a=b+c%26d&e=&wait=true"),
        ("https://[", "https://[?wait=true"),
    ],
)
def test_parameters_replace_those_of_the_same_names(address: str, changed: str) -> None:
    assert set_parameters(address, {"wait": "true", "old": ""}) == changed


@pytest.mark.parametrize(
    ("query", "value"), [("", ""), ("?a=1", "1"), ("?a=", ""), ("?b=1", ""), ("?%61=x%20y", "x y")]
)
def test_a_parameter_of_an_address_is_found(query: str, value: str) -> None:
    assert find_parameter(f"https://a.example/x{query}", "a") == value


@pytest.mark.parametrize("typed", ["http://hooks.demo.example/x", "https://hooks.demo.example:8443/x"])
def test_an_address_of_the_demos_receiver_that_is_written_wrongly_is_told_apart_from_another_receiver(
    typed: str,
) -> None:
    receiver = Origin("https", "hooks.demo.example", 443)
    routes = MappingProxyType({receiver: Route("127.0.0.1", 8443)})
    demo = OutboundClient(Policy(demo_receiver=Origin("http", "127.0.0.1", 8025), demo_routes=routes))

    assert error_of("webhook", typed, demo) == (
        "The demo's receiver has this host at https://hooks.demo.example only. Copy an address from the Demo panel."
    )
    assert "sends messages to its own receiver only" in error_of("webhook", "https://hooks.example.com/x", demo)
