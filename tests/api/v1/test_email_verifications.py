"""POST /v1/email-verifications and /v1/email-verifications/confirm."""

import logging

import pytest

from models import EmailKind
from models.clock import now
from models.tables.audit_event import AuditEvent
from models.tables.one_time_token import OneTimeToken
from tests.support.email_helpers import Letters
from tests.support.person import PASSWORD
from tests.support.responses import outcome

JANE = "jane@example.com"
ANONYMOUS = "nobody@example.com"


@pytest.fixture
def client(mailing):
    """Nobody in particular, at a service that can send mails."""
    return mailing.test_client()


@pytest.fixture
def ask(client):
    """Asks for a mail, with a request id that is always the same."""
    headers = {"X-Request-Id": "same"}
    return lambda email: client.post(
        "/v1/email-verifications", json={"email": email}, headers=headers
    )


@pytest.fixture
def confirm(client):
    return lambda token: client.post("/v1/email-verifications/confirm", json={"token": token})


@pytest.fixture
def token(jane, ask, letters):
    """What jane was mailed."""
    ask(JANE)
    return letters()[-1].token


class TestRequest:
    def test_mail(self, jane, ask, letters):
        """The mail goes to the account's address, and its token is in the mail only."""
        answer = ask("JANE@example.com")

        (letter,) = letters()
        assert (answer.status_code, answer.data) == (202, b"")
        assert (letter.kind, letter.to) == (EmailKind.VERIFY_EMAIL, JANE)
        assert letter.token.startswith("rso_")

    @pytest.mark.parametrize(
        "email", ["m\u0131ke.s@example.com", "mike.\u017f@example.com", "mi\u212ae.s@example.com"]
    )
    def test_lookalikes(self, register, ask, letters, email):
        """CVE-2019-19844: an address that merely looks like mike's leads to no mail at all."""
        register("mike.s")

        assert ask(email).status_code == 202
        assert letters() == []

    @pytest.mark.parametrize("email", [[JANE], [JANE, ANONYMOUS], [], {"email": JANE}, {}, 0, None])
    def test_types(self, jane, ask, letters, email):
        """CVE-2023-7028: one address is one string; of a list nobody is mailed."""
        assert outcome(ask(email))[:2] == (422, "invalid-request")
        assert letters() == []

    @pytest.mark.parametrize("email", [JANE, ANONYMOUS])
    def test_no_mailer(self, make_app, jane, email):
        """Where no mail can be sent everybody is told so, whether there is an account or not."""
        bare = make_app().test_client()
        answer = bare.post("/v1/email-verifications", json={"email": email})

        assert outcome(answer) == (501, "mail-not-configured", [])

    def test_five_mails_an_hour(self, jane, ask, letters):
        """One account gets five mails an hour, and the sixth request the same 202."""
        answers = [ask(JANE) for _ in range(6)]

        assert {answer.status_code for answer in answers} == {202}
        assert len(letters()) == 5

    @pytest.mark.parametrize("email", ["john@example.com", "eve@example.com", ANONYMOUS])
    def test_equal(self, jane, eve, john, alter, ask, letters, store_calls, email):
        """ASVS 6.3.8: unconfirmed, confirmed, suspended, unknown: the same bytes and calls."""
        john.patch(eve.path, json={"status": "suspended"})
        alter(john, email_verified=True)
        with store_calls() as known:
            wanted = ask(JANE)
        with store_calls() as calls:
            answer = ask(email)

        assert (answer.status_code, answer.data) == (202, b"")
        assert list(answer.headers) == list(wanted.headers)
        assert calls == known == ["GetItem", "GetItem", "UpdateItem", "TransactWriteItems"]
        assert [letter.to for letter in letters()] == [JANE]


class TestConfirm:
    def test_verified(self, jane, confirm, token):
        """After a 204 without body the address is known to be the user's."""
        before = jane.get("/v1/users/me").json["email_verified"]
        answer = confirm(token)

        assert (answer.status_code, answer.data) == (204, b"")
        assert not before
        assert jane.get("/v1/users/me").json["email_verified"]

    def test_nobody_is_signed_in(self, jane, confirm, token):
        """The token is no session's, and the present sessions go on."""
        confirm(token)

        bearer = {"Authorization": f"Bearer {token}"}
        assert jane.get("/v1/users/me").status_code == 200
        assert outcome(jane.client.get("/v1/users/me", headers=bearer))[0] == 401

    @pytest.mark.parametrize("token", ["", None, {}, [], [""], 0, False, True, "null!", "a b"])
    def test_no_token(self, jane, confirm, stored, token):
        """CVE-2019-18818: what cannot be a token is refused, and changes nothing."""
        before = stored()

        assert outcome(confirm(token)) == (422, "invalid-request", ["/token"])
        assert stored() == before

    def test_missing(self, client):
        """CVE-2019-18818: so is the lack of one."""
        answer = client.post("/v1/email-verifications/confirm", json={})

        assert outcome(answer) == (422, "invalid-request", ["/token"])

    @pytest.mark.parametrize("token", ["null", "rso_", "rso_" + "A" * 54])
    def test_unknown(self, jane, confirm, stored, token):
        """A token that nobody was given changes nothing."""
        before = stored()

        assert outcome(confirm(token)) == (422, "invalid-token", ["/token"])
        assert stored() == before

    def test_twice(self, confirm, token):
        """ASVS 6.5.1: a token works once."""
        confirm(token)

        assert outcome(confirm(token)) == (422, "invalid-token", ["/token"])

    def test_expired(self, app, jane, confirm, token):
        """After its time it does not."""
        with app.app_context():
            (row,) = OneTimeToken.query(jane.id)
            row.update([OneTimeToken.expires_at.set(now())])

        assert outcome(confirm(token))[1] == "invalid-token"

    def test_other_purpose(self, jane, client, confirm, letters):
        """ASVS 6.6.2: a token that resets a password confirms no address."""
        client.post("/v1/password-resets", json={"email": JANE})

        assert outcome(confirm(letters()[-1].token))[1] == "invalid-token"
        assert not jane.get("/v1/users/me").json["email_verified"]

    def test_event(self, app, jane, confirm, token):
        """The user's events tell of it."""
        confirm(token)

        with app.app_context():
            *_, event = AuditEvent.query(jane.id)
        assert event.type == "email.verified"

    def test_secrecy(self, jane, confirm, token, caplog, stored):
        """ASVS 16.2.5: the token is neither logged nor stored, nor repeated in a refusal."""
        caplog.set_level(logging.DEBUG)
        held = str(stored())
        confirm(token)

        told = held + str(stored()) + caplog.text + confirm(token).text
        assert token[26:] not in told


class TestRequired:
    """ROSTER_REQUIRE_VERIFIED_EMAIL."""

    ZOE = {"username": "zoe", "email": "zoe@example.com", "password": PASSWORD}

    @pytest.fixture
    def mailing(self, app, make_app, mail_settings):
        """A service where nobody signs in whose address is not confirmed."""
        app = make_app(mail=mail_settings, rate_limits=False, require_verified_email=True)
        yield app
        Letters(app, mail_settings.folder)()

    @pytest.fixture
    def sign_in(self, client):
        def attempt(login, password):
            body = {"login": login, "password": password}
            return client.post("/v1/sessions", json=body, headers={"X-Request-Id": "same"})

        return attempt

    def test_sign_up(self, client, letters):
        """Who signs up is mailed a token; nothing of it is in the answer."""
        answer = client.post("/v1/users", json=self.ZOE)

        (letter,) = letters()
        assert answer.status_code == 201
        assert not answer.json["email_verified"]
        assert (letter.kind, letter.to) == (EmailKind.VERIFY_EMAIL, "zoe@example.com")
        assert letter.token not in answer.text + str(answer.headers)

    def test_sign_in(self, client, letters, sign_in, confirm):
        """ASVS 6.3.8: until then the right password is refused like a wrong one; then it works."""
        client.post("/v1/users", json=self.ZOE)
        logins = [("zoe", PASSWORD), ("zoe", "not the password at all"), ("nobody", PASSWORD)]
        refusals = [sign_in(*login) for login in logins]
        confirm(letters()[-1].token)

        assert {outcome(answer)[:2] for answer in refusals} == {(401, "invalid-credentials")}
        assert len({answer.data for answer in refusals}) == 1
        assert len({tuple(answer.headers) for answer in refusals}) == 1
        assert sign_in("zoe", PASSWORD).status_code == 201

    def test_another_mail(self, client, letters, sign_in, ask, confirm):
        """Whoever has lost the mail asks for another one without signing in."""
        client.post("/v1/users", json=self.ZOE)
        ask("zoe@example.com")
        confirm(letters()[-1].token)

        assert len(letters()) == 2
        assert sign_in("zoe@example.com", PASSWORD).status_code == 201
