"""What a page of the console costs: the database as its operation of the API, and few bytes."""

import gzip
import secrets
from contextlib import contextmanager

import pytest

from flask_pynamodb.signals import call_finished
from models import Client
from tests.support.page_client import PageClient
from tests.support.person import PASSWORD

# The page, and the operations of the API that show the same.
SAME = {
    "/admin": ["/v1/users"],
    "/admin?status=suspended": ["/v1/users?status=suspended"],
    "/admin?role=admin": ["/v1/users?role=admin"],
    "/admin?q=jane": ["/v1/users?q=jane"],
    "/admin?q=jane@example.com": ["/v1/users?q=jane@example.com"],
    "/admin?q={jane}": ["/v1/users?username=jane"],
    "/admin/users/new": ["/v1/users/me"],
    "/admin/users/{jane}": [
        "/v1/users/{jane}",
        "/v1/users/{jane}/sessions",
        "/v1/users/{jane}/api-keys",
    ],
    "/admin/users/{jane}/suspend": ["/v1/users/{jane}"],
    "/admin/users/{jane}/move": ["/v1/users/{jane}"],
    "/admin/clients/{client}/delete": ["/v1/clients/{client}"],
    "/admin/events?user={jane}": ["/v1/events?user={jane}"],
    "/admin/events?actor={jane}": ["/v1/events?actor={jane}"],
    "/admin/events?user={jane}&actor={john}": ["/v1/events?user={jane}&actor={john}"],
    "/admin/clients": ["/v1/clients"],
    "/admin/invitations": ["/v1/invitations"],
    "/admin/invitations/new": ["/v1/users/me"],
    "/admin/clients/new": ["/v1/users/me"],
    "/admin/statistics": ["/v1/statistics"],
}
# Each operation on a user reads the session and the caller, and the user in the same call.
READ_BY_EACH = 3
# Compressed, as by a proxy in front of the service.
MAX_BYTES = 40 * 1024


@pytest.fixture
def browser(app, john):
    """Return a browser in which john, an admin, is signed in."""
    return PageClient(app).sign_in("john", PASSWORD)


@contextmanager
def spent():
    """Record operations, tables and units of the calls to the database of requests."""
    calls = []

    def note(sender, operation, tables, consumed_capacity, **_):
        calls.append((operation, tables, consumed_capacity or 0))

    with call_finished.connected_to(note):
        yield calls


def units(calls):
    """Return the sum of the units of calls."""
    return sum(consumed for _, _, consumed in calls)


class TestDatabase:
    @pytest.mark.parametrize("path", SAME)
    def test_page(self, app, browser, john, jane, path):
        """A page reads what its operations of the API read, and authenticates its caller once."""
        with app.app_context():
            client, _ = app.extensions["roster"].clients.create("gateway")
        ids = {"jane": jane.id, "john": john.id, "client": client.id}
        with spent() as of_page:
            assert browser.get(path.format(**ids)).status_code == 200
        with spent() as of_api:
            for operation in SAME[path]:
                assert john.get(operation.format(**ids)).status_code == 200
        repeated = len(SAME[path]) - 1

        assert units(of_page) <= units(of_api) - repeated * READ_BY_EACH
        assert len(of_page) <= len(of_api) - repeated
        assert {operation for operation, _, _ in of_page} <= {name for name, _, _ in of_api}


def compressed(page):
    """Return the size of a page, compressed, in bytes."""
    assert page.status_code == 200, page.text
    return len(gzip.compress(page.data))


class TestBytes:
    def test_users(self, browser, register):
        """A full table of users with long names that do not compress is at most 40 KB."""
        for _ in range(25):
            register(f"u{secrets.token_hex(15)}", full_name=secrets.token_urlsafe(150))
        page = browser.get("/admin")

        assert page.text.count('scope="row"') == 25
        assert compressed(page) <= MAX_BYTES

    def test_user(self, app, browser, jane):
        """So is the page of a user with much metadata, and with many sessions and keys."""
        with app.app_context():
            services = app.extensions["roster"]
            for _ in range(25):
                client = Client(ip="2001:db8::1", user_agent=secrets.token_urlsafe(150))
                services.sessions.sign_in("jane", PASSWORD, client)
        # As many as one client may create in a minute.
        for _ in range(20):
            jane.post(f"{jane.path}/api-keys", json={"name": secrets.token_urlsafe(70)})
        metadata = {secrets.token_urlsafe(50): secrets.token_urlsafe(200) for _ in range(11)}
        assert jane.patch(jane.path, json={"metadata": metadata}).status_code == 200
        page = browser.get(f"/admin/users/{jane.id}")

        assert page.text.count('value="end-session"') == 25
        assert page.text.count('value="revoke-key"') == 20
        assert compressed(page) <= MAX_BYTES

    def test_events(self, app, browser, jane):
        """So is a full page of events."""
        for number in range(25):
            jane.patch(jane.path, json={"full_name": f"Jane {number}"})
        page = browser.get(f"/admin/events?user={jane.id}")

        assert page.text.count("<tr") == 26
        assert compressed(page) <= MAX_BYTES

    def test_clients(self, browser, john):
        """So is a full table of clients."""
        for _ in range(25):
            audience = f"https://{secrets.token_hex(90)}.example.com"
            john.post("/v1/clients", json={"name": secrets.token_urlsafe(70), "audience": audience})
        page = browser.get("/admin/clients")

        assert page.text.count('scope="row"') == 25
        assert compressed(page) <= MAX_BYTES

    def test_statistics(self, browser):
        """So are the statistics."""
        assert compressed(browser.get("/admin/statistics")) <= MAX_BYTES
