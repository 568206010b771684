"""POST /v1/password-resets."""

from dataclasses import replace

import pytest

from models import EmailKind
from models.tables.login_attempts import FREE_ATTEMPTS
from tests.support.responses import outcome

JANE = "jane@example.com"
ANONYMOUS = "nobody@example.com"
# What is no string where one is due.
TYPES = [[JANE], [JANE, "eve@evil.example"], [], {"email": JANE}, {}, 0, 1, True, None]


@pytest.fixture
def client(mailing):
    """Nobody in particular, at a service that can send mails."""
    return mailing.test_client()


@pytest.fixture
def ask(client):
    """Asks for a mail, with a request id that is always the same."""
    headers = {"X-Request-Id": "same"}
    return lambda email: client.post("/v1/password-resets", json={"email": email}, headers=headers)


@pytest.fixture
def cast(jane, eve, john, alter):
    """jane, eve who is suspended, and john who has confirmed his address."""
    john.patch(eve.path, json={"status": "suspended"})
    alter(john, email_verified=True)


class TestRequest:
    def test_mail(self, jane, ask, letters):
        """The mail goes to the account's address, and its token is in the mail only."""
        answer = ask(JANE)

        (letter,) = letters()
        assert (answer.status_code, answer.data) == (202, b"")
        assert (letter.kind, letter.to) == (EmailKind.RESET_PASSWORD, JANE)
        assert letter.token.startswith("rso_")
        assert "10 minutes" in letter.text

    @pytest.mark.parametrize("email", ["JANE@example.com", "jane@EXAMPLE.com"])
    def test_stored_address(self, jane, ask, letters, email):
        """CVE-2019-19844: the mail goes to the address as it is stored, not as it was asked for."""
        ask(email)

        assert [letter.to for letter in letters()] == [JANE]

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
    def test_lookalikes(self, register, ask, letters, email):
        """CVE-2019-19844: an address that merely looks like mike's leads to no mail at all."""
        register("mike.s")
        answer = ask(email)

        assert answer.status_code == 202
        assert letters() == []

    @pytest.mark.parametrize("email", TYPES)
    def test_types(self, jane, client, letters, stored, email):
        """CVE-2023-7028: one address is one string; of a list nobody is mailed."""
        before = stored()
        answer = client.post("/v1/password-resets", json={"email": email})

        assert outcome(answer)[:2] == (422, "invalid-request")
        assert letters() == []
        assert stored() == before

    @pytest.mark.parametrize("email", ["", "jane", "@", "jane@", "jane@example.com@evil.example"])
    def test_no_address(self, jane, ask, letters, email):
        """What cannot be an address, such as a user name, is looked up for nobody."""
        assert outcome(ask(email)) == (422, "invalid-request", ["/email"])
        assert letters() == []

    @pytest.mark.parametrize(
        "body, pointers",
        [
            ({}, ["/email"]),
            ({"email": JANE, "to": "eve@evil.example"}, ["/to"]),
            ({"email": JANE, "username": "jane"}, ["/username"]),
        ],
    )
    def test_members(self, jane, client, letters, body, pointers):
        """Nothing but an address is asked for."""
        answer = client.post("/v1/password-resets", json=body)

        assert outcome(answer) == (422, "invalid-request", pointers)
        assert letters() == []

    @pytest.mark.parametrize("email", [JANE, ANONYMOUS])
    def test_no_mailer(self, make_app, jane, email):
        """Where no mail can be sent everybody is told so, whether there is an account or not."""
        bare = make_app().test_client()
        answer = bare.post("/v1/password-resets", json={"email": email})

        assert outcome(answer) == (501, "mail-not-configured", [])

    def test_while_locked(self, jane, client, ask, letters):
        """ASVS 6.1.1: a lock keeps nobody from getting out of it."""
        for _ in range(FREE_ATTEMPTS):
            client.post("/v1/sessions", json={"login": "jane", "password": "wrong"})
        ask(JANE)

        assert len(letters()) == 1

    def test_five_mails_an_hour(self, jane, ask, letters):
        """ASVS 6.3.1: one account gets five mails an hour, and the sixth request the same 202."""
        answers = [ask(JANE) for _ in range(7)]

        assert {answer.status_code for answer in answers} == {202}
        assert len(letters()) == 5

    def test_asking_changes_nothing(self, jane, ask):
        """Whoever asks for a mail neither signs the user out nor voids the password."""
        ask(JANE)

        assert jane.get("/v1/users/me").status_code == 200
        assert replace(jane).sign_in().token


class TestEnumeration:
    """ASVS 6.3.8: who has an account cannot be told by asking for a mail."""

    @pytest.fixture
    def asked(self, cast, ask, store_calls):
        """What somebody sees of a request, and what the store does for it."""

        def see(email):
            with store_calls() as calls:
                answer = ask(email)
            return answer.status_code, answer.data, list(answer.headers), calls

        return see

    @pytest.mark.parametrize(
        "email",
        [
            "JANE@example.com",
            "john@example.com",
            "eve@example.com",
            ANONYMOUS,
            "ANONYMOUS@example.com",
            "jane@example.org",
            "m\u0131ke@example.com",
        ],
    )
    def test_equal(self, asked, email):
        """Known, confirmed, suspended and unknown: the same bytes after the same calls."""
        known = asked(JANE)

        assert asked(email) == known
        assert known[-1] == ["GetItem", "GetItem", "UpdateItem", "TransactWriteItems"]

    @pytest.mark.parametrize("email", [JANE, "eve@example.com", ANONYMOUS])
    def test_equal_when_used_up(self, asked, email):
        """The same when the mails of an hour are used up: the calls tell that, and nothing else."""
        seen = [asked(email) for _ in range(7)]

        answers = {(status, data, tuple(headers)) for status, data, headers, _ in seen}
        assert len(answers) == 1
        assert [len(calls) for *_, calls in seen] == [4, 4, 4, 4, 4, 3, 2]
        assert seen[5][-1] == ["GetItem", "GetItem", "UpdateItem"]

    @pytest.mark.parametrize("email", ["eve@example.com", ANONYMOUS])
    def test_nobody_is_mailed(self, asked, letters, email):
        """Neither a suspended user nor a stranger gets a mail."""
        asked(email)

        assert letters() == []
