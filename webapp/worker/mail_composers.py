"""Who composes which mail to people. One line adds a kind."""

from webapp.account_mail.mail_content import Composer, Composers
from webapp.auth import address_confirmation, password_mails
from webapp.auth.mailed_account import find_account_recipient
from webapp.auth.trial_mail import compose_check
from webapp.models import AccountMailKind
from webapp.notices.mails import NOTICE_COMPOSER
from webapp.workspaces import invitation_mails

COMPOSERS: Composers = {
    AccountMailKind.RESET: Composer(password_mails.find_reset_recipient, password_mails.compose_reset),
    AccountMailKind.CHANGED: Composer(find_account_recipient, password_mails.compose_changed),
    AccountMailKind.CONFIRMATION: Composer(
        address_confirmation.find_recipient, address_confirmation.compose_confirmation
    ),
    AccountMailKind.INVITATION: Composer(invitation_mails.find_recipient, invitation_mails.compose_invitation),
    AccountMailKind.CHECK: Composer(find_account_recipient, compose_check),
    AccountMailKind.NOTICE: NOTICE_COMPOSER,
}
