"""Users without a username by HTTP, in the three modes of ROSTER_USERNAMES."""

import pytest

from models import Role, UsernameMode
from tests.support.person import PASSWORD
from tests.support.responses import ADA, outcome

NELL = {"email": "nell@example.com", "password": PASSWORD}
MISSING = "It is missing."
OFF = "Usernames are off in this service. Leave it out."


@pytest.fixture
def required(app, make_app):
    """Return an anonymous client of a service that requires usernames."""
    return make_app(username_mode=UsernameMode.REQUIRED).test_client()


@pytest.fixture
def off(app, make_app):
    """Return an anonymous client of a service without usernames."""
    return make_app(username_mode=UsernameMode.OFF).test_client()


def as_user(person):
    """Return the header of requests of a user."""
    return {"Authorization": f"Bearer {person.token}"}


class TestRegister:
    @pytest.mark.parametrize("body", [NELL, {**NELL, "username": None}], ids=["absent", "null"])
    def test_created(self, client, body):
        """A user is registered without a username, which is null in the response."""
        response = client.post("/v1/users", json=body)

        assert response.status_code == 201
        assert response.json["username"] is None

    def test_sign_in(self, client):
        """The user signs in with the email address."""
        client.post("/v1/users", json=NELL)

        response = client.post(
            "/v1/sessions", json={"login": "nell@example.com", "password": PASSWORD}
        )

        assert response.status_code == 201
        assert response.json["user"]["username"] is None

    @pytest.mark.parametrize("username", ["", " ", "null", 0, False, [], "nell@example.com"])
    def test_empty(self, client, username):
        """An empty or otherwise wrong username is no absent one, except the word null."""
        response = client.post("/v1/users", json={**NELL, "username": username})

        assert outcome(response) == (422, "invalid-request", ["/username"])


class TestRead:
    def test_read(self, nell):
        """The username is null, not absent."""
        assert nell.get("/v1/users/me").json["username"] is None

    def test_list(self, john, nell):
        """The list has it as null, and the exact filter for the address finds the user."""
        found = john.get("/v1/users?email=nell@example.com").json["items"]

        assert [user["username"] for user in found] == [None]
        assert {user["username"] for user in john.get("/v1/users").json["items"]} == {"john", None}

    @pytest.mark.parametrize("text", ["null", "None", "nell"])
    def test_filter(self, john, nell, text):
        """No text in the filter for usernames stands for the absent one."""
        assert john.get(f"/v1/users?username={text}").json["items"] == []


class TestPatch:
    def test_add(self, client, nell):
        """The user adds a username, and signs in with it."""
        response = nell.patch("/v1/users/me", json={"username": "Nell"})
        login = {"login": "nell", "password": PASSWORD}

        assert (response.status_code, response.json["username"]) == (200, "nell")
        assert client.post("/v1/sessions", json=login).status_code == 201

    def test_remove(self, client, jane):
        """Null removes the username: the address is the only login."""
        response = jane.patch("/v1/users/me", json={"username": None})
        login = {"login": "jane", "password": PASSWORD}

        assert (response.status_code, response.json["username"]) == (200, None)
        assert client.post("/v1/sessions", json=login).status_code == 401
        login["login"] = "jane@example.com"
        assert client.post("/v1/sessions", json=login).status_code == 201

    def test_precondition(self, jane):
        """A removal with an old ETag changes nothing."""
        tag = jane.get("/v1/users/me").headers["ETag"]
        jane.patch("/v1/users/me", json={"full_name": "Jane"})
        response = jane.patch("/v1/users/me", json={"username": None}, headers={"If-Match": tag})

        assert outcome(response) == (412, "version-mismatch", [])
        assert jane.get("/v1/users/me").json["username"] == "jane"

    def test_by_an_admin(self, john, jane):
        """An admin removes the username of another user."""
        response = john.patch(jane.path, json={"username": None})

        assert (response.status_code, response.json["username"]) == (200, None)

    def test_event(self, jane):
        """The audit event names the field."""
        jane.patch("/v1/users/me", json={"username": None})
        [event, *_] = jane.get("/v1/users/me/events").json["items"]

        assert (event["type"], event["members"]) == ("user.updated", ["username"])


class TestRequired:
    def test_missing(self, required):
        """The missing username is named, together with all other faults."""
        response = required.post("/v1/users", json={"email": "x"})
        texts = {error["pointer"]: error["detail"] for error in response.json["errors"]}

        assert outcome(response) == (
            422,
            "invalid-request",
            ["/email", "/password", "/username"],
        )
        assert texts["/username"] == MISSING

    def test_missing_alone(self, required):
        """A sound request without a username is rejected for it."""
        response = required.post("/v1/users", json=NELL)

        assert outcome(response) == (422, "invalid-request", ["/username"])

    def test_wrong(self, required):
        """A wrong username is named once."""
        response = required.post("/v1/users", json={**NELL, "username": 7, "password": "short"})

        assert len(response.json["errors"]) == 2
        assert outcome(response) == (422, "invalid-request", ["/password", "/username"])

    def test_present(self, required):
        """A user with a username is registered."""
        assert required.post("/v1/users", json=ADA).json["username"] == "ada"

    def test_null_in_patch(self, required, jane):
        """A username cannot be removed."""
        response = required.patch("/v1/users/me", json={"username": None}, headers=as_user(jane))

        assert outcome(response) == (422, "invalid-request", ["/username"])

    def test_earlier_users(self, required, nell):
        """A user without one from before stays as it is, and can be changed."""
        response = required.patch("/v1/users/me", json={"full_name": "Nell"}, headers=as_user(nell))

        assert (response.status_code, response.json["username"]) == (200, None)


class TestOff:
    def test_register(self, off):
        """A username is rejected, and the error says that there are none."""
        response = off.post("/v1/users", json=ADA)

        assert outcome(response) == (422, "invalid-request", ["/username"])
        assert response.json["errors"][0]["detail"] == OFF

    @pytest.mark.parametrize("body", [NELL, {**NELL, "username": None}], ids=["absent", "null"])
    def test_without(self, off, body):
        """A user without one is registered."""
        assert off.post("/v1/users", json=body).status_code == 201

    def test_by_an_admin(self, off, john):
        """Admins cannot assign one either."""
        response = off.post("/v1/users", json={**ADA, "roles": [Role.USER]}, headers=as_user(john))

        assert outcome(response) == (422, "invalid-request", ["/username"])

    @pytest.mark.parametrize("username", ["jane", "eve"])
    def test_patch(self, off, jane, username):
        """No username is set, not even the same one."""
        response = off.patch("/v1/users/me", json={"username": username}, headers=as_user(jane))

        assert outcome(response) == (422, "invalid-request", ["/username"])
        assert response.json["errors"][0]["detail"] == OFF

    def test_earlier_users(self, off, jane):
        """A username from before is shown, and signs in."""
        login = {"login": "jane", "password": PASSWORD}

        assert off.get("/v1/users/me", headers=as_user(jane)).json["username"] == "jane"
        assert off.post("/v1/sessions", json=login).status_code == 201

    def test_removed(self, off, jane):
        """Null removes the username from before."""
        response = off.patch("/v1/users/me", json={"username": None}, headers=as_user(jane))

        assert (response.status_code, response.json["username"]) == (200, None)
