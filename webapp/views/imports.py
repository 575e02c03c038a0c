"""Views that import destinations from a file, and export those of a workspace."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from importlib import import_module

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from webapp.app_state import current_settings
from webapp.auth.access import Visit, find_role, load_visit_to_edit
from webapp.auth.sessions import current_account
from webapp.destinations.drafts import use_draft, was_used
from webapp.extensions import db
from webapp.imports.adding import FORMAT_LABELS, add_rows
from webapp.imports.choice import Choice
from webapp.imports.dry_run import DryRunRow, Judge, RowState
from webapp.imports.file_contents import FileUnreadable, FoundFile
from webapp.imports.kept_uploads import Uploads
from webapp.models import database_clock
from webapp.models.locking import lock_workspace
from webapp.text.ids import parse_draft

bp = Blueprint("imports", __name__, url_prefix="/w/<slug>")

# Imported by name, because they need a library for YAML that most visits never use.
_EXPORT, _LOADING = "webapp.imports.export", "webapp.imports.file_reading"

PageResponse = str | tuple[str, int] | AnyResponse

NOT_BOTH = "Choose a file or paste its text, but not both."
NEITHER = "Choose a file, or paste its text."
NOT_KEPT = "What was found in the file was kept for 15 minutes, and is gone. Nothing was added. Import the file again."
USED = "These destinations have already been added."

# The name of a field that completes a row: the row's number, and the field of the channel.
_FIELD = re.compile(r"([0-9]{1,4})-([a-z_]{1,50})")


@bp.route("/import", methods=["GET", "POST"])
def upload(slug: str) -> PageResponse:
    """Show the form for a file (GET), or read the file and lead to its dry run (POST)."""
    visit = load_visit_to_edit(slug)
    if request.method == "GET":
        return _render_upload(visit)
    try:
        file = import_module(_LOADING).load_file(_read_content())
    except FileUnreadable as reason:
        return _render_upload(visit, str(reason)), 400
    upload_id = _find_uploads(visit).save(file, database_clock.now())
    if upload_id is None:  # the session was just ended
        return redirect(url_for("imports.upload", slug=slug), 303)
    return redirect(url_for("imports.show", slug=slug, upload=upload_id), 303)


@bp.get("/import/<upload>")
def show(slug: str, upload: str) -> PageResponse:
    """Show what would become of each receiver of a file."""
    visit = load_visit_to_edit(slug)
    file = _find_uploads(visit).find(parse_draft(upload) or abort(404), database_clock.now())
    if file is None:
        return _respond_gone(visit, upload)
    return _render_rows(visit, file, Judge.of_workspace(visit.workspace, current_settings()).judge(file.receivers))


@bp.post("/import/<upload>")
def add(slug: str, upload: str) -> PageResponse:
    """Add the chosen receivers of a file as destinations, all or none. Nothing is sent to them."""
    visit, upload_id = load_visit_to_edit(slug), parse_draft(upload) or abort(404)
    uploads = _find_uploads(visit)
    file = uploads.find(upload_id, database_clock.now())
    if file is None:
        return _respond_gone(visit, upload)
    choice = _read_choice(len(file.receivers))
    lock_workspace(visit.workspace)  # what another import adds at the same time is compared too
    rows = Judge.of_workspace(visit.workspace, current_settings()).judge(file.receivers, choice.typed)
    problem = choice.find_problem(rows)
    if problem and not uploads.complete(upload_id, file, rows):
        return _respond_gone(visit, upload)
    if problem:
        return _render_rows(visit, file, rows, choice, problem), 400
    return _add(visit, uploads, upload_id, file, choice.pick(rows))


@bp.get("/export")
def export(slug: str) -> Response:
    """Download the workspace's destinations as YAML, without secrets."""
    visit = load_visit_to_edit(slug)
    content = import_module(_EXPORT).write_export(visit.workspace, current_settings().cipher)
    headers = {"Content-Disposition": f'attachment; filename="alertcheck-{slug}.yml"'}
    return Response(content, headers=headers, mimetype="application/yaml")


def _add(visit: Visit, uploads: Uploads, upload_id: str, file: FoundFile, rows: Sequence[DryRunRow]) -> PageResponse:
    role = find_role(visit.workspace, visit.account)
    if role is None or not role.may_edit:  # it was changed meanwhile
        abort(403)
    if not use_draft(upload_id, uploads.sign_in_id, uploads.path):
        db.session.rollback()
        return _respond_gone(visit, upload_id)
    add_rows(visit.workspace, visit.account, rows, file.format, uploads.cipher, database_clock.now())
    db.session.commit()
    _flash_added(len(rows))
    return redirect(url_for("workspaces.show", slug=visit.workspace.slug), 303)


def _flash_added(count: int) -> None:
    if count == 1:
        flash("1 destination was added. The import sent nothing.")
        return
    # The button of the list's own form.
    button = Markup('<button class="outline" form="test-all">Test them all</button>')
    flash(Markup("{} destinations were added. The import sent nothing. {}").format(f"{count:,}", button))


def _read_content() -> bytes:
    """Return what was uploaded or pasted. Raises `FileUnreadable`."""
    file, text = request.files.get("file"), request.form.get("text", "")
    content = file.read() if file else b""
    if content and text.strip():
        raise FileUnreadable(NOT_BOTH)
    if not content and not text.strip():
        raise FileUnreadable(NEITHER)
    return content or text.encode(errors="replace")


def _read_choice(receivers: int) -> Choice:
    typed: dict[int, dict[str, str]] = defaultdict(dict)
    for name, text in request.form.items():
        found = _FIELD.fullmatch(name)
        if found and int(found[1]) < receivers:
            typed[int(found[1])][found[2]] = text
    return Choice.read(_read_numbers("row"), _read_numbers("duplicate"), typed)


def _read_numbers(name: str) -> list[int]:
    return [int(text) for text in request.form.getlist(name) if re.fullmatch(r"[0-9]{1,4}", text)]


def _find_uploads(visit: Visit) -> Uploads:
    path = url_for("imports.upload", slug=visit.workspace.slug)
    return Uploads(current_account().sign_in_id or "", path, current_settings().cipher)


def _respond_gone(visit: Visit, upload_id: str) -> PageResponse:
    """Respond to a file that is not kept any more: the list if it was imported, or else the form for a new one."""
    uploads = _find_uploads(visit)
    if was_used(upload_id, uploads.sign_in_id, uploads.path):
        flash(USED)
        return redirect(url_for("workspaces.show", slug=visit.workspace.slug), 303)
    return _render_upload(visit, NOT_KEPT), 410


def _render_upload(visit: Visit, problem: str | None = None) -> str:
    return render_template("import.html", visit=visit, problem=problem)


def _render_rows(
    visit: Visit,
    file: FoundFile,
    rows: Sequence[DryRunRow],
    choice: Choice | None = None,
    problem: str | None = None,
) -> str:
    ready = frozenset(row.number for row in rows if row.state is RowState.READY)
    return render_template(
        "import_rows.html",
        visit=visit,
        source=FORMAT_LABELS[file.format],
        notes=file.notes,
        rows=rows,
        chosen=choice.rows if choice else ready,
        typed=choice.typed if choice else {},
        problem=problem,
        states=RowState,
        counts=Counter(row.state for row in rows),
    )
