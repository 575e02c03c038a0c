"""Addresses as people paste them, and the address that they meant."""

from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.failures import DeliveryFailed
from webapp.outbound.policy.allowed_targets import Policy, check_url
from webapp.outbound.policy.pasted_urls import MAX_PASTED, read_pasted, strip_wrapping

HOOK = "https://hooks.slack.com/services/T01/B02/xyz_"
FLOW = "https://default1.5e.environment.api.powerplatform.com:443/x/invoke?api-version=1&sp=%2Ft%2Frun&sv=1.0&sig=aB_c-"
DATA = '{"text": "see https://example.org/help"}'


@pytest.mark.parametrize("escape", ["&amp;", "&#38;", "&#038;", "&#x26;", "&#X26;", "&amp;amp;", "\\u0026", "\\&"])
def test_an_escaped_ampersand_is_unescaped(escape: str) -> None:
    assert read_pasted(FLOW.replace("&", escape)) == FLOW


@pytest.mark.parametrize(
    "around",
    [
        '"{}"',
        "'{}'",
        "“{}”",
        "„{}“",
        "«{}»",
        "`{}`",
        "```\n{}\n```",
        "<{}>",
        "&lt;{}&gt;",
        "&quot;{}&quot;",
        "({})",
        "[{}]",
        "**{}**",
        " \t{}\r\n",
        "\u00a0{}\u00a0",
        "\u200b{}\ufeff",
        "\u2060\u200e{}\u200d",
        "{}.",
        "{},",
        "{};",
        "'{}',",
        "<`{}`>.",
        "[hook]({})",
        '[hook](<{}> "our hook")',
        "see [hook]({}).",
        "<{}|our hook>",
        '<a class="x" href="{}">our hook</a>',
        "URL: {}",
        "Webhook URL = {}",
        "Webhook URL\u00a0:\u00a0{}",
        "POST {} HTTP/1.1",
        'export HOOK="{}"',
        '"url": "{}",',
        "(see {})",
        "https://{}",
        "webhook_url={}",
        "url: {}",
        "HOOK：{}",
        "> {}",
        "- {}",
        "{}\u3000",
        'Invoke-RestMethod -Uri "{}" -Method Post',
        'requests.post("{}", json={{}})',
        '{{"url": "{}"}}',
        "wget --post-data x '{}'",
    ],
)
@pytest.mark.parametrize("address", [HOOK, FLOW])
def test_what_stands_around_an_address_is_removed(around: str, address: str) -> None:
    assert read_pasted(around.format(address)) == address


@pytest.mark.parametrize(
    "command",
    [
        f"curl -X POST -H 'Content-type: application/json' --data '{DATA}' {HOOK}",
        f"curl -X POST \\\n  -H 'Content-type: application/json' \\\n  --data '{DATA}' \\\n  '{HOOK}'",
        f"$ curl {HOOK} -d '{DATA}'",
        f'curl --url "{HOOK}" -d hello',
        f"curl --url={HOOK}",
        f"curl -x https://proxy.example.org -e https://example.org/ {HOOK}",
        f"curl --proxy https://proxy.example.org {HOOK}",
        f"curl\u00a0-d\u00a0hello\u00a0{HOOK}",
        f"curl ^\r\n  -d hello ^\r\n  {HOOK}",
        f"curl -d 'unbalanced {HOOK}",
    ],
)
def test_the_address_of_a_curl_command_is_found(command: str) -> None:
    assert read_pasted(command) == HOOK


@pytest.mark.parametrize("noise", ["\u200b", "\ufeff", "\u2060", "\u00ad", "\u00a0", "\u202f", "\n", "\r\n    ", "\0"])
def test_what_nobody_sees_inside_an_address_is_removed(noise: str) -> None:
    assert read_pasted(HOOK.replace("/B02", f"{noise}/B02")) == HOOK


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("example.com/hook", "https://example.com/hook"),
        ("example.com", "https://example.com"),
        ("//example.com/hook", "https://example.com/hook"),
        ("example.com:8443/hook", "https://example.com:8443/hook"),
        ("192.168.0.214:8080/hook", "https://192.168.0.214:8080/hook"),
        ("[2606:4700::1111]/hook", "https://[2606:4700::1111]/hook"),
        ("localhost:8080/hook", "https://localhost:8080/hook"),
        ("example.com/hook?next=https://example.org/", "https://example.com/hook?next=https://example.org/"),
        ("Hook: example.com/hook", "https://example.com/hook"),
        ("https://example.com?token=abc", "https://example.com/?token=abc"),
        ("example.com?token=abc", "https://example.com/?token=abc"),
        ("https:/example.com/hook", "https://example.com/hook"),
        ("https:///example.com/hook", "https://example.com/hook"),
        ("https//example.com/hook", "https://example.com/hook"),
        ("https://example.com/größe?q=ü", "https://example.com/gr%C3%B6%C3%9Fe?q=%C3%BC"),
    ],
)
def test_what_people_leave_out_is_added(pasted: str, meant: str) -> None:
    assert read_pasted(pasted) == meant


@pytest.mark.parametrize(
    "pasted",
    [
        "https:\\/\\/hooks.slack.com\\/services\\/T01\\/B02\\/xyz\\_",
        "https%3A%2F%2Fhooks.slack.com%2Fservices%2FT01%2FB02%2Fxyz_",
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fhooks.slack.com%2Fservices%2FT01%2FB02%2F"
        "xyz_&data=05%7C01&reserved=0",
    ],
)
def test_other_programs_escapes_are_undone(pasted: str) -> None:
    assert read_pasted(pasted) == HOOK


@pytest.mark.parametrize(
    "address",
    [
        HOOK,
        FLOW,
        "http://alert_receiver:8080/x",
        "https://example.com/x?a=1&region=2&copy=3&lt=4",
        "https://example.com/a%2Fb/../c//%7e?next=https://example.org/",
        "https://[2606:4700::1111]/x",
        "https://user:password@example.com/x",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://example.com/x#y",
        "https://example.com/a b",
        "ops@example.com",
        "paste me",
        "wrong",
        "ftp://example.com/x",
        "",
    ],
)
def test_anything_else_is_left_as_it_is(address: str) -> None:
    assert read_pasted(address) == address


def test_two_addresses_on_two_lines_stay_apart() -> None:
    assert read_pasted(f"{HOOK}\n{HOOK}x") == f"{HOOK} {HOOK}x"


def test_a_joiner_inside_a_name_of_another_script_is_kept() -> None:
    assert "\u200c" in read_pasted("https://نامه\u200cای.example.com/x")


@pytest.mark.parametrize("text", [' "whsec_abc=" ', "`whsec_abc=`", "\u200bwhsec_abc=\ufeff", "whsec_\r\nabc="])
def test_what_stands_around_a_secret_is_removed(text: str) -> None:
    assert strip_wrapping(text) == "whsec_abc="


@given(st.text())
def test_reading_again_changes_nothing(text: str) -> None:
    once = read_pasted(text)
    assert read_pasted(once) == once or not once.startswith(("http://", "https://"))


@given(st.text(alphabet="htps:/.aw1@\\?#&;[]()<>|`'\"% \n\u00a0\u200b", max_size=60))
def test_any_text_leads_to_an_address_or_to_a_refusal(text: str) -> None:
    try:
        kept = check_url(read_pasted(text), Policy()).url
    except DeliveryFailed:
        return
    assert check_url(kept, Policy()).url == kept


@pytest.mark.parametrize(
    "piece",
    ["[", "[a](", "[a](b", "a.", "<", "<a ", "<a|", "<a href=", "&amp;", "\\u0026", "(", "'", "https:", "a:", " \n"],
)
def test_the_longest_text_is_read_in_a_moment(piece: str) -> None:
    started = monotonic()
    read_pasted(piece * (MAX_PASTED // len(piece)) + "@")
    assert monotonic() - started < 1
