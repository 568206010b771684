"""PATCH /v1/users/{id} with `email`, where mails can be sent."""

from dataclasses import replace

import pytest

from models import EmailKind, User
from tests.support.person import PASSWORD
from tests.support.responses import outcome

JANE, NEW = "jane@example.com", "new@example.com"


@pytest.fixture
def client(mailing):
    """Nobody in particular, at a service that can send mails."""
    return mailing.test_client()


@pytest.fixture
def confirm(client):
    return lambda token: client.post("/v1/email-verifications/confirm", json={"token": token})


@pytest.fixture
def sign_in(client):
    body = {"password": PASSWORD}
    return lambda login: client.post("/v1/sessions", json={**body, "login": login})


@pytest.fixture
def token(jane, alter, letters):
    """What was mailed to the address that jane wants; her present one is confirmed."""
    alter(jane, email_verified=True)
    jane.patch("/v1/users/me", json={"email": NEW})
    return next(letter.token for letter in letters() if letter.to == NEW)


class TestOwn:
    @pytest.mark.parametrize("path", ["/v1/users/me", "own id"])
    def test_pending(self, jane, letters, path):
        """ASVS 6.3.7: the old address is shown until the new one is confirmed; both are told."""
        answer = jane.patch(path.replace("own id", jane.path), json={"email": NEW})

        told = [(letter.kind, letter.to) for letter in letters()]
        assert (answer.status_code, answer.json["email"]) == (200, JANE)
        assert "pending_email" not in answer.json
        assert told == [
            (EmailKind.CONFIRM_EMAIL_CHANGE, NEW),
            (EmailKind.EMAIL_CHANGE_REQUESTED, JANE),
        ]

    def test_only_the_new_address_has_the_token(self, jane, token, letters):
        """The warning at the old address cannot be used to confirm the new one."""
        confirm, warn = letters()

        assert confirm.token == token
        assert warn.token == ""
        assert token not in warn.text
        assert NEW in warn.text

    def test_until_confirmed(self, jane, token, sign_in, client):
        """Until then the old address signs in and is taken, and the new one is neither."""
        zoe = {"username": "zoe", "email": NEW, "password": "a stone bridge over the river"}

        assert sign_in(JANE).status_code == 201
        assert outcome(sign_in(NEW)) == (401, "invalid-credentials", [])
        assert client.post("/v1/users", json=zoe).status_code == 201

    def test_confirmed(self, jane, token, confirm, sign_in):
        """Then the new address is shown, confirmed, and signs in instead of the old one."""
        answer = confirm(token)

        shown = jane.get("/v1/users/me").json
        assert answer.status_code == 204
        assert (shown["email"], shown["email_verified"]) == (NEW, True)
        assert sign_in(NEW).status_code == 201
        assert outcome(sign_in(JANE)) == (401, "invalid-credentials", [])

    def test_old_address_is_told(self, jane, token, confirm, letters):
        """ASVS 6.3.7: the old address hears of it, in case somebody else did it."""
        confirm(token)

        letter = letters()[-1]
        assert (letter.kind, letter.to, letter.token) == (EmailKind.EMAIL_CHANGED, JANE, "")

    def test_taken_meanwhile(self, jane, client, token, confirm, stored):
        """ASVS 2.3.3: whoever was faster has the address; nothing changes for jane."""
        zoe = {"username": "zoe", "email": NEW, "password": "a stone bridge over the river"}
        client.post("/v1/users", json=zoe)
        before = stored()

        assert outcome(confirm(token)) == (409, "email-taken", ["/email"])
        assert stored() == before

    def test_taken(self, jane, eve, letters, stored):
        """Somebody else's address is refused at once, in whatever case."""
        before = stored()
        answer = jane.patch("/v1/users/me", json={"email": "EVE@example.com"})

        assert outcome(answer) == (409, "email-taken", ["/email"])
        assert letters() == []
        assert stored() == before

    def test_last_one_counts(self, jane, token, confirm):
        """Who wants yet another address cannot confirm the first one any more."""
        jane.patch("/v1/users/me", json={"email": "other@example.com"})

        assert outcome(confirm(token))[1] == "invalid-token"
        assert jane.get("/v1/users/me").json["email"] == JANE

    def test_present_one_cancels(self, jane, token, confirm):
        """Who sends the present address wants no other any more."""
        answer = jane.patch("/v1/users/me", json={"email": JANE})

        assert answer.status_code == 200
        assert outcome(confirm(token))[1] == "invalid-token"
        assert jane.get("/v1/users/me").json["email_verified"]

    @pytest.mark.parametrize("email", [[NEW], [NEW, JANE], {}, 0, None, "nonsense", ""])
    def test_types(self, jane, letters, email):
        """CVE-2023-7028: one address is one string; of a list nobody is mailed."""
        answer = jane.patch("/v1/users/me", json={"email": email})

        assert outcome(answer) == (422, "invalid-request", ["/email"])
        assert letters() == []

    @pytest.mark.parametrize("members", [{"pending_email": NEW}, {"email_verified": True}])
    def test_no_shortcut(self, jane, members):
        """ASVS 15.3.3: nobody declares an address to be confirmed."""
        answer = jane.patch("/v1/users/me", json=members)

        assert outcome(answer)[:2] == (422, "invalid-request")

    def test_if_match(self, jane, letters):
        """A version that is not the present one is refused, and nobody is mailed."""
        answer = jane.patch("/v1/users/me", json={"email": NEW}, headers={"If-Match": '"7"'})

        assert outcome(answer)[:2] == (412, "version-mismatch")
        assert letters() == []

    def test_five_mails_an_hour(self, jane, letters):
        """ASVS 6.3.1: nobody fills strangers' mailboxes by wanting one address after another."""
        wishes = [f"new{n}@example.com" for n in range(6)]
        answers = [jane.patch("/v1/users/me", json={"email": wish}) for wish in wishes]

        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3600
        assert "new5@example.com" not in {letter.to for letter in letters()}

    def test_after_a_reset(self, jane, client, token, confirm, letters):
        """Who takes an account back by a reset ends what a stolen session has asked for."""
        client.post("/v1/password-resets", json={"email": JANE})
        body = {"token": letters()[-1].token, "new_password": "a stone bridge over the river"}
        client.post("/v1/password-resets/confirm", json=body)

        assert outcome(confirm(token))[1] == "invalid-token"
        person = replace(jane, password=body["new_password"]).sign_in()
        assert person.get("/v1/users/me").json["email"] == JANE

    def test_token_for_the_old_address(self, jane, client, token, confirm, letters):
        """A reset that was mailed to the old address is void when there is a new one."""
        client.post("/v1/password-resets", json={"email": JANE})
        reset = letters()[-1].token
        confirm(token)

        body = {"token": reset, "new_password": "a stone bridge over the river"}
        answer = client.post("/v1/password-resets/confirm", json=body)
        assert outcome(answer) == (422, "invalid-token", ["/token"])


class TestByAdmin:
    def test_at_once(self, john, jane, alter, letters):
        """An admin's change counts at once, is not confirmed, and is told to the old address."""
        alter(jane, email_verified=True)
        answer = john.patch(jane.path, json={"email": NEW})

        told = [(letter.kind, letter.to, letter.token) for letter in letters()]
        assert (answer.json["email"], answer.json["email_verified"]) == (NEW, False)
        assert told == [(EmailKind.EMAIL_CHANGED, JANE, "")]

    def test_own(self, john, letters):
        """An admin's own address has to be confirmed like anybody's."""
        answer = john.patch(john.path, json={"email": NEW})

        assert answer.json["email"] == "john@example.com"
        assert letters()[0].to == NEW


class TestWithoutMails:
    def test_at_once(self, app, make_app, jane, alter):
        """Where no mail can be sent a new address counts at once, and is not confirmed."""
        alter(jane, email_verified=True)
        other = replace(jane, client=make_app().test_client())
        answer = other.patch("/v1/users/me", json={"email": NEW})

        assert (answer.json["email"], answer.json["email_verified"]) == (NEW, False)
        with app.app_context():
            assert User.get(jane.id).pending_email is None
