"""Signs people out at the provider too, if it offers that (OpenID Connect RP-Initiated Logout 1.0)."""

from authlib.common.urls import add_params_to_uri

from webapp.single_sign_on.provider import Provider
from webapp.single_sign_on.refusals import SignOnRefused


def find_sign_out_url(provider: Provider) -> str | None:
    """Return where to send a browser after its session here has ended; None if the provider has no such page.

    The token of the sign-in is not kept, so the client id is sent instead. The provider may then ask the person to
    confirm.
    """
    try:
        with provider.connect() as client:
            end_session = provider.load_metadata(client).end_session
    except SignOnRefused:
        return None
    if end_session is None:
        return None
    settings = provider.settings
    parameters = [("client_id", settings.client_id), ("post_logout_redirect_uri", settings.signed_out_uri)]
    url: str = add_params_to_uri(end_session, parameters)
    return url
