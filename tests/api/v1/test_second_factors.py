"""/v1/users/{id}/second-factor: set up, confirm, sign in, replace recovery codes, disable."""

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
    """Set the time that TOTP codes depend on, on both sides."""
    clock = Clock()
    monkeypatch.setattr(app.extensions["roster"].second_factors.totp, "clock", clock)
    return clock


@pytest.fixture
def authenticator(jane, clock) -> Authenticator:
    """Return jane's authenticator, which has an unconfirmed secret."""
    return Authenticator(jane.post(PATH).json["secret"], clock)


@pytest.fixture
def recovery_codes(jane, authenticator) -> list[str]:
    """Return the recovery codes from confirming a second factor of jane."""
    return jane.post(f"{PATH}/confirm", json={"otp": authenticator.code()}).json["recovery_codes"]


@pytest.fixture
def sign_in(client):
    """Return a function that signs jane in with additional fields."""

    def attempt(**fields) -> TestResponse:
        return client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD, **fields})

    return attempt


@pytest.fixture
def age_session(app):
    """Return a function that moves a session's authentication an hour into the past."""

    def move(person) -> None:
        past = datetime.now(UTC) - timedelta(hours=1)
        with app.app_context():
            row = Session.get(person.id, person.session_id)
            row.update([Session.created_at.set(past), Session.authenticated_at.set(past)])

    return move


class TestStatus:
    def test_none(self, jane):
        """Without a second factor, the status says so."""
        response = jane.get(PATH)

        assert (response.status_code, response.json) == (200, NONE)
        assert response.headers["Cache-Control"] == "no-store"

    def test_unconfirmed(self, jane, authenticator):
        """An unconfirmed secret is not an enabled second factor."""
        assert jane.get(PATH).json == NONE

    def test_enabled(self, jane, recovery_codes):
        """The status has the time of confirmation and the number of remaining recovery codes."""
        status = jane.get(PATH).json

        assert (status["enabled"], status["recovery_codes_left"]) == (True, 10)
        since = datetime.now(UTC) - datetime.fromisoformat(status["enabled_at"])
        assert since < timedelta(minutes=1)

    def test_by_id(self, jane, recovery_codes):
        """The user's id is equivalent to `me`."""
        assert jane.get(f"{jane.path}/second-factor").json == jane.get(PATH).json

    def test_by_an_admin(self, john, jane, recovery_codes):
        """An admin sees whether a user has a second factor."""
        assert john.get(f"{jane.path}/second-factor").json == jane.get(PATH).json

    def test_by_another_user(self, jane, eve):
        """ASVS 8.2.2: other users get a 404."""
        assert outcome(eve.get(f"{jane.path}/second-factor")) == (404, "user-not-found", [])

    def test_unknown_user(self, john):
        """An unknown user is a 404."""
        response = john.get(f"/v1/users/{ABSENT_ID}/second-factor")

        assert outcome(response) == (404, "user-not-found", [])

    def test_secrets_are_not_shown(self, john, jane, authenticator, recovery_codes):
        """ASVS 15.3.1: neither user nor admin can read the secret or a code again."""
        responses = [
            jane.get(PATH).text,
            jane.get("/v1/users/me").text,
            john.get(jane.path).text,
            john.get(f"{jane.path}/second-factor").text,
        ]

        assert [text for text in responses if "otpauth" in text or recovery_codes[0] in text] == []
        assert "has_second_factor" not in jane.get("/v1/users/me").json

    @pytest.mark.parametrize("path", [PATH, f"{PATH}/confirm", f"{PATH}/recovery-codes"])
    def test_anonymous(self, client, path):
        """An anonymous client gets a 401."""
        assert outcome(client.post(path, json={"otp": "1"})) == (401, "unauthenticated", [])


class TestSetup:
    def test_response(self, jane):
        """The response has the secret in three forms and is not cacheable."""
        response = jane.post(PATH)

        assert response.status_code == 201
        assert set(response.json) == {"secret", "uri", "qr_svg"}
        assert response.json["uri"].startswith("otpauth://totp/Roster:jane?secret=")
        assert response.json["secret"] in response.json["uri"]
        assert response.headers["Cache-Control"] == "no-store"

    def test_qr_code(self, jane):
        """The image is a square SVG with an accessible title and without scripts."""
        svg = jane.post(PATH).json["qr_svg"]
        image = ElementTree.fromstring(svg)

        assert image.tag == f"{SVG}svg"
        assert image.get("role") == "img"
        assert image.get("width") == image.get("height") == "180"
        assert image.get("viewBox") == "0 0 180 180"
        assert image.findtext(f"{SVG}title") == "QR code for an authenticator"
        assert {element.tag for element in image.iter()} == {
            f"{SVG}{name}" for name in ("svg", "title", "g", "path")
        }

    def test_sign_in_is_unchanged(self, jane, authenticator, sign_in):
        """An unconfirmed secret does not change signing in."""
        assert sign_in().status_code == 201

    def test_already_enabled(self, jane, recovery_codes):
        """An enabled second factor has to be disabled first."""
        assert outcome(jane.post(PATH)) == (409, "second-factor-exists", [])

    def test_for_another_user(self, john, jane):
        """ASVS 8.2.2: even an admin cannot get the secret of another user."""
        response = john.post(f"{jane.path}/second-factor")

        assert outcome(response) == (403, "forbidden", [])

    def test_old_session(self, jane, age_session, snapshot):
        """ASVS 7.5.1: setting up requires recent authentication."""
        age_session(jane)
        before = snapshot()

        assert outcome(jane.post(PATH)) == (401, "fresh-sign-in-required", [])
        assert snapshot() == before

    def test_by_a_key(self, jane):
        """An API key cannot set up a second factor."""
        assert outcome(with_key(jane).post(PATH))[:2] == (403, "forbidden")

    def test_admin_who_requires_one(self, make_app, john):
        """An admin who still needs a second factor can set it up."""
        other = make_app(second_factor=SecondFactorRule.ADMINS).test_client()
        strict = Person(other, "john", token=john.token)

        assert strict.post(PATH).status_code == 201


class TestConfirm:
    def test_recovery_codes(self, jane, authenticator):
        """The response has ten recovery codes and is not cacheable."""
        response = jane.post(f"{PATH}/confirm", json={"otp": authenticator.code()})

        assert response.status_code == 200
        assert len(set(response.json["recovery_codes"])) == 10
        assert response.headers["Cache-Control"] == "no-store"

    def test_session_continues(self, jane, recovery_codes):
        """The session that confirms stays valid."""
        assert jane.get("/v1/users/me").status_code == 200

    def test_wrong_code(self, jane, authenticator):
        """A wrong code is an error at `otp`, and nothing is enabled."""
        response = jane.post(f"{PATH}/confirm", json={"otp": "000000"})

        assert outcome(response) == (422, "invalid-request", ["/otp"])
        assert "000000" not in response.text
        assert jane.get(PATH).json == NONE

    @pytest.mark.parametrize("otp", ["", "x", "\u0661" * 6, "\u212a" * 24, "9" * 64, " " * 64])
    def test_malformed_code(self, jane, authenticator, otp):
        """Text that is not a code is a wrong code."""
        response = jane.post(f"{PATH}/confirm", json={"otp": otp})

        assert outcome(response) == (422, "invalid-request", ["/otp"])

    @pytest.mark.parametrize("otp", [None, 123456, True, [], ["123456"], {}, "9" * 65, "1\x00"])
    def test_invalid_type(self, jane, authenticator, otp):
        """ASVS 15.3.5: only a string of a code's length is accepted (CVE-2019-18818)."""
        response = jane.post(f"{PATH}/confirm", json={"otp": otp})

        assert outcome(response) == (422, "invalid-request", ["/otp"])

    def test_missing(self, jane, authenticator):
        """The code is required."""
        response = jane.post(f"{PATH}/confirm", json={})

        assert outcome(response) == (422, "invalid-request", ["/otp"])

    def test_not_set_up(self, jane, clock):
        """There is nothing to confirm before setup."""
        response = jane.post(f"{PATH}/confirm", json={"otp": "123456"})

        assert outcome(response) == (404, "second-factor-not-found", [])

    def test_twice(self, jane, authenticator, recovery_codes):
        """A confirmed second factor cannot be confirmed again."""
        response = jane.post(f"{PATH}/confirm", json={"otp": authenticator.code(1)})

        assert outcome(response) == (404, "second-factor-not-found", [])

    def test_lost_response(self, jane, authenticator, snapshot):
        """The same request shows the same recovery codes, and changes nothing."""
        request = {"json": {"otp": authenticator.code()}}
        first = jane.post(f"{PATH}/confirm", **request)
        before = snapshot()
        again = jane.post(f"{PATH}/confirm", **request)

        assert again.status_code == 200
        assert again.json == first.json
        assert snapshot() == before

    def test_guesses(self, make_app, jane, authenticator):
        """ASVS 6.6.3: the attempts per minute are limited."""
        # A separate app has separate rate limit counts.
        jane.client = make_app().test_client()
        responses = [jane.post(f"{PATH}/confirm", json={"otp": "000000"}) for _ in range(130)]

        assert outcome(responses[-1]) == (429, "too-many-requests", [])
        assert int(responses[-1].headers["Retry-After"]) > 0

    def test_for_another_user(self, john, jane, authenticator):
        """Even an admin cannot confirm for another user."""
        response = john.post(
            f"{jane.path}/second-factor/confirm", json={"otp": authenticator.code()}
        )

        assert outcome(response) == (403, "forbidden", [])


class TestSignIn:
    def test_password_alone(self, recovery_codes, sign_in):
        """The password alone gets a request for a code, with a challenge."""
        response = sign_in()

        assert outcome(response) == (401, "second-factor-required", [])
        assert "WWW-Authenticate" in response.headers

    def test_code(self, authenticator, recovery_codes, sign_in):
        """The next code signs in, once (ASVS 6.5.1)."""
        assert sign_in(otp=authenticator.code(1)).status_code == 201
        assert outcome(sign_in(otp=authenticator.code(1))) == (401, "second-factor-required", [])

    def test_recovery_code(self, jane, recovery_codes, sign_in):
        """A recovery code signs in, once (ASVS 6.5.1)."""
        assert sign_in(otp=recovery_codes[0]).status_code == 201
        assert outcome(sign_in(otp=recovery_codes[0])) == (401, "second-factor-required", [])
        assert jane.get(PATH).json["recovery_codes_left"] == 9

    def test_wrong_password(self, recovery_codes, authenticator, sign_in):
        """ASVS 6.3.8: a wrong password does not reveal that there is a second factor."""
        with_code = sign_in(password="not the password at all", otp=authenticator.code(1))
        without = sign_in(password="not the password at all")

        assert outcome(with_code) == outcome(without) == (401, "invalid-credentials", [])

    def test_code_is_not_repeated(self, recovery_codes, sign_in):
        """ASVS 16.2.5: a rejected code is not in the response."""
        assert "271828" not in sign_in(otp="271828").text

    def test_unneeded_code(self, eve, client):
        """The code of a user without a second factor is ignored."""
        body = {"login": "eve", "password": PASSWORD, "otp": "123456"}

        assert client.post("/v1/sessions", json=body).status_code == 201

    def test_after_a_new_password(self, jane, authenticator, recovery_codes, sign_in):
        """ASVS 6.4.3: a new password keeps the second factor."""
        jane.put(
            "/v1/users/me/password",
            json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )

        assert outcome(sign_in(password=NEW_PASSWORD))[1] == "second-factor-required"
        assert sign_in(password=NEW_PASSWORD, otp=authenticator.code(1)).status_code == 201


class TestReplaceRecoveryCodes:
    def test_new_codes(self, jane, recovery_codes, sign_in):
        """There are ten new codes, and the old ones are invalid."""
        response = jane.post(f"{PATH}/recovery-codes")

        assert response.status_code == 200
        assert len(set(response.json["recovery_codes"]) - set(recovery_codes)) == 10
        assert sign_in(otp=response.json["recovery_codes"][0]).status_code == 201
        assert outcome(sign_in(otp=recovery_codes[0]))[1] == "second-factor-required"

    def test_none(self, jane):
        """A user without a second factor has no recovery codes."""
        response = jane.post(f"{PATH}/recovery-codes")

        assert outcome(response) == (404, "second-factor-not-found", [])

    def test_old_session(self, jane, recovery_codes, age_session, sign_in):
        """ASVS 7.5.1: replacing codes requires recent authentication."""
        age_session(jane)

        response = jane.post(f"{PATH}/recovery-codes")

        assert outcome(response) == (401, "fresh-sign-in-required", [])
        assert sign_in(otp=recovery_codes[0]).status_code == 201

    def test_for_another_user(self, john, jane, recovery_codes):
        """ASVS 6.4.6: an admin cannot create codes to sign in as another user."""
        response = john.post(f"{jane.path}/second-factor/recovery-codes")

        assert outcome(response) == (403, "forbidden", [])


class TestDisable:
    def test_sign_in(self, jane, recovery_codes, sign_in):
        """Signing in does not require a code any more."""
        response = jane.delete(PATH)

        assert (response.status_code, response.data) == (204, b"")
        assert sign_in().status_code == 201
        assert jane.get(PATH).json == NONE

    def test_old_session(self, jane, recovery_codes, age_session, sign_in):
        """ASVS 7.5.1: disabling requires recent authentication."""
        age_session(jane)

        assert outcome(jane.delete(PATH)) == (401, "fresh-sign-in-required", [])
        assert outcome(sign_in())[1] == "second-factor-required"

    def test_by_an_admin(self, john, jane, recovery_codes, sign_in):
        """An admin disables the second factor of a user who lost the device."""
        assert john.delete(f"{jane.path}/second-factor").status_code == 204
        assert sign_in().status_code == 201

    def test_admin_with_an_old_session(self, john, clock, age_session):
        """An admin needs recent authentication for its own, also by its id."""
        authenticator = Authenticator(john.post(PATH).json["secret"], clock)
        john.post(f"{PATH}/confirm", json={"otp": authenticator.code()})
        age_session(john)

        response = john.delete(f"{john.path}/second-factor")

        assert outcome(response) == (401, "fresh-sign-in-required", [])

    def test_by_another_user(self, jane, eve, recovery_codes, sign_in):
        """ASVS 8.2.2: another user can neither disable nor detect it."""
        response = eve.delete(f"{jane.path}/second-factor")

        assert outcome(response) == (404, "user-not-found", [])
        assert outcome(sign_in())[1] == "second-factor-required"

    def test_by_a_key(self, john, jane, recovery_codes, sign_in):
        """An API key cannot disable it, not even an admin's."""
        key = with_key(john, roles=["admin"])

        assert outcome(key.delete(f"{jane.path}/second-factor"))[:2] == (403, "forbidden")
        assert outcome(sign_in())[1] == "second-factor-required"

    def test_none(self, jane):
        """Without a second factor, the response says so."""
        assert outcome(jane.delete(PATH)) == (404, "second-factor-not-found", [])

    def test_again(self, jane, authenticator, recovery_codes, clock, sign_in):
        """After disabling, a new one can be set up, and the old codes are invalid."""
        jane.delete(PATH)
        other = Authenticator(jane.post(PATH).json["secret"], clock)
        jane.post(f"{PATH}/confirm", json={"otp": other.code()})

        assert outcome(sign_in(otp=authenticator.code(1)))[1] == "second-factor-required"
        assert outcome(sign_in(otp=recovery_codes[0]))[1] == "second-factor-required"
        assert sign_in(otp=other.code(1)).status_code == 201


class TestSecrets:
    def test_nothing_is_stored_or_logged(self, jane, clock, snapshot, caplog, capfd):
        """ASVS 16.2.5: secret and codes are in no table, log or output."""
        secret = jane.post(PATH).json["secret"]
        authenticator = Authenticator(secret, clock)
        response = jane.post(f"{PATH}/confirm", json={"otp": authenticator.code()})
        recovery_codes = response.json["recovery_codes"]
        jane.client.post(
            "/v1/sessions", json={"login": "jane", "password": PASSWORD, "otp": recovery_codes[0]}
        )
        output = f"{snapshot()}{caplog.text}{''.join(capfd.readouterr())}"

        assert [word for word in (secret, *recovery_codes) if word in output] == []

    def test_nothing_in_a_url(self, jane, clock):
        """ASVS 14.2.1: a code in a query is ignored."""
        authenticator = Authenticator(jane.post(PATH).json["secret"], clock)

        response = jane.post(f"{PATH}/confirm?otp={authenticator.code()}", json={})

        assert outcome(response) == (422, "invalid-request", ["/otp"])
