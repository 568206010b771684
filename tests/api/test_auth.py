"""Who is calling, by session or by key, and what guards let them do."""

from dataclasses import replace

import pytest

from models import ApiKey, SecondFactorRule, Session
from tests.support.api_keys import with_key
from tests.support.person import PASSWORD, Person
from tests.support.responses import ABSENT_ID, ADA, NEW_PASSWORD, outcome


@pytest.fixture
def chief(enrol) -> Person:
    """An admin who is a user as well, signed in."""
    return enrol("chief", roles=["admin", "user"])


@pytest.fixture
def machine(jane) -> Person:
    """Jane, by an API key."""
    return with_key(jane)


@pytest.fixture
def butler(chief) -> Person:
    """The chief, by an API key that may administer."""
    return with_key(chief, roles=["admin"])


@pytest.fixture
def footman(chief) -> Person:
    """The chief, by an API key that may not administer."""
    return with_key(chief, roles=["user"])


class TestKeyOfAUser:
    def test_reads_and_changes_itself(self, machine, jane):
        """A key reads and changes its user's name and metadata."""
        response = machine.patch(jane.path, json={"full_name": "Jane", "metadata": {"by": "key"}})

        assert response.status_code == 200
        assert machine.get("/v1/users/me").json["full_name"] == "Jane"

    def test_address(self, machine, jane):
        """ASVS 7.5.1: a key never changes the address, which resets go to."""
        response = machine.patch("/v1/users/me", json={"email": "evil@example.com"})

        assert outcome(response) == (403, "forbidden", [])
        assert jane.get("/v1/users/me").json["email"] == "jane@example.com"

    @pytest.mark.parametrize(
        "method, path, body",
        [
            ("GET", "/v1/sessions", None),
            ("DELETE", "/v1/sessions", None),
            ("DELETE", "/v1/sessions/current", None),
            ("DELETE", f"/v1/sessions/{'0' * 64}", None),
            (
                "PUT",
                "/v1/users/me/password",
                {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
            ),
            ("GET", "/v1/users/me/api-keys", None),
            ("POST", "/v1/users/me/api-keys", {"name": "another"}),
            ("DELETE", f"/v1/users/me/api-keys/{'0' * 64}", None),
            ("DELETE", "/v1/users/me", None),
        ],
    )
    def test_closed(self, machine, jane, stored, method, path, body):
        """ASVS 8.2.1: sessions, the password, keys and the end of an account ask for a session."""
        machine.get("/v1/users/me")
        before = stored()

        response = machine.request(method, path, json=body)

        assert outcome(response) == (403, "forbidden", [])
        assert "API key" in response.json["detail"]
        assert stored() == before

    def test_others(self, machine, eve):
        """ASVS 8.2.2: to a user's key others do not exist."""
        assert outcome(machine.get(eve.path)) == (404, "user-not-found", [])
        assert outcome(machine.delete(eve.path)) == (404, "user-not-found", [])

    @pytest.mark.parametrize("member", [{"roles": ["admin"]}, {"status": "suspended"}])
    def test_reserved(self, machine, member):
        """CVE-2019-16097: a user's key gives itself no role."""
        assert outcome(machine.patch("/v1/users/me", json=member))[:2] == (403, "forbidden")


class TestKeyOfAnAdmin:
    def test_administers(self, butler, jane):
        """A key with the role reads, changes, makes, lists and deletes users."""
        answers = [
            butler.get(jane.path),
            butler.patch(jane.path, json={"roles": ["admin", "user"]}),
            butler.post("/v1/users", json={**ADA, "roles": ["user"]}),
            butler.get("/v1/users"),
            butler.delete(jane.path),
        ]

        assert [answer.status_code for answer in answers] == [200, 200, 201, 200, 204]

    def test_without_the_role(self, footman, jane):
        """ASVS 8.2.1: an admin's key without the role has none of the power."""
        answers = [
            footman.get(jane.path),
            footman.patch(jane.path, json={"full_name": "x"}),
            footman.delete(jane.path),
            footman.post("/v1/users", json={**ADA, "roles": ["admin"]}),
            footman.patch("/v1/users/me", json={"roles": ["admin", "user"]}),
            footman.get("/v1/users"),
        ]

        assert [answer.status_code for answer in answers] == [404, 404, 404, 403, 403, 403]

    def test_role_is_taken(self, butler, chief, john, jane):
        """ASVS 8.3.2: with the owner's role the key's power is gone at once."""
        john.patch(chief.path, json={"roles": ["user"]})

        assert outcome(butler.get("/v1/users"))[:2] == (403, "forbidden")
        assert outcome(butler.get(jane.path))[:2] == (404, "user-not-found")

    def test_role_is_given(self, machine, jane, john):
        """A role that the owner gets later is no role of an older key."""
        john.patch(jane.path, json={"roles": ["admin", "user"]})

        assert jane.get("/v1/users").status_code == 200
        assert outcome(machine.get("/v1/users"))[:2] == (403, "forbidden")

    @pytest.mark.parametrize(
        "method, path", [("GET", "sessions"), ("DELETE", "sessions"), ("GET", "api-keys")]
    )
    def test_closed(self, butler, jane, method, path):
        """Not even an admin's key looks after other users' sessions and keys."""
        assert outcome(butler.request(method, f"{jane.path}/{path}"))[:2] == (403, "forbidden")

    def test_closed_sign_up(self, butler, footman, closed):
        """Where only admins create users, a key needs the role."""
        assert closed(butler).post("/v1/users", json=ADA).status_code == 201
        assert outcome(closed(footman).post("/v1/users", json=ADA))[:2] == (403, "forbidden")


class TestToken:
    def test_of_the_other_kind(self, jane, machine):
        """A token is good for what its first letters say, and for nothing else."""
        jane.token = jane.token.replace("rst_", "rsk_")
        machine.token = machine.token.replace("rsk_", "rst_")

        assert outcome(jane.get("/v1/users/me"))[:2] == (401, "unauthenticated")
        assert outcome(machine.get("/v1/users/me"))[:2] == (401, "unauthenticated")

    @pytest.mark.parametrize("token", ["rsk_", "rsk_!", "rsk_" + "A" * 54, "rsk_" + "A" * 5000])
    def test_never_given(self, jane, token):
        """What nobody was given is refused in the words that an ended session is."""
        jane.delete("/v1/sessions/current")
        ended = jane.get("/v1/users/me", headers={"X-Request-Id": "same"})
        jane.token = token

        response = jane.get("/v1/users/me", headers={"X-Request-Id": "same"})

        assert outcome(response) == (401, "unauthenticated", [])
        assert response.data == ended.data
        assert list(response.headers) == list(ended.headers)

    def test_one_round_trip(self, butler, jane, store_calls):
        """A read by a key costs what one by a session does."""
        butler.get(jane.path)

        with store_calls() as calls:
            butler.get(jane.path)

        assert calls == ["BatchGetItem"]

    def test_order(self, machine):
        """401 comes before 403: a dead key is not told what living ones may do."""
        machine.token = machine.token[:-4] + "AAAA"

        assert outcome(machine.delete("/v1/sessions"))[:2] == (401, "unauthenticated")


class TestAudit:
    def test_key(self, john, butler, chief, jane):
        """ASVS 16.2.1: an event tells which key made a change, and for whom."""
        butler.patch(jane.path, json={"full_name": "Jane"})

        event = john.get(f"{jane.path}/events").json["items"][0]
        assert event["type"] == "user.updated"
        assert (event["actor_id"], event["api_key_id"]) == (chief.id, butler.session_id)

    def test_session(self, john, jane):
        """What is done by a session names no key."""
        jane.patch("/v1/users/me", json={"full_name": "Jane"})

        assert john.get(f"{jane.path}/events").json["items"][0]["api_key_id"] is None


class TestSecondFactor:
    """`ROSTER_SECOND_FACTOR=admins`: without one an admin is a user like any other."""

    @pytest.fixture
    def strict(self, make_app):
        """Lets somebody call a service that asks admins for a second factor."""
        other = make_app(second_factor=SecondFactorRule.ADMINS)
        return lambda person: Person(
            other.test_client(), person.username, id=person.id, token=person.token
        )

    @pytest.mark.parametrize(
        "method, path, body",
        [
            ("GET", "/v1/users", None),
            ("GET", "/v1/users/{jane}", None),
            ("PATCH", "/v1/users/{jane}", {"full_name": "x"}),
            ("DELETE", "/v1/users/{jane}", None),
            ("GET", f"/v1/users/{ABSENT_ID}", None),
            ("PATCH", "/v1/users/me", {"roles": ["admin", "user"]}),
            ("POST", "/v1/users", {**ADA, "roles": ["admin"]}),
            ("GET", "/v1/users/{jane}/sessions", None),
            ("DELETE", "/v1/users/{jane}/sessions", None),
            ("GET", "/v1/users/{jane}/api-keys", None),
            ("POST", "/v1/users/{jane}/api-keys", {"name": "x"}),
        ],
    )
    def test_admin_without(self, strict, john, jane, stored, method, path, body):
        """ASVS 6.3.3: an admin who has none has no power over others."""
        before = stored()

        response = strict(john).request(method, path.format(jane=jane.id), json=body)

        assert outcome(response) == (403, "second-factor-missing", [])
        assert stored() == before

    def test_key_of_an_admin_without(self, strict, butler):
        """A key has no more power than its owner."""
        assert outcome(strict(butler).get("/v1/users")) == (403, "second-factor-missing", [])

    def test_itself(self, strict, john):
        """An admin who has none can still sign in, see itself, and set one up."""
        assert strict(john).get("/v1/users/me").status_code == 200
        assert strict(john).get("/v1/sessions").status_code == 200

    def test_admin_with(self, strict, john, butler, chief, alter):
        """An admin who has one administers, by session and by key."""
        alter(john, has_second_factor=True)
        alter(chief, has_second_factor=True)

        assert strict(john).get("/v1/users").status_code == 200
        assert strict(butler).get("/v1/users").status_code == 200

    def test_user(self, strict, jane, john):
        """Nobody else is asked for one, or told that others are."""
        assert strict(jane).get("/v1/users/me").status_code == 200
        assert outcome(strict(jane).get(john.path))[:2] == (404, "user-not-found")
        assert outcome(strict(jane).get("/v1/users"))[:2] == (403, "forbidden")

    def test_optional(self, john):
        """By default admins need none."""
        assert john.get("/v1/users").status_code == 200


class TestAddress:
    @pytest.mark.parametrize(
        "remote, shown",
        [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8::0:1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("evil\r\nforged: line", None),
            ("<script>", None),
            ("", None),
        ],
    )
    def test_only_addresses(self, jane, remote, shown):
        """ASVS 15.3.4, 16.4.1: what is no address is neither stored nor shown as one."""
        jane.client.environ_base["REMOTE_ADDR"] = remote

        jane.sign_in()

        assert jane.get("/v1/sessions").json["items"][0]["ip"] == shown


class TestTables:
    def test_sessions_and_keys_apart(self, app, jane, machine):
        """A key makes no session."""
        machine.get("/v1/users/me")

        with app.app_context():
            assert len(list(Session.query(jane.id))) == 1
            assert len(list(ApiKey.query(jane.id))) == 1


class TestRecord:
    """ASVS 16.3.2: what was tried and not allowed is in the log."""

    def test_forbidden(self, jane, caplog):
        """A refusal says who, with which request, which rule; nothing that the client wrote."""
        response = jane.get("/v1/users?username=<script>")

        assert outcome(response)[0] == 403
        (line,) = [record.getMessage() for record in caplog.records if record.name == "roster"]
        said = (
            f"{response.headers['X-Request-Id']}: GET /v1/users by {jane.id} is refused: forbidden"
        )
        assert line.endswith(said)

    def test_second_factor_missing(self, make_app, john, caplog):
        """An admin who lacks the second factor that admins need is refused on the record."""
        client = make_app(second_factor=SecondFactorRule.ADMINS).test_client()
        replace(john, client=client).get("/v1/users")

        assert "is refused: second-factor-missing" in caplog.text

    def test_granted(self, jane, caplog):
        """What is allowed is not in the log."""
        jane.get("/v1/users/me")

        assert caplog.text == ""
