"""The console: what admins do with the accounts of others, and with clients."""

from flask import Blueprint

from web.admin import (
    changes,
    client,
    client_changes,
    clients,
    events,
    invitation_changes,
    invitations,
    invite,
    move,
    new_client,
    new_user,
    statistics,
    user,
    users,
)


def add_pages(pages: Blueprint) -> None:
    """Add the pages. The user that a page is about is `id`, read together with the caller."""
    for path, name, view in (
        ("/admin", "admin_users", users.show),
        ("/admin/users/new", "admin_new_user", new_user.show),
        ("/admin/users/<id>", "admin_user", user.show),
        ("/admin/users/<id>/move", "admin_move", move.show),
        ("/admin/users/<id>/<change>", "admin_change", changes.show),
        ("/admin/clients", "admin_clients", clients.show),
        ("/admin/clients/new", "admin_new_client", new_client.show),
        ("/admin/clients/<client_id>", "admin_client", client.show),
        ("/admin/clients/<client_id>/<change>", "admin_client_change", client_changes.show),
        (
            "/admin/clients/<client_id>/secrets/<secret_id>",
            "admin_client_secret",
            client_changes.show_secret,
        ),
        ("/admin/invitations", "admin_invitations", invitations.show),
        ("/admin/invitations/new", "admin_invite", invite.show),
        (
            "/admin/invitations/<invitation_id>/<change>",
            "admin_invitation_change",
            invitation_changes.show,
        ),
        ("/admin/events", "admin_events", events.show),
        ("/admin/statistics", "admin_statistics", statistics.show),
    ):
        pages.add_url_rule(path, name, view, methods=["GET", "POST"])
