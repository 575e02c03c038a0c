"""Lists the links of the bars: what spans workspaces, and the tabs of a workspace. One line adds a link."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from flask import Flask, request

from webapp.app_state import current_settings
from webapp.auth.instance_admins import is_instance_admin
from webapp.models import Role
from webapp.notices.page_header import load_page_header


@dataclass(frozen=True)
class NavigationItem:
    """A link of a bar.

    endpoint: the view that it leads to. Every page of that view's blueprint is below it.
    below: further blueprints whose pages are below it.
    pages: the items of the second level. The link leads to the first one that the visitor may open.
    counts_problems: whether the link shows how many problems are open.
    """

    label: str
    endpoint: str
    icon: str
    below: frozenset[str] = field(default_factory=frozenset)
    pages: tuple["NavigationItem", ...] = ()
    is_for_admins: bool = False
    is_for_demo: bool = False
    is_for_public_demo: bool = True
    counts_problems: bool = False

    def contains(self, endpoint: str | None) -> bool:
        """Return whether the page of a view is this item or below it."""
        if endpoint is None:
            return False
        is_own = _blueprint(endpoint) in self.below | {_blueprint(self.endpoint)}
        return is_own or any(page.contains(endpoint) for page in self.pages)


@dataclass(frozen=True)
class Link:
    """An item as a page shows it. current: "page" on the item itself, "true" on a page below it, or None."""

    item: NavigationItem
    current: str | None


# What spans workspaces, above their tabs.
GLOBAL_ITEMS = (
    NavigationItem("What is broken", "broken.show", "warning"),
    NavigationItem("All workspaces", "workspaces.list_all", "list"),
    NavigationItem("Demo inbox", "inbox.show", "inbox", is_for_demo=True),
    NavigationItem("Demo panel", "demo_panel.show", "panel", is_for_demo=True),
)

# The tabs of a workspace, each with its second level.
WORKSPACE_TABS = (
    NavigationItem(
        "Destinations",
        "workspaces.show",
        "list",
        below=frozenset(
            {
                "destinations",
                "destination_forms",
                "imports",
                "field_checks",
                "preview",
                "presses",
                "receipts",
                "customer_links",
                "batches",
                "bulk",
                "suggestions",
            }
        ),
    ),
    NavigationItem(
        "History",
        "history.show",
        "history",
        pages=(
            NavigationItem("All messages", "history.show", "history"),
            NavigationItem("Evidence", "evidence.show", "list", is_for_public_demo=False),
        ),
    ),
    NavigationItem("Drills", "drills.show", "pending", is_for_public_demo=False),
    NavigationItem("Problems", "problems.show", "warning", is_for_public_demo=False, counts_problems=True),
    NavigationItem(
        "Settings",
        "members.show",
        "settings",
        pages=(
            NavigationItem(
                "Members", "members.show", "list", below=frozenset({"invitations"}), is_for_public_demo=False
            ),
            NavigationItem("Audit trail", "audit.show", "history"),
        ),
        is_for_admins=True,
    ),
)

# The pages of the instance, which the account menu of an instance admin leads to.
INSTANCE_PAGES = (
    NavigationItem("Installation", "instance.show", "settings"),
    NavigationItem("Workspaces", "instance_workspaces.show_all", "list"),
    NavigationItem("Accounts", "instance_accounts.show_all", "list"),
    NavigationItem("Mail check", "instance_mail.show", "email"),
    NavigationItem("Audit trail", "instance_audit.show", "history"),
)


def init_navigation(app: Flask) -> None:
    """Give the templates the links of the bars."""
    app.jinja_env.globals |= {
        "find_current_instance_page": find_current_instance_page,
        "find_current_tab": find_current_tab,
        "is_instance_admin": is_instance_admin,
        "list_global_links": list_global_links,
        "list_instance_links": list_instance_links,
        "list_links": list_links,
        "load_page_header": load_page_header,
        "workspace_tabs": WORKSPACE_TABS,
    }


def list_global_links() -> list[Link]:
    """Return the links that span workspaces."""
    is_demo = current_settings().demo is not None
    items = (item for item in GLOBAL_ITEMS if is_demo or not item.is_for_demo)
    return [Link(item, "page" if request.endpoint == item.endpoint else None) for item in items]


def list_instance_links() -> list[Link]:
    """Return the links to the pages of the instance."""
    return [Link(item, _find_current(item, request.endpoint)) for item in INSTANCE_PAGES]


def list_links(items: tuple[NavigationItem, ...], role: Role) -> Sequence[Link]:
    """Return the links to those items of a workspace that a member with this role may open."""
    return _list_links(items, role.may_edit, current_settings().is_public_demo, request.endpoint)


def find_current_tab() -> NavigationItem | None:
    """Return the tab that the page is below, or None."""
    return next((tab for tab in WORKSPACE_TABS if tab.contains(request.endpoint)), None)


def find_current_instance_page() -> NavigationItem | None:
    """Return the page of the instance that the page is or is below, or None."""
    return next((item for item in INSTANCE_PAGES if item.contains(request.endpoint)), None)


@cache  # every page of a workspace has the same links as the last page of that view
def _list_links(
    items: tuple[NavigationItem, ...], may_edit: bool, is_public_demo: bool, endpoint: str | None
) -> tuple[Link, ...]:
    found = (item for item in _list_open(items, is_public_demo) if may_edit or not item.is_for_admins)
    return tuple(_make_link(item, is_public_demo, endpoint) for item in found)


def _make_link(item: NavigationItem, is_public_demo: bool, endpoint: str | None) -> Link:
    first = next(iter(_list_open(item.pages, is_public_demo)), item)
    target = replace(item, endpoint=first.endpoint)
    return Link(target, _find_current(target, endpoint))


def _list_open(items: Iterable[NavigationItem], is_public_demo: bool) -> list[NavigationItem]:
    """Return the items that this kind of installation has."""
    return [item for item in items if item.is_for_public_demo or not is_public_demo]


def _find_current(item: NavigationItem, endpoint: str | None) -> str | None:
    """Return how the page of a view marks the link to an item: see `Link`."""
    if not item.contains(endpoint):
        return None
    return "page" if endpoint == item.endpoint else "true"


def _blueprint(endpoint: str) -> str:
    return endpoint.rpartition(".")[0]
