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
        """The old password is invalid at once."""
        jane.put("/v1/users/me/password", json=CHANGE)

        response = client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD})

        assert outcome(response) == (401, "invalid-credentials", [])

    def test_other_sessions_end(self, jane, second_session):
        """Every other session ends, and the one of the request continues."""
        phone, laptop = second_session(jane), second_session(jane)

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

    def test_current_session_can_be_ended(self, jane):
        """The session of the request can still be ended afterwards."""
        jane.put("/v1/users/me/password", json=CHANGE)

        assert jane.delete("/v1/sessions/current").status_code == 204
        assert jane.get("/v1/users/me").status_code == 401

    @pytest.mark.parametrize(
        "password",
        [
            "Seven lanterns on the pier",
            "seven lanterns on the pier ",
            " seven lanterns on the pier",
            "seven lanterns on the pie",
            "",
        ],
    )
    def test_wrong_current_password(self, jane, snapshot, password):
        """The current password is compared exactly; a wrong one changes nothing."""
        before = snapshot()

        response = jane.put("/v1/users/me/password", json={**CHANGE, "current_password": password})

        assert outcome(response) == (401, "invalid-credentials", ["/current_password"])
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert snapshot() == before

    def test_wrong_current_password_keeps_the_session(self, jane):
        """A wrong current password ends no session."""
        jane.put("/v1/users/me/password", json={**CHANGE, "current_password": "typing error"})

        assert jane.get("/v1/users/me").status_code == 200

    def test_composed_and_decomposed_letters(self, jane):
        """A password typed on another keyboard, as composed or decomposed letters, is the same."""
        composed, decomposed = "caf\u00e9 au lait, please", "cafe\u0301 au lait, please"
        jane.put("/v1/users/me/password", json={**CHANGE, "new_password": decomposed})

        assert replace(jane, password=composed).sign_in().token
        assert replace(jane, password=decomposed).sign_in().token

    def test_no_truncation(self, jane):
        """The 73rd byte and the last of 1,000 characters are significant."""
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
            ("abcdefghijklmnopqrst", "sequence"),
            ("jane@example.com jane", "your username"),
            ("roster password jane", "your username"),
        ],
    )
    def test_reason(self, jane, snapshot, password, reason):
        """A weak password is a 422 at `new_password` with a reason (NIST SP 800-63B-4)."""
        before = snapshot()

        response = jane.put("/v1/users/me/password", json={**CHANGE, "new_password": password})

        assert outcome(response) == (422, "invalid-request", ["/new_password"])
        assert reason in response.json["errors"][0]["detail"]
        assert snapshot() == before

    @pytest.mark.parametrize("password", ["jane@example.com jane", "fourteen chars"])
    def test_password_is_not_repeated(self, jane, password):
        """The response never repeats the rejected password."""
        response = jane.put("/v1/users/me/password", json={**CHANGE, "new_password": password})

        assert password not in response.text

    def test_shorter_minimum(self, make_app, jane):
        """The minimum length is a setting of at least 8."""
        other = replace(jane, client=make_app(password_min_length=8).test_client())

        response = other.put("/v1/users/me/password", json={**CHANGE, "new_password": "x9!kQ2#z"})

        assert response.status_code == 204

    @pytest.mark.parametrize("missing", ["current_password", "new_password"])
    def test_both_are_required(self, jane, missing):
        """A change needs the current and the new password (ASVS 6.2.3)."""
        body = {name: value for name, value in CHANGE.items() if name != missing}

        response = jane.put("/v1/users/me/password", json=body)

        assert outcome(response) == (422, "invalid-request", [f"/{missing}"])


class TestPermissions:
    def test_admin_for_another_user(self, john, jane, snapshot):
        """Even an admin cannot set another user's password (ASVS 6.4.6)."""
        before = snapshot()

        response = john.put(f"{jane.path}/password", json=CHANGE)

        assert outcome(response) == (403, "forbidden", [])
        assert snapshot() == before

    def test_admin_for_itself(self, john):
        """An admin changes its own password like a user."""
        assert john.put(f"{john.path}/password", json=CHANGE).status_code == 204

    def test_unknown_user(self, john):
        """An unknown id is a 404."""
        response = john.put(f"/v1/users/{ABSENT_ID}/password", json=CHANGE)

        assert outcome(response) == (404, "user-not-found", [])

    def test_user_for_another_user(self, jane, eve, snapshot):
        """A user gets a 404 for another user."""
        before = snapshot()

        response = jane.put(f"{eve.path}/password", json=CHANGE)

        assert outcome(response) == (404, "user-not-found", [])
        assert snapshot() == before

    def test_anonymous(self, client, jane):
        """A request with the right password but without a token is a 401."""
        response = client.put(f"{jane.path}/password", json=CHANGE)

        assert outcome(response) == (401, "unauthenticated", [])
