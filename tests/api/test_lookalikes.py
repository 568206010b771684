"""Characters that become ASCII letters when their case changes (CVE-2019-19844)."""

import pytest

from tests.support.responses import NEW_PASSWORD, names, outcome

# The imitated account has i, s and k; each imitation replaces one of them.
MIKE = {"username": "mike.s", "email": "mike.s@example.com", "password": NEW_PASSWORD}
ADDRESSES = [
    "m\u0131ke.s@example.com",
    "m\u0130ke.s@example.com",
    "mike.\u017f@example.com",
    "mi\u212ae.s@example.com",
    "MI\u212aE.S@EXAMPLE.COM",
    "mike\uff0es@example.com",
    "\uff4dike.s@example.com",
    "mi\u043ae.s@example.com",
]
USERNAMES = [address.removesuffix("@example.com") for address in ADDRESSES if "@e" in address]


@pytest.fixture(autouse=True)
def mike(client):
    """Register mike, the account that is imitated."""
    return client.post("/v1/users", json=MIKE).json


@pytest.fixture
def sign_in(client):
    def attempt(login, password=NEW_PASSWORD):
        return client.post("/v1/sessions", json={"login": login, "password": password})

    return attempt


@pytest.mark.parametrize("login", ADDRESSES + USERNAMES)
def test_never_signs_in(sign_in, login):
    """A login that only looks like mike's does not sign in, even with mike's password."""
    assert outcome(sign_in(login)) == (401, "invalid-credentials", [])


@pytest.mark.parametrize("email", ADDRESSES)
def test_is_a_different_address(client, john, mike, email):
    """Registering a lookalike address fails or creates another user; mike is unchanged."""
    created = client.post("/v1/users", json={**MIKE, "username": "eve", "email": email})

    found = john.get("/v1/users?email=mike.s@example.com")
    assert created.status_code in (201, 422)
    assert [user["id"] for user in found.json["items"]] == [mike["id"]]
    assert found.json["items"][0]["username"] == "mike.s"


@pytest.mark.parametrize("email", ADDRESSES[:3])
def test_separate_passwords(client, sign_in, mike, email):
    """Two such addresses have two accounts with two passwords."""
    other = {**MIKE, "username": "eve", "email": email, "password": "one more stone bridge"}
    client.post("/v1/users", json=other)

    assert sign_in("mike.s@example.com").json["user"]["id"] == mike["id"]
    assert sign_in("mike.s@example.com", other["password"]).status_code == 401
    assert sign_in(email).status_code == 401


@pytest.mark.parametrize("username", USERNAMES)
def test_is_not_a_username(client, username):
    """A username has ASCII letters only."""
    response = client.post(
        "/v1/users", json={**MIKE, "username": username, "email": "eve@example.com"}
    )

    assert outcome(response) == (422, "invalid-request", ["/username"])


@pytest.mark.parametrize("email", ADDRESSES)
def test_filter(john, email):
    """Filtering by such an address does not find mike."""
    assert "mike.s" not in names(john.get("/v1/users", query_string={"email": email}))


@pytest.mark.parametrize("email", ["mike.s@example.com", "john@example.com", "a@b"])
def test_email_is_not_a_username(client, john, email):
    """Another user's email address is not a valid username (CVE-2024-1722)."""
    response = client.post(
        "/v1/users", json={**MIKE, "username": email, "email": "eve@example.com"}
    )

    assert outcome(response) == (422, "invalid-request", ["/username"])


def test_composed_and_decomposed(client, sign_in):
    """Composed and decomposed é are the same address: one account, and both sign in."""
    composed, decomposed = "ren\u00e9@example.com", "rene\u0301@example.com"
    client.post("/v1/users", json={**MIKE, "username": "rene", "email": decomposed})

    twin = client.post("/v1/users", json={**MIKE, "username": "rene2", "email": composed})

    assert outcome(twin) == (409, "email-taken", ["/email"])
    assert sign_in(composed).json["user"]["username"] == "rene"
    assert sign_in(decomposed).json["user"]["username"] == "rene"
