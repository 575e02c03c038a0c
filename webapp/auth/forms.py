"""Forms for sign-in and password change."""

from wtforms import Field as FormField
from wtforms import Form, PasswordField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from webapp.auth.accounts import MIN_PASSWORD_LENGTH
from webapp.extensions import PageForm


def _require_visible(_form: Form, entry: FormField) -> None:
    # Rejects instead of cleaning: the sign-in limits count the address as submitted, so the lookup must use the same.
    if not entry.data.isprintable():
        raise ValidationError("The email address contains an invisible character. Type it again.")


class SignInForm(PageForm):
    """Email address and password of an account."""

    email = StringField(
        "Email address",
        [DataRequired("Enter your email address."), Length(max=254), _require_visible],
        filters=[lambda value: value.strip() if value else value],
        render_kw={"autocomplete": "username", "type": "email"},
    )
    password = PasswordField(
        "Password",
        [DataRequired("Enter your password."), Length(max=1000)],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(PageForm):
    """The current and the new password of the signed-in account."""

    current = PasswordField(
        "Current password",
        [DataRequired("Enter your current password."), Length(max=1000)],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        "New password",
        [
            DataRequired("Enter a new password."),
            Length(min=MIN_PASSWORD_LENGTH, max=1000, message=f"Use {MIN_PASSWORD_LENGTH} characters or more."),
        ],
        description=f"{MIN_PASSWORD_LENGTH} characters or more. You will be signed out everywhere else.",
        render_kw={"autocomplete": "new-password"},
    )
