"""Authentication by session or API key, and the permissions that guards check."""

import pytest

from models import ApiKey, SecondFactorRule, Session
from tests.support.api_keys import with_key
from tests.support.person import PASSWORD, Person
from tests.support.responses import ABSENT_ID, ADA, NEW_PASSWORD, outcome


@pytest.fixture
def user_admin(create_user) -> Person:
    """Return an admin with the user role as well, signed in."""
    return create_user("chief", roles=["admin", "user"])


@pytest.fixture
def jane_by_key(jane) -> Person:
    """Return jane, authenticated by an API key."""
    return with_key(jane)


@pytest.fixture
def admin_key(user_admin) -> Person:
    """Return the admin, authenticated by an API key with the admin role."""
    return with_key(user_admin, roles=["admin"])


@pytest.fixture
def user_key(user_admin) -> Person:
    """Return the admin, authenticated by an API key without the admin role."""
    return with_key(user_admin, roles=["user"])


class TestUserApiKey:
    def test_reads_and_changes_its_owner(self, jane_by_key, jane):
        """A key reads and changes its owner's name and metadata."""
        response = jane_by_key.patch(
            jane.path, json={"full_name": "Jane", "metadata": {"by": "key"}}
        )

        assert response.status_code == 200
        assert jane_by_key.get("/v1/users/me").json["full_name"] == "Jane"

    def test_email(self, jane_by_key, jane):
        """ASVS 7.5.1: a key cannot change the email address, which receives password resets."""
        response = jane_by_key.patch("/v1/users/me", json={"email": "evil@example.com"})

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
    def test_session_required(self, jane_by_key, jane, snapshot, method, path, body):
        """ASVS 8.2.1: sessions, password, keys and account deletion require a session."""
        jane_by_key.get("/v1/users/me")
        before = snapshot()

        response = jane_by_key.request(method, path, json=body)

        assert outcome(response) == (403, "forbidden", [])
        assert "API key" in response.json["detail"]
        assert snapshot() == before

    def test_other_users(self, jane_by_key, eve):
        """ASVS 8.2.2: a user's key gets 404 for other users."""
        assert outcome(jane_by_key.get(eve.path)) == (404, "user-not-found", [])
        assert outcome(jane_by_key.delete(eve.path)) == (404, "user-not-found", [])

    @pytest.mark.parametrize("fields", [{"roles": ["admin"]}, {"status": "suspended"}])
    def test_reserved_fields(self, jane_by_key, fields):
        """CVE-2019-16097: a user's key cannot grant its owner a role."""
        assert outcome(jane_by_key.patch("/v1/users/me", json=fields))[:2] == (403, "forbidden")


class TestAdminApiKey:
    def test_administers(self, admin_key, jane):
        """A key with the admin role reads, changes, creates and lists users."""
        responses = [
            admin_key.get(jane.path),
            admin_key.patch(jane.path, json={"full_name": "Jane"}),
            admin_key.post("/v1/users", json={**ADA, "roles": ["user"]}),
            admin_key.get("/v1/users"),
        ]

        assert [response.status_code for response in responses] == [200, 200, 201, 200]

    def test_without_the_role(self, user_key, jane):
        """ASVS 8.2.1: an admin's key without the admin role has no admin permissions."""
        responses = [
            user_key.get(jane.path),
            user_key.patch(jane.path, json={"full_name": "x"}),
            user_key.delete(jane.path),
            user_key.post("/v1/users", json={**ADA, "roles": ["admin"]}),
            user_key.patch("/v1/users/me", json={"roles": ["admin", "user"]}),
            user_key.get("/v1/users"),
        ]

        assert [response.status_code for response in responses] == [404, 404, 404, 403, 403, 403]

    def test_role_is_removed(self, admin_key, user_admin, john, jane):
        """ASVS 8.3.2: a key loses the admin role at once when its owner does."""
        john.patch(user_admin.path, json={"roles": ["user"]})

        assert outcome(admin_key.get("/v1/users"))[:2] == (403, "forbidden")
        assert outcome(admin_key.get(jane.path))[:2] == (404, "user-not-found")

    def test_role_is_granted_later(self, jane_by_key, jane, john):
        """A role that the owner gets later does not apply to an existing key."""
        john.patch(jane.path, json={"roles": ["admin", "user"]})

        assert jane.get("/v1/users").status_code == 200
        assert outcome(jane_by_key.get("/v1/users"))[:2] == (403, "forbidden")

    @pytest.mark.parametrize(
        "method, path", [("GET", "sessions"), ("DELETE", "sessions"), ("GET", "api-keys")]
    )
    def test_session_required(self, admin_key, jane, method, path):
        """Even an admin's key cannot manage other users' sessions and keys."""
        assert outcome(admin_key.request(method, f"{jane.path}/{path}"))[:2] == (403, "forbidden")

    def test_closed_sign_up(self, admin_key, user_key, with_signup_closed):
        """Where only admins create users, a key needs the admin role."""
        assert with_signup_closed(admin_key).post("/v1/users", json=ADA).status_code == 201
        assert outcome(with_signup_closed(user_key).post("/v1/users", json=ADA))[:2] == (
            403,
            "forbidden",
        )


class TestToken:
    def test_wrong_kind(self, jane, jane_by_key):
        """A token is valid only for the kind that its prefix names."""
        jane.token = jane.token.replace("rst_", "rsk_")
        jane_by_key.token = jane_by_key.token.replace("rsk_", "rst_")

        assert outcome(jane.get("/v1/users/me"))[:2] == (401, "unauthenticated")
        assert outcome(jane_by_key.get("/v1/users/me"))[:2] == (401, "unauthenticated")

    @pytest.mark.parametrize("token", ["rsk_", "rsk_!", "rsk_" + "A" * 54, "rsk_" + "A" * 5000])
    def test_unknown(self, jane, token):
        """An unknown token gets the same response as an ended session."""
        jane.delete("/v1/sessions/current")
        ended = jane.get("/v1/users/me", headers={"X-Request-Id": "same"})
        jane.token = token

        response = jane.get("/v1/users/me", headers={"X-Request-Id": "same"})

        assert outcome(response) == (401, "unauthenticated", [])
        assert response.data == ended.data
        assert list(response.headers) == list(ended.headers)

    def test_one_round_trip(self, admin_key, jane, database_calls):
        """Authenticating by key costs the same round trips as by session."""
        admin_key.get(jane.path)

        with database_calls() as calls:
            admin_key.get(jane.path)

        assert calls == ["BatchGetItem"]

    def test_order(self, jane_by_key):
        """401 comes before 403: the response to a revoked key does not show its permissions."""
        jane_by_key.token = jane_by_key.token[:-4] + "AAAA"

        assert outcome(jane_by_key.delete("/v1/sessions"))[:2] == (401, "unauthenticated")


class TestAudit:
    def test_key(self, john, admin_key, user_admin, jane):
        """ASVS 16.2.1: an audit event names the key that made a change, and the changed user."""
        admin_key.patch(jane.path, json={"full_name": "Jane"})

        event = john.get(f"{jane.path}/events").json["items"][0]
        assert event["type"] == "user.updated"
        assert (event["actor_id"], event["api_key_id"]) == (user_admin.id, admin_key.session_id)

    def test_session(self, john, jane):
        """An audit event of a session names no key."""
        jane.patch("/v1/users/me", json={"full_name": "Jane"})

        assert john.get(f"{jane.path}/events").json["items"][0]["api_key_id"] is None


class TestSecondFactor:
    """`ROSTER_SECOND_FACTOR=admins`: an admin without a second factor has a user's permissions."""

    @pytest.fixture
    def require_second_factor(self, make_app):
        """Return the person on a service that requires a second factor of admins."""
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
    def test_admin_without(self, require_second_factor, john, jane, snapshot, method, path, body):
        """ASVS 6.3.3: an admin without a second factor has no access to other users."""
        before = snapshot()

        response = require_second_factor(john).request(method, path.format(jane=jane.id), json=body)

        assert outcome(response) == (403, "second-factor-missing", [])
        assert snapshot() == before

    def test_key_of_an_admin_without(self, require_second_factor, admin_key):
        """A key has no more permissions than its owner."""
        assert outcome(require_second_factor(admin_key).get("/v1/users")) == (
            403,
            "second-factor-missing",
            [],
        )

    def test_own_account(self, require_second_factor, john):
        """An admin without a second factor can sign in, read its account, and set one up."""
        assert require_second_factor(john).get("/v1/users/me").status_code == 200
        assert require_second_factor(john).get("/v1/sessions").status_code == 200

    def test_admin_with(self, app, require_second_factor, john, admin_key, user_admin, edit_row):
        """An admin whose session or key used a second factor has its permissions."""
        edit_row(john, has_second_factor=True)
        edit_row(user_admin, has_second_factor=True)
        with app.app_context():
            for model, person in ((Session, john), (ApiKey, admin_key)):
                row = model.get(person.id, person.session_id)
                row.update([model.amr.set(["pwd", "otp"])])

        assert require_second_factor(john).get("/v1/users").status_code == 200
        assert require_second_factor(admin_key).get("/v1/users").status_code == 200

    def test_user(self, require_second_factor, jane, john):
        """Regular users need no second factor, and their responses do not mention the rule."""
        assert require_second_factor(jane).get("/v1/users/me").status_code == 200
        assert outcome(require_second_factor(jane).get(john.path))[:2] == (404, "user-not-found")
        assert outcome(require_second_factor(jane).get("/v1/users"))[:2] == (403, "forbidden")

    def test_optional(self, john):
        """By default admins need no second factor."""
        assert john.get("/v1/users").status_code == 200


class TestClientAddress:
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
        """ASVS 15.3.4, 16.4.1: an invalid client address is neither stored nor shown."""
        jane.client.environ_base["REMOTE_ADDR"] = remote

        jane.sign_in()

        assert jane.get("/v1/sessions").json["items"][0]["ip"] == shown


class TestTables:
    def test_sessions_and_keys_apart(self, app, jane, jane_by_key):
        """Creating a key creates no session row."""
        jane_by_key.get("/v1/users/me")

        with app.app_context():
            assert len(list(Session.query(jane.id))) == 1
            assert len(list(ApiKey.query(jane.id))) == 1
