"""Views that choose several destinations of the list, and test, enable, disable or tag them at once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth.access import Visit, load_visit
from webapp.channels import CHANNELS
from webapp.dashboard import overview
from webapp.dashboard.summaries import list_summaries
from webapp.dashboard.summaries_without_proof import list_without_proof
from webapp.database.numbered_pages import cut_page
from webapp.destinations.bulk_editing import BulkResult, change_all_tags, load_chosen, set_all_enabled
from webapp.models import AlertDestination, database_clock
from webapp.presses.batches import press_each
from webapp.presses.testable_destinations import list_candidates
from webapp.text.ids import parse_ids
from webapp.text.tags import TagsInvalid, read_tags
from webapp.views.form_submissions import confirms_paging

bp = Blueprint("bulk", __name__)

NOTHING_CHOSEN = "Choose at least one destination."
NO_TAGS = "Enter at least one tag."

# Destinations on one page. Boxes that are ticked count for their page only.
PAGE_SIZE = 500

# Changes several destinations with what the form has typed, and commits. May raise `TagsInvalid`.
Change = Callable[[Visit, Sequence[AlertDestination], datetime], BulkResult]


@bp.get("/w/<slug>/choose")
def choose(slug: str) -> str:
    """List the destinations that match the filter of the list, each with a box to tick. `all=1` ticks each."""
    return _render(_load(slug))


@bp.post("/w/<slug>/choose")
def apply(slug: str) -> str | tuple[str, int] | Response:
    """Apply the action of the pressed button (`do`) to the chosen destinations (`id`), and return to the list."""
    visit, action = _load(slug), request.form.get("do", "")
    ids = parse_ids(request.form.getlist("id"))
    if action != "test" and (action not in _CHANGES or not visit.role.may_edit):
        abort(403 if action in _CHANGES else 400)
    if not ids:
        return _render(visit, NOTHING_CHOSEN), 400
    if action == "test":
        return _test(visit, ids)
    words, change = _CHANGES[action]
    try:
        result = change(visit, load_chosen(visit.workspace, ids), database_clock.now())
    except TagsInvalid as reason:
        return _render(visit, str(reason)), 400
    flash(describe(result, words))
    return _redirect(visit)


def describe(result: BulkResult, words: str) -> str:
    """Return what became of the chosen destinations, in a sentence or two. words: "were disabled"."""
    parts = [_count(result.changed, words)]
    if result.unchanged:
        parts.append(f"{_count(result.unchanged, 'did not change')}.")
    if result.refused:
        parts.append(f"{_count(result.refused, 'would have too many tags')}.")
    if result.revealed:
        parts.append(f"{_count(result.revealed, 'were left out: a tag contains an address or another secret')}.")
    return " ".join([f"{parts[0]}.", *parts[1:]])


def _count(number: int, words: str) -> str:
    if number > 1:
        return f"{number:,} destinations {words}"
    return f"{'1' if number else 'No'} destination {words.replace('were', 'was', 1)}"


def _load(slug: str) -> Visit:
    visit = load_visit(slug)
    return visit if visit.role.may_test else abort(403)


def _render(visit: Visit, error: str | None = None) -> str:
    query = overview.parse_list_query(request.args)
    now = database_clock.now()
    ids = [visit.workspace.id]
    summaries = list_summaries(ids, now) if query.gap else list_without_proof(ids)
    page = cut_page(overview.find_matching(summaries, query, now), query.page, PAGE_SIZE)
    ticked = parse_ids(request.form.getlist("id"))
    return render_template(
        "choose_several.html",
        visit=visit,
        query=query,
        page=page,
        tags=overview.list_tags(summaries, query),
        channels=CHANNELS,
        ticked=ticked,
        are_all_ticked="all" in request.args and not ticked,
        typed=request.form.get("tags", ""),
        paging=overview.count_paging(page.rows),
        error=error,
    )


def _test(visit: Visit, ids: frozenset[int]) -> Response:
    candidates = [candidate for candidate in list_candidates(visit.workspace.id) if candidate.destination_id in ids]
    return _redirect(visit, press_each(visit, candidates, database_clock.now(), confirms_paging()).batch)


def _redirect(visit: Visit, batch: str | None = None) -> Response:
    query: dict[str, Any] = overview.parse_list_query(request.args).as_query(page=None, batch=batch)
    return redirect(url_for("workspaces.show", slug=visit.workspace.slug, **query), 303)


def _enable(visit: Visit, chosen: Sequence[AlertDestination], now: datetime) -> BulkResult:
    return set_all_enabled(chosen, visit.account, True, now)


def _disable(visit: Visit, chosen: Sequence[AlertDestination], now: datetime) -> BulkResult:
    return set_all_enabled(chosen, visit.account, False, now)


def _add_tags(visit: Visit, chosen: Sequence[AlertDestination], now: datetime) -> BulkResult:
    return change_all_tags(chosen, visit.account, _read_typed_tags(), (), current_settings().cipher, now)


def _remove_tags(visit: Visit, chosen: Sequence[AlertDestination], now: datetime) -> BulkResult:
    return change_all_tags(chosen, visit.account, (), _read_typed_tags(), current_settings().cipher, now)


def _read_typed_tags() -> tuple[str, ...]:
    tags = read_tags(request.form.get("tags", ""))
    if not tags:
        raise TagsInvalid(NO_TAGS)
    return tags


_CHANGES: dict[str, tuple[str, Change]] = {
    "enable": ("were enabled", _enable),
    "disable": ("were disabled", _disable),
    "add-tags": ("were tagged", _add_tags),
    "remove-tags": ("lost the tags", _remove_tags),
}
