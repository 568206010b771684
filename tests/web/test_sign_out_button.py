"""Signing out is one click away on every page with a session."""

import re

import pytest

from tests.support.page_client import PageClient
from tests.support.person import PASSWORD


@pytest.fixture
def johns_browser(app, john):
    """Return a browser in which john, an admin, is signed in."""
    return PageClient(app).sign_in("john", PASSWORD)


@pytest.fixture
def pages(app, john):
    """Return the paths of the account and the console, of john where they are of a user."""
    return {
        re.sub("<[^>]+>", john.id, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/account", "/admin")) and "GET" in rule.methods
    }


def test_every_page(johns_browser, pages):
    """Each page of the account and the console has the button (ASVS 7.4.4)."""
    shown = {path: johns_browser.get(path) for path in pages}
    whole = {path: page.text for path, page in shown.items() if page.status_code == 200}

    assert {"/account", "/account/sessions", "/admin", "/admin/events"} <= whole.keys()
    assert [path for path, text in whole.items() if 'sign-out">' not in text] == []
