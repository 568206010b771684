"""POST /v1/users/{id}/moves."""

import pytest

from models import EmailKind
from tests.support.preconditions import KEYED
from tests.support.responses import ABSENT_ID, names, outcome

EMAIL = "copy@example.com"


@pytest.fixture
def copy(create_user):
    """Return the duplicate of jane, signed in."""
    return create_user("copy")


@pytest.fixture
def merge(copy):
    """Return the body that moves the address of the duplicate."""
    return {"from": copy.id, "email": EMAIL, "delete_source": True}


@pytest.fixture
def move(john, jane):
    """Return a function that sends a move to jane: `move(body)`."""

    def send(body, by=john, **options):
        return by.post(f"{jane.path}/moves", json=body, **options)

    return send


class TestMove:
    def test_email(self, john, jane, copy, move, merge):
        """The response is the target with the address; the source is a 404 from then on."""
        response = move(merge)

        assert response.status_code == 200
        assert (response.json["id"], response.json["email"]) == (jane.id, EMAIL)
        assert response.json["email_verified"] is False
        assert outcome(john.get(copy.path)) == (404, "user-not-found", [])
        assert names(john.get(f"/v1/users?email={EMAIL}")) == ["jane"]

    def test_username(self, john, jane, copy, move):
        """A username moves alone, and the source stays without one."""
        response = move({"from": copy.id, "username": "copy"})

        assert (response.json["username"], response.json["email"]) == ("copy", "jane@example.com")
        assert john.get(copy.path).json["username"] is None

    def test_both(self, copy, move, merge):
        """Both names can move in one request."""
        response = move({**merge, "username": "COPY"})

        assert (response.json["username"], response.json["email"]) == ("copy", EMAIL)

    def test_id_in_upper_case(self, copy, move, merge):
        """The ID in the body is accepted in any case, as in a URL."""
        assert move({**merge, "from": copy.id.upper()}).status_code == 200

    def test_sessions(self, jane, copy, move, merge):
        """The sessions of the source end, those of the target stay."""
        move(merge)

        assert outcome(copy.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert jane.get("/v1/users/me").json["email"] == EMAIL

    def test_own_account(self, john, copy, merge):
        """An admin can merge a duplicate of the own account."""
        response = john.post("/v1/users/me/moves", json=merge)

        assert (response.json["id"], response.json["email"]) == (john.id, EMAIL)

    def test_caller_as_source(self, john, create_user, move):
        """An admin can be the source, and loses the account as by deleting it."""
        create_user("root", roles=["admin"])
        response = move({"from": john.id, "email": "john@example.com", "delete_source": True})

        assert response.status_code == 200
        assert outcome(john.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_users_without_username(self, john, nell, create_user):
        """Users without a username can be merged."""
        twin = create_user("twin", has_username=False)
        body = {"from": twin.id, "email": "twin@example.com", "delete_source": True}
        response = john.post(f"{nell.path}/moves", json=body)

        assert (response.json["username"], response.json["email"]) == (None, "twin@example.com")

    def test_events(self, john, jane, copy, move, merge):
        """The events of both users name the admin."""
        move(merge)
        of_jane, of_copy = (
            john.get(f"/v1/events?user={user.id}").json["items"][0] for user in (jane, copy)
        )

        assert (of_jane["type"], of_jane["members"]) == ("user.updated", ["email"])
        assert of_copy["type"] == "user.deleted"
        assert of_jane["actor_id"] == of_copy["actor_id"] == john.id


class TestPreconditions:
    def test_if_match(self, jane, move, merge):
        """The move is made if the target has the given tag; the response has the new one."""
        tag = jane.get("/v1/users/me").headers["ETag"]
        response = move(merge, headers={"If-Match": tag})

        assert response.status_code == 200
        assert response.headers["ETag"] not in (tag, None)

    def test_stale_tag(self, jane, move, merge, snapshot):
        """A target that has changed since gets nothing."""
        tag = jane.get("/v1/users/me").headers["ETag"]
        jane.patch("/v1/users/me", json={"full_name": "Jane"})
        before = snapshot()

        assert outcome(move(merge, headers={"If-Match": tag})) == (412, "version-mismatch", [])
        assert snapshot() == before


class TestIdempotencyKey:
    def test_repeat(self, jane, move, merge):
        """A repeat with the same key is answered like the first request."""
        first = move(merge, headers=KEYED)
        again = move(merge, headers=KEYED)

        assert (again.status_code, again.json) == (200, first.json)
        assert again.headers["Idempotency-Replayed"] == "true"

    def test_repeat_with_tag(self, jane, move, merge):
        """A repeat with the tag of before the move is no mismatch."""
        headers = {**KEYED, "If-Match": jane.get("/v1/users/me").headers["ETag"]}
        move(merge, headers=headers)

        assert move(merge, headers=headers).status_code == 200

    def test_without_key(self, move, merge):
        """Without a key, a repeat finds no source."""
        move(merge)

        assert outcome(move(merge)) == (422, "invalid-request", ["/from"])

    def test_other_target(self, john, eve, move, merge):
        """The key belongs to the target in the URL."""
        move(merge, headers=KEYED)
        response = john.post(f"{eve.path}/moves", json=merge, headers=KEYED)

        assert outcome(response) == (422, "invalid-request", ["/from"])

    def test_rejected(self, move, merge):
        """A rejected request is not remembered."""
        move({**merge, "email": "other@example.com"}, headers=KEYED)

        assert move(merge, headers=KEYED).status_code == 200


class TestRejected:
    @pytest.mark.parametrize(
        "body, pointers",
        [
            ({}, ["/from"]),
            ({"from": "nobody"}, ["/from"]),
            ({"from": None}, ["/from"]),
            ({"from": ["{copy}"]}, ["/from"]),
            ({"from": "{copy}"}, ["/email"]),
            ({"from": "{copy}", "email": None}, ["/email"]),
            ({"from": "{copy}", "email": EMAIL}, ["/delete_source"]),
            ({"from": "{copy}", "email": EMAIL, "delete_source": False}, ["/delete_source"]),
            ({"from": "{copy}", "email": EMAIL, "delete_source": "yes"}, ["/delete_source"]),
            ({"from": "{copy}", "email": "x@example.com", "delete_source": True}, ["/email"]),
            ({"from": "{copy}", "email": "x", "delete_source": True}, ["/email"]),
            ({"from": "{copy}", "email": 5, "delete_source": True}, ["/email"]),
            ({"from": "{copy}", "username": "jane"}, ["/username"]),
            ({"from": "{copy}", "username": "c"}, ["/username"]),
            ({"from": "{copy}", "username": "copy", "roles": ["admin"]}, ["/roles"]),
            ({"from": "{jane}", "username": "jane"}, ["/from"]),
            ({"from": ABSENT_ID, "username": "copy"}, ["/from"]),
            ({"from": ABSENT_ID, "email": EMAIL}, ["/delete_source", "/from"]),
            (
                {"from": "{copy}", "email": "x@example.com", "username": "jane"},
                ["/delete_source", "/email", "/username"],
            ),
        ],
    )
    def test_body(self, jane, copy, move, snapshot, body, pointers):
        """Each faulty field is named, and nothing is written."""
        ids = {"{copy}": copy.id, "{jane}": jane.id}
        filled = {
            name: ids.get(value, value) if isinstance(value, str) else value
            for name, value in body.items()
        }
        before = snapshot()

        assert outcome(move(filled)) == (422, "invalid-request", pointers)
        assert snapshot() == before

    def test_last_admin(self, john, jane, move, snapshot):
        """The last active admin is not deleted by a move."""
        before = snapshot()
        body = {"from": john.id, "email": "john@example.com", "delete_source": True}

        assert outcome(move(body)) == (409, "last-admin", [])
        assert snapshot() == before

    @pytest.mark.parametrize("caller", ["support", "auditor", "copy", "jane"])
    def test_other_callers(self, request, move, merge, snapshot, caller):
        """Only admins may move names, not even those of their own accounts."""
        by = request.getfixturevalue(caller)
        before = snapshot()

        assert outcome(move(merge, by=by)) == (403, "forbidden", [])
        assert snapshot() == before

    def test_guess_by_a_user(self, jane, eve, merge):
        """A user gets the same response for a user that exists and for one that does not."""
        there = jane.post(f"{eve.path}/moves", json=merge)
        absent = jane.post(f"/v1/users/{ABSENT_ID}/moves", json=merge)

        assert (there.status_code, there.json["detail"]) == (403, absent.json["detail"])

    def test_unknown_target(self, john, merge, snapshot):
        """An unknown target is a 404, and the source stays."""
        before = snapshot()

        response = john.post(f"/v1/users/{ABSENT_ID}/moves", json=merge)

        assert outcome(response) == (404, "user-not-found", [])
        assert snapshot() == before


class TestEmails:
    def test_sent(self, email_app, sent_emails, john, jane, copy, edit_row, merge):
        """Verified addresses are notified, and the moved one gets a link to verify it."""
        for person in (jane, copy):
            edit_row(person, email_verified=True)
        client = email_app.test_client()
        response = client.post(
            f"{jane.path}/moves", json=merge, headers={"Authorization": f"Bearer {john.token}"}
        )

        assert response.status_code == 200
        assert sorted((email.to, email.kind) for email in sent_emails()) == [
            (EMAIL, EmailKind.ACCOUNT_MERGED),
            (EMAIL, EmailKind.VERIFY_EMAIL),
            ("jane@example.com", EmailKind.EMAIL_CHANGED),
        ]
