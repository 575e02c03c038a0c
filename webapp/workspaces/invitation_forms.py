"""Forms for making an invitation, and for making an account with one."""

from typing import Any

from wtforms import PasswordField, RadioField, StringField
from wtforms.validators import DataRequired, Optional

from webapp.auth.accounts import NewAccount
from webapp.auth.email_address import read_new_email
from webapp.auth.password_strength import MIN_LENGTH
from webapp.extensions import PageForm
from webapp.models import Role
from webapp.text.names import read_name
from webapp.workspaces.set_up_forms import checked_by

# What each role may do, in the words of the pages.
ROLES = {
    Role.ADMIN: "Edits and tests destinations, and manages members",
    Role.SUPPORT: "Tests destinations",
    Role.VIEWER: "Only looks",
}

# The types that mypy reads are those of an earlier WTForms, which took pairs.
_ROLE_NAMES: Any = [role.value for role in Role]


class InvitationForm(PageForm):
    """The role that an invitation gives, and the only address that may accept it, if any."""

    role = RadioField("Role", choices=_ROLE_NAMES, default=Role.SUPPORT.value)
    email = StringField(
        "Email address (optional)",
        [Optional(), checked_by(read_new_email)],
        description="If you enter one, only an account with this address can accept.",
        render_kw={"type": "email", "autocomplete": "off"},
    )

    def read_email(self) -> str | None:
        """Return the address in canonical form, or None if none was entered."""
        typed = self.email.data or ""
        return read_new_email(typed) if typed.strip() else None


class NewAccountForm(PageForm):
    """A new account. The email field is missing if the invitation names the address."""

    email = StringField(
        "Email address", [checked_by(read_new_email)], render_kw={"type": "email", "autocomplete": "username"}
    )
    name = StringField("Your name", [checked_by(read_name)], render_kw={"autocomplete": "name"})
    password = PasswordField(
        "Password",
        [DataRequired("Enter a password.")],
        description=f"{MIN_LENGTH} characters or more, such as four unrelated words.",
        render_kw={"autocomplete": "new-password"},
    )

    def read(self) -> NewAccount:
        """Return what was entered."""
        email = self.email.data if self.email else ""
        return NewAccount(email or "", self.name.data or "", self.password.data or "")
