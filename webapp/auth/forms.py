"""The forms of sign-in and password change."""

from wtforms import Field as FormField
from wtforms import Form, PasswordField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from webapp.auth.accounts import SHORTEST_PASSWORD
from webapp.extensions import PageForm


def _require_visible(_form: Form, entry: FormField) -> None:
    # Never cleaned: the limits count an address as it was sent, so the address looked up has to be the very same.
    if not entry.data.isprintable():
        raise ValidationError("The address contains an invisible character. Type it again.")


class SignInForm(PageForm):
    """Who signs in."""

    email = StringField(
        "E-mail address",
        [DataRequired("Enter your e-mail address."), Length(max=254), _require_visible],
        filters=[lambda value: value.strip() if value else value],
        render_kw={"autocomplete": "username", "type": "email"},
    )
    password = PasswordField(
        "Password",
        [DataRequired("Enter your password."), Length(max=1000)],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(PageForm):
    """A new password for whoever is signed in."""

    current = PasswordField(
        "Current password",
        [DataRequired("Enter your current password."), Length(max=1000)],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        "New password",
        [
            DataRequired("Enter a new password."),
            Length(min=SHORTEST_PASSWORD, max=1000, message=f"Use {SHORTEST_PASSWORD} characters or more."),
        ],
        description=f"{SHORTEST_PASSWORD} characters or more. You will be signed out everywhere else.",
        render_kw={"autocomplete": "new-password"},
    )
