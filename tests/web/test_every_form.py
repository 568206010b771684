"""Every form with every field wrong at once: each fault is named, and nothing typed is lost."""

import re

import pytest

from tests.support.page_client import PageClient, errors_of, fields_of
from tests.support.person import NEW_PASSWORD, PASSWORD

SCRIPT = '"><script>alert(1)</script>'
LONG = "x" * 5000
BIDI = "\u202egnp.exe"
# The page, the action of the form, what is typed, and the fields that are rejected.
FORMS = [
    ("/sign-in", "", {"login": LONG, "password": LONG}, {"login", "password"}),
    (
        "/sign-up",
        "",
        {"email": SCRIPT, "username": BIDI, "full_name": BIDI, "password": "short"},
        {"email", "username", "full_name", "password"},
    ),
    ("/forgot-password", "", {"email": SCRIPT}, {"email"}),
    ("/verify-email", "", {"token": SCRIPT, "password": LONG}, {"token", "password"}),
    (
        "/reset-password",
        "",
        {"token": SCRIPT, "new_password": LONG, "otp": SCRIPT},
        {"token", "new_password"},
    ),
    (
        "/accept-invitation",
        "",
        {"token": SCRIPT, "username": BIDI, "full_name": BIDI, "password": LONG},
        {"token", "username", "full_name", "password"},
    ),
    (
        "/admin/invitations/new",
        "",
        {"emails": SCRIPT, "roles": "root", "locale": SCRIPT},
        {"emails", "roles", "locale"},
    ),
    ("/account", "profile", {"full_name": BIDI}, {"full_name"}),
    ("/account", "username", {"username": SCRIPT}, {"username"}),
    ("/account", "language", {"locale": SCRIPT}, {"locale"}),
    (
        "/admin/clients/new",
        "",
        {"name": BIDI, "scopes": "root", "audience": LONG},
        {"name", "scopes", "audience"},
    ),
    ("/account/email", "change", {"email": SCRIPT}, {"email"}),
    (
        "/account/password",
        "",
        {"current_password": LONG, "new_password": LONG},
        {"current_password", "new_password"},
    ),
    ("/account/second-factor", "confirm", {"otp": LONG}, {"otp"}),
    (
        "/account/api-keys",
        "create",
        {"name": BIDI, "expires_in_days": SCRIPT, "roles": "root", "scopes": "root"},
        {"name", "expires_in_days", "roles", "scopes"},
    ),
    ("/account/data", "delete", {"username": SCRIPT}, {"username"}),
    (
        "/admin/users/{id}",
        "fields",
        {"username": SCRIPT, "email": SCRIPT, "full_name": BIDI, "external_id": BIDI},
        {"username", "email", "full_name", "external_id"},
    ),
    ("/admin/users/{id}", "app-metadata", {"app_metadata": SCRIPT}, {"app_metadata"}),
    ("/admin/users/{id}/move", "", {"names": "root", "source": "john"}, {"names"}),
    ("/admin/users/{id}", "roles", {"roles": "root"}, {"roles"}),
    ("/admin/users/{id}", "metadata", {"metadata": SCRIPT}, {"metadata"}),
    (
        "/admin/users/new",
        "",
        {
            "username": SCRIPT,
            "email": SCRIPT,
            "full_name": BIDI,
            "password": "short",
            "roles": "root",
            "status": "deleted",
        },
        {"username", "email", "full_name", "password", "roles", "status"},
    ),
]
NAMES = [f"{path} {do}".strip() for path, do, _, _ in FORMS]
PUBLIC = (
    "/accept-invitation",
    "/sign-in",
    "/sign-up",
    "/forgot-password",
    "/verify-email",
    "/reset-password",
)
GROUPS = {"names", "roles", "scopes", "status"}


@pytest.fixture
def rejected(app, john, jane):
    """Return a function that sends a form with its faults, as an admin where it needs a user."""

    def send(path, do, typed):
        browser = PageClient(app)
        if path not in PUBLIC:
            browser.sign_in("john", PASSWORD)
        target = path.format(id=jane.id)
        page = browser.get(target)
        version = "".join(re.findall(r'name="version" value="(\d+)"', page.text)[:1])
        form = {"csrf_token": browser.token_of(page), "do": do, "version": version}
        return browser.post(target, {**form, **typed})

    return send


@pytest.mark.parametrize("path, do, typed, faulty", FORMS, ids=NAMES)
class TestEveryField:
    def test_named_together(self, rejected, path, do, typed, faulty):
        """All rejected fields are named in one response."""
        response = rejected(path, do, typed)

        assert response.status_code == 422, response.text
        assert errors_of(response).keys() >= faulty

    def test_tied_to_the_field(self, rejected, path, do, typed, faulty):
        """WCAG 3.3.1: each rejected field is marked, and its reason is read with it."""
        response = rejected(path, do, typed)
        fields = {name: fields_of(response)[name] for name in faulty - GROUPS}
        described = {name: fields[name]["aria-describedby"].split()[-1] for name in fields}

        assert {fields[name]["aria-invalid"] for name in fields} <= {"true"}
        assert described == {name: f"{name}-error" for name in fields}

    def test_one_focus(self, rejected, path, do, typed, faulty):
        """One field has the focus: the first rejected one."""
        response = rejected(path, do, typed)
        fields = fields_of(response)
        marked = [name for name in fields if "aria-invalid" in fields[name]]

        assert [name for name in fields if "autofocus" in fields[name]] == marked[:1]

    def test_typed_is_text(self, rejected, path, do, typed, faulty):
        """What was typed is written as text, and no password at all."""
        response = rejected(path, do, typed)
        shown = fields_of(response)
        kept = {name for name in faulty - GROUPS if "password" not in name}

        assert "<script>alert" not in response.text
        assert {name for name in faulty if "password" in name and shown[name].get("value")} == set()
        assert {name for name in kept if shown[name].get("value") == ""} == set()


class TestEveryRoute:
    @pytest.fixture
    def routes(self, app, jane):
        """Return the URLs of all forms of pages."""
        return {
            re.sub("<change>", "suspend", rule.rule).replace("<id>", jane.id)
            for rule in app.url_map.iter_rules()
            if rule.endpoint.startswith("web.") and "POST" in rule.methods
        }

    @pytest.fixture
    def browser(self, app, john):
        """Return a browser in which john, an admin, is signed in."""
        return PageClient(app).sign_in("john", PASSWORD)

    def test_no_token(self, browser, routes, snapshot):
        """Without its token no form of any page has an effect, not even for an admin."""
        form = {"username": "x", "new_password": NEW_PASSWORD, "do": "end-all"}
        before = snapshot()
        statuses = {path: browser.post(path, form).status_code for path in routes}

        assert {"/account/data", "/admin/users/new", "/sign-out"} <= statuses.keys()
        assert {path for path, status in statuses.items() if status != 403} == set()
        assert snapshot() == before

    def test_foreign(self, browser, routes, snapshot):
        """A form of another site has no effect on any page, even with the token."""
        form = {"csrf_token": browser.token_of(browser.get("/account")), "do": "end-all"}
        foreign = {"Sec-Fetch-Site": "cross-site"}
        before = snapshot()
        statuses = {path: browser.post(path, form, headers=foreign).status_code for path in routes}

        assert {path for path, status in statuses.items() if status != 403} == set()
        assert snapshot() == before
