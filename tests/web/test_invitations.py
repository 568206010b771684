"""The pages of invitations: accept one, and those of the console."""

import pytest

from models import EmailKind, SignUp
from tests.support.page_client import PageClient, errors_of, fields_of, location
from tests.support.person import NEW_PASSWORD, PASSWORD

ACCEPT = "/accept-invitation"
NEW = "/admin/invitations/new"


@pytest.fixture
def client(email_app):
    """Return an anonymous client of a service that sends emails."""
    return email_app.test_client()


@pytest.fixture
def browser(email_app):
    """Return a browser that is not signed in."""
    return PageClient(email_app)


@pytest.fixture
def console(email_app, john):
    """Return a browser in which john, an admin, is signed in."""
    return PageClient(email_app).sign_in("john", PASSWORD)


@pytest.fixture
def tokens(sent_emails):
    """Return a function that returns the tokens of all invitations."""
    return lambda: [each.token for each in sent_emails() if each.kind == EmailKind.INVITATION]


@pytest.fixture
def token(console, tokens):
    """Return the token of an invitation of ada@example.com."""
    console.send(NEW, emails="ada@example.com", roles="user")
    return tokens()[0]


@pytest.fixture
def listed(john):
    """Return a function that returns all invitations."""
    return lambda: john.get("/v1/invitations").json["items"]


class TestAccept:
    def test_signs_in(self, browser, token):
        """The account is created, and the browser is signed in."""
        response = browser.send(ACCEPT, token=token, full_name="Ada", password=NEW_PASSWORD)

        assert location(response) == "/account"
        assert "Your account is ready" in browser.get("/account").text

    def test_sent_twice(self, browser, token):
        """A form that a browser sends twice creates one account, and reports no error."""
        fields = fields_of(browser.get(ACCEPT))
        form = {
            "csrf_token": fields["csrf_token"]["value"],
            "request_id": fields["request_id"]["value"],
            "token": token,
            "password": NEW_PASSWORD,
        }
        first = browser.post(ACCEPT, form)

        second = PageClient(browser.http.application)
        again = second.post(ACCEPT, {**form, "csrf_token": second.token_of(second.get(ACCEPT))})

        assert location(first) == "/account"
        # Another browser is not signed in: that may need more than the password by now.
        assert location(again) == "/sign-in"

    def test_sign_up_closed(self, make_app, email_settings, token):
        """The page works while sign-up is closed."""
        closed = PageClient(make_app(signup=SignUp.CLOSED, email=email_settings))

        response = closed.send(ACCEPT, token=token, password=NEW_PASSWORD)

        assert location(response) == "/account"

    def test_rejection_keeps_what_was_typed(self, browser, token):
        """A weak password is rejected, and the token can be sent again."""
        response = browser.send(ACCEPT, token=token, full_name="Ada", password="short")

        assert response.status_code == 422
        assert "A password has at least 15 characters" in errors_of(response)["password"]
        assert fields_of(response)["token"]["value"] == token
        assert fields_of(response)["full_name"]["value"] == "Ada"

    def test_void(self, browser, john):
        """A void token says whom to ask."""
        response = browser.send(ACCEPT, token="roi_none", password=NEW_PASSWORD)

        assert response.status_code == 422
        assert "Ask the person who invited you" in errors_of(response)["token"]

    def test_query_is_not_rendered(self, tableless_browser):
        """A token in the query is not used, and no other site learns the URL."""
        page = tableless_browser.get(f"{ACCEPT}?token=evil")

        assert "evil" not in page.text
        assert page.headers["Referrer-Policy"] == "same-origin"


class TestInvite:
    def test_several(self, console, jane, listed):
        """Each line is an address; the result names what became of each."""
        emails = (
            "ada@example.com\r\n\r\n jane@example.com\r\nADA@example.com\r\neve@example.com\r\n"
        )

        page = console.send(
            NEW, emails=emails, roles=["user", "auditor"], locale="de", app_metadata='{"a": 1}'
        )

        assert page.status_code == 200
        assert page.text.count("An email is on its way.") == 2
        assert "A user has this address." in page.text
        assert "It has an invitation" in page.text
        assert [each["roles"] for each in listed()] == [["auditor", "user"]] * 2
        assert listed()[0]["app_metadata"] == {"a": 1}

    def test_wrong_lines(self, console, listed):
        """One wrong address is named by its number, and none is invited."""
        response = console.send(NEW, emails="ada@example.com\nada\n\u202eeve@example.com")

        assert errors_of(response)["emails"] == "These are no email addresses: number 2, 3."
        assert listed() == []

    def test_too_many(self, console, listed):
        """A form has a hundred addresses."""
        emails = "\n".join(f"a{number}@example.com" for number in range(101))

        response = console.send(NEW, emails=emails)

        assert errors_of(response)["emails"] == "Enter at most 100 addresses."
        assert listed() == []

    def test_wrong_metadata(self, console, listed):
        """Metadata that are no object are rejected before the first invitation."""
        response = console.send(NEW, emails="ada@example.com", app_metadata="[]")

        assert "It is no JSON object" in errors_of(response)["app_metadata"]
        assert listed() == []

    def test_no_email_configured(self, app, john):
        """A service without emails says so."""
        console = PageClient(app).sign_in("john", PASSWORD)

        assert "Emails are not configured" in console.get(NEW).text
        assert console.send(NEW, emails="ada@example.com").status_code == 501


class TestConsole:
    def test_resend(self, console, token, tokens, listed):
        """Sending again is confirmed, and makes another token."""
        path = f"/admin/invitations/{listed()[0]['id']}/resend"
        assert "ada@example.com" in console.get(path).text

        response = console.send(path)

        assert location(response) == "/admin/invitations"
        assert "The invitation is sent again." in console.get("/admin/invitations").text
        assert len(set(tokens())) == 2

    def test_revoke(self, console, token, listed):
        """Revoking is confirmed, and the list is empty."""
        response = console.send(f"/admin/invitations/{listed()[0]['id']}/revoke")

        assert location(response) == "/admin/invitations"
        assert "There are no invitations." in console.get("/admin/invitations").text

    def test_unknown(self, console, token, listed):
        """Other changes and invitations do not exist."""
        assert console.get(f"/admin/invitations/{listed()[0]['id']}/other").status_code == 404
        assert console.get("/admin/invitations/x/revoke").status_code == 404

    def test_readers(self, email_app, token, support, auditor, listed):
        """Support reads the list, without the buttons, and cannot invite."""
        browser = PageClient(email_app).sign_in("sue", PASSWORD)
        path = f"/admin/invitations/{listed()[0]['id']}/revoke"

        page = browser.get("/admin/invitations")

        assert "ada@example.com" in page.text
        assert "Send again" not in page.text
        assert [browser.get(each).status_code for each in (NEW, path)] == [403, 403]
