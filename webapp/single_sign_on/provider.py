"""The provider as one web process knows it: its metadata and keys, kept for a while, and how many ask it at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import BoundedSemaphore
from time import monotonic
from typing import TYPE_CHECKING

from flask import current_app

from webapp.app_state import current_settings
from webapp.outbound import OutboundClient
from webapp.outbound.policy.urls import read_url
from webapp.settings.single_sign_on import SingleSignOn
from webapp.single_sign_on.metadata import Metadata, read_metadata
from webapp.single_sign_on.provider_client import ProviderClient
from webapp.single_sign_on.refusals import Refusal, SignOnRefused

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

# Seconds: how long metadata and keys are kept, and how soon the provider is asked again after a failure or
# for an unknown key.
MAX_AGE, FAILURE_PAUSE, RENEWAL_PAUSE = 3600.0, 5.0, 1.0

# Requests of one web process that wait for the provider at once. The other threads are left for everybody else.
MAX_AT_ONCE = 3

# Imported by name, because every web process knows its provider, but only a sign-in there needs the keys.
_KEYS = "webapp.single_sign_on.provider_keys"
_EXTENSION = "alertcheck.single_sign_on"


class Provider:
    """settings: as the administrator wrote them."""

    def __init__(self, settings: SingleSignOn, outbound: OutboundClient) -> None:
        self.settings = settings
        self._outbound = outbound
        self._slots = BoundedSemaphore(MAX_AT_ONCE)
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._failed: tuple[float, SignOnRefused] | None = None

    @contextmanager
    def connect(self) -> Iterator[ProviderClient]:
        """Return a client for one sign-in. Raises `SignOnRefused` if too many wait for the provider already."""
        if not self._slots.acquire(timeout=0.5):
            raise SignOnRefused(Refusal.BUSY)
        try:
            yield ProviderClient(self._outbound)
        finally:
            self._slots.release()

    def load_metadata(self, client: ProviderClient) -> Metadata:
        """Return the provider's metadata, which is at most an hour old. Raises `SignOnRefused`.

        After a failure, the same one is raised for some seconds, so that strangers cannot make us ask without end.
        """
        if self._metadata and monotonic() - self._metadata[0] < MAX_AGE:
            return self._metadata[1]
        if self._failed and monotonic() - self._failed[0] < FAILURE_PAUSE:
            raise SignOnRefused(self._failed[1].refusal)
        try:
            metadata = self.fetch_metadata(client)
        except SignOnRefused as refused:
            self._failed = monotonic(), refused
            raise
        self._metadata = monotonic(), metadata
        return metadata

    def fetch_metadata(self, client: ProviderClient) -> Metadata:
        """Ask the provider for its metadata. Raises `SignOnRefused`."""
        issuer = self.settings.issuer
        document = client.get_json(self.settings.discovery_url, frozenset({read_url(issuer).origin}))
        return read_metadata(document, issuer)

    def load_keys(self, client: ProviderClient, metadata: Metadata, *, renew: bool = False) -> "KeySet":
        """Return the keys that sign tokens, at most an hour old. Raises `SignOnRefused`.

        renew: because a token is signed with an unknown key; asks the provider unless that was done a moment ago.
        """
        if self._keys and monotonic() - self._keys[0] < (RENEWAL_PAUSE if renew else MAX_AGE):
            return self._keys[1]
        keys = self.fetch_keys(client, metadata)
        self._keys = monotonic(), keys
        return keys

    def fetch_keys(self, client: ProviderClient, metadata: Metadata) -> "KeySet":
        """Ask the provider for its keys. Raises `SignOnRefused`."""
        keys: KeySet = import_module(_KEYS).read_keys(client.get_json(metadata.keys, metadata.origins))
        return keys


def find_provider() -> Provider | None:
    """Return the provider of the current application, or None. Asks nothing yet."""
    settings, known = current_settings(), current_app.extensions
    if settings.single_sign_on is None:
        return None
    if _EXTENSION not in known:  # of two threads, the first one decides
        known.setdefault(_EXTENSION, Provider(settings.single_sign_on, settings.outbound))
    provider: Provider = known[_EXTENSION]
    return provider
