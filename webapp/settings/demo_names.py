"""Gives the demo's receiver its names, each with where it listens on this machine. Only a demo calls this module."""

from dataclasses import replace

from webapp.environment.demo_hosts import MAIL_HOST, list_hosts
from webapp.outbound import MailServer, Policy
from webapp.outbound.policy.urls import Origin, Route, read_url


def name_receiver(policy: Policy, receiver_https: str | None, ca_file: str | None) -> Policy:
    """Let exactly the receiver's names on the port of HTTPS lead to it, and trust the authority of its certificates.

    receiver_https: the origin at which it listens, or None if it has no names.
    """
    if receiver_https is None:
        return policy
    listener = read_url(receiver_https).origin
    route = Route(listener.host, listener.port)
    routes = {Origin("https", host, 443): route for host in list_hosts()}
    return replace(policy, demo_routes=routes, ca_file=ca_file)


def name_mail_server(mail: MailServer) -> MailServer:
    """Return the receiver's mail server under its name, on the usual port."""
    return replace(mail, host=MAIL_HOST, port=25, demo_route=Route(mail.host, mail.port))
