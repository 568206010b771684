"""Functions of an operator behind the pages."""

import pytest

from models import EmailKind
from tests.support.email_helpers import SentEmails
from tests.support.failing_hooks import SECRET
from tests.support.page_client import PageClient, errors_of, form_of, location
from tests.support.person import NEW_PASSWORD, PASSWORD

ADA = {"username": "ada", "email": "ada@example.com", "password": NEW_PASSWORD}
REFUSE = """
def before_registration(registration):
    no_roles = Refusal("No roles.", field="roles")
    raise Refusal("Use a <work> email address.", field="email", others=[no_roles])

def before_update(update):
    raise Refusal("Names are fixed.", field="full_name")
"""
CLOSED = """
def before_sign_in(sign_in):
    raise Refusal("Closed until Monday.")
"""


@pytest.fixture
def open_browser(app, make_app, hook_module):
    """Return a function that opens a browser on a service with a module of hooks."""
    return lambda text, **settings: PageClient(make_app(hooks=hook_module(text), **settings))


class TestSignUp:
    def test_refusal(self, open_browser):
        """A refusal is shown at its field, or above the form, as text."""
        page = open_browser(REFUSE).send("/sign-up", **ADA)

        assert page.status_code == 422
        assert errors_of(page) == {
            "form": "No roles.",
            "email": "Use a &lt;work&gt; email address.",
        }

    def test_language(self, open_browser):
        """The sentence is shown as it is, also where the page is in another language."""
        browser = open_browser(REFUSE)
        browser.http.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
        page = browser.send("/sign-up", **ADA)

        assert "Use a &lt;work&gt; email address." in page.text
        assert 'lang="de"' in page.text

    def test_failure(self, app, make_app, snapshot):
        """A failure is a 503 that can be repeated, without its text."""
        before = snapshot()
        page = PageClient(make_app(hooks="tests.support.failing_hooks")).send("/sign-up", **ADA)

        assert page.status_code == 503
        assert page.headers["Retry-After"] == "2"
        assert "cannot check this at the moment" in errors_of(page)["form"]
        assert SECRET not in page.text
        assert snapshot() == before

    def test_no_sign_in(self, open_browser):
        """Where only the sign-in is refused, the account is ready, and the page says so."""
        browser = open_browser(CLOSED)
        response = browser.send("/sign-up", **ADA)

        assert location(response) == "/sign-in"
        assert "Your account is ready." in browser.get("/sign-in").text
        assert browser.cookie() is None


class TestInvitation:
    @pytest.fixture
    def accept(self, app, open_browser, email_settings, email_folder):
        """Return a function that invites ada and accepts by the page, with a module of hooks."""

        def accept_with(text):
            browser = open_browser(text, email=email_settings)
            service = browser.http.application
            with service.app_context():
                service.extensions["roster"].invitations.create("ada@example.com")
            [email] = SentEmails(service, email_folder)()
            fields = {"token": email.token, "username": "ada", "password": NEW_PASSWORD}
            form = form_of(browser.get("/accept-invitation"), has="token")
            return browser.post("/accept-invitation", {**form, **fields})

        return accept_with

    def test_refusal(self, accept):
        """A refused user is not created, and the page says why."""
        page = accept(REFUSE)

        assert page.status_code == 422
        assert "Use a &lt;work&gt; email address." in page.text

    def test_no_sign_in(self, accept):
        """Where only the sign-in is refused, the account is ready."""
        assert location(accept(CLOSED)) == "/sign-in"


class TestSignIn:
    def test_refusal(self, open_browser, jane):
        """A refused sign-in says why above the form."""
        page = open_browser(CLOSED).send("/sign-in", login="jane", password=PASSWORD)

        assert page.status_code == 422
        assert errors_of(page)["form"] == "Closed until Monday."

    def test_wrong_password(self, open_browser, jane):
        """A wrong password is one, whatever the operator would say."""
        page = open_browser(CLOSED).send("/sign-in", login="jane", password="wrong" * 4)

        assert "Closed" not in page.text

    def test_reset(self, open_browser, jane, email_settings, email_folder):
        """Users who may not sign in can replace their password, and are not signed in."""
        browser = open_browser(CLOSED, email=email_settings)
        browser.send("/forgot-password", email="jane@example.com")
        emails = SentEmails(browser.http.application, email_folder)
        [email] = emails()
        token = email.token
        response = browser.send("/reset-password", token=token, new_password=NEW_PASSWORD)
        page = browser.send("/sign-in", login="jane", password=NEW_PASSWORD)

        assert location(response) == "/sign-in"
        assert errors_of(page)["form"] == "Closed until Monday."
        assert [sent.kind for sent in emails()] == [
            EmailKind.RESET_PASSWORD,
            EmailKind.ADDRESS_PROVEN,
        ]


class TestAccount:
    def test_update(self, open_browser, jane):
        """A refused change is shown at its field."""
        browser = open_browser(REFUSE).sign_in("jane", PASSWORD)
        page = browser.send("/account", do="profile", full_name="Jane Doe")

        assert page.status_code == 422
        assert errors_of(page)["full_name"] == "Names are fixed."

    def test_console(self, open_browser, john):
        """An admin who creates a user sees the refusal, too."""
        browser = open_browser(REFUSE).sign_in("john", PASSWORD)
        page = browser.send("/admin/users/new", **ADA, roles="user")

        assert page.status_code == 422
        assert errors_of(page)["email"] == "Use a &lt;work&gt; email address."
