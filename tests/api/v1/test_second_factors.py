"""/v1/users/{id}/second-factor: set up, confirm, use, renew, turn off."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from werkzeug.test import TestResponse

from models import SecondFactorRule, Session
from tests.support.api_keys import with_key
from tests.support.authenticator import Authenticator, Clock
from tests.support.person import PASSWORD, Person
from tests.support.responses import ABSENT_ID, NEW_PASSWORD, outcome

PATH = "/v1/users/me/second-factor"
NONE = {"enabled": False, "enabled_at": None, "recovery_codes_left": 0}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def clock(app, monkeypatch) -> Clock:
    """The clock that codes go by, on both sides."""
    clock = Clock()
    monkeypatch.setattr(app.extensions["roster"].second_factors.vault, "clock", clock)
    return clock


@pytest.fixture
def phone(jane, clock) -> Authenticator:
    """Jane's authenticator; it has learned a secret that is not confirmed yet."""
    return Authenticator(jane.post(PATH).json["secret"], clock)


@pytest.fixture
def codes(jane, phone) -> list[str]:
    """Jane's recovery codes: she has a second factor, and has just used a code of the phone's."""
    return jane.post(f"{PATH}/confirm", json={"otp": phone.code()}).json["recovery_codes"]


@pytest.fixture
def enter(client):
    """Signs jane in, with what is given besides login and password."""

    def attempt(**members) -> TestResponse:
        return client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD, **members})

    return attempt


@pytest.fixture
def age(app):
    """Moves somebody's sign-in an hour into the past."""

    def move(person) -> None:
        past = datetime.now(UTC) - timedelta(hours=1)
        with app.app_context():
            row = Session.get(person.id, person.session_id)
            row.update([Session.created_at.set(past), Session.authenticated_at.set(past)])

    return move


class TestStatus:
    def test_none(self, jane):
        """Who has none is told so."""
        response = jane.get(PATH)

        assert (response.status_code, response.json) == (200, NONE)
        assert response.headers["Cache-Control"] == "no-store"

    def test_unconfirmed(self, jane, phone):
        """A secret that waits to be confirmed is no second factor yet."""
        assert jane.get(PATH).json == NONE

    def test_enabled(self, jane, codes):
        """The status says since when, and how many recovery codes are left."""
        status = jane.get(PATH).json

        assert (status["enabled"], status["recovery_codes_left"]) == (True, 10)
        since = datetime.now(UTC) - datetime.fromisoformat(status["enabled_at"])
        assert since < timedelta(minutes=1)

    def test_by_id(self, jane, codes):
        """One's own id means the same as `me`."""
        assert jane.get(f"{jane.path}/second-factor").json == jane.get(PATH).json

    def test_by_an_admin(self, john, jane, codes):
        """An admin sees whether somebody has one."""
        assert john.get(f"{jane.path}/second-factor").json == jane.get(PATH).json

    def test_somebody_else(self, jane, eve):
        """ASVS 8.2.2: to others there is no such user."""
        assert outcome(eve.get(f"{jane.path}/second-factor")) == (404, "user-not-found", [])

    def test_nobody(self, john):
        """There is no second factor of a user who does not exist."""
        response = john.get(f"/v1/users/{ABSENT_ID}/second-factor")

        assert outcome(response) == (404, "user-not-found", [])

    def test_secrets_are_shown_to_nobody(self, john, jane, phone, codes):
        """ASVS 15.3.1: neither user nor admin reads the secret or a code again."""
        answers = [
            jane.get(PATH).text,
            jane.get("/v1/users/me").text,
            john.get(jane.path).text,
            john.get(f"{jane.path}/second-factor").text,
        ]

        assert [text for text in answers if "otpauth" in text or codes[0] in text] == []
        assert "has_second_factor" not in jane.get("/v1/users/me").json

    @pytest.mark.parametrize("path", [PATH, f"{PATH}/confirm", f"{PATH}/recovery-codes"])
    def test_anonymous(self, client, path):
        """Nobody gets anywhere without a session."""
        assert outcome(client.post(path, json={"otp": "1"})) == (401, "unauthenticated", [])


class TestEnrol:
    def test_answer(self, jane):
        """The answer is the secret in three ways, and is never cached."""
        response = jane.post(PATH)

        assert response.status_code == 201
        assert set(response.json) == {"secret", "uri", "qr_svg"}
        assert response.json["uri"].startswith("otpauth://totp/Roster:jane?secret=")
        assert response.json["secret"] in response.json["uri"]
        assert response.headers["Cache-Control"] == "no-store"

    def test_qr_code(self, jane):
        """The image is a square SVG with a title for who cannot see it, and without a script."""
        svg = jane.post(PATH).json["qr_svg"]
        image = ElementTree.fromstring(svg)

        assert image.tag == f"{SVG}svg"
        assert image.get("role") == "img"
        assert image.get("width") == image.get("height") == "180"
        assert image.findtext(f"{SVG}title") == "QR code for an authenticator"
        assert {element.tag for element in image.iter()} == {
            f"{SVG}{name}" for name in ("svg", "title", "g", "path")
        }

    def test_sign_in_is_as_before(self, jane, phone, enter):
        """A secret that is not confirmed locks nobody out."""
        assert enter().status_code == 201

    def test_there_is_one(self, jane, codes):
        """A second factor that counts has to be turned off first."""
        assert outcome(jane.post(PATH)) == (409, "second-factor-exists", [])

    def test_for_somebody_else(self, john, jane):
        """ASVS 8.2.2: not even an admin learns the secret of somebody else."""
        response = john.post(f"{jane.path}/second-factor")

        assert outcome(response) == (403, "forbidden", [])

    def test_stale(self, jane, age, stored):
        """ASVS 7.5.1: a session that was left open sets nothing up."""
        age(jane)
        before = stored()

        assert outcome(jane.post(PATH)) == (401, "fresh-sign-in-required", [])
        assert stored() == before

    def test_by_a_key(self, jane):
        """An API key sets nothing up."""
        assert outcome(with_key(jane).post(PATH))[:2] == (403, "forbidden")

    def test_admin_who_must_have_one(self, make_app, john):
        """An admin without one, where admins need one, can set it up."""
        other = make_app(second_factor=SecondFactorRule.ADMINS).test_client()
        strict = Person(other, "john", token=john.token)

        assert strict.post(PATH).status_code == 201


class TestConfirm:
    def test_recovery_codes(self, jane, phone):
        """The answer is ten recovery codes, and is never cached."""
        response = jane.post(f"{PATH}/confirm", json={"otp": phone.code()})

        assert response.status_code == 200
        assert len(set(response.json["recovery_codes"])) == 10
        assert response.headers["Cache-Control"] == "no-store"

    def test_session_goes_on(self, jane, codes):
        """Who turns it on stays signed in."""
        assert jane.get("/v1/users/me").status_code == 200

    def test_wrong_code(self, jane, phone):
        """A wrong code is named, and nothing is turned on."""
        response = jane.post(f"{PATH}/confirm", json={"otp": "000000"})

        assert outcome(response) == (422, "invalid-request", ["/otp"])
        assert "000000" not in response.text
        assert jane.get(PATH).json == NONE

    @pytest.mark.parametrize("otp", ["", "x", "\u0661" * 6, "\u212a" * 24, "9" * 64, " " * 64])
    def test_nonsense(self, jane, phone, otp):
        """Whatever is typed is a wrong code."""
        response = jane.post(f"{PATH}/confirm", json={"otp": otp})

        assert outcome(response) == (422, "invalid-request", ["/otp"])

    @pytest.mark.parametrize("otp", [None, 123456, True, [], ["123456"], {}, "9" * 65, "1\x00"])
    def test_not_a_code(self, jane, phone, otp):
        """ASVS 15.3.5: only a text of a code's length is looked at (CVE-2019-18818)."""
        response = jane.post(f"{PATH}/confirm", json={"otp": otp})

        assert outcome(response) == (422, "invalid-request", ["/otp"])

    def test_missing(self, jane, phone):
        """The code is asked for by name."""
        response = jane.post(f"{PATH}/confirm", json={})

        assert outcome(response) == (422, "invalid-request", ["/otp"])

    def test_nothing_waits(self, jane, clock):
        """Who has not begun cannot confirm."""
        response = jane.post(f"{PATH}/confirm", json={"otp": "123456"})

        assert outcome(response) == (404, "second-factor-not-found", [])

    def test_twice(self, jane, phone, codes):
        """What is confirmed cannot be confirmed again."""
        response = jane.post(f"{PATH}/confirm", json={"otp": phone.code(1)})

        assert outcome(response) == (404, "second-factor-not-found", [])

    def test_guesses(self, make_app, jane, phone):
        """ASVS 6.6.3: a session that does not know the secret has few guesses a minute."""
        # An app of its own remembers on its own who has used a quota up.
        jane.client = make_app().test_client()
        responses = [jane.post(f"{PATH}/confirm", json={"otp": "000000"}) for _ in range(130)]

        assert outcome(responses[-1]) == (429, "too-many-requests", [])
        assert int(responses[-1].headers["Retry-After"]) > 0

    def test_for_somebody_else(self, john, jane, phone):
        """Not even an admin turns it on for somebody else."""
        response = john.post(f"{jane.path}/second-factor/confirm", json={"otp": phone.code()})

        assert outcome(response) == (403, "forbidden", [])


class TestSignIn:
    def test_password_alone(self, codes, enter):
        """Who sends the password alone is asked for a code, and how to authenticate is said."""
        response = enter()

        assert outcome(response) == (401, "second-factor-required", [])
        assert "WWW-Authenticate" in response.headers

    def test_code(self, phone, codes, enter):
        """The next code signs in, and signs in once (ASVS 6.5.1)."""
        assert enter(otp=phone.code(1)).status_code == 201
        assert outcome(enter(otp=phone.code(1))) == (401, "second-factor-required", [])

    def test_recovery_code(self, jane, codes, enter):
        """A recovery code signs in, and signs in once (ASVS 6.5.1)."""
        assert enter(otp=codes[0]).status_code == 201
        assert outcome(enter(otp=codes[0])) == (401, "second-factor-required", [])
        assert jane.get(PATH).json["recovery_codes_left"] == 9

    def test_wrong_password(self, codes, phone, enter):
        """ASVS 6.3.8: with a wrong password nobody learns that there is a second factor."""
        with_code = enter(password="not the password at all", otp=phone.code(1))
        without = enter(password="not the password at all")

        assert outcome(with_code) == outcome(without) == (401, "invalid-credentials", [])

    def test_code_is_not_repeated(self, codes, enter):
        """ASVS 16.2.5: a refused code does not stand in the answer."""
        assert "271828" not in enter(otp="271828").text

    def test_not_needed(self, eve, client):
        """Who has no second factor may send a code; nobody looks at it."""
        body = {"login": "eve", "password": PASSWORD, "otp": "123456"}

        assert client.post("/v1/sessions", json=body).status_code == 201

    def test_after_a_new_password(self, jane, phone, codes, enter):
        """ASVS 6.4.3: a new password turns no second factor off."""
        jane.put(
            "/v1/users/me/password",
            json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )

        assert outcome(enter(password=NEW_PASSWORD))[1] == "second-factor-required"
        assert enter(password=NEW_PASSWORD, otp=phone.code(1)).status_code == 201


class TestRenew:
    def test_new_codes(self, jane, codes, enter):
        """There are ten new ones; the old ones do not work any more."""
        response = jane.post(f"{PATH}/recovery-codes")

        assert response.status_code == 200
        assert len(set(response.json["recovery_codes"]) - set(codes)) == 10
        assert enter(otp=response.json["recovery_codes"][0]).status_code == 201
        assert outcome(enter(otp=codes[0]))[1] == "second-factor-required"

    def test_none(self, jane):
        """Who has no second factor has no recovery codes."""
        response = jane.post(f"{PATH}/recovery-codes")

        assert outcome(response) == (404, "second-factor-not-found", [])

    def test_stale(self, jane, codes, age, enter):
        """ASVS 7.5.1: a session that was left open makes no codes."""
        age(jane)

        response = jane.post(f"{PATH}/recovery-codes")

        assert outcome(response) == (401, "fresh-sign-in-required", [])
        assert enter(otp=codes[0]).status_code == 201

    def test_for_somebody_else(self, john, jane, codes):
        """ASVS 6.4.6: an admin who made codes for somebody could sign in with them."""
        response = john.post(f"{jane.path}/second-factor/recovery-codes")

        assert outcome(response) == (403, "forbidden", [])


class TestDisable:
    def test_password_is_enough(self, jane, codes, enter):
        """Signing in asks for no code any more."""
        response = jane.delete(PATH)

        assert (response.status_code, response.data) == (204, b"")
        assert enter().status_code == 201
        assert jane.get(PATH).json == NONE

    def test_stale(self, jane, codes, age, enter):
        """ASVS 7.5.1: a session that was left open turns nothing off."""
        age(jane)

        assert outcome(jane.delete(PATH)) == (401, "fresh-sign-in-required", [])
        assert outcome(enter())[1] == "second-factor-required"

    def test_by_an_admin(self, john, jane, codes, enter):
        """An admin turns it off for who has lost the device."""
        assert john.delete(f"{jane.path}/second-factor").status_code == 204
        assert enter().status_code == 201

    def test_stale_admin_by_id(self, john, clock, age):
        """For itself an admin needs a fresh sign-in like anybody, also by its id."""
        phone = Authenticator(john.post(PATH).json["secret"], clock)
        john.post(f"{PATH}/confirm", json={"otp": phone.code()})
        age(john)

        response = john.delete(f"{john.path}/second-factor")

        assert outcome(response) == (401, "fresh-sign-in-required", [])

    def test_by_somebody_else(self, jane, eve, codes, enter):
        """ASVS 8.2.2: nobody else turns it off, or learns that there is one."""
        response = eve.delete(f"{jane.path}/second-factor")

        assert outcome(response) == (404, "user-not-found", [])
        assert outcome(enter())[1] == "second-factor-required"

    def test_by_a_key(self, john, jane, codes, enter):
        """An API key turns nothing off, not even an admin's."""
        key = with_key(john, roles=["admin"])

        assert outcome(key.delete(f"{jane.path}/second-factor"))[:2] == (403, "forbidden")
        assert outcome(enter())[1] == "second-factor-required"

    def test_none(self, jane):
        """Who has none is told so."""
        assert outcome(jane.delete(PATH)) == (404, "second-factor-not-found", [])

    def test_again(self, jane, phone, codes, clock, enter):
        """Who has turned it off can set another one up; what belonged to the first is dead."""
        jane.delete(PATH)
        other = Authenticator(jane.post(PATH).json["secret"], clock)
        jane.post(f"{PATH}/confirm", json={"otp": other.code()})

        assert outcome(enter(otp=phone.code(1)))[1] == "second-factor-required"
        assert outcome(enter(otp=codes[0]))[1] == "second-factor-required"
        assert enter(otp=other.code(1)).status_code == 201


class TestSecrets:
    def test_nothing_is_stored_or_logged(self, jane, clock, stored, caplog, capfd):
        """ASVS 16.2.5: secret and codes stand in no table, no log and no output."""
        secret = jane.post(PATH).json["secret"]
        phone = Authenticator(secret, clock)
        answer = jane.post(f"{PATH}/confirm", json={"otp": phone.code()})
        codes = answer.json["recovery_codes"]
        jane.client.post(
            "/v1/sessions", json={"login": "jane", "password": PASSWORD, "otp": codes[0]}
        )
        told = f"{stored()}{caplog.text}{''.join(capfd.readouterr())}"

        assert [word for word in (secret, *codes) if word in told] == []

    def test_nothing_in_a_url(self, jane, clock):
        """ASVS 14.2.1: codes come in bodies; in a query they count for nothing."""
        phone = Authenticator(jane.post(PATH).json["secret"], clock)

        response = jane.post(f"{PATH}/confirm?otp={phone.code()}", json={})

        assert outcome(response) == (422, "invalid-request", ["/otp"])
