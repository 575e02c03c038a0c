"""Forms for sign-in and password change."""

from wtforms import Field as FormField
from wtforms import Form, PasswordField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from webapp.auth.email_address import InvalidEmail, read_email
from webapp.auth.password_strength import MAX_LENGTH, MIN_LENGTH
from webapp.extensions import PageForm


def _check_email(_form: Form, field: FormField) -> None:
    try:
        read_email(field.data or "")
    except InvalidEmail as reason:
        raise ValidationError(str(reason)) from None


def _email_field() -> StringField:
    return StringField("Email address", [_check_email], render_kw={"autocomplete": "username", "type": "email"})


def _new_password_field(consequence: str) -> PasswordField:
    return PasswordField(
        "New password",
        [DataRequired("Enter a new password.")],
        description=f"{MIN_LENGTH} characters or more, such as four unrelated words. {consequence}",
        render_kw={"autocomplete": "new-password"},
    )


class SignInForm(PageForm):
    """Email address and password of an account."""

    email = _email_field()
    password = PasswordField(
        "Password",
        [DataRequired("Enter your password."), Length(max=MAX_LENGTH)],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(PageForm):
    """The current and the new password of the signed-in account."""

    current = PasswordField(
        "Current password",
        [DataRequired("Enter your current password."), Length(max=MAX_LENGTH)],
        render_kw={"autocomplete": "current-password"},
    )
    new = _new_password_field("You will be signed out everywhere else.")


class ForgottenPasswordForm(PageForm):
    """The email address that a link goes to."""

    email = _email_field()


class NewPasswordForm(PageForm):
    """A new password, set by a link instead of the current one."""

    new = _new_password_field("You will be signed in here, and signed out everywhere else.")
