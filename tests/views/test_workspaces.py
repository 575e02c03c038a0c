"""A workspace's list: what each role sees, what others do not see, and its cost."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from tests.factories import (
    NOW,
    SECRET_PATH,
    SeededIds,
    add_delivery,
    add_real_alert,
    begin_claim_record,
    get_account,
    get_destination,
    get_workspace,
    seconds,
)
from tests.statements import collecting_statements
from tests.visitor import Visitor
from webapp.auth.accounts import add_account
from webapp.database.numbered_pages import PAGE_SIZE
from webapp.destinations.editing import add_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AlertDestination, DeliveryStatus, Role
from webapp.settings import AppSettings
from webapp.views.workspaces import FEW_WORKSPACES
from webapp.workspaces.membership_changes import set_role
from webapp.workspaces.own_workspaces import MAX_LISTED
from webapp.workspaces.workspace_changes import add_workspace

Visit = Callable[[int], Visitor]

LIST = "/w/harbor/destinations"
SETTINGS = {"address": "https://hooks.example.com/canary", "signing_secret": "whsec_canary"}
BUTTON = ' send" form="presses"'


def _add(
    seeded: SeededIds, app_settings: AppSettings, name: str, channel: str = "webhook", **settings: str
) -> AlertDestination:
    harbor, admin = get_workspace(seeded), get_account(seeded)
    return add_destination(harbor, admin, channel, name, settings or SETTINGS, app_settings.cipher, NOW)


def _names(page: str) -> list[str]:
    return re.findall(r"<h2><a href=[^>]+><bdi>([^<]+)</bdi></a></h2>", page)


def test_the_home_page_leads_to_the_first_workspace_by_name(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        set_role(add_workspace("zebra", "An early name", NOW), get_account(seeded), Role.VIEWER)
        db.session.commit()

    assert visit(seeded.admin).get("/").location == "/w/zebra/destinations"


@pytest.mark.parametrize(
    ("count", "location"),
    [(FEW_WORKSPACES, "/w/harbor/destinations"), (FEW_WORKSPACES + 1, "/workspaces")],
)
def test_the_home_page_of_many_workspaces_lists_them(
    app: Flask, seeded: SeededIds, visit: Visit, count: int, location: str
) -> None:
    with app.app_context():
        for number in range(count - 1):
            set_role(add_workspace(f"z{number}", f"Zebra {number}", NOW), get_account(seeded), Role.VIEWER)
        db.session.commit()

    assert visit(seeded.admin).get("/").location == location


def test_workspaces_with_broken_destinations_are_listed_first(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        set_role(add_workspace("an-early-one", "An early name", NOW), get_account(seeded), Role.VIEWER)
        add_delivery(get_destination(seeded), status=DeliveryStatus.FAILED, last_error_code=Code.GONE)
        db.session.commit()

    page = visit(seeded.admin).get("/workspaces").text.partition('<ul class="workspaces')[2]

    assert re.findall(r'<span><a href="/w/([^/]+)/', page) == ["harbor", "an-early-one"]


def _join_many(app: Flask, seeded: SeededIds, count: int) -> None:
    """Make the admin a member of `count` workspaces."""
    with app.app_context():
        for number in range(count - 1):
            set_role(add_workspace(f"z{number}", f"Zebra {number:04}", NOW), get_account(seeded), Role.VIEWER)
        add_delivery(get_destination(seeded), status=DeliveryStatus.FAILED, last_error_code=Code.GONE)
        db.session.commit()


def _slugs(page: str) -> list[str]:
    return re.findall(r'<span><a href="/w/([^/]+)/', page)


def test_more_workspaces_than_fit_on_a_page_are_listed_by_name_page_by_page(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    _join_many(app, seeded, PAGE_SIZE + 1)
    browser = visit(seeded.admin)

    first, second = (browser.get(f"/workspaces?page={number}").text for number in (1, 2))

    assert _slugs(first) == ["harbor", *(f"z{number}" for number in range(PAGE_SIZE - 1))]
    assert _slugs(second) == [f"z{PAGE_SIZE - 1}"]
    assert "51 workspaces, each" in " ".join(first.split())
    assert "They are listed by name." in first
    assert 'href="/workspaces?page=2"' in first


def test_a_workspace_is_found_by_a_part_of_its_name_in_any_case(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    _join_many(app, seeded, PAGE_SIZE + 1)
    browser = visit(seeded.admin)

    assert _slugs(browser.get("/workspaces?q=zebRA+0049").text) == ["z49"]
    assert _slugs(browser.get("/workspaces?q=harbor").text) == ["harbor"]
    assert "No workspace of yours matches." in browser.get("/workspaces?q=clinic").text  # that of somebody else


@pytest.mark.parametrize(("count", "listed"), [(MAX_LISTED, MAX_LISTED), (MAX_LISTED + 1, 0)])
def test_the_switcher_lists_up_to_a_hundred_workspaces_and_otherwise_leads_to_the_search(
    app: Flask, seeded: SeededIds, visit: Visit, count: int, listed: int
) -> None:
    _join_many(app, seeded, count)

    page = visit(seeded.admin).get("/account").text
    switcher = page.partition('<details class="dropdown menu switcher">')[2].partition("</details>")[0]

    assert len(re.findall(r'href="/w/[^/]+/destinations"', switcher)) == listed
    assert ('action="/workspaces"' in switcher, 'href="/workspaces"' in switcher) == (not listed, not listed)


def test_a_member_of_no_workspace_reads_what_to_do(app: Flask, visit: Visit) -> None:
    with app.app_context():
        loner = add_account("loner@example.com", "Loner", None, NOW).id
        db.session.commit()

    response = visit(loner).get("/")

    assert response.status_code == 200
    assert "You are not a member of a workspace yet" in response.text


def test_a_workspaces_short_address_leads_to_its_list(seeded: SeededIds, visit: Visit) -> None:
    assert visit(seeded.viewer).get("/w/harbor").location == LIST


def test_a_destination_is_listed_with_its_channel_host_badge_and_button(seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.admin).get(LIST).text

    assert _names(page) == ["Ticket system"]
    assert "Webhook" in page
    assert re.search(r'<p class="where">127\.0\.0\.1:\d+ <code>[0-9a-f]{8}</code></p>', page)
    assert page.count('data-last-test="never"') == 1
    assert page.count(BUTTON) == 1


@pytest.mark.parametrize("who", ["admin", "support", "viewer"])
def test_the_list_shows_the_visitors_role_and_no_secret(seeded: SeededIds, visit: Visit, who: str) -> None:
    page = visit(getattr(seeded, who)).get(LIST).text

    assert f"Your role here is <b>{who}</b>." in page
    assert SECRET_PATH not in page


def test_support_has_the_button_and_no_way_to_edit(seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.support).get(LIST).text

    assert BUTTON in page
    assert f"{LIST}/new" not in page


def test_a_viewer_has_neither_the_button_nor_a_way_to_edit(seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.viewer).get(LIST).text

    assert 'data-last-test="never"' in page
    assert BUTTON not in page
    assert f"{LIST}/new" not in page


def test_an_admin_has_a_link_to_add_a_destination(seeded: SeededIds, visit: Visit) -> None:
    assert f'href="{LIST}/new"' in visit(seeded.admin).get(LIST).text


def test_destinations_are_sorted_by_name_without_the_deleted_ones(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, visit: Visit
) -> None:
    with app.app_context():
        _add(seeded, app_settings, "Zulu")
        _add(seeded, app_settings, "Alpha")
        delete_destination(_add(seeded, app_settings, "Gone"), get_account(seeded), NOW)

    page = visit(seeded.viewer).get(LIST).text

    assert _names(page) == ["Alpha", "Ticket system", "Zulu"]
    assert "Gone" not in page


def test_nothing_of_another_workspace_is_listed(seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.admin).get(LIST).text

    assert "Lab system" not in page
    assert "Mill Street Clinic" not in page


def test_the_switcher_lists_the_visitors_workspaces_and_roles_and_marks_the_current_one(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    with app.app_context():
        set_role(add_workspace("depot", "Depot", NOW), get_account(seeded), Role.VIEWER)
        db.session.commit()

    page = visit(seeded.admin).get(LIST).text

    links = re.findall(
        r'<a href="(/w/\w+/destinations)"\s+(aria-current="page")?>\s*<bdi>([^<]+)</bdi> <small>(\w+)</small>', page
    )
    assert links == [
        ("/w/depot/destinations", "", "Depot", "viewer"),
        (LIST, 'aria-current="page"', "Harbor Logistics", "admin"),
    ]


@pytest.mark.parametrize(
    ("who", "advice"), [("admin", "Add a destination"), ("support", "An admin of this workspace can add one.")]
)
def test_an_empty_workspace_shows_the_next_step(
    app: Flask, seeded: SeededIds, visit: Visit, who: str, advice: str
) -> None:
    with app.app_context():
        delete_destination(get_destination(seeded), get_account(seeded), NOW)

    page = visit(getattr(seeded, who)).get(LIST).text

    assert "No destinations yet" in page
    assert advice in page


def test_a_disabled_destination_is_marked_and_its_button_is_disabled(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    with app.app_context():
        set_enabled(get_destination(seeded), get_account(seeded), False, NOW)

    page = visit(seeded.admin).get(LIST).text

    assert '<span class="tag">Disabled</span>' in page
    assert re.search(
        r'<button class="outline send"[^>]* disabled title="This destination is disabled\.',
        page,
    )


@pytest.mark.parametrize(
    ("facts", "badge"),
    [
        ({"status": DeliveryStatus.QUEUED}, "pending"),
        ({"status": DeliveryStatus.DEFERRED, "send_after": datetime(2100, 1, 1, tzinfo=UTC)}, "pending"),
        ({"status": DeliveryStatus.SENT, "sent_at": NOW}, "sent"),
        ({"status": DeliveryStatus.FAILED, "last_error_code": "not_found"}, "failed"),
        ({"status": DeliveryStatus.CANCELED, "last_error_code": "superseded"}, "failed"),
    ],
)
def test_a_badge_shows_the_newest_test_send(
    app: Flask, seeded: SeededIds, visit: Visit, facts: dict[str, Any], badge: str
) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=datetime.now(UTC), **facts)

    assert re.findall(r'data-last-test="(\w+)"', visit(seeded.viewer).get(LIST).text) == [badge]


@pytest.mark.parametrize("is_enabled", [True, False])
def test_an_abandoned_test_is_not_pending_in_the_list(
    app: Flask, seeded: SeededIds, visit: Visit, is_enabled: bool
) -> None:
    with app.app_context():
        begin_claim_record()
        destination = get_destination(seeded)
        destination.is_enabled = is_enabled
        add_delivery(destination, created_at=datetime.now(UTC) - seconds(600))

    page = visit(seeded.viewer).get(LIST).text

    assert "No worker picked up the message in time, so nothing was sent." in page
    assert 'data-last-test="pending"' not in page
    assert "is under way" not in page


def test_only_a_list_with_a_test_that_waits_asks_for_overdue_ones(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.viewer)
    asked = [_asks_for_overdue_tests(app, visitor)]
    with app.app_context():
        add_delivery(get_destination(seeded), created_at=datetime.now(UTC))
    asked.append(_asks_for_overdue_tests(app, visitor))

    assert asked == [False, True]


def _asks_for_overdue_tests(app: Flask, visitor: Visitor) -> bool:
    with collecting_statements(app) as statements:
        visitor.get(LIST)
    return any("attempt_started_at <=" in statement for statement in statements)


def test_a_real_alert_does_not_change_the_badge(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        add_real_alert(get_destination(seeded), status=DeliveryStatus.FAILED, last_error_code="not_found")

    assert 'data-last-test="never"' in visit(seeded.viewer).get(LIST).text


@pytest.mark.parametrize("config_text", ["", "gAAAAA", "not a token", "gärbage \N{BELL}"])
def test_a_destination_with_unreadable_settings_is_still_listed(
    app: Flask, seeded: SeededIds, visit: Visit, config_text: str
) -> None:
    with app.app_context():
        get_destination(seeded).config = config_text
        db.session.commit()

    response = visit(seeded.viewer).get(LIST)

    assert response.status_code == 200
    assert "settings cannot be read" in response.text


def test_a_destination_of_a_removed_channel_is_still_listed(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        get_destination(seeded).type = "pigeon"
        db.session.commit()

    response = visit(seeded.admin).get(LIST)

    assert response.status_code == 200
    assert re.search(r"</i>\s*pigeon\b", response.text)


def test_admins_see_recipients_in_full_support_sees_them_masked_and_viewers_see_their_count(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, visit: Visit
) -> None:
    with app.app_context():
        _add(seeded, app_settings, "Desk", "email", recipients="ann@example.com, bob@example.org, cy@example.com")

    assert "ann@example.com, bob@example.org and 1 more" in visit(seeded.admin).get(LIST).text
    assert "a***@example.com, b***@example.org and 1 more" in visit(seeded.support).get(LIST).text
    assert "ann@" not in visit(seeded.support).get(LIST).text
    assert "3 recipients at example.com, example.org" in visit(seeded.viewer).get(LIST).text
    assert "***" not in visit(seeded.viewer).get(LIST).text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\"><b title='&", "&#34;&gt;&lt;b title=&#39;&amp;"),
        ("{{ 7 * 7 }}{% raw %}", "{{ 7 * 7 }}{% raw %}"),
        ("🚢" * 200, "🚢" * 200),
    ],
)
def test_any_name_is_shown_as_it_was_typed(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, visit: Visit, name: str, shown: str
) -> None:
    with app.app_context():
        _add(seeded, app_settings, name)

    page = visit(seeded.admin).get(LIST).text

    assert f"><bdi>{shown}</bdi></a></h2>" in page
    assert f"<small> to <bdi>{shown}</bdi></small>" in page


def test_a_name_written_from_right_to_left_is_isolated_from_the_words_around_it(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, visit: Visit
) -> None:
    with app.app_context():
        _add(seeded, app_settings, "מנוף 7\u202egninraw")
        get_workspace(seeded).name = "نمل"
        db.session.commit()

    page = visit(seeded.admin).get(LIST).text

    assert "><bdi>מנוף 7gninraw</bdi></a></h2>" in page
    assert "to <bdi>מנוף 7gninraw</bdi>" in page
    assert "<title>\u2068نمل\u2069 · Alertcheck</title>" in page
    assert "enabled destination of \u2068نمل\u2069 that was not tested" in page


def _count_statements(app: Flask, visitor: Visitor) -> int:
    with collecting_statements(app) as statements:
        assert visitor.get(LIST).status_code == 200
    return len(statements)


def test_a_list_of_1000_destinations_takes_as_many_queries_as_a_list_of_one(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, visit: Visit
) -> None:
    visitor = visit(seeded.admin)
    with_one = _count_statements(app, visitor)
    with app.app_context():
        _add_many(app_settings, 999)

    assert _count_statements(app, visitor) == with_one
    page = visitor.get(LIST).text
    assert (len(_names(page)), "Page 1 of 10, 1000 destinations" in page) == (100, True)


def _add_many(app_settings: AppSettings, count: int) -> None:
    now = datetime.now(UTC)
    facts = {"workspace_id": 1, "type": "webhook", "config": "", "created_at": now, "updated_at": now}
    destinations = [AlertDestination(name=f"Number {number}", **facts) for number in range(count)]
    db.session.add_all(destinations)
    db.session.flush()
    for destination in destinations:
        destination.config = app_settings.cipher.encrypt(SETTINGS, context=destination.encryption_context)
    add_delivery(destinations[0], created_at=now, status=DeliveryStatus.SENT, sent_at=now)
    db.session.commit()


def test_the_lists_filter_is_kept_in_the_url(
    app: Flask, seeded: SeededIds, app_settings: AppSettings, visit: Visit
) -> None:
    with app.app_context():
        _add(seeded, app_settings, "Alpha")
        add_delivery(get_destination(seeded), status=DeliveryStatus.FAILED, last_error_code="gone")
    visitor = visit(seeded.viewer)

    assert _names(visitor.get(LIST).text) == ["Ticket system", "Alpha"]
    assert _names(visitor.get(f"{LIST}?state=never").text) == ["Alpha"]
    assert _names(visitor.get(f"{LIST}?q=ticket&channel=webhook").text) == ["Ticket system"]
    assert "No destination matches the filter." in visitor.get(f"{LIST}?channel=slack").text


def test_the_summary_above_the_list_is_also_served_alone(seeded: SeededIds, visit: Visit) -> None:
    visitor, words = visit(seeded.viewer), "0 of 1 destination accepted its last test; 1 was never tested."

    assert words in visitor.get(LIST).text
    assert words in visitor.get("/w/harbor/state").text


DAY = timedelta(days=1)


@pytest.fixture
def aged(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> None:
    """Destinations that accepted their last test a minute and 64 days ago, and one that was never tested."""
    with app.app_context():
        for name, age in (("Fresh", DAY / 1440), ("Old", 64.5 * DAY)):
            at = datetime.now(UTC) - age
            sent = {"status": DeliveryStatus.SENT, "created_at": at, "sent_at": at}
            add_delivery(_add(seeded, app_settings, name), **sent)


@pytest.mark.parametrize("htmx", [True, False])
def test_the_tab_of_stale_destinations_lists_as_many_as_it_counts(
    aged: None, seeded: SeededIds, visit: Visit, htmx: bool
) -> None:
    visitor = visit(seeded.admin)
    everything = visitor.get(LIST).text

    page = visitor.get(f"{LIST}?gap=stale", headers={"HX-Request": "true"} if htmx else {}).text

    assert re.findall(r"Nothing accepted in 30 days <b>(\d+)</b>", everything) == ["2"]
    assert sorted(_names(page)) == ["Old", "Ticket system"]
    assert '<input type="hidden" name="gap" value="stale">' in page  # kept by the filters below
    assert re.search(r'gap=stale"[^>]*aria-current="true"', page)
    assert "gap=stale" not in "".join(re.findall(r'<a href="([^"]*state=[^"]*)"', page))


def test_the_list_names_the_age_of_the_oldest_accepted_test(aged: None, seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.admin).get(LIST).text

    words = "2 of 3 destinations accepted their last test, the oldest 64 days ago; 1 was never tested."
    assert f'<p role="status">{words}</p>' in page
    assert page.count("Last accepted") == 1


def test_all_workspaces_show_how_old_their_badges_are(aged: None, seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.admin).get("/workspaces").text

    assert "oldest test 64 days ago" in page
    assert re.search(
        r'href="/w/harbor/destinations\?gap=stale" aria-label="[^"]+">.*2 nothing accepted in 30 days</a>', page
    )


def test_only_what_the_filter_shows_can_be_chosen(aged: None, seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.admin).get("/w/harbor/choose?gap=stale").text

    assert sorted(re.findall(r"<b><bdi>([^<]+)</bdi></b>", page)) == ["Old", "Ticket system"]
