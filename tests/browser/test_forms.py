"""A destination's form in a browser: fields are checked on blur, nothing moves or is lost, errors get the focus."""

import re

from playwright.sync_api import Page, expect

from tests.browser.running_demo import RunningDemo

NEW = "/w/harbor/destinations/new/webhook"
SECRET = "whsec_" + "Y2FuYXJ5" * 4

COMPUTE_COLOR = """(name) => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = `var(${name})`;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
}"""


def leave(tab: Page, label: str, typed: str) -> None:
    tab.get_by_label(label).fill(typed)
    tab.keyboard.press("Tab")


def color_of(tab: Page, name: str) -> str:
    """Return the color that a custom property has, as the browser computes it."""
    color: str = tab.evaluate(COMPUTE_COLOR, name)
    return color


def test_a_field_that_loses_the_focus_shows_its_error_and_keeps_its_value(admin: Page) -> None:
    admin.goto(NEW)
    leave(admin, "Address", "ftp://files.example.com/canary")
    expect(admin.locator("#address-error")).to_contain_text("it does not begin with https://.")
    address = admin.get_by_label("Address")
    expect(address).to_have_value("ftp://files.example.com/canary")
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(address).to_have_accessible_description(re.compile("it does not begin with https://"))
    expect(admin.get_by_label("Signing secret")).to_be_focused()


def test_a_fields_error_has_the_color_of_a_failure_and_its_approval_that_of_success(admin: Page) -> None:
    admin.goto(NEW)
    leave(admin, "Address", "ftp://files.example.com/canary")
    leave(admin, "Name", "Siren")
    expect(admin.locator("#address-error")).to_have_css("color", color_of(admin, "--failed"))
    expect(admin.locator("#name-check p")).to_have_css("color", color_of(admin, "--sent"))


def test_a_corrected_field_is_shown_as_valid(admin: Page, demo: RunningDemo) -> None:
    admin.goto(NEW)
    leave(admin, "Address", "ftp://files.example.com/canary")
    expect(admin.locator("#address-error")).to_be_visible()
    leave(admin, "Address", demo.receiver("webhook/works"))
    expect(admin.locator("#address-check")).to_have_text(re.compile("Can be saved."))
    expect(admin.get_by_label("Address")).not_to_have_attribute("aria-invalid", "true")


def test_a_fields_message_changes_inside_one_persistent_live_region(admin: Page) -> None:
    admin.goto(NEW)
    region = admin.locator("#name-check[aria-live=polite]").element_handle()
    leave(admin, "Name", "Siren")
    expect(admin.locator("#name-check")).to_have_text(re.compile("Can be saved."))
    assert region.evaluate("element => element.isConnected")


def test_a_check_moves_nothing_on_the_page(admin: Page) -> None:
    admin.goto(NEW)
    button = admin.get_by_role("button", name="Add destination")
    before = button.bounding_box()
    leave(admin, "Name", "Siren")
    leave(admin, "Signing secret", "short")
    expect(admin.locator("#signing_secret-error")).to_be_visible()
    assert button.bounding_box() == before


def test_a_press_right_after_typing_is_not_lost_to_the_fields_check(admin: Page, demo: RunningDemo) -> None:
    admin.goto(NEW)
    admin.get_by_label("Name").fill("Pager")
    admin.get_by_label("Address").fill(demo.receiver("webhook/works"))
    admin.get_by_label("Signing secret").fill(SECRET)
    admin.get_by_role("button", name="Add destination").click()
    expect(admin.get_by_role("status").filter(has_text="Pager was added.")).to_be_visible()


def test_a_refused_form_focuses_its_error_summary_whose_links_lead_to_the_fields(admin: Page) -> None:
    admin.goto(NEW)
    admin.get_by_role("button", name="Add destination").click()
    errors = admin.get_by_role("region", name="Not saved: 2 fields need to be corrected")
    expect(errors).to_be_focused()
    errors.get_by_role("link", name="Address").click()
    expect(admin.get_by_label("Address")).to_be_focused()


def test_a_slow_press_on_a_phone_is_not_lost_to_a_long_error(admin: Page) -> None:
    admin.set_viewport_size({"width": 360, "height": 800})
    admin.goto("/w/harbor/destinations/new/teams")
    admin.get_by_label("Workflow address").fill("https://flows.environment.api.powerplatform.com/workflows/1")
    admin.get_by_role("button", name="Add destination").click(delay=200)
    expect(admin.get_by_role("region", name="Not saved: 2 fields need to be corrected")).to_be_visible()


def test_a_box_is_ticked_by_keyboard_with_its_help_and_its_choice_is_readable_on_a_phone(admin: Page) -> None:
    admin.set_viewport_size({"width": 360, "height": 800})
    admin.goto("/w/harbor/destinations/new/email")
    admin.get_by_label("Name").fill("Help desk")
    admin.get_by_label("Recipients").fill("desk@example.com")
    box = admin.get_by_label("Leave out the Auto-Submitted header")
    expect(box).to_have_accessible_description(re.compile("^For a help desk"))
    box.press("Space")
    expect(box).to_be_checked()
    admin.get_by_role("button", name="Add destination").press("Enter")

    settings = admin.locator(".panel", has_text="Leave out the Auto-Submitted header").locator("dl")
    expect(settings.get_by_text("yes", exact=True)).to_be_visible()
    assert settings.locator("dd").first.evaluate("element => element.clientWidth") > 120


def test_a_form_with_errors_keeps_what_was_typed_and_no_response_contains_it(admin: Page, demo: RunningDemo) -> None:
    admin.goto(NEW)
    responses: list[str] = []
    admin.on("response", lambda response: responses.append(response.text() if "/check" in response.url else ""))
    admin.get_by_label("Address").fill(demo.receiver("webhook/works"))
    admin.get_by_label("Signing secret").fill(SECRET)
    admin.get_by_role("button", name="Add destination").click()
    expect(admin.get_by_role("region", name="Not saved: 1 field needs to be corrected")).to_be_focused()
    expect(admin.get_by_label("Signing secret")).to_have_value(SECRET)
    assert SECRET not in "".join(responses)

    admin.get_by_label("Name").fill("Pager")
    admin.get_by_role("button", name="Add destination").press("Enter")
    expect(admin.get_by_role("status").filter(has_text="Pager was added.")).to_be_visible()


def test_a_new_signing_secret_is_made_shown_and_saved_by_keyboard(admin: Page, demo: RunningDemo) -> None:
    admin.goto(NEW)
    admin.get_by_label("Name").fill("Pager")
    admin.get_by_label("Address").fill(demo.receiver("webhook/works"))
    admin.get_by_role("button", name="Generate").press("Enter")
    secret = admin.get_by_label("Signing secret", exact=True)
    expect(secret).to_have_value(re.compile("^whsec_"))
    expect(secret).to_be_focused()
    admin.get_by_role("button", name="Copy").click()
    expect(admin.locator("[data-copied]")).not_to_be_empty()
    expect(admin.get_by_text("This new secret is shown only now.")).to_be_visible()
    expect(admin.get_by_label("Name")).to_have_value("Pager")

    admin.get_by_label("Name").press("Enter")
    expect(admin.get_by_role("status").filter(has_text="Pager was added.")).to_be_visible()
    expect(admin.locator("dl.settings")).to_contain_text("set · fingerprint")


def test_two_clicks_add_one_destination(admin: Page, demo: RunningDemo) -> None:
    admin.goto(NEW)
    admin.get_by_label("Name").fill("Clicked twice")
    admin.get_by_label("Address").fill(demo.receiver("webhook/works"))
    admin.get_by_role("button", name="Add destination").dblclick()
    expect(admin.get_by_role("status").filter(has_text="Clicked twice was added.")).to_be_visible()

    admin.goto("/w/harbor/destinations?q=Clicked+twice")
    expect(admin.locator("#overview .destination")).to_have_count(1)


def test_a_form_that_cannot_be_checked_is_submitted(admin: Page, demo: RunningDemo) -> None:
    admin.route("**/check", lambda route: route.abort())
    admin.goto(NEW)
    admin.get_by_label("Name").fill("Pager")
    admin.get_by_label("Address").fill(demo.receiver("webhook/works"))
    admin.get_by_role("button", name="Add destination").click()
    expect(admin.get_by_role("status").filter(has_text="Pager was added.")).to_be_visible()


def test_a_form_whose_page_never_came_can_be_saved_again(admin: Page, demo: RunningDemo) -> None:
    admin.clock.install()
    admin.goto(NEW)
    admin.get_by_label("Name").fill("Pager")
    admin.get_by_label("Address").fill(demo.receiver("webhook/works"))
    admin.route(f"**{NEW}", lambda route: route.fulfill(status=204), times=1)  # leaves the page as it is, like a stop
    with admin.expect_response(lambda response: response.status == 204 and response.url.endswith(NEW)):
        admin.get_by_role("button", name="Add destination").click()

    admin.clock.fast_forward("00:15")
    admin.get_by_role("button", name="Add destination").click()
    expect(admin.get_by_role("status").filter(has_text="Pager was added.")).to_be_visible()
