"""The console: what admins do with the accounts of others."""

from flask import Blueprint

from web.admin import changes, events, new_user, statistics, user, users


def add_pages(pages: Blueprint) -> None:
    """Add the pages. The user that a page is about is `id`, read together with the caller."""
    for path, name, view in (
        ("/admin", "admin_users", users.show),
        ("/admin/users/new", "admin_new_user", new_user.show),
        ("/admin/users/<id>", "admin_user", user.show),
        ("/admin/users/<id>/<change>", "admin_change", changes.show),
        ("/admin/events", "admin_events", events.show),
        ("/admin/statistics", "admin_statistics", statistics.show),
    ):
        pages.add_url_rule(path, name, view, methods=["GET", "POST"])
