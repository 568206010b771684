"""POST /v1/users/{id}/password-reset."""

from dataclasses import replace

import pytest

from models import EmailKind, User
from models.tables.audit_event import AuditEvent
from tests.support.responses import ABSENT_ID, NEW_PASSWORD, outcome

JANE = "jane@example.com"


@pytest.fixture
def client(mailing):
    """Nobody in particular, at a service that can send mails."""
    return mailing.test_client()


class TestByAdmin:
    def test_mail(self, john, jane, letters):
        """ASVS 6.4.6: the token goes to the user, and nothing of it to the admin."""
        answer = john.post(f"{jane.path}/password-reset")

        (letter,) = letters()
        assert (answer.status_code, answer.data) == (202, b"")
        assert (letter.kind, letter.to) == (EmailKind.RESET_PASSWORD, JANE)
        assert letter.token not in str(answer.headers)

    def test_until_then(self, john, jane):
        """The present password and the sessions go on until the user acts."""
        john.post(f"{jane.path}/password-reset")

        assert jane.get("/v1/users/me").status_code == 200
        assert replace(jane).sign_in().token

    def test_sessions(self, john, jane, client, letters):
        """CVE-2023-40273: sessions from before the reset are dead after it."""
        john.post(f"{jane.path}/password-reset")
        body = {"token": letters()[-1].token, "new_password": NEW_PASSWORD}
        client.post("/v1/password-resets/confirm", json=body)

        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert replace(jane, password=NEW_PASSWORD).sign_in().token

    def test_event(self, app, john, jane):
        """The event names the admin."""
        john.post(f"{jane.path}/password-reset")

        with app.app_context():
            *_, event = AuditEvent.query(jane.id)
        assert (event.type, event.actor_id) == ("password-reset.requested", john.id)

    def test_five_mails_an_hour(self, john, jane, letters):
        """An admin is told when it was too often, and for how long to wait."""
        answers = [john.post(f"{jane.path}/password-reset") for _ in range(6)]

        assert [answer.status_code for answer in answers] == [202] * 5 + [429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3600
        assert len(letters()) == 5

    @pytest.mark.parametrize("body", [{"new_password": NEW_PASSWORD}, {"email": "a@evil.example"}])
    def test_body(self, app, john, jane, letters, body):
        """ASVS 6.4.6: whatever comes along, neither password nor address are the admin's to say."""
        with app.app_context():
            before = User.get(jane.id).password_hash
        john.post(f"{jane.path}/password-reset", json=body)

        with app.app_context():
            assert User.get(jane.id).password_hash == before
        assert [letter.to for letter in letters()] == [JANE]

    def test_others(self, eve, jane, client, letters):
        """Nobody else starts one this way."""
        assert outcome(eve.post(f"{jane.path}/password-reset"))[:2] == (403, "forbidden")
        assert outcome(jane.post("/v1/users/me/password-reset"))[:2] == (403, "forbidden")
        assert outcome(client.post(f"{jane.path}/password-reset"))[0] == 401
        assert letters() == []

    def test_nobody(self, john):
        """An id that nobody has is a 404."""
        answer = john.post(f"/v1/users/{ABSENT_ID}/password-reset")

        assert outcome(answer) == (404, "user-not-found", [])

    def test_no_mailer(self, make_app, john, jane):
        """Where no mail can be sent an admin is told so."""
        other = replace(john, client=make_app().test_client())
        answer = other.post(f"{jane.path}/password-reset")

        assert outcome(answer) == (501, "mail-not-configured", [])
