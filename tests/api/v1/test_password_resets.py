"""POST /v1/password-resets."""

from dataclasses import replace

import pytest

from models import EmailKind
from models.tables.login_attempts import FREE_ATTEMPTS
from tests.support.responses import outcome

JANE = "jane@example.com"
UNKNOWN = "unknown@example.com"
# Values that are not strings.
TYPES = [[JANE], [JANE, "eve@evil.example"], [], {"email": JANE}, {}, 0, 1, True, None]


@pytest.fixture
def client(email_app):
    """Return an anonymous client of a service that sends emails."""
    return email_app.test_client()


@pytest.fixture
def request_email(client):
    """Return a function that requests an email with a fixed request id."""
    headers = {"X-Request-Id": "same"}
    return lambda email: client.post("/v1/password-resets", json={"email": email}, headers=headers)


@pytest.fixture
def users(jane, eve, john, edit_row):
    """Create jane, eve (suspended), and john (verified email)."""
    john.patch(eve.path, json={"status": "suspended"})
    edit_row(john, email_verified=True)


class TestRequest:
    def test_email(self, jane, request_email, sent_emails):
        """The email goes to the account's address; the token is only in the email."""
        response = request_email(JANE)

        (email,) = sent_emails()
        assert (response.status_code, response.data) == (202, b"")
        assert (email.kind, email.to) == (EmailKind.RESET_PASSWORD, JANE)
        assert email.token.startswith("rso_")
        assert "10 minutes" in email.text

    @pytest.mark.parametrize("email", ["JANE@example.com", "jane@EXAMPLE.com"])
    def test_stored_address(self, jane, request_email, sent_emails, email):
        """CVE-2019-19844: the email goes to the stored address, not to the one in the request."""
        request_email(email)

        assert [letter.to for letter in sent_emails()] == [JANE]

    @pytest.mark.parametrize(
        "email",
        [
            "m\u0131ke.s@example.com",
            "m\u0130ke.s@example.com",
            "mike.\u017f@example.com",
            "mi\u212ae.s@example.com",
            "MI\u212aE.S@EXAMPLE.COM",
            "mike.s\uff20example.com@example.com",
            "mi\u043ae.s@example.com",
        ],
    )
    def test_lookalikes(self, register, request_email, sent_emails, email):
        """CVE-2019-19844: a lookalike of mike's address sends no email."""
        register("mike.s")
        response = request_email(email)

        assert response.status_code == 202
        assert sent_emails() == []

    @pytest.mark.parametrize("email", TYPES)
    def test_types(self, jane, client, sent_emails, snapshot, email):
        """CVE-2023-7028: the email must be one string; a list sends nothing."""
        before = snapshot()
        response = client.post("/v1/password-resets", json={"email": email})

        assert outcome(response)[:2] == (422, "invalid-request")
        assert sent_emails() == []
        assert snapshot() == before

    @pytest.mark.parametrize("email", ["", "jane", "@", "jane@", "jane@example.com@evil.example"])
    def test_invalid_address(self, jane, request_email, sent_emails, email):
        """A value that is not an address, such as a username, is not looked up."""
        assert outcome(request_email(email)) == (422, "invalid-request", ["/email"])
        assert sent_emails() == []

    @pytest.mark.parametrize(
        "body, pointers",
        [
            ({}, ["/email"]),
            ({"email": JANE, "to": "eve@evil.example"}, ["/to"]),
            ({"email": JANE, "username": "jane"}, ["/username"]),
        ],
    )
    def test_fields(self, jane, client, sent_emails, body, pointers):
        """The body has an email and no other field."""
        response = client.post("/v1/password-resets", json=body)

        assert outcome(response) == (422, "invalid-request", pointers)
        assert sent_emails() == []

    @pytest.mark.parametrize("email", [JANE, UNKNOWN])
    def test_email_not_configured(self, make_app, jane, email):
        """Without email settings the response is the same 501, with or without an account."""
        client_without_email = make_app().test_client()
        response = client_without_email.post("/v1/password-resets", json={"email": email})

        assert outcome(response) == (501, "mail-not-configured", [])

    def test_while_locked(self, jane, edit_row, client, request_email, sent_emails):
        """ASVS 6.1.1: a password can be reset during a lockout."""
        edit_row(jane, email_verified=True)
        for _ in range(FREE_ATTEMPTS):
            client.post("/v1/sessions", json={"login": "jane", "password": "wrong"})
        request_email(JANE)

        kinds = {email.kind for email in sent_emails()}
        assert kinds == {EmailKind.ACCOUNT_LOCKED, EmailKind.RESET_PASSWORD}

    def test_two_emails_while_a_token_is_valid(self, jane, request_email, sent_emails):
        """ASVS 6.3.1: an account gets two emails; the third request gets the same 202."""
        responses = [request_email(JANE) for _ in range(4)]

        assert {response.status_code for response in responses} == {202}
        assert len(sent_emails()) == 2

    def test_request_changes_nothing(self, jane, request_email):
        """A request neither ends sessions nor invalidates the password."""
        request_email(JANE)

        assert jane.get("/v1/users/me").status_code == 200
        assert replace(jane).sign_in().token


class TestEnumeration:
    """ASVS 6.3.8: a reset request does not reveal whether an account exists."""

    @pytest.fixture
    def observed(self, users, request_email, database_calls):
        """Return a function that returns response and database calls of a request."""

        def see(email):
            with database_calls() as calls:
                response = request_email(email)
            return response.status_code, response.data, list(response.headers), calls

        return see

    @pytest.mark.parametrize(
        "email",
        [
            "JANE@example.com",
            "john@example.com",
            "eve@example.com",
            UNKNOWN,
            "UNKNOWN@example.com",
            "jane@example.org",
            "m\u0131ke@example.com",
        ],
    )
    def test_indistinguishable(self, observed, email):
        """Every state of an account gets the same bytes after the same calls."""
        known = observed(JANE)

        assert observed(email) == known
        assert known[-1] == ["GetItem", "GetItem", "UpdateItem", "TransactWriteItems"]

    @pytest.mark.parametrize("email", [JANE, "eve@example.com", UNKNOWN])
    def test_indistinguishable_after_the_quota(self, observed, email):
        """After two emails the bytes are the same; only the calls differ."""
        seen = [observed(email) for _ in range(7)]

        responses = {(status, data, tuple(headers)) for status, data, headers, _ in seen}
        assert len(responses) == 1
        assert [len(calls) for *_, calls in seen] == [4, 4, 3, 2, 2, 2, 2]
        assert seen[2][-1] == ["GetItem", "GetItem", "UpdateItem"]

    @pytest.mark.parametrize("email", ["eve@example.com", UNKNOWN])
    def test_no_email(self, observed, sent_emails, email):
        """Neither a suspended user nor an unknown address gets an email."""
        observed(email)

        assert [each for each in sent_emails() if each.kind == EmailKind.RESET_PASSWORD] == []
