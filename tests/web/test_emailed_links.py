"""The pages behind the links of emails, and the page that requests them."""

import time

import pytest

from models import EmailKind
from tests.support.authenticator import Authenticator
from tests.support.page_client import PageClient, errors_of, fields_of, location
from tests.support.person import NEW_PASSWORD, PASSWORD

PAGES = ["/verify-email", "/reset-password"]


@pytest.fixture
def client(email_app):
    """Return an anonymous client of a service that sends emails."""
    return email_app.test_client()


@pytest.fixture
def browser(email_app):
    """Return a browser that is not signed in."""
    return PageClient(email_app)


@pytest.fixture
def emailed(client, sent_emails):
    """Return a function that returns the token of the newest email of a kind."""

    def newest(kind):
        return [email.token for email in sent_emails() if email.kind == kind][-1]

    return newest


@pytest.fixture
def reset_token(browser, jane, emailed):
    """Request a password reset for jane by the page; return the token."""
    browser.send("/forgot-password", email="jane@example.com")
    return emailed(EmailKind.RESET_PASSWORD)


@pytest.fixture
def verification_token(client, jane, emailed):
    """Request a verification of jane's address; return the token."""
    client.post("/v1/email-verifications", json={"email": "jane@example.com"})
    return emailed(EmailKind.VERIFY_EMAIL)


@pytest.mark.parametrize("path", PAGES)
class TestPages:
    def test_query_is_not_rendered(self, tableless_browser, path):
        """Parameters of the link are not written into the page."""
        page = tableless_browser.get(f"{path}?token=evil&x=<script>evil")

        assert page.status_code == 200
        assert "evil" not in page.text

    def test_token_can_be_pasted(self, tableless_browser, path):
        """Without scripts, the token of the email is typed into a field."""
        fields = fields_of(tableless_browser.get(path))

        assert fields["token"]["type"] == "text"
        assert fields["token"]["autocomplete"] == "off"

    def test_empty(self, tableless_browser, path):
        """Without a token nothing is looked up."""
        response = tableless_browser.send(path)

        assert response.status_code == 422
        assert errors_of(response)["token"] == "Fill in this field."


class TestForgotPassword:
    @pytest.mark.parametrize("email", ["jane@example.com", "nobody@example.com"])
    def test_same_response(self, browser, jane, email):
        """ASVS 6.3.8: the response does not say whether an account has the address."""
        response = browser.send("/forgot-password", email=email)

        assert location(response) == "/sign-in"
        assert "If an account has this address" in browser.get("/sign-in").text

    def test_email(self, reset_token):
        """The owner of the address gets a link."""
        assert reset_token.startswith("rso_")

    def test_not_an_address(self, tableless_browser):
        """A text that is no address is rejected, and kept."""
        response = tableless_browser.send("/forgot-password", email="jane")

        assert errors_of(response)["email"] == "It must be an email address."
        assert fields_of(response)["email"]["value"] == "jane"

    def test_no_email_configured(self, app, jane):
        """A service without emails says so."""
        response = PageClient(app).send("/forgot-password", email="jane@example.com")

        assert response.status_code == 501
        assert "sends no email" in errors_of(response)["form"]


class TestResetPassword:
    def test_signs_in(self, browser, jane, reset_token):
        """The new password is set, other sessions end, and the browser is signed in."""
        response = browser.send("/reset-password", token=reset_token, new_password=NEW_PASSWORD)

        assert location(response) == "/account"
        assert "Your password is changed" in browser.get("/account").text
        assert jane.get("/v1/users/me").status_code == 401

    def test_blanks_around_the_token(self, browser, reset_token):
        """A token that was copied with blanks is accepted."""
        response = browser.send(
            "/reset-password", token=f" {reset_token}\n", new_password=NEW_PASSWORD
        )

        assert response.status_code == 303

    def test_rejection_keeps_the_token(self, browser, reset_token):
        """After a weak password another one can be entered; rules and reason are shown."""
        response = browser.send("/reset-password", token=reset_token, new_password="short")

        assert response.status_code == 422
        assert "at least 15 characters" in errors_of(response)["new_password"]
        assert fields_of(response)["token"]["value"] == reset_token

    def test_works_once(self, email_app, browser, reset_token):
        """A second use says why it fails, and leads to a new link."""
        browser.send("/reset-password", token=reset_token, new_password=NEW_PASSWORD)
        other = PageClient(email_app)
        response = other.send("/reset-password", token=reset_token, new_password=NEW_PASSWORD)

        assert response.status_code == 422
        assert "no longer valid" in errors_of(response)["token"]
        assert 'href="forgot-password"' in response.text

    def test_second_factor(self, browser, jane, edit_row, emailed):
        """ASVS 6.4.3: with a second factor the page asks for a code, and nothing changes before."""
        edit_row(jane, email_verified=True)
        secret = jane.post(f"{jane.path}/second-factor").json["secret"]
        phone = Authenticator(secret, time.time)
        jane.post(f"{jane.path}/second-factor/confirm", json={"otp": phone.code(-1)})
        browser.send("/forgot-password", email="jane@example.com")
        token = emailed(EmailKind.RESET_PASSWORD)
        step = browser.send("/reset-password", token=token, new_password=NEW_PASSWORD)
        response = browser.send(
            "/reset-password", token=token, new_password=NEW_PASSWORD, otp=phone.code()
        )

        assert "otp" in errors_of(step)
        assert location(response) == "/account"


class TestVerifyEmail:
    def test_with_the_password(self, browser, jane, verification_token):
        """The owner of the mailbox verifies the address with the password of the account."""
        response = browser.send("/verify-email", token=verification_token, password=PASSWORD)

        assert location(response) == "/sign-in"
        assert jane.get("/v1/users/me").json["email_verified"] is True

    def test_needs_the_account(self, browser, jane, verification_token):
        """H6: without the password, nothing is verified."""
        empty = browser.send("/verify-email", token=verification_token)
        wrong = browser.send("/verify-email", token=verification_token, password="a wrong one")

        assert errors_of(empty)["password"] == "Enter the password of the account."
        assert "not the password of the account" in errors_of(wrong)["password"]
        assert jane.get("/v1/users/me").json["email_verified"] is False

    def test_signed_in(self, browser, jane, verification_token):
        """In a session of the user, the button is enough."""
        browser.sign_in("jane", PASSWORD)
        page = browser.get("/verify-email")
        response = browser.send("/verify-email", token=verification_token)

        assert "password" not in fields_of(page)
        assert location(response) == "/account"
        assert "Your email address is verified." in browser.get("/account").text

    def test_signed_in_as_another_user(self, browser, jane, eve, verification_token):
        """In a session of another user, the page asks for the password of the account."""
        browser.sign_in("eve", PASSWORD)
        response = browser.send("/verify-email", token=verification_token)

        assert errors_of(response)["password"] == "Enter the password of the account."
        assert "password" in fields_of(response)
