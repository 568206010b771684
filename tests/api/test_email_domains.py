"""The domains of email addresses: special-use ones, and those that are open to sign-ups."""

from dataclasses import replace

import pytest

from models import ClientScope
from tests.support.responses import ADA, outcome

LISTS = {
    "signup_email_domains": ("example.com", "*.example.com", "xn--bcher-kva.example"),
    "signup_email_domains_blocked": ("bad.example.com",),
}
SPECIAL = ["ada@a.test", "ada@printer.local", "ada@home.arpa", "ada@x.localhost", "ada@a.invalid"]
CLOSED = "Email addresses of this domain cannot be used to sign up here. Use another one."


@pytest.fixture
def limited(app, make_app):
    """Return a service with lists of domains."""
    return make_app(**LISTS)


def register(client, email, **headers):
    """Sign up with an address."""
    return client.post("/v1/users", json={**ADA, "email": email}, headers=headers)


class TestSpecialUse:
    @pytest.mark.parametrize("email", SPECIAL)
    def test_rejected(self, client, email):
        """They are rejected."""
        response = register(client, email)

        assert outcome(response) == (422, "invalid-request", ["/email"])
        assert "special-use" in response.json["errors"][0]["detail"]

    @pytest.mark.parametrize("email", SPECIAL)
    def test_by_admin(self, john, jane, email):
        """Admins cannot give users one, either."""
        response = john.patch(jane.path, json={"email": email})

        assert outcome(response) == (422, "invalid-request", ["/email"])

    @pytest.mark.parametrize("email", ["ada@a.test", "Ada@B.A.TEST", "ada@printer.local"])
    def test_allowed(self, app, make_app, email):
        """Those of the settings can be used, with their subdomains."""
        client = make_app(email_domains_allowed=("test", "local")).test_client()

        assert register(client, email).status_code == 201

    @pytest.mark.parametrize("email", ["ada@other.arpa", "ada@nothome.arpa", "ada@a.test"])
    def test_others(self, make_app, email):
        """A domain below another one allows no other."""
        client = make_app(email_domains_allowed=("home.arpa",)).test_client()

        assert outcome(register(client, email))[2] == ["/email"]

    def test_removed_from_the_settings(self, make_app, client):
        """A user keeps the address, signs in with it, and can change everything else."""
        other = make_app(email_domains_allowed=("test",)).test_client()
        register(other, "ada@a.test")
        login = {"login": "ADA@a.test", "password": ADA["password"]}
        signed_in = client.post("/v1/sessions", json=login)
        headers = {"Authorization": f"Bearer {signed_in.json['token']}"}
        body = {"full_name": "Ada", "email": "Ada@a.test"}

        assert client.patch("/v1/users/me", json=body, headers=headers).status_code == 200


class TestSignUp:
    @pytest.mark.parametrize(
        "email",
        [
            "ada@example.com",
            "ADA@EXAMPLE.COM",
            "ada@mail.example.com",
            "ada@a.b.example.com",
            "ada@bücher.example",
            "ada@xn--bcher-kva.example",
        ],
    )
    def test_open(self, limited, email):
        """Listed domains are open, in any case and in any form."""
        assert register(limited.test_client(), email).status_code == 201

    @pytest.mark.parametrize(
        "email",
        [
            "ada@example.net",
            "ada@notexample.com",
            "ada@example.com.example.net",
            "ada@a.bücher.example",
            "ada@bad.example.com",
            "ada@very.bad.example.com",
            "ada@BAD.example.com",
        ],
    )
    def test_closed(self, limited, email):
        """Others are rejected with the field, and blocked ones with their subdomains."""
        response = register(limited.test_client(), email)

        assert outcome(response) == (422, "invalid-request", ["/email"])
        assert response.json["errors"][0]["detail"] == CLOSED

    def test_taken(self, limited, client):
        """The response does not tell whether there is an account with the address."""
        there = "ada@example.net"
        assert register(client, there).status_code == 201
        taken, free = (register(limited.test_client(), each) for each in (there, f"x{there}"))
        without = {"request_id": None}

        assert {**taken.json, **without} == {**free.json, **without}

    def test_with_other_faults(self, limited):
        """It is reported with the faults of other fields."""
        body = {**ADA, "email": "ada@example.net", "username": "a b"}
        response = limited.test_client().post("/v1/users", json=body)

        assert outcome(response)[2] == ["/email", "/username"]

    def test_admin(self, limited, john):
        """An admin registers users with any domain."""
        caller = replace(john, client=limited.test_client())

        assert (
            caller.post("/v1/users", json={**ADA, "email": "a@bad.example.com"}).status_code == 201
        )

    def test_program(self, app, limited):
        """So does a program with the scope `users:write`."""
        with app.app_context():
            clients = app.extensions["roster"].clients
            _, secret = clients.create("sync", scopes=[ClientScope.USERS_WRITE])
        response = register(
            limited.test_client(), "ada@example.net", Authorization=f"Bearer {secret}"
        )

        assert response.status_code == 201

    @pytest.mark.parametrize("name", ["jane", "support", "auditor"])
    def test_other_callers(self, limited, request, name):
        """A signed-in user has no more rights than an anonymous caller."""
        caller = replace(request.getfixturevalue(name), client=limited.test_client())
        response = caller.post("/v1/users", json={**ADA, "email": "ada@example.net"})

        assert outcome(response)[2] == ["/email"]


class TestChange:
    def test_own(self, limited, jane):
        """A user cannot change to a closed domain: the list would be worth nothing."""
        caller = replace(jane, client=limited.test_client())
        response = caller.patch("/v1/users/me", json={"email": "jane@example.net"})

        assert outcome(response) == (422, "invalid-request", ["/email"])
        assert caller.get("/v1/users/me").json["email"] == "jane@example.com"

    def test_by_admin(self, limited, john, jane):
        """An admin can give a user such an address."""
        caller = replace(john, client=limited.test_client())
        response = caller.patch(jane.path, json={"email": "jane@example.net"})

        assert response.status_code == 200

    def test_existing(self, make_app, jane):
        """An existing user keeps an address that is closed now."""
        other = make_app(signup_email_domains=("example.net",))
        caller = replace(jane, client=other.test_client())
        body = {"email": "Jane@example.com", "full_name": "Jane"}

        assert caller.patch("/v1/users/me", json=body).status_code == 200
