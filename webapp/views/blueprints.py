"""Registers the views of the application. One name adds a blueprint."""

from flask import Flask

from webapp.views import (
    account,
    audit,
    batches,
    broken,
    bulk,
    customer_links,
    customer_page,
    destination_forms,
    destinations,
    drills,
    evidence,
    field_checks,
    health,
    history,
    imports,
    instance,
    instance_accounts,
    instance_audit,
    instance_mail,
    instance_workspaces,
    invitation,
    invitations,
    members,
    metrics,
    password_reset,
    presses,
    preview,
    problems,
    receipts,
    references,
    search,
    set_up,
    sign_in,
    single_sign_on,
    suggestions,
    time_zones,
    workspaces,
)


def register_views(app: Flask) -> None:
    """Register every view except those of the demo."""
    in_workspaces = (
        workspaces,
        members,
        audit,
        history,
        problems,
        evidence,
        destinations,
        destination_forms,
        field_checks,
        preview,
        presses,
        receipts,
        batches,
        bulk,
        customer_links,
        suggestions,
        invitations,
        imports,
        drills,
    )
    of_accounts = sign_in, single_sign_on, set_up, password_reset, account, time_zones
    of_instance = instance, instance_workspaces, instance_accounts, instance_audit, instance_mail
    across = customer_page, invitation, broken, search, references, health, metrics
    for view in (*of_accounts, *of_instance, *in_workspaces, *across):
        app.register_blueprint(view.bp)
