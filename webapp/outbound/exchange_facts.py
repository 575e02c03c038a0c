"""What is known of one exchange with a receiver: how long each step took, where it led, and what the receiver showed.

None of it is the text of a response, a path or a query. What a stranger wrote is reduced before it gets here.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from time import monotonic
from typing import Any, Self

from webapp.outbound.policy.public_networks import Network, is_allowed_answer


class ExchangeStep(StrEnum):
    """A step of an exchange, in the order of HTTP. Over SMTP, the greeting may come before TLS."""

    LOOKUP = "lookup"
    CONNECT = "connect"
    TLS = "tls"
    FIRST_BYTE = "first_byte"
    RESPONSE = "response"
    GREETING = "greeting"
    MAIL = "mail"


@dataclass(frozen=True)
class CertificateDates:
    """The receiver's own certificate. issuer: the authority's safe name, or None."""

    issuer: str | None
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True)
class ExchangeFacts:
    """The facts of one exchange.

    steps: each step that began and the milliseconds that it took, in their order.
    is_complete: whether the last step ended by itself. If not, the exchange failed there.
    family: 4 or 6, the IP version of the address that was used last; None if there was none.
    address: the receiver's address, if it is public or an origin that the administrator trusts.
    is_public: whether strangers may see the address.
    tries: how many addresses were tried.
    is_proxied: whether the connection leads through the egress proxy.
    media_type: from a closed list. size: bytes read of the body. is_cut_off: whether there were more.
    redirect_host: the host that a redirect leads to, if it may be shown.
    """

    steps: tuple[tuple[ExchangeStep, float], ...] = ()
    is_complete: bool = False
    family: int | None = None
    address: str | None = None
    is_public: bool = False
    tries: int = 0
    is_proxied: bool = False
    certificate: CertificateDates | None = None
    media_type: str | None = None
    size: int | None = None
    is_cut_off: bool = False
    redirect_host: str | None = None

    @property
    def total(self) -> float:
        """The milliseconds of all steps."""
        return round(sum(duration for _, duration in self.steps), 1)

    @property
    def failed_step(self) -> ExchangeStep | None:
        """The step that did not end by itself, or None."""
        return None if self.is_complete or not self.steps else self.steps[-1][0]


class ExchangeRecorder:
    """Collects the facts of an exchange while it is made, by the monotonic clock.

    Use it as a context manager around the exchange. A second exchange replaces the facts of the first one.
    denied: the administrator's own networks, whose addresses are not public.
    """

    _step: ExchangeStep | None
    _began: float  # seconds of the monotonic clock
    _has_ended: bool
    _steps: list[tuple[ExchangeStep, float]]
    _tries: int
    _noted: dict[str, Any]

    def __init__(self, denied: Collection[Network] = ()) -> None:
        self._denied = denied
        self._reset()

    def __enter__(self) -> Self:
        self._reset()
        return self

    def __exit__(self, *_error: object) -> None:
        self.end(is_complete=False)

    @property
    def facts(self) -> ExchangeFacts:
        """The facts so far."""
        return ExchangeFacts(tuple(self._steps), tries=self._tries, **self._noted)

    def start(self, step: ExchangeStep) -> None:
        """End the current step, and start this one."""
        if self._has_ended or step is self._step:
            return
        now = monotonic()
        self._close_step(now)
        self._step, self._began = step, now

    def end(self, *, is_complete: bool) -> None:
        """End the exchange. What happens later does not count: it only finds out the cause of a failure."""
        if self._has_ended:
            return
        self._close_step(monotonic())
        self._noted["is_complete"] = is_complete
        self._has_ended = True

    def note_address(self, address: str, *, keep_private: bool = False) -> None:
        """Note an address of the receiver that is tried. keep_private: note it although it is not public."""
        is_public = self._is_public(address)
        kept = address if is_public or keep_private else None
        self._noted |= {"family": 6 if ":" in address else 4, "address": kept, "is_public": is_public}
        self._tries += 1

    def note_proxy(self) -> None:
        """Note that the connection leads through the egress proxy."""
        self._noted["is_proxied"] = True

    def note_certificate(self, certificate: CertificateDates) -> None:
        """Note the receiver's own certificate."""
        self._noted["certificate"] = certificate

    def note_response(self, media_type: str | None, size: int, is_cut_off: bool, redirect_host: str | None) -> None:
        """Note what may be shown of an HTTP response."""
        self._noted |= {
            "media_type": media_type,
            "size": size,
            "is_cut_off": is_cut_off,
            "redirect_host": redirect_host,
        }

    def _reset(self) -> None:
        self._step, self._began, self._has_ended = None, 0.0, False
        self._steps, self._tries, self._noted = [], 0, {}

    def _is_public(self, address: str) -> bool:
        with suppress(ValueError):
            return is_allowed_answer(ip_address(address), self._denied)
        return False

    def _close_step(self, now: float) -> None:
        if self._step is not None:
            self._steps.append((self._step, round(1000 * (now - self._began), 1)))
            self._step = None
