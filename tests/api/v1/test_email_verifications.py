"""POST /v1/email-verifications and /v1/email-verifications/confirm."""

import logging

import pytest

from models import EmailKind
from models.clock import now
from models.tables.audit_event import AuditEvent
from models.tables.one_time_token import OneTimeToken
from tests.support.email_helpers import SentEmails
from tests.support.person import PASSWORD
from tests.support.responses import outcome

JANE = "jane@example.com"
UNKNOWN = "unknown@example.com"


@pytest.fixture
def client(email_app):
    """Return an anonymous client of a service that sends emails."""
    return email_app.test_client()


@pytest.fixture
def request_email(client):
    """Return a function that requests an email with a fixed request id."""
    headers = {"X-Request-Id": "same"}
    return lambda email: client.post(
        "/v1/email-verifications", json={"email": email}, headers=headers
    )


@pytest.fixture
def confirm(client):
    body = {"password": PASSWORD}
    path = "/v1/email-verifications/confirm"
    return lambda token: client.post(path, json={**body, "token": token})


@pytest.fixture
def token(jane, request_email, sent_emails):
    """Return the token that was emailed to jane."""
    request_email(JANE)
    return sent_emails()[-1].token


class TestRequest:
    def test_email(self, jane, request_email, sent_emails):
        """The email goes to the account's address; the token is only in the email."""
        response = request_email("JANE@example.com")

        (email,) = sent_emails()
        assert (response.status_code, response.data) == (202, b"")
        assert (email.kind, email.to) == (EmailKind.VERIFY_EMAIL, JANE)
        assert email.token.startswith("rso_")

    @pytest.mark.parametrize(
        "email", ["m\u0131ke.s@example.com", "mike.\u017f@example.com", "mi\u212ae.s@example.com"]
    )
    def test_lookalikes(self, register, request_email, sent_emails, email):
        """CVE-2019-19844: a lookalike of mike's address sends no email."""
        register("mike.s")

        assert request_email(email).status_code == 202
        assert sent_emails() == []

    @pytest.mark.parametrize("email", [[JANE], [JANE, UNKNOWN], [], {"email": JANE}, {}, 0, None])
    def test_types(self, jane, request_email, sent_emails, email):
        """CVE-2023-7028: the email must be one string; a list sends nothing."""
        assert outcome(request_email(email))[:2] == (422, "invalid-request")
        assert sent_emails() == []

    @pytest.mark.parametrize("email", [JANE, UNKNOWN])
    def test_email_not_configured(self, make_app, jane, email):
        """Without email settings the response is the same 501, with or without an account."""
        client_without_email = make_app().test_client()
        response = client_without_email.post("/v1/email-verifications", json={"email": email})

        assert outcome(response) == (501, "mail-not-configured", [])

    def test_five_emails_an_hour(self, jane, request_email, sent_emails):
        """An account gets five emails an hour; the sixth request gets the same 202."""
        responses = [request_email(JANE) for _ in range(6)]

        assert {response.status_code for response in responses} == {202}
        assert len(sent_emails()) == 5

    @pytest.mark.parametrize("email", ["john@example.com", "eve@example.com", UNKNOWN])
    def test_indistinguishable(
        self, jane, eve, john, edit_row, request_email, sent_emails, database_calls, email
    ):
        """ASVS 6.3.8: every state of an account gets the same bytes after the same calls."""
        john.patch(eve.path, json={"status": "suspended"})
        edit_row(john, email_verified=True)
        with database_calls() as known:
            wanted = request_email(JANE)
        with database_calls() as calls:
            response = request_email(email)

        assert (response.status_code, response.data) == (202, b"")
        assert list(response.headers) == list(wanted.headers)
        assert calls == known == ["GetItem", "GetItem", "UpdateItem", "TransactWriteItems"]
        requested = [each for each in sent_emails() if each.kind == EmailKind.VERIFY_EMAIL]
        assert [letter.to for letter in requested] == [JANE]


class TestConfirm:
    def test_verified(self, jane, confirm, token):
        """After a 204 without body the email is verified."""
        before = jane.get("/v1/users/me").json["email_verified"]
        response = confirm(token)

        assert (response.status_code, response.data) == (204, b"")
        assert not before
        assert jane.get("/v1/users/me").json["email_verified"]

    def test_opens_no_session(self, jane, confirm, token):
        """The token is not a session token, and existing sessions continue."""
        confirm(token)

        bearer = {"Authorization": f"Bearer {token}"}
        assert jane.get("/v1/users/me").status_code == 200
        assert outcome(jane.client.get("/v1/users/me", headers=bearer))[0] == 401

    @pytest.mark.parametrize("token", ["", None, {}, [], [""], 0, False, True, "null!", "a b"])
    def test_malformed_token(self, jane, confirm, snapshot, token):
        """CVE-2019-18818: a malformed token is rejected and changes nothing."""
        before = snapshot()

        assert outcome(confirm(token)) == (422, "invalid-request", ["/token"])
        assert snapshot() == before

    def test_missing(self, client):
        """CVE-2019-18818: a missing token is rejected."""
        response = client.post("/v1/email-verifications/confirm", json={})

        assert outcome(response) == (422, "invalid-request", ["/token"])

    @pytest.mark.parametrize("token", ["null", "rso_", "rso_" + "A" * 54])
    def test_unknown(self, jane, confirm, snapshot, token):
        """An unknown token changes nothing."""
        before = snapshot()

        assert outcome(confirm(token)) == (422, "invalid-token", ["/token"])
        assert snapshot() == before

    def test_twice(self, confirm, token, snapshot):
        """ASVS 6.5.1: a token works once; repeating the request is a success without effect."""
        confirm(token)
        before = snapshot()

        assert confirm(token).status_code == 204
        assert snapshot() == before

    def test_expired(self, app, jane, confirm, token):
        """An expired token is rejected."""
        with app.app_context():
            (row,) = OneTimeToken.query(jane.id)
            row.update([OneTimeToken.expires_at.set(now())])

        assert outcome(confirm(token))[1] == "invalid-token"

    def test_other_purpose(self, jane, client, confirm, sent_emails):
        """ASVS 6.6.2: a password reset token cannot verify an email."""
        client.post("/v1/password-resets", json={"email": JANE})

        assert outcome(confirm(sent_emails()[-1].token))[1] == "invalid-token"
        assert not jane.get("/v1/users/me").json["email_verified"]

    def test_event(self, app, jane, confirm, token):
        """The verification is one of the user's audit events."""
        confirm(token)

        with app.app_context():
            *_, event = AuditEvent.query(jane.id)
        assert event.type == "email.verified"

    def test_secrecy(self, jane, confirm, token, caplog, snapshot):
        """ASVS 16.2.5: the token is neither logged nor stored, nor repeated in an error."""
        caplog.set_level(logging.DEBUG)
        before = str(snapshot())
        confirm(token)

        output = before + str(snapshot()) + caplog.text + confirm(token).text
        assert token[26:] not in output


class TestRequired:
    """ROSTER_REQUIRE_VERIFIED_EMAIL."""

    ZOE = {"username": "zoe", "email": "zoe@example.com", "password": PASSWORD}

    @pytest.fixture
    def email_app(self, app, make_app, email_settings):
        """An app where users without a verified email cannot sign in."""
        app = make_app(email=email_settings, rate_limits=False, require_verified_email=True)
        yield app
        SentEmails(app, email_settings.folder)()

    @pytest.fixture
    def sign_in(self, client):
        def attempt(login, password):
            body = {"login": login, "password": password}
            return client.post("/v1/sessions", json=body, headers={"X-Request-Id": "same"})

        return attempt

    def test_sign_up(self, client, sent_emails):
        """Registering sends a token by email; the response does not contain it."""
        response = client.post("/v1/users", json=self.ZOE)

        (email,) = sent_emails()
        assert response.status_code == 201
        assert not response.json["email_verified"]
        assert (email.kind, email.to) == (EmailKind.VERIFY_EMAIL, "zoe@example.com")
        assert email.token not in response.text + str(response.headers)

    def test_sign_in(self, client, sent_emails, sign_in, confirm):
        """ASVS 6.3.8: before verification the right password is rejected like a wrong one."""
        client.post("/v1/users", json=self.ZOE)
        logins = [("zoe", PASSWORD), ("zoe", "not the password at all"), ("unknown", PASSWORD)]
        responses = [sign_in(*login) for login in logins]
        confirm(sent_emails()[-1].token)

        assert {outcome(response)[:2] for response in responses} == {(401, "invalid-credentials")}
        assert len({response.data for response in responses}) == 1
        assert len({tuple(response.headers) for response in responses}) == 1
        assert sign_in("zoe", PASSWORD).status_code == 201

    def test_second_email(self, client, sent_emails, sign_in, request_email, confirm):
        """Another email can be requested without signing in."""
        client.post("/v1/users", json=self.ZOE)
        request_email("zoe@example.com")
        confirm(sent_emails()[-1].token)

        assert len(sent_emails()) == 2
        assert sign_in("zoe@example.com", PASSWORD).status_code == 201
