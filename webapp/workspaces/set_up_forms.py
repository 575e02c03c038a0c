"""The forms behind a set-up link: the first account and workspace, and later an existing or a new account."""

from collections.abc import Callable
from datetime import datetime

from wtforms import Field as FormField
from wtforms import Form, PasswordField, StringField
from wtforms.validators import ValidationError

from webapp.auth.accounts import NewAccount, find_by_email
from webapp.auth.email_address import InvalidEmail, read_new_email
from webapp.auth.password_strength import MIN_LENGTH, WeakPassword, check_password
from webapp.auth.set_up_links import SetUpLink
from webapp.environment.installed_program import COMMAND
from webapp.extensions import PageForm
from webapp.models import Account
from webapp.text.names import NameInvalid, read_name
from webapp.text.slugs import InvalidSlug, propose_slug, read_slug
from webapp.workspaces.set_up import (
    Admission,
    EmailTaken,
    admit_account,
    admit_new_account,
    set_up_installation,
)
from webapp.workspaces.workspace_changes import SlugUsed

EMAIL_TAKEN = "An account has this email address. Use the form for an existing account."

_INVALID = (NameInvalid, InvalidEmail, InvalidSlug)


def checked_by(read: Callable[[str], str]) -> Callable[[Form, FormField], None]:
    """Return a validator that replaces what was typed with what a rule reads. The rule's error is the field's."""

    def check(_form: Form, field: FormField) -> None:
        try:
            field.data = read(field.data or "")
        except _INVALID as reason:
            raise ValidationError(str(reason)) from None

    return check


def _read_slug(text: str) -> str:
    return read_slug(text.strip()) if text.strip() else ""


class NotUsed(Exception):
    """The link was not used: the form has an error that only the attempt to use it found."""


class AccountForm(PageForm):
    """A new account."""

    name = StringField("Your name", [checked_by(read_name)], render_kw={"autocomplete": "name", "maxlength": 200})
    email = StringField(
        "Your email address",
        [checked_by(read_new_email)],
        description="You sign in with it.",
        render_kw={"autocomplete": "username", "type": "email"},
    )
    password = PasswordField(
        "Password",
        description=f"{MIN_LENGTH} characters or more, such as four unrelated words.",
        render_kw={"autocomplete": "new-password"},
    )

    def validate_password(self, field: FormField) -> None:
        """Check the strength of the password. It may not be made of what others know of its owner."""
        try:
            check_password(field.data or "", self.list_names())
        except WeakPassword as reason:
            raise ValidationError(str(reason)) from None

    def list_withheld(self) -> list[str]:
        """Return the labels of what a page without JavaScript does not show again."""
        return [self.password.label.text] if self.password.data else []

    def list_names(self) -> tuple[str, ...]:
        """Return what others know of the owner."""
        return (self.email.data or "", self.name.data or "")

    def read(self) -> NewAccount:
        """Return what was typed. Only once it is valid."""
        return NewAccount(self.email.data or "", self.name.data or "", self.password.data or "")


class InstallationForm(AccountForm):
    """The first account and the first workspace."""

    workspace = StringField(
        "Name of your workspace",
        [checked_by(read_name)],
        description="It holds the alert destinations of a team or a customer. You can change the name later.",
        render_kw={"maxlength": 200},
    )
    slug = StringField(
        "Short name for its addresses",
        [checked_by(_read_slug)],
        description="Optional, and never changes: lowercase letters, digits and hyphens, such as harbor in /w/harbor. "
        "If you leave it blank, it is made from the name.",
        render_kw={"autocapitalize": "none", "spellcheck": "false", "maxlength": 63},
    )

    def list_names(self) -> tuple[str, ...]:
        """Return what others know of the owner, the workspace included."""
        return (*super().list_names(), self.workspace.data or "", self.find_slug())

    def find_slug(self) -> str:
        """Return the slug: the typed one, or one that is made from the name."""
        return self.slug.data or propose_slug(self.workspace.data or "")

    def use(self, link: SetUpLink, now: datetime) -> Admission:
        """Use the link. Raises `LinkEnded` and `NotUsed`."""
        try:
            return set_up_installation(link, self.read(), self.find_slug(), self.workspace.data or "", now)
        except SlugUsed as reason:
            self.slug.errors = [f"{reason} Choose another short name."]
            raise NotUsed from None


class ExistingAccountForm(PageForm):
    """The email address of an existing account, which the form finds."""

    account: Account | None = None

    existing = StringField(
        "Email address of the account",
        [checked_by(read_new_email)],
        description="Its password stays as it is.",
        render_kw={"autocomplete": "username", "type": "email"},
    )

    def validate_existing(self, field: FormField) -> None:
        """Find the account, which has to be able to sign in."""
        self.account = find_by_email(field.data or "")
        if self.account is None:
            raise ValidationError("No account has this email address. Correct it, or make a new account.")
        if not self.account.is_active:
            enable = f"{COMMAND} set-active {self.account.email} true"
            raise ValidationError(f"This account is disabled. Enable it with this command: {enable}")

    def list_withheld(self) -> list[str]:
        """Return the labels of what a page without JavaScript does not show again."""
        return []

    def use(self, link: SetUpLink, now: datetime) -> Admission:
        """Use the link. Raises `LinkEnded`."""
        assert self.account is not None, "the form is valid"
        return admit_account(link, self.account, now)


class LaterAccountForm(AccountForm):
    """A new account in an installation that has had others."""

    def validate_email(self, field: FormField) -> None:
        """Refuse the address of an existing account."""
        if find_by_email(field.data or "") is not None:
            raise ValidationError(EMAIL_TAKEN)

    def use(self, link: SetUpLink, now: datetime) -> Admission:
        """Use the link. Raises `LinkEnded` and `NotUsed`."""
        try:
            return admit_new_account(link, self.read(), now)
        except EmailTaken:
            self.email.errors = [EMAIL_TAKEN]
            raise NotUsed from None
