"""Opens the connection to a receiver: to a checked address, through the proxy if one is set, with TLS for https."""

import socket
from collections.abc import Callable, Sequence
from functools import partial

from webapp.failures import Cause, Code, DeliveryFailed, Facts
from webapp.outbound.exchange_facts import ExchangeRecorder, ExchangeStep
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import Origin, Target
from webapp.outbound.transport.allowed_addresses import choose_direct, find_addresses
from webapp.outbound.transport.client_certificates import await_verdict
from webapp.outbound.transport.deadline import Deadline, Limits
from webapp.outbound.transport.dns import Resolver, resolve, system_resolver
from webapp.outbound.transport.proxy import SignInRefused, TunnelRefused, open_tunnel
from webapp.outbound.transport.tls import Reopen, encrypt, make_context

# The protocol that HTTP connections offer in ALPN.
HTTP_ALPN = ("http/1.1",)

# The address to use, and one to fall back on.
_MAX_TRIES = 2

# Of the failures of several tries, the first of these is reported: what the receiver or its network did says more than
# that this machine has no route for the other IP version.
_MOST_TELLING = (Code.CONNECT_REFUSED, Code.CONNECT_TIMEOUT, Code.NETWORK_UNREACHABLE)


def open_connection(
    target: Target,
    policy: Policy,
    resolver: Resolver,
    deadline: Deadline,
    limits: Limits,
    recorder: ExchangeRecorder,
) -> socket.socket:
    """Return a connection to the target, watched by the deadline and encrypted for https. No message is sent yet.

    Raises `DeliveryFailed` with target_not_allowed or a code for DNS, connection, network or TLS errors.
    """
    context = make_context(policy.ca_file, *HTTP_ALPN) if target.scheme == "https" else None
    connection, reopen = open_plain_connection(target, policy, resolver, deadline, limits, recorder)
    if context is not None:
        connection = encrypted = encrypt(connection, target.host, context, deadline, reopen, recorder)
        await_verdict(encrypted, target.host, deadline)
    connection.settimeout(limits.silence)
    return connection


def open_plain_connection(
    target: Target,
    policy: Policy,
    resolver: Resolver,
    deadline: Deadline,
    limits: Limits,
    recorder: ExchangeRecorder,
) -> tuple[socket.socket, Reopen]:
    """Return a connection to the target without TLS, and a function that opens another one to the same address.

    Raises `DeliveryFailed`, as the function does. Neither looks up the name again.
    """
    route = policy.demo_routes.get(target.origin)
    if route is not None:
        recorder.start(ExchangeStep.CONNECT)
        found = resolve(route.host, system_resolver, limits.lookup)
        return _connect_to_one_of(found, route.port, target.host, deadline, limits)
    addresses = find_addresses(target, policy, resolver, limits.lookup, recorder)
    recorder.start(ExchangeStep.CONNECT)
    proxy = None if policy.trusts(target) else policy.proxy
    direct = addresses if proxy is None else choose_direct(addresses, policy)
    if proxy is None or direct:
        # The mail server belongs to the administrator. Any other private address was allowed as a receiver.
        note_try = partial(recorder.note_address, keep_private=target.scheme != "smtp")
        return _connect_to_one_of(direct, target.port, target.host, deadline, limits, note_try)
    recorder.note_proxy()
    return _connect_through(proxy, addresses, target, policy, deadline, limits, recorder)


def _choose_tries(addresses: Sequence[str]) -> Sequence[str]:
    """Return the best address, and one of the other IP version if there is one: often only one version works.

    The resolver of a network with NAT64 may put any number of IPv6 addresses before the first of IPv4.
    """
    first, *others = addresses
    return (first, *sorted(others, key=lambda other: (":" in other) == (":" in first)))[:_MAX_TRIES]


def _connect_to_one_of(
    addresses: Sequence[str],
    port: int,
    host: str,
    deadline: Deadline,
    limits: Limits,
    note_try: Callable[[str], None] = lambda address: None,
) -> tuple[socket.socket, Reopen]:
    tries = _choose_tries(addresses)
    share = limits.connect / len(tries)  # if the first address stays silent, there is time for the second
    codes = set()
    for address in tries:
        note_try(address)
        try:
            connection = _connect(address, port, share, deadline, limits)
        except OSError as error:
            codes.add(_classify_error(error))
            continue
        return connection, partial(_connect, address, port, share, deadline, limits)
    code = next(code for code in _MOST_TELLING if code in codes)
    wait = limits.connect if code is Code.CONNECT_TIMEOUT else None
    raise DeliveryFailed(code, Facts(host=host, seconds=wait))


def _connect(address: str, port: int, seconds: float, deadline: Deadline, limits: Limits) -> socket.socket:
    """Connect within so many seconds, and let the deadline watch the connection. Raises OSError."""
    connection = socket.create_connection((address, port), timeout=max(0.001, min(seconds, deadline.left())))
    deadline.watch(connection)
    connection.settimeout(limits.connect)
    return connection


def _connect_through(
    proxy: Origin,
    addresses: Sequence[str],
    target: Target,
    policy: Policy,
    deadline: Deadline,
    limits: Limits,
    recorder: ExchangeRecorder,
) -> tuple[socket.socket, Reopen]:
    *others, last = _choose_tries(addresses)
    for address in others:
        connection, reopen = _connect_to_proxy(proxy, target, deadline, limits)
        recorder.note_address(address)
        try:
            return _open_tunnel(connection, reopen, address, target, policy, limits.connect / _MAX_TRIES)
        except DeliveryFailed as failure:
            if failure.facts.cause is not Cause.PROXY_REFUSED:  # it may reach one IP version only
                raise
    connection, reopen = _connect_to_proxy(proxy, target, deadline, limits)
    recorder.note_address(last)
    return _open_tunnel(connection, reopen, last, target, policy, limits.connect)


def _connect_to_proxy(
    proxy: Origin, target: Target, deadline: Deadline, limits: Limits
) -> tuple[socket.socket, Reopen]:
    try:
        found = resolve(proxy.host, system_resolver, limits.lookup)
        return _connect_to_one_of(found, proxy.port, target.host, deadline, limits)
    except DeliveryFailed:  # do not show the proxy's name: only the administrator may know it
        raise _blame_proxy(target, Cause.PROXY_UNREACHABLE) from None


def _open_tunnel(
    connection: socket.socket, reopen: Reopen, address: str, target: Target, policy: Policy, seconds: float
) -> tuple[socket.socket, Reopen]:
    """Return a tunnel to one address, and a function that opens another one. seconds: for each wait for bytes."""
    wait = connection.gettimeout()
    connection.settimeout(seconds)
    tunnel = _tunnel(connection, address, target, policy)
    tunnel.settimeout(wait)
    return tunnel, lambda: _tunnel(reopen(), address, target, policy)


def _tunnel(connection: socket.socket, address: str, target: Target, policy: Policy) -> socket.socket:
    try:
        open_tunnel(connection, address, target.port, policy.proxy_authorization)
    except (OSError, TunnelRefused) as error:
        connection.close()
        if isinstance(error, SignInRefused):
            cause = Cause.PROXY_SIGN_IN if policy.proxy_authorization is None else Cause.PROXY_PASSWORD
            raise _blame_proxy(target, cause, may_retry=False) from None
        raise _blame_proxy(target, Cause.PROXY_REFUSED) from None
    return connection


def _blame_proxy(target: Target, cause: Cause, may_retry: bool | None = None) -> DeliveryFailed:
    return DeliveryFailed(Code.NETWORK_UNREACHABLE, Facts(target.host, cause=cause), may_retry=may_retry)


def _classify_error(error: OSError) -> Code:
    if isinstance(error, TimeoutError):
        return Code.CONNECT_TIMEOUT
    if isinstance(error, ConnectionError):
        return Code.CONNECT_REFUSED
    return Code.NETWORK_UNREACHABLE
