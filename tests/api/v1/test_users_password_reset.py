"""POST /v1/users/{id}/password-reset."""

from dataclasses import replace

import pytest

from models import EmailKind, User
from models.tables.audit_event import AuditEvent
from tests.support.responses import ABSENT_ID, NEW_PASSWORD, outcome

JANE = "jane@example.com"


@pytest.fixture
def client(email_app):
    """Return an anonymous client of a service that sends emails."""
    return email_app.test_client()


class TestByAdmin:
    def test_email(self, john, jane, sent_emails):
        """ASVS 6.4.6: the token is sent to the user and is not in the admin's response."""
        response = john.post(f"{jane.path}/password-reset")

        (email,) = sent_emails()
        assert (response.status_code, response.data) == (202, b"")
        assert (email.kind, email.to) == (EmailKind.RESET_PASSWORD, JANE)
        assert email.token not in str(response.headers)

    def test_before_the_reset(self, john, jane):
        """The current password and the sessions stay valid until the user acts."""
        john.post(f"{jane.path}/password-reset")

        assert jane.get("/v1/users/me").status_code == 200
        assert replace(jane).sign_in().token

    def test_sessions(self, john, jane, client, sent_emails):
        """CVE-2023-40273: sessions from before the reset are invalid after it."""
        john.post(f"{jane.path}/password-reset")
        body = {"token": sent_emails()[-1].token, "new_password": NEW_PASSWORD}
        client.post("/v1/password-resets/confirm", json=body)

        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert replace(jane, password=NEW_PASSWORD).sign_in().token

    def test_event(self, app, john, jane):
        """The event has the admin as actor."""
        john.post(f"{jane.path}/password-reset")

        with app.app_context():
            *_, event = AuditEvent.query(jane.id)
        assert (event.type, event.actor_id) == ("password-reset.requested", john.id)

    def test_five_emails_an_hour(self, john, jane, sent_emails):
        """An admin gets an error with `Retry-After` once the user's quota is exceeded."""
        responses = [john.post(f"{jane.path}/password-reset") for _ in range(6)]

        assert [response.status_code for response in responses] == [202] * 5 + [429]
        assert 1 <= int(responses[-1].headers["Retry-After"]) <= 3600
        assert len(sent_emails()) == 5

    @pytest.mark.parametrize("body", [{"new_password": NEW_PASSWORD}, {"email": "a@evil.example"}])
    def test_body(self, app, john, jane, sent_emails, body):
        """ASVS 6.4.6: an admin can choose neither the password nor the address by a body."""
        with app.app_context():
            before = User.get(jane.id).password_hash
        john.post(f"{jane.path}/password-reset", json=body)

        with app.app_context():
            assert User.get(jane.id).password_hash == before
        assert [email.to for email in sent_emails()] == [JANE]

    def test_permissions(self, eve, jane, client, sent_emails):
        """Only an admin may send a reset."""
        assert outcome(eve.post(f"{jane.path}/password-reset"))[:2] == (403, "forbidden")
        assert outcome(jane.post("/v1/users/me/password-reset"))[:2] == (403, "forbidden")
        assert outcome(client.post(f"{jane.path}/password-reset"))[0] == 401
        assert sent_emails() == []

    def test_unknown_user(self, john):
        """An unknown id is a 404."""
        response = john.post(f"/v1/users/{ABSENT_ID}/password-reset")

        assert outcome(response) == (404, "user-not-found", [])

    def test_email_not_configured(self, make_app, john, jane):
        """Without email settings an admin gets a 501."""
        other = replace(john, client=make_app().test_client())
        response = other.post(f"{jane.path}/password-reset")

        assert outcome(response) == (501, "mail-not-configured", [])
