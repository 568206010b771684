"""Roles in the console: what support and auditors see and may do there, and roles as checkboxes."""

import re
from urllib.parse import urljoin

import pytest

from tests.support.page_client import PageClient, location
from tests.support.person import NEW_PASSWORD, PASSWORD

OF_SUPPORT = {"unlock", "reset-password", "end-sessions", "suspend"}
FORMS = ["fields", "roles", "metadata", "revoke-key"]
CHANGES_OF_ADMINS = ["revoke-keys", "disable-second-factor", "delete"]
FOR_ADMINS = ["/admin/users/new", "/admin/clients", "/admin/clients/new"]


@pytest.fixture
def browser_of(app, request):
    """Return a function that returns a browser in which a user is signed in."""
    usernames = {"support": "sue", "auditor": "audrey", "john": "john"}

    def open_browser(name, app=app):
        request.getfixturevalue(name)
        return PageClient(app).sign_in(usernames[name], PASSWORD)

    return open_browser


def changes_in(page):
    """Return the names of the changes that the page of a user offers."""
    return set(re.findall(r'/admin/users/[0-9a-f-]+/([a-z-]+)"', page.text))


def links_in(page):
    """Return the paths of the console that a page leads to, without those of single users."""
    targets = (
        urljoin(page.request.path, link) for link in re.findall(r'href="([^"]*)"', page.text)
    )
    return {path for path in targets if re.fullmatch("/admin(/[a-z]+)*", path)}


def actions_in(page):
    """Return the names of the forms of a page."""
    return set(re.findall(r'name="do" value="([a-z-]+)"', page.text))


def checked_in(page):
    """Return the roles in the form of a page, and whether each is checked."""
    boxes = re.findall(r"<input[^>]*name=\"roles\"[^>]*>", page.text)
    return {re.findall(r'value="([^"]*)"', box)[0]: " checked" in box for box in boxes}


class TestPages:
    @pytest.mark.parametrize("caller", ["support", "auditor"])
    @pytest.mark.parametrize(
        "path", ["/admin", "/admin/events", "/admin/statistics", "/admin/users/{jane}"]
    )
    def test_seen(self, browser_of, jane, caller, path):
        """Both see the pages of users, events and statistics."""
        assert browser_of(caller).get(path.format(jane=jane.id)).status_code == 200

    @pytest.mark.parametrize("caller", ["support", "auditor"])
    @pytest.mark.parametrize("path", FOR_ADMINS)
    def test_closed(self, browser_of, caller, path):
        """The pages of clients and of new users are closed to both."""
        assert browser_of(caller).get(path).status_code == 403

    @pytest.mark.parametrize("caller", ["support", "auditor"])
    def test_navigation(self, browser_of, caller):
        """The navigation leads to the pages that are open, and the account to the console."""
        browser = browser_of(caller)

        assert links_in(browser.get("/admin")) == {
            "/admin",
            "/admin/events",
            "/admin/invitations",
            "/admin/statistics",
        }
        assert links_in(browser.get("/account")) == {"/admin"}

    def test_other_users(self, app, jane):
        """A user without rights sees no console."""
        browser = PageClient(app).sign_in("jane", PASSWORD)

        assert browser.get("/admin").status_code == 403
        assert links_in(browser.get("/account")) == set()


class TestButtons:
    @pytest.mark.parametrize(
        "caller, changes, actions",
        [("support", OF_SUPPORT, {"end-session"}), ("auditor", set(), set())],
    )
    def test_of_a_user(self, browser_of, jane, caller, changes, actions):
        """Only permitted changes are offered, and the roles are shown."""
        page = browser_of(caller).get(f"/admin/users/{jane.id}")

        assert (changes_in(page), actions_in(page)) == (changes, actions)
        assert '<span class="tag">user</span>' in page.text

    @pytest.mark.parametrize("caller", ["support", "auditor"])
    def test_fields_of_a_user(self, browser_of, john, jane, caller):
        """Who may not edit the fields of a user reads all of them."""
        fields = {
            "locale": "de",
            "external_id": "crm-1042",
            "metadata": {"theme": "dark"},
            "app_metadata": {"plan": "pro"},
        }
        john.patch(jane.path, json=fields)
        text = browser_of(caller).get(f"/admin/users/{jane.id}").text
        shown = ["jane</dd>", "de</dd>", "crm-1042", "theme&#34;: &#34;dark", "plan&#34;: &#34;pro"]

        assert [part for part in shown if part not in text] == []

    def test_of_an_admin(self, browser_of, john):
        """Support is offered nothing on the page of an admin."""
        page = browser_of("support").get(f"/admin/users/{john.id}")

        assert (changes_in(page), actions_in(page)) == (set(), set())

    def test_suspend(self, browser_of, jane):
        """Support suspends a user, whose sessions end."""
        browser = browser_of("support")
        path = f"/admin/users/{jane.id}/suspend"
        response = browser.send(path)

        assert location(response).startswith(f"/admin/users/{jane.id}")
        assert jane.get("/v1/users/me").status_code == 401


class TestForged:
    @pytest.mark.parametrize("caller", ["support", "auditor"])
    @pytest.mark.parametrize("do", FORMS)
    def test_forms(self, browser_of, jane, caller, do):
        """A form that the page does not offer is rejected, and changes nothing."""
        browser = browser_of(caller)
        before = jane.get("/v1/users/me").json
        form = {
            "csrf_token": browser.token_of(browser.get("/account")),
            "do": do,
            "version": "1",
            "roles": "admin",
            "username": "other",
            "email": "other@example.com",
            "metadata": "{}",
        }
        response = browser.post(f"/admin/users/{jane.id}", form)

        assert response.status_code == 403
        assert jane.get("/v1/users/me").json == before

    @pytest.mark.parametrize("change", sorted(OF_SUPPORT))
    def test_admin(self, browser_of, john, change):
        """Support cannot make a change of an admin by its URL."""
        browser = browser_of("support")
        token = browser.token_of(browser.get("/account"))
        response = browser.post(f"/admin/users/{john.id}/{change}", {"csrf_token": token})

        assert response.status_code == 403
        assert john.get("/v1/users/me").status_code == 200

    @pytest.mark.parametrize("caller", ["support", "auditor"])
    @pytest.mark.parametrize("change", CHANGES_OF_ADMINS)
    def test_changes(self, browser_of, jane, caller, change):
        """Changes for admins cannot be made by their URL."""
        browser = browser_of(caller)
        token = browser.token_of(browser.get("/account"))
        response = browser.post(f"/admin/users/{jane.id}/{change}", {"csrf_token": token})

        assert response.status_code == 403
        assert jane.get("/v1/users/me").status_code == 200

    def test_session_of_an_admin(self, browser_of, john):
        """Support cannot end a session of an admin."""
        browser = browser_of("support")
        token = browser.token_of(browser.get("/account"))
        form = {"csrf_token": token, "do": "end-session", "session": john.session_id}
        response = browser.post(f"/admin/users/{john.id}", form)

        assert response.status_code == 403
        assert john.get("/v1/users/me").status_code == 200


class TestCheckboxes:
    @pytest.fixture
    def app_with_roles(self, make_app):
        """Return an app with roles of its own."""
        return make_app(roles=("billing", "team-lead"))

    def test_configured(self, app_with_roles, browser_of, jane):
        """The form has every role, and saves those that are checked."""
        browser = browser_of("john", app_with_roles)
        path = f"/admin/users/{jane.id}"
        page = browser.get(path)
        form = {"csrf_token": browser.token_of(page), "do": "roles", "version": "1"}
        browser.post(path, {**form, "roles": ["billing", "user"]})

        assert list(checked_in(page)) == [
            "admin",
            "user",
            "auditor",
            "support",
            "billing",
            "team-lead",
        ]
        assert jane.get("/v1/users/me").json["roles"] == ["billing", "user"]

    def test_removed(self, app_with_roles, browser_of, jane):
        """A role that is no longer in the settings is in the form of its user."""
        with app_with_roles.app_context():
            accounts = app_with_roles.extensions["roster"].accounts
            accounts.update(accounts.get(jane.id), {"roles": ["user", "billing"]})
        browser = browser_of("john")

        assert checked_in(browser.get(f"/admin/users/{jane.id}")) == {
            "admin": False,
            "user": True,
            "auditor": False,
            "support": False,
            "billing": True,
        }

    def test_unknown(self, browser_of, jane):
        """A role that the form does not have is rejected."""
        browser = browser_of("john")
        path = f"/admin/users/{jane.id}"
        token = browser.token_of(browser.get(path))
        form = {"csrf_token": token, "do": "roles", "version": "1", "roles": "owner"}

        assert browser.post(path, form).status_code == 422
        assert jane.get("/v1/users/me").json["roles"] == ["user"]

    def test_new_user(self, app_with_roles, browser_of):
        """A new user gets the roles that are checked."""
        browser = browser_of("john", app_with_roles)
        form = {
            "csrf_token": browser.token_of(browser.get("/admin/users/new")),
            "username": "lena",
            "email": "lena@example.com",
            "password": NEW_PASSWORD,
            "roles": ["team-lead"],
            "status": "active",
        }
        path = location(browser.post("/admin/users/new", form)).partition("?")[0]

        assert checked_in(browser.get(path))["team-lead"]

    def test_filter(self, app_with_roles, browser_of, jane):
        """The table of users can be filtered by each role."""
        page = browser_of("john", app_with_roles).get("/admin?role=team-lead")

        assert '<option value="team-lead" selected>' in page.text
        assert "jane" not in page.text

    def test_keys(self, app_with_roles, jane):
        """A new key can have the roles that count, and has none with power by default."""
        with app_with_roles.app_context():
            accounts = app_with_roles.extensions["roster"].accounts
            roles = ["user", "billing", "support"]
            accounts.update(accounts.get(jane.id), {"roles": roles})
        browser = PageClient(app_with_roles).sign_in("jane", PASSWORD)

        assert checked_in(browser.get("/account/api-keys")) == {
            "billing": True,
            "support": False,
            "user": True,
        }
