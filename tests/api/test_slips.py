"""Typical slips of new clients: accepted where they are harmless, explained where they are not."""

import pytest

from tests.support.person import NEW_PASSWORD, PASSWORD
from tests.support.responses import outcome

BLANKS = pytest.mark.parametrize("around", [" {}", "{} ", "\t{}\n", "\u00a0{} "])


class TestLetterCase:
    def test_user_id(self, jane):
        """The ID of a user is accepted in upper case, and shown in lower case."""
        response = jane.get(f"/v1/users/{jane.id.upper()}")

        assert (response.status_code, response.json["id"]) == (200, jane.id)

    def test_by_an_admin(self, john, jane):
        """An admin finds a user by an ID in upper case."""
        assert john.get(f"/v1/users/{jane.id.upper()}").json["username"] == "jane"

    def test_session_id(self, jane, second_session):
        """A session ends by its ID in upper case."""
        other = second_session(jane)

        assert jane.delete(f"/v1/sessions/{other.session_id.upper()}").status_code == 204
        assert other.get("/v1/users/me").status_code == 401

    def test_api_key_id(self, jane):
        """An API key is revoked by its ID in upper case."""
        key = jane.post("/v1/users/me/api-keys", json={"name": "nightly"}).json

        path = f"/v1/users/me/api-keys/{key['id'].upper()}"
        assert jane.delete(path).status_code == 204

    @pytest.mark.parametrize("name", ["user", "actor"])
    def test_events(self, john, jane, name):
        """Events are found by an ID in upper case."""
        listed = john.get("/v1/events", query_string={name: jane.id.upper()}).json["items"]

        assert listed == john.get("/v1/events", query_string={name: jane.id}).json["items"] != []

    @pytest.mark.parametrize("id", ["\u212ae", "M\u00e9", "me ", "%6d%65x"])
    def test_lookalike(self, jane, id):
        """A text that only looks like an ID is none."""
        assert jane.get(f"/v1/users/{id}").status_code == 404


class TestBlanks:
    @BLANKS
    @pytest.mark.parametrize("login", ["jane", "jane@example.com"])
    def test_login(self, jane, client, around, login):
        """Blanks around a login do not count."""
        body = {"login": around.format(login), "password": PASSWORD}

        assert client.post("/v1/sessions", json=body).status_code == 201

    @BLANKS
    def test_attempts(self, app, jane, client, around):
        """ASVS 6.3.1: an unknown login with blanks is the same login for the lockout."""
        logins = app.extensions["roster"].sessions.logins

        assert logins.unknown_login_key(around.format("eve")) == logins.unknown_login_key("eve")

    def test_password(self, jane, client):
        """ASVS 6.2.8: those around a password do count."""
        body = {"login": "jane", "password": f"{PASSWORD} "}

        assert outcome(client.post("/v1/sessions", json=body))[1] == "invalid-credentials"

    @BLANKS
    def test_email(self, client, around):
        """Blanks around an email address are removed when an account is registered."""
        email = around.format("ada@example.com")
        body = {"username": "ada", "email": email, "password": NEW_PASSWORD}

        assert client.post("/v1/users", json=body).json["email"] == "ada@example.com"

    @BLANKS
    def test_one_account(self, jane, client, around):
        """An address with blanks is no other address."""
        email = around.format("jane@example.com")
        body = {"username": "eve", "email": email, "password": NEW_PASSWORD}

        assert outcome(client.post("/v1/users", json=body)) == (409, "email-taken", ["/email"])

    def test_only_blanks(self, jane, client):
        """A login of blanks is unknown."""
        body = {"login": "   ", "password": PASSWORD}

        assert outcome(client.post("/v1/sessions", json=body))[1] == "invalid-credentials"


class TestTogether:
    def test_sign_up(self, client, snapshot):
        """The response names all three wrong fields of a form, by whichever rule."""
        before = snapshot()
        body = {"username": "a b", "email": "x", "password": "short"}

        response = client.post("/v1/users", json=body)

        assert outcome(response) == (422, "invalid-request", ["/email", "/password", "/username"])
        assert snapshot() == before

    def test_rules_of_the_domain(self, client):
        """Neither is wrong for the schema."""
        body = {"username": "admin", "email": "x@localhost", "password": "password password"}

        response = client.post("/v1/users", json=body)

        assert outcome(response) == (422, "invalid-request", ["/email", "/password", "/username"])

    def test_with_an_unknown_field(self, client):
        """A field that does not exist hides no other fault."""
        body = {"username": "ada", "email": "x", "password": "short", "admin": True}

        response = client.post("/v1/users", json=body)

        assert outcome(response)[2] == ["/admin", "/email", "/password"]

    def test_with_wrong_types(self, client):
        """Rules are applied to texts only."""
        body = {"username": 5, "email": ["x"], "password": "short", "full_name": None}

        response = client.post("/v1/users", json=body)

        assert outcome(response)[2] == ["/email", "/password", "/username"]

    def test_name_in_the_password(self, client):
        """The password is judged with the names that were sent with it."""
        body = {"username": "montgomery", "email": "x", "password": "montgomery 1234567"}

        response = client.post("/v1/users", json=body)

        assert outcome(response)[2] == ["/email", "/password"]

    def test_both_names_are_taken(self, jane, john, client, snapshot):
        """The response to a sign-up names both conflicts."""
        before = snapshot()
        body = {"username": "jane", "email": "john@example.com", "password": NEW_PASSWORD}

        response = client.post("/v1/users", json=body)

        assert outcome(response) == (409, "username-taken", ["/email", "/username"])
        assert snapshot() == before

    def test_by_a_change(self, jane, john, register):
        """So does the response to an admin's change."""
        register("eve")
        body = {"username": "jane", "email": "eve@example.com"}

        response = john.patch("/v1/users/me", json=body)

        assert response.status_code == 409
        assert {error["pointer"] for error in response.json["errors"]} == {"/username", "/email"}


class TestFilters:
    @pytest.mark.parametrize(
        "name, value",
        [
            ("username", "a b"),
            ("username", "ab"),
            ("username", "jane@example.com"),
            ("email", "jane"),
            ("email", "a@b@c"),
        ],
    )
    def test_impossible_value(self, john, name, value):
        """A value that no user can have is an error, not an empty list."""
        response = john.get("/v1/users", query_string={name: value})

        assert outcome(response) == (422, "invalid-request", [f"/{name}"])


class TestExplained:
    def test_byte_order_mark(self, client):
        """A byte order mark is named, since editors do not show it."""
        data = b'\xef\xbb\xbf{"login": "jane", "password": "x"}'
        response = client.post("/v1/sessions", data=data, content_type="application/json")

        assert outcome(response)[:2] == (400, "malformed-json")
        assert "byte order mark" in response.json["detail"]

    @pytest.mark.parametrize("path", ["/v1/users/me/", "/v1//users/me", "/v1/users//me//"])
    def test_additional_slash(self, jane, path):
        """A URL with a slash too many is answered with the one that exists."""
        response = jane.get(path)

        assert outcome(response)[:2] == (404, "not-found")
        assert response.json["detail"].endswith("exists: /v1/users/me.")

    @pytest.mark.parametrize("path", ["/v1/user/", "/v1/users/me/nothing/", "/nothing", "/v2//"])
    def test_nothing_there(self, jane, path):
        """Other unknown URLs get no such advice."""
        assert jane.get(path).json["detail"].endswith("There is nothing at this URL.")

    def test_long_url(self, jane):
        """A long URL is not repeated in full."""
        assert len(jane.get(f"/problems/{'x' * 5000}/").text) < 1000
