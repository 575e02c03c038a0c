"""The page of a destination's form: what it is filled with, and what becomes of typed secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from flask import abort, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from webapp.app_state import current_settings
from webapp.auth.access import Visit
from webapp.auth.sessions import current_account
from webapp.channels import CHANNELS
from webapp.channels.contract import Channel
from webapp.dashboard.paging_notice import describe_paging
from webapp.destinations import drafts
from webapp.destinations.form_versions import find_version
from webapp.destinations.forms import VERSION, DestinationForm, make_destination_form
from webapp.models import AlertDestination, database_clock
from webapp.outbound import OutboundClient
from webapp.text.ids import parse_draft
from webapp.text.tags import read_tags, split_tags
from webapp.views.refused_form_texts import NOTICES, FormNotice
from webapp.views.sign_in_page import find_kept_form, find_kept_text

OUTDATED = (
    "Not saved: this destination was changed after you had opened this form. {difference} If you save again, this form "
    "replaces what is stored."
)
DIFFERENT = "What is stored now differs here: {labels}. Secrets are not compared."
EQUAL = "Apart from secrets, which are not compared, what is stored now equals this form."
DELETED = (
    "Not saved: this destination was deleted after you had opened this form. If you save now, what is entered here is "
    "added as a new destination. Enter its secrets again."
)
UNREADABLE = "The stored settings can no longer be decrypted. Enter all of them again, the optional ones too."


@dataclass
class FormPage:
    """The page of one form. destination: None for a new one. stored: its settings.

    template: what a new one begins with: values by field, none of them secret.
    """

    visit: Visit
    channel_name: str
    destination: AlertDestination | None
    stored: Mapping[str, str]
    template: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_submitted(self) -> bool:
        """Whether the form is to be saved. Otherwise it was kept during a sign-in, or asks for a new secret."""
        return request.method == "POST" and not find_kept_text() and "generate" not in request.form

    def load_form(self) -> DestinationForm:
        """Return the form with what was typed, what was kept of it during a sign-in, or what is stored."""
        if request.method == "GET" or find_kept_text():
            return self._form_type(self._kept_values, data=self._stored_values)
        return self.load_typed()

    def load_typed(self) -> DestinationForm:
        """Return the form with what was typed, and what its draft keeps. Also for the checks of its fields."""
        blank = [name for name in request.form.get("drafted", "").split(",") if not request.form.get(name, "").strip()]
        drafted = self._find_drafted()
        typed = MultiDict(request.form)
        for name in drafted.keys() & blank:
            typed[name] = drafted[name]
        form = self._form_type(typed, data=self._stored_values)
        form.lost = [name for name in blank if name not in drafted and name in form]
        return form

    def render(self, form: DestinationForm, refusal: str | None = None) -> tuple[str, int]:
        """Render the page. Keeps the valid secrets of a form that was not saved in a draft. refusal: why it was not."""
        generated = {}
        if request.method == "POST" and "generate" in request.form and not find_kept_text():
            form.validate()
            generated = generate_secret(CHANNELS[self.channel_name], request.form["generate"])
        valid = {} if form.csrf_token.errors else form.read_valid_secrets()
        typed = {name: value for name, value in valid.items() if name not in generated}
        if generated:
            form.clear_errors(generated)
        draft = self._save_draft(typed) if typed else None
        page = render_template(
            "destination_form.html",
            visit=self.visit,
            form=form,
            channel_name=self.channel_name,
            channel=CHANNELS[self.channel_name],
            obstacle=CHANNELS[self.channel_name].find_obstacle(self._outbound),
            destination=self.destination,
            notice=None if refusal else self._find_notice(),
            refusal=refusal,
            seen_version=self._find_version(refusal),
            paging=describe_paging(self.channel_name),
            draft=draft or "",
            drafted=list(typed) if draft else [],
            generated=generated,
        )
        return page, 400 if form.errors else 409 if refusal else 200

    def explain_outdated(self, form: DestinationForm) -> str:
        """Return why the form of a destination that has changed was not saved, and in which fields the two differ."""
        stored, channel = self._stored_values or {}, CHANNELS[self.channel_name]
        settings = form.read_settings(channel)
        defaults = {field.name: field.default for field in channel.fields if not field.is_secret}
        differing = ["name"] if form.name.data != stored.get("name") else []
        differing += [
            name for name, other in defaults.items() if (settings[name] or other) != (stored.get(name) or other)
        ]
        differing += ["tags"] if form.read_tags() != read_tags(stored.get("tags", "")) else []
        labels = ", ".join(form[name].label.text for name in differing)
        return OUTDATED.format(difference=DIFFERENT.format(labels=labels) if labels else EQUAL)

    def delete_draft(self) -> None:
        """Delete the draft of a form that was saved."""
        draft_id = parse_draft(request.form.get("draft"))
        if draft_id is not None:
            drafts.delete_draft(draft_id, _sign_in_id())

    @property
    def seen_version(self) -> str | None:
        """The version of the destination that the form was filled with; None if it does not say so."""
        return request.form.get(VERSION) or None

    def _find_version(self, refusal: str | None) -> str:
        """Return the version that a form names: still the one it was filled with, unless it was refused for that."""
        seen = self._kept_values.get(VERSION) if self._kept_values else self.seen_version
        if seen and not refusal:
            return seen
        return find_version(self.destination) if self.destination else ""

    @property
    def _outbound(self) -> OutboundClient:
        return current_settings().outbound_for(self.visit.workspace.slug)

    @property
    def _form_type(self) -> type[DestinationForm]:
        return make_destination_form(CHANNELS[self.channel_name], self._outbound, self.stored)

    @property
    def _stored_values(self) -> dict[str, str] | None:
        if self.destination is None:
            return dict(self.template) or None
        tags = ", ".join(split_tags(self.destination.tags))
        return {**self.stored, "name": self.destination.name, "tags": tags}

    @property
    def _path(self) -> str:
        """The path of the form, also while one of its fields is checked."""
        slug = self.visit.workspace.slug
        if self.destination is None:
            return url_for("destination_forms.add", slug=slug, channel_name=self.channel_name)
        return url_for("destination_forms.edit", slug=slug, destination_id=self.destination.id)

    def _find_drafted(self) -> Mapping[str, str]:
        """Return the secrets that the form's draft keeps, by field."""
        draft_id = parse_draft(request.form.get("draft"))
        if draft_id is None:
            return {}
        cipher, now = current_settings().cipher, database_clock.now()
        return drafts.find_draft(draft_id, _sign_in_id(), self._path, cipher, now) or {}

    def _save_draft(self, secrets: Mapping[str, str]) -> str | None:
        """Keep secrets in a draft instead of the one before. Returns its id, or None if the session was just ended."""
        self.delete_draft()
        cipher, now = current_settings().cipher, database_clock.now()
        return drafts.save_draft(_sign_in_id(), self._path, secrets, cipher, now)

    @cached_property
    def _kept_values(self) -> MultiDict[str, str] | None:
        """What was kept during a sign-in, empty if it is kept no longer; None if nothing is to be filled in."""
        if request.method == "GET" or not find_kept_text():
            return None
        kept = find_kept_form()
        return MultiDict(kept.values if kept and kept.path == request.path else {})

    def _find_notice(self) -> str | None:
        if self._kept_values is None:
            return UNREADABLE if self.destination and not self.stored else None
        return NOTICES[FormNotice.FILLED_IN if self._kept_values else FormNotice.KEPT_NO_LONGER]


def _sign_in_id() -> str:
    return current_account().sign_in_id or ""


def generate_secret(channel: Channel, field_name: str) -> dict[str, str]:
    """Return a new secret for a field, by its name. Aborts with 404 if the field has none."""
    field = next((field for field in channel.fields if field.name == field_name and field.generate), None)
    return {field_name: field.generate()} if field and field.generate else abort(404)
