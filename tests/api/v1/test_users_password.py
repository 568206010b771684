"""PUT /v1/users/{id}/password."""

from dataclasses import replace

import pytest

from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID, NEW_PASSWORD, outcome

CHANGE = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}


class TestChange:
    @pytest.mark.parametrize("path", ["/v1/users/me", "own id"])
    def test_new_password_signs_in(self, jane, path):
        """After a 204 without body the new password signs in."""
        response = jane.put(f"{path.replace('own id', jane.path)}/password", json=CHANGE)

        assert response.status_code == 204
        assert response.data == b""
        assert replace(jane, password=NEW_PASSWORD).sign_in().token

    def test_old_password_does_not(self, jane, client):
        """The old password is worth nothing at once."""
        jane.put("/v1/users/me/password", json=CHANGE)

        response = client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD})

        assert outcome(response) == (401, "invalid-credentials", [])

    def test_other_sessions_end(self, jane, elsewhere):
        """Every other session ends, the one that asked goes on."""
        phone, laptop = elsewhere(jane), elsewhere(jane)

        jane.put("/v1/users/me/password", json=CHANGE)

        assert outcome(phone.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert outcome(laptop.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert [row["current"] for row in jane.get("/v1/sessions").json["items"]] == [True]

    def test_twice_in_one_session(self, jane):
        """The session that changed a password can change it again."""
        jane.put("/v1/users/me/password", json=CHANGE)

        again = {"current_password": NEW_PASSWORD, "new_password": "one more stone bridge"}

        assert jane.put("/v1/users/me/password", json=again).status_code == 204
        assert jane.get("/v1/users/me").status_code == 200

    def test_session_of_the_new_password_can_be_ended(self, jane):
        """The session that went on still ends when it is told to."""
        jane.put("/v1/users/me/password", json=CHANGE)

        assert jane.delete("/v1/sessions/current").status_code == 204
        assert jane.get("/v1/users/me").status_code == 401

    @pytest.mark.parametrize(
        "password",
        [
            "Correct horse battery staple",
            "correct horse battery staple ",
            " correct horse battery staple",
            "correct horse battery stapl",
            "",
        ],
    )
    def test_wrong_current_password(self, jane, stored, password):
        """The current password counts to the letter; a wrong one changes nothing."""
        before = stored()

        response = jane.put("/v1/users/me/password", json={**CHANGE, "current_password": password})

        assert outcome(response) == (401, "invalid-credentials", ["/current_password"])
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert stored() == before

    def test_wrong_current_password_keeps_the_session(self, jane):
        """A typing error signs nobody out."""
        jane.put("/v1/users/me/password", json={**CHANGE, "current_password": "typing error"})

        assert jane.get("/v1/users/me").status_code == 200

    def test_unicode_counts_as_it_is_typed(self, jane):
        """A composed and a decomposed letter are different passwords (ASVS 6.2.8)."""
        composed, decomposed = "caf\u00e9 au lait, please", "cafe\u0301 au lait, please"
        jane.put("/v1/users/me/password", json={**CHANGE, "new_password": composed})

        response = jane.client.post("/v1/sessions", json={"login": "jane", "password": decomposed})

        assert outcome(response) == (401, "invalid-credentials", [])
        assert replace(jane, password=composed).sign_in().token

    def test_no_truncation(self, jane):
        """The 73rd byte and the last of 1,000 characters count as the first does."""
        long = "seven little words " * 50 + "the end"
        jane.put("/v1/users/me/password", json={**CHANGE, "new_password": long})

        response = jane.client.post(
            "/v1/sessions", json={"login": "jane", "password": long[:-1] + "t"}
        )

        assert outcome(response) == (401, "invalid-credentials", [])
        assert replace(jane, password=long).sign_in().token


class TestWeakPassword:
    @pytest.mark.parametrize(
        "password, reason",
        [
            ("", "at least 15 characters"),
            ("fourteen chars", "at least 15 characters"),
            ("aaaaaaaaaaaaaaaaaa", "repeats"),
            ("12341234123412341234", "repeats"),
            ("abcdefghijklmnopqrst", "run"),
            ("jane@example.com jane", "your name"),
            ("roster password jane", "your name"),
        ],
    )
    def test_reason_is_given(self, jane, stored, password, reason):
        """A refused password is a 422 at `new_password` that says why (NIST SP 800-63B-4)."""
        before = stored()

        response = jane.put("/v1/users/me/password", json={**CHANGE, "new_password": password})

        assert outcome(response) == (422, "invalid-request", ["/new_password"])
        assert reason in response.json["errors"][0]["detail"]
        assert stored() == before

    @pytest.mark.parametrize("password", ["jane@example.com jane", "fourteen chars"])
    def test_password_is_not_repeated(self, jane, password):
        """The answer never repeats what was refused."""
        response = jane.put("/v1/users/me/password", json={**CHANGE, "new_password": password})

        assert password not in response.text

    def test_shorter_minimum(self, make_app, jane):
        """The minimum is a setting, 8 at the least."""
        other = replace(jane, client=make_app(password_min_length=8).test_client())

        response = other.put("/v1/users/me/password", json={**CHANGE, "new_password": "x9!kQ2#z"})

        assert response.status_code == 204

    @pytest.mark.parametrize("missing", ["current_password", "new_password"])
    def test_both_are_needed(self, jane, missing):
        """A change needs the current and the new password (ASVS 6.2.3)."""
        body = {name: value for name, value in CHANGE.items() if name != missing}

        response = jane.put("/v1/users/me/password", json=body)

        assert outcome(response) == (422, "invalid-request", [f"/{missing}"])


class TestWho:
    def test_admin_for_somebody_else(self, john, jane, stored):
        """Not even an admin chooses another user's password (ASVS 6.4.6)."""
        before = stored()

        response = john.put(f"{jane.path}/password", json=CHANGE)

        assert outcome(response) == (403, "forbidden", [])
        assert stored() == before

    def test_admin_for_itself(self, john):
        """An admin changes its own password like anybody."""
        assert john.put(f"{john.path}/password", json=CHANGE).status_code == 204

    def test_admin_for_nobody(self, john):
        """An id that nobody has is a 404."""
        response = john.put(f"/v1/users/{ABSENT_ID}/password", json=CHANGE)

        assert outcome(response) == (404, "user-not-found", [])

    def test_user_for_another(self, jane, eve, stored):
        """To a user the others do not exist."""
        before = stored()

        response = jane.put(f"{eve.path}/password", json=CHANGE)

        assert outcome(response) == (404, "user-not-found", [])
        assert stored() == before

    def test_anonymous(self, client, jane):
        """Knowing the password is not being signed in."""
        response = client.put(f"{jane.path}/password", json=CHANGE)

        assert outcome(response) == (401, "unauthenticated", [])
