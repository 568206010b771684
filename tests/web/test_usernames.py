"""Usernames on the pages: optional, required, or off."""

import re

import pytest

from models import UsernameMode
from tests.support.page_client import PageClient, errors_of, fields_of, location
from tests.support.person import NEW_PASSWORD, PASSWORD

NELL = {"email": "nell@example.com", "password": NEW_PASSWORD}


@pytest.fixture
def required(app, make_app):
    """Return an app that requires usernames."""
    return make_app(username_mode=UsernameMode.REQUIRED)


@pytest.fixture
def off(app, make_app):
    """Return an app without usernames."""
    return make_app(username_mode=UsernameMode.OFF)


@pytest.fixture
def nells_browser(app, nell):
    """Return a browser in which nell, a user without a username, is signed in."""
    return PageClient(app).sign_in("nell@example.com", PASSWORD)


class TestSignUp:
    def test_without(self, browser):
        """The username can be left empty; the pages show the address instead."""
        response = browser.send("/sign-up", **NELL, username=" ")

        assert location(response) == "/account"
        assert '<span class="who">nell@example.com</span>' in browser.get("/account").text

    def test_optional(self, tableless_browser):
        """The field says that it is optional."""
        page = tableless_browser.get("/sign-up")

        assert "required" not in fields_of(page)["username"]
        assert re.search(r'for="username">Username <span class="quiet">\(optional\)', page.text)

    def test_required(self, required):
        """Where usernames are required, an empty one is named with the other faults."""
        response = PageClient(required).send("/sign-up", username=" ", email="x", password="short")

        assert errors_of(response).keys() == {"form", "username", "email", "password"}
        assert errors_of(response)["username"] == "Fill in this field."
        assert "required" in fields_of(response)["username"]

    def test_off(self, off):
        """Where usernames are off there is no field, and a value that is sent is ignored."""
        browser = PageClient(off)
        response = browser.send("/sign-up", **NELL, username="nell")

        assert location(response) == "/account"
        assert "nell@example.com" in browser.get("/account").text
        assert "<dt>Username</dt>" not in browser.get("/account").text


class TestSignIn:
    def test_by_address(self, browser, nell):
        """A user without a username signs in with the address."""
        browser.sign_in("Nell@example.com", PASSWORD)

        assert browser.get("/account").status_code == 200

    @pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
    def test_off(self, off, path):
        """Where usernames are off no page mentions one."""
        page = PageClient(off).get(path)

        assert "Email address" in page.text
        assert "sername" not in re.sub(r'autocomplete="username"', "", page.text)


class TestProfile:
    def test_add(self, nells_browser, nell):
        """A user without a username adds one."""
        page = nells_browser.get("/account")
        response = nells_browser.send("/account", do="username", username="Nell")

        assert "Add the username" in page.text
        assert location(response) == "/account"
        assert nell.get("/v1/users/me").json["username"] == "nell"

    def test_remove(self, janes_browser, jane):
        """An empty field removes the username, and the page says so."""
        response = janes_browser.send("/account", do="username", username="")

        assert location(response) == "/account"
        assert "Your username is removed." in janes_browser.get("/account").text
        assert jane.get("/v1/users/me").json["username"] is None

    def test_required(self, required, jane):
        """Where usernames are required, it cannot be removed."""
        browser = PageClient(required).sign_in("jane", PASSWORD)
        response = browser.send("/account", do="username", username="")

        assert errors_of(response)["username"] == "Fill in this field."
        assert jane.get("/v1/users/me").json["username"] == "jane"

    def test_off(self, off, jane):
        """Where usernames are off, one from before is shown and cannot be changed."""
        browser = PageClient(off).sign_in("jane", PASSWORD)
        page = browser.get("/account")
        response = browser.send("/account", do="username", username="eve")

        assert "<dt>Username</dt><dd>jane</dd>" in page.text
        assert response.status_code == 400
        assert jane.get("/v1/users/me").json["username"] == "jane"


class TestDeletion:
    def test_by_address(self, nells_browser, client, nell):
        """A user without a username types the address to delete the account."""
        page = nells_browser.get("/account/data")
        response = nells_browser.send("/account/data", do="delete", username="NELL@example.com")

        assert "Type your email address, nell@example.com, to delete the account" in page.text
        assert location(response) == "/sign-in"
        assert nell.get("/v1/users/me").status_code == 401

    @pytest.mark.parametrize("typed", ["nell", "None", "eve@example.com"])
    def test_other_text(self, nells_browser, nell, typed):
        """Anything else is rejected."""
        response = nells_browser.send("/account/data", do="delete", username=typed)

        assert errors_of(response)["username"] == "This is not your email address."
        assert nell.get("/v1/users/me").status_code == 200


class TestConsole:
    @pytest.fixture
    def console(self, app, john):
        """Return the browser of an admin."""
        return PageClient(app).sign_in("john", PASSWORD)

    def save(self, browser, user, **typed):
        """Save the fields of a user as they are shown, with changes."""
        page = browser.get(f"/admin/users/{user.id}")
        shown = {
            name: fields_of(page)[name].get("value") or ""
            for name in ("email", "username", "full_name")
            if name in fields_of(page)
        }
        version = re.findall(r'name="version" value="(\d+)"', page.text)[0]
        fields = {"do": "fields", "version": version, **shown, **typed}
        return browser.send(f"/admin/users/{user.id}", **fields)

    def test_list(self, console, nell):
        """The list shows the address of a user without a username."""
        page = console.get("/admin")

        assert f'{nell.id}">nell@example.com</a>' in page.text
        assert page.text.count('<th scope="col">') == 5

    def test_create(self, console, john):
        """An admin creates a user without a username."""
        response = console.send("/admin/users/new", **NELL, roles="user", status="active")
        [user] = john.get("/v1/users?email=nell@example.com").json["items"]

        assert response.status_code == 303
        assert user["username"] is None

    def test_add_and_remove(self, console, nell):
        """An admin adds a username and removes it."""
        self.save(console, nell, username="nell")
        added = nell.get("/v1/users/me").json["username"]
        self.save(console, nell, username="")

        assert added == "nell"
        assert nell.get("/v1/users/me").json["username"] is None

    def test_untouched(self, console, nell):
        """Saving another field does not set a username."""
        self.save(console, nell, full_name="Nell")
        user = nell.get("/v1/users/me").json

        assert (user["full_name"], user["username"]) == ("Nell", None)

    def test_required(self, required, john, jane, nell):
        """Where usernames are required, none is removed; a user without one can be changed."""
        browser = PageClient(required).sign_in("john", PASSWORD)
        rejected = self.save(browser, jane, username="")
        saved = self.save(browser, nell, full_name="Nell")

        assert errors_of(rejected)["username"] == "Fill in this field."
        assert saved.status_code == 303

    def test_off(self, off, john, jane):
        """Where usernames are off the list has no column for them, and the forms no field."""
        browser = PageClient(off).sign_in("john", PASSWORD)
        listed, one = browser.get("/admin"), browser.get(f"/admin/users/{jane.id}")

        assert f'{jane.id}">jane@example.com</a>' in listed.text
        assert listed.text.count('<th scope="col">') == 4
        assert "username" not in fields_of(one)
        assert "<dt>Username</dt><dd>jane</dd>" in one.text

    def test_off_keeps_usernames(self, off, john, jane):
        """Saving other fields keeps a username from before."""
        browser = PageClient(off).sign_in("john", PASSWORD)
        response = self.save(browser, jane, full_name="Jane")
        user = jane.get("/v1/users/me").json

        assert response.status_code == 303
        assert (user["full_name"], user["username"]) == ("Jane", "jane")
