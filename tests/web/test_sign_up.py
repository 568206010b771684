"""Sign up by the page."""

import pytest

from models import SignUp
from tests.support.page_client import PageClient, errors_of, fields_of, location
from tests.support.person import NEW_PASSWORD

ADA = {"username": "ada", "email": "ada@example.com", "password": NEW_PASSWORD}
SCRIPT = "<script>alert(1)</script>"
BIDI = "Ada \u202egnp.exe"


class TestForm:
    def test_attributes(self, tableless_browser):
        """Browsers and password managers know every field."""
        fields = fields_of(tableless_browser.get("/sign-up"))
        completed = {name: fields[name]["autocomplete"] for name in (*ADA, "full_name")}

        assert completed == {
            "username": "username",
            "email": "email",
            "password": "new-password",
            "full_name": "name",
        }

    def test_rules_come_first(self, tableless_browser):
        """The rules for passwords are shown before the first rejection, and tied to the field."""
        page = tableless_browser.get("/sign-up")

        assert "At least 15 characters" in page.text
        assert fields_of(page)["password"]["aria-describedby"] == "password-hint"

    def test_closed(self, make_app):
        """While sign-up is closed, the page says so, and sign-in does not lead there."""
        browser = PageClient(make_app(signup=SignUp.CLOSED))
        page = browser.get("/sign-up")

        assert page.status_code == 403
        assert "Only an administrator creates accounts here" in page.text
        assert "sign-up" not in browser.get("/sign-in").text


class TestSignUp:
    def test_account(self, browser):
        """A new user is signed in."""
        response = browser.send("/sign-up", **ADA, full_name="Ada Lovelace")
        account = browser.get("/account").text

        assert location(response) == "/account"
        assert "Your account is ready." in account
        assert "Ada Lovelace" in account

    def test_notice_is_shown_once(self, browser):
        """A reload does not repeat the notice."""
        browser.send("/sign-up", **ADA)
        browser.get("/account")

        assert "Your account is ready." not in browser.get("/account").text

    def test_double_submit(self, browser):
        """A form that is sent twice creates one account, and the second response says why."""
        form = {"csrf_token": browser.token_of(browser.get("/sign-up")), **ADA}
        browser.post("/sign-up", form)
        second = PageClient(browser.http.application).send("/sign-up", **ADA)

        assert second.status_code == 409
        assert errors_of(second).keys() == {"form", "username", "email"}

    def test_every_fault_at_once(self, browser):
        """All faulty fields are named together (new-users 1.12)."""
        response = browser.send("/sign-up", username="a b", email="x", password="short")
        errors = errors_of(response)

        assert response.status_code == 422
        assert errors.keys() == {"form", "username", "email", "password"}
        assert "at least 15 characters" in errors["password"]

    def test_empty(self, browser):
        """An empty form names the required fields."""
        assert errors_of(browser.send("/sign-up")).keys() == {"form", "email", "password"}

    def test_typed_is_kept(self, browser):
        """What was typed stays, except the password."""
        response = browser.send("/sign-up", **{**ADA, "username": "a b"})
        fields = fields_of(response)

        assert fields["username"]["value"] == "a b"
        assert fields["email"]["value"] == "ada@example.com"
        assert NEW_PASSWORD not in response.text

    def test_first_faulty_field_has_the_focus(self, browser):
        """The first rejected field of the page has the focus, and no other one."""
        fields = fields_of(browser.send("/sign-up", **{**ADA, "email": "x", "username": "a b"}))

        assert [name for name in fields if "autofocus" in fields[name]] == ["email"]

    @pytest.mark.parametrize("name", [SCRIPT, "x" * 201, BIDI, "a\x00b"])
    def test_hostile_name(self, browser, name):
        """A name is shown as text, or rejected."""
        browser.send("/sign-up", **ADA, full_name=name)

        assert SCRIPT not in browser.get("/account").text
        assert "\u202e" not in browser.get("/account").text

    def test_very_long_field(self, browser):
        """A field that is too long is rejected, and shown as text."""
        response = browser.send("/sign-up", **{**ADA, "username": SCRIPT * 200})

        assert response.status_code == 422
        assert errors_of(response)["username"] == "Use at most 32 characters."
        assert SCRIPT not in response.text

    def test_too_large(self, browser):
        """A body of more than 64 KB is rejected with a page."""
        token = browser.token_of(browser.get("/sign-up"))
        response = browser.post("/sign-up", {"csrf_token": token, "username": "x" * 70_000})

        assert (response.status_code, response.mimetype) == (413, "text/html")

    def test_roles_are_not_taken(self, browser, app):
        """CVE-2019-16097: further fields have no effect."""
        browser.send("/sign-up", **ADA, roles="admin", status="active", email_verified="true")
        with app.app_context():
            ada = app.extensions["roster"].accounts.find("ada")

        assert (ada.roles, ada.email_verified) == (["user"], False)
        assert ada.status == "active"


class TestVerifiedEmailRequired:
    def test_leads_to_sign_in(self, make_app, email_settings, app):
        """Where addresses must be verified before signing in, the page says so."""
        service = make_app(email=email_settings, require_verified_email=True)
        browser = PageClient(service)
        response = browser.send("/sign-up", **ADA)

        assert location(response) == "/sign-in"
        assert "Open the link in the email" in browser.get("/sign-in").text
        assert browser.cookie() is None
