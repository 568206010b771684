"""POST /v1/users."""

import pytest

from tests.support.responses import ADA, NEW_PASSWORD, outcome


class TestRegister:
    def test_the_answer_is_the_user(self, client):
        """The answer shows every member of the contract's user and no other."""
        response = client.post("/v1/users", json=ADA)

        assert response.status_code == 201
        assert response.mimetype == "application/json"
        assert response.json == {
            "id": response.json["id"],
            "username": "ada",
            "email": "ada@example.com",
            "email_verified": False,
            "full_name": None,
            "status": "active",
            "roles": ["user"],
            "metadata": {},
            "created_at": response.json["created_at"],
            "updated_at": response.json["created_at"],
            "last_login_at": None,
        }

    def test_headers(self, client):
        """`Location` leads to the new user, and its `ETag` is the one that reading it shows."""
        response = client.post("/v1/users", json=ADA)

        assert response.headers["Location"] == f"/v1/users/{response.json['id']}"
        assert response.headers["ETag"].startswith('"')
        assert response.headers["Cache-Control"] == "no-store"

    def test_location_is_the_user(self, client, john):
        """What `Location` names is what was answered, `ETag` included."""
        made = client.post("/v1/users", json=ADA)

        read = john.get(made.headers["Location"])

        assert read.json == made.json
        assert read.headers["ETag"] == made.headers["ETag"]

    def test_moments_are_rfc_3339_in_utc(self, client):
        """Moments are written to the second with a Z."""
        response = client.post("/v1/users", json=ADA)

        assert response.json["created_at"][10] == "T"
        assert response.json["created_at"][-1] == "Z"
        assert len(response.json["created_at"]) == 20

    def test_optional_members(self, client):
        """A full name and metadata are kept as they were sent, Unicode included."""
        wanted = {"full_name": "Ада Лавлейс 🖤", "metadata": {"a": {"b": [1, 2.5, None, "ü"]}}}

        response = client.post("/v1/users", json={**ADA, **wanted})

        assert {**response.json, **wanted} == response.json

    def test_full_name_may_be_null(self, client):
        """Null is the same as leaving the full name out."""
        response = client.post("/v1/users", json={**ADA, "full_name": None})

        assert response.status_code == 201
        assert response.json["full_name"] is None

    def test_new_user_signs_in(self, client):
        """Who has registered can sign in with that password."""
        client.post("/v1/users", json=ADA)

        response = client.post("/v1/sessions", json={"login": "ada", "password": NEW_PASSWORD})

        assert response.status_code == 201

    @pytest.mark.parametrize("given", ["Ada.Love-lace_1", "ADA.LOVE-LACE_1"])
    def test_username_is_kept_lower_case(self, client, given):
        """A user name may be given in any case and is shown in lower case."""
        response = client.post("/v1/users", json={**ADA, "username": given})

        assert response.json["username"] == "ada.love-lace_1"

    @pytest.mark.parametrize("username", ["abc", "0ab", "a" * 32, "a.-_", "9--"])
    def test_username_may_be(self, client, username):
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
    def test_username_may_not_be(self, client, stored, username):
        """Anything else is refused with the member's name."""
        before = stored()

        response = client.post("/v1/users", json={**ADA, "username": username})

        assert outcome(response) == (422, "invalid-request", ["/username"])
        assert stored() == before

    @pytest.mark.parametrize(
        "email",
        ["", "ada", "ada@", "@example.com", "a b@example.com", "ada@localhost", "a@b@c.com"],
    )
    def test_email_may_not_be(self, client, email):
        """What cannot be an address is refused with the member's name."""
        response = client.post("/v1/users", json={**ADA, "email": email})

        assert outcome(response) == (422, "invalid-request", ["/email"])

    @pytest.mark.parametrize("email", ["jane@example.com", "JANE@EXAMPLE.COM", "Jane@Example.Com"])
    def test_email_is_unique_whatever_its_case(self, client, jane, stored, email):
        """Jane@Example.com and jane@example.com are the same person."""
        before = stored()

        response = client.post("/v1/users", json={**ADA, "email": email})

        assert outcome(response) == (409, "email-taken", ["/email"])
        assert stored() == before

    @pytest.mark.parametrize("username", ["jane", "JANE"])
    def test_username_is_unique_whatever_its_case(self, client, jane, stored, username):
        """A user name belongs to one user, and nothing of a refused sign-up stays."""
        before = stored()

        response = client.post("/v1/users", json={**ADA, "username": username})

        assert outcome(response) == (409, "username-taken", ["/username"])
        assert stored() == before

    def test_refused_name_stays_free(self, client, jane):
        """The address of a sign-up that failed for its user name can still be used."""
        client.post("/v1/users", json={**ADA, "username": "jane"})

        assert client.post("/v1/users", json=ADA).status_code == 201

    @pytest.mark.parametrize("missing", ["username", "email", "password"])
    def test_member_is_missing(self, client, missing):
        """Each required member is asked for by name."""
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
    def test_weak_password(self, client, stored, password):
        """A password that attackers try early is refused with a reason."""
        before = stored()

        response = client.post("/v1/users", json={**ADA, "password": password})

        assert outcome(response) == (422, "invalid-request", ["/password"])
        assert stored() == before

    @pytest.mark.parametrize("password", ["pässword ünter 64 ☃ zeichen", "x" * 64 + "yz" * 480])
    def test_long_and_unicode_passwords(self, client, password):
        """Any character counts, and 64 characters and far more are welcome (ASVS 6.2.9)."""
        assert client.post("/v1/users", json={**ADA, "password": password}).status_code == 201

    def test_bad_token_on_open_sign_up(self, client, stored):
        """A token that is sent must be good, even where none is needed."""
        before = stored()

        response = client.post(
            "/v1/users", json=ADA, headers={"Authorization": "Bearer rst_nonsense"}
        )

        assert outcome(response) == (401, "unauthenticated", [])
        assert stored() == before

    def test_signed_in_user_registers_somebody(self, jane):
        """While sign-up is open, being signed in is no hindrance."""
        assert jane.post("/v1/users", json=ADA).status_code == 201
