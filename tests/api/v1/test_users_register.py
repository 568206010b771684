"""POST /v1/users."""

import pytest

from tests.support.responses import ADA, NEW_PASSWORD, outcome


class TestRegister:
    def test_response(self, client):
        """The response has exactly the contract's fields of a user."""
        response = client.post("/v1/users", json=ADA)

        assert response.status_code == 201
        assert response.mimetype == "application/json"
        assert response.json == {
            "id": response.json["id"],
            "username": "ada",
            "email": "ada@example.com",
            "email_verified": False,
            "full_name": None,
            "locale": None,
            "status": "active",
            "roles": ["user"],
            "metadata": {},
            "app_metadata": {},
            "external_id": None,
            "created_at": response.json["created_at"],
            "updated_at": response.json["created_at"],
            "last_login_at": None,
        }

    def test_headers(self, client):
        """`Location` names the new user, and `ETag` is the one that reading it returns."""
        response = client.post("/v1/users", json=ADA)

        assert response.headers["Location"] == f"/v1/users/{response.json['id']}"
        assert response.headers["ETag"].startswith('"')
        assert response.headers["Cache-Control"] == "no-store"

    def test_location_is_the_user(self, client, john):
        """Reading `Location` returns the same body and `ETag`."""
        created = client.post("/v1/users", json=ADA)

        read = john.get(created.headers["Location"])

        assert read.json == created.json
        assert read.headers["ETag"] == created.headers["ETag"]

    def test_timestamps_are_rfc_3339_in_utc(self, client):
        """Timestamps are written to the second with a Z."""
        response = client.post("/v1/users", json=ADA)

        assert response.json["created_at"][10] == "T"
        assert response.json["created_at"][-1] == "Z"
        assert len(response.json["created_at"]) == 20

    def test_optional_fields(self, client):
        """A full name and metadata are stored as they were sent, Unicode included."""
        wanted = {"full_name": "Ада Лавлейс 🖤", "metadata": {"a": {"b": [1, 2.5, None, "ü"]}}}

        response = client.post("/v1/users", json={**ADA, **wanted})

        assert {**response.json, **wanted} == response.json

    def test_full_name_may_be_null(self, client):
        """Null is the same as omitting the full name."""
        response = client.post("/v1/users", json={**ADA, "full_name": None})

        assert response.status_code == 201
        assert response.json["full_name"] is None

    def test_new_user_signs_in(self, client):
        """A registered user can sign in with that password."""
        client.post("/v1/users", json=ADA)

        response = client.post("/v1/sessions", json={"login": "ada", "password": NEW_PASSWORD})

        assert response.status_code == 201

    @pytest.mark.parametrize("given", ["Ada.Love-lace_1", "ADA.LOVE-LACE_1"])
    def test_username_is_lower_cased(self, client, given):
        """A username may be given in any case and is shown in lower case."""
        response = client.post("/v1/users", json={**ADA, "username": given})

        assert response.json["username"] == "ada.love-lace_1"

    @pytest.mark.parametrize("username", ["abc", "0ab", "a" * 32, "a.-_", "9--"])
    def test_valid_username(self, client, username):
        """3 to 32 of a-z, digits, dot, underscore, hyphen; the first a letter or digit."""
        assert client.post("/v1/users", json={**ADA, "username": username}).status_code == 201

    @pytest.mark.parametrize(
        "username",
        [
            "",
            "ab",
            "a" * 33,
            ".ab",
            "-ab",
            "_ab",
            "a b",
            "a@b",
            "adä",
            "ada\n",
            "ада",
            "a/b",
            "a#b",
        ],
    )
    def test_invalid_username(self, client, snapshot, username):
        """Any other username is rejected with an error at the field."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, "username": username})

        assert outcome(response) == (422, "invalid-request", ["/username"])
        assert snapshot() == before

    @pytest.mark.parametrize(
        "email",
        ["", "ada", "ada@", "@example.com", "a b@example.com", "ada@localhost", "a@b@c.com"],
    )
    def test_invalid_email(self, client, email):
        """An invalid email is rejected with an error at the field."""
        response = client.post("/v1/users", json={**ADA, "email": email})

        assert outcome(response) == (422, "invalid-request", ["/email"])

    @pytest.mark.parametrize("email", ["jane@example.com", "JANE@EXAMPLE.COM", "Jane@Example.Com"])
    def test_email_is_unique_in_any_case(self, client, jane, snapshot, email):
        """An email that differs from another user's only in case is a 409."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, "email": email})

        assert outcome(response) == (409, "email-taken", ["/email"])
        assert snapshot() == before

    @pytest.mark.parametrize("username", ["jane", "JANE"])
    def test_username_is_unique_in_any_case(self, client, jane, snapshot, username):
        """A username is unique, and a rejected sign-up writes nothing."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, "username": username})

        assert outcome(response) == (409, "username-taken", ["/username"])
        assert snapshot() == before

    def test_email_of_a_rejected_sign_up_is_free(self, client, jane):
        """The email of a sign-up with a taken username can still be used."""
        client.post("/v1/users", json={**ADA, "username": "jane"})

        assert client.post("/v1/users", json=ADA).status_code == 201

    @pytest.mark.parametrize("missing", ["email", "password"])
    def test_field_is_missing(self, client, missing):
        """Each missing required field is named."""
        body = {name: value for name, value in ADA.items() if name != missing}

        response = client.post("/v1/users", json=body)

        assert outcome(response) == (422, "invalid-request", [f"/{missing}"])

    @pytest.mark.parametrize(
        "password",
        [
            "too short",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "qwertyuiopasdfghjkl",
            "ada" * 9,
        ],
    )
    def test_weak_password(self, client, snapshot, password):
        """A common password is rejected with a reason."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, "password": password})

        assert outcome(response) == (422, "invalid-request", ["/password"])
        assert snapshot() == before

    @pytest.mark.parametrize(
        "password", ["pässword ünter 64 ☃ zeichen", "a lamp by the pier, " * 2 + "x" * 982]
    )
    def test_long_and_unicode_passwords(self, client, password):
        """Any character and 64 or far more characters are accepted (ASVS 6.2.9)."""
        assert client.post("/v1/users", json={**ADA, "password": password}).status_code == 201

    def test_invalid_token_on_open_sign_up(self, client, snapshot):
        """An invalid token is rejected, even where none is required."""
        before = snapshot()

        response = client.post(
            "/v1/users", json=ADA, headers={"Authorization": "Bearer rst_nonsense"}
        )

        assert outcome(response) == (401, "unauthenticated", [])
        assert snapshot() == before

    def test_signed_in_user_registers_another(self, jane):
        """While sign-up is open, signed-in users may register others."""
        assert jane.post("/v1/users", json=ADA).status_code == 201


class TestUsernames:
    def test_reserved(self, client, snapshot):
        """A reserved username is rejected with the reason, and nothing is stored (M7)."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, "username": "Admin-1"})

        assert outcome(response) == (422, "invalid-request", ["/username"])
        assert "reserved" in response.json["errors"][0]["detail"]
        assert snapshot() == before

    def test_reserved_by_change(self, jane):
        """A user cannot change to a reserved username."""
        response = jane.patch("/v1/users/me", json={"username": "support"})

        assert outcome(response) == (422, "invalid-request", ["/username"])

    def test_admin_assigns(self, john, jane):
        """An admin can assign reserved usernames, to new users and to others."""
        created = john.post("/v1/users", json={**ADA, "username": "support"})
        changed = john.patch(jane.path, json={"username": "postmaster"})

        assert (created.status_code, changed.status_code) == (201, 200)

    def test_quarantine(self, jane, client):
        """A username that was given up looks like any other that is taken."""
        in_use = client.post("/v1/users", json={**ADA, "username": "jane"})
        jane.patch("/v1/users/me", json={"username": "janet"})

        response = client.post("/v1/users", json={**ADA, "username": "jane"})

        assert outcome(response) == outcome(in_use) == (409, "username-taken", ["/username"])
        assert response.json["detail"] == in_use.json["detail"]

    def test_sign_in_with_the_former_username(self, jane, client):
        """The former username is an unknown login."""
        jane.patch("/v1/users/me", json={"username": "janet"})
        body = {"login": "jane", "password": jane.password}

        response = client.post("/v1/sessions", json=body)

        assert outcome(response) == (401, "invalid-credentials", [])
        assert client.post("/v1/sessions", json={**body, "login": "janet"}).status_code == 201

    def test_admin_ends_the_quarantine(self, john, jane):
        """An admin can assign a username in quarantine at once."""
        jane.delete("/v1/users/me")

        assert john.post("/v1/users", json={**ADA, "username": "jane"}).status_code == 201
