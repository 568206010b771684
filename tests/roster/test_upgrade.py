"""A database that 0.4.1 has written works with this version, without a migration.

The rows were written by 0.4.1 itself; tests/support/data/write_store_0_4_1.py says how.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_pynamodb.local import Engine
from models import db, resume_cleanup
from models.security.tokens import user_id_of
from models.tables.login_attempts import FREE_ATTEMPTS
from roster.app import create_app
from roster.config import Config
from roster.migrations import OLD_SEARCH_TERMS, SEARCH_TERMS
from tests.support.authenticator import Authenticator
from tests.support.engine import local_engine
from tests.support.invariants import audited_users
from tests.support.person import NEW_PASSWORD
from tests.support.recorded_store import RecordedStore
from tests.support.shared_tables import empty

STORE = RecordedStore.read("0.4.1")
PASSWORD = STORE.secrets["password"]
SESSIONS = STORE.secrets["sessions"]
API_KEYS = STORE.secrets["api_keys"]
ONE_TIME_TOKENS = STORE.secrets["one_time_tokens"]
USERNAMES = {
    *("john", "jane", "ada", "joan", "katherine", "mary", "margaret", "radia", "elizabeth"),
    *("grace", "dorothy"),
}
Call = Callable[..., TestResponse]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine of this module with the tables of 0.4.1."""
    with local_engine() as engine:
        STORE.create_tables(engine)
        yield engine


@pytest.fixture(scope="module")
def config_of(engine: Engine) -> Callable[..., Config]:
    """Return a function that makes settings for these tables with secret keys."""
    return lambda *secret_keys: Config(
        secret_keys=secret_keys,
        workers=1,
        rate_limits=False,
        dynamodb={
            "DYNAMODB_HOST": engine.host,
            "DYNAMODB_REGION": "us-east-1",
            "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
            "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
            "DYNAMODB_TABLE_PREFIX": "roster-",
            "DYNAMODB_ALLOW_SCAN": True,
        },
    )


@pytest.fixture(scope="module")
def upgraded(engine: Engine, config_of: Callable[..., Config]) -> Flask:
    """The current version on the tables of 0.4.1, with the secret key of that time."""
    app = create_app(config_of(STORE.secrets["secret_key"]))
    STORE.load(engine)
    return app


@pytest.fixture(scope="module")
def upgrade(upgraded: Flask) -> tuple[list[str], list[str]]:
    """What `roster dynamodb check` reports, and what `roster dynamodb create` changes."""
    with upgraded.app_context():
        drift = [str(each) for each in db.check_all() if each.blocks]
        return drift, db.create_all()


@pytest.fixture
def app(upgraded: Flask, upgrade: Any, engine: Engine) -> Iterator[Flask]:
    """The app on the items that 0.4.1 has written; changes are undone after the test."""
    STORE.load(engine)
    yield upgraded
    empty(upgraded.app_context)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def sign_in(client: FlaskClient) -> Call:
    """Sign in: `sign_in("ada", otp="123456")`."""

    def post(login: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        body = {"login": login, "password": password, **fields}
        return client.post("/v1/sessions", json=body)

    return post


@pytest.fixture
def call(client: FlaskClient) -> Call:
    """Make a request with a token: `call("GET", "/v1/users/me", SESSIONS["jane"])`."""

    def request(method: str, path: str, token: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return client.open(path, method=method, headers=headers, **options)

    return request


@pytest.fixture
def admin(sign_in: Call) -> str:
    """The token of a session that john opens now: the recorded one is no recent sign-in."""
    return str(sign_in("john").json["token"])


@pytest.fixture
def user_id(call: Call) -> Callable[[str], str]:
    """Look up a user ID: `user_id("jane")`."""

    def find(username: str) -> str:
        page = call("GET", f"/v1/users?username={username}", SESSIONS["john"]).json
        return str(page["items"][0]["id"])

    return find


def problem(response: TestResponse) -> tuple[int, str]:
    return response.status_code, response.json["type"].removeprefix("/problems/")


class TestTables:
    def test_additions(self, upgrade: tuple[list[str], list[str]]):
        """Six tables, two indexes and a TTL are reported as missing, and then added."""
        drift, added = upgrade

        table, names = "roster-events", ("by_actor", "by_api_key")
        assert sorted(drift) == [
            "table roster-clients is missing",
            "table roster-devices is missing",
            *(f"table {table} lacks the index {name}" for name in names),
            "table roster-identifiers lacks time to live on held_until",
            "table roster-invitations is missing",
            "table roster-migrations is missing",
            "table roster-search_terms is missing",
            "table roster-signing_keys is missing",
        ]
        assert sorted(added) == [
            *(f"added the index {name} to {table}" for name in names),
            "created roster-clients",
            "created roster-devices",
            "created roster-invitations",
            "created roster-migrations",
            "created roster-search_terms",
            "created roster-signing_keys",
            "set time to live on roster-identifiers",
        ]

    def test_need_no_further_migration(self, app: Flask):
        """The tables and other indexes of 0.4.1 are those that this version declares."""
        with app.app_context():
            assert [drift for drift in db.check_all() if drift.blocks] == []
            assert db.create_all() == []

    def test_rows_are_consistent(self, app: Flask):
        """Every row is readable; reservations and the count of admins agree with the users."""
        with app.app_context():
            users = audited_users()
            rows = {model.Meta.base_table_name: len(list(model.scan())) for model in db.models}

        assert {user.username for user in users} == USERNAMES
        added = (
            "devices",
            "clients",
            "invitations",
            "signing_keys",
            "search_terms",
            "migrations",
        )
        assert [rows.pop(name) for name in added] == [0, 0, 0, 0, 0, 0]
        assert rows == {
            table["Table"]["TableName"].removeprefix("roster-"): len(table["Items"])
            for table in STORE.tables
        }
        assert min(rows.values()) > 0


class TestUsers:
    def test_read(self, call: Call):
        """A user reads itself with the fields that 0.4.1 has stored."""
        jane = call("GET", "/v1/users/me", SESSIONS["jane"]).json

        assert jane["username"] == "jane"
        assert jane["email"] == "jane@example.com"
        assert jane["full_name"] == "Jane Q. Doe"
        assert jane["metadata"] == {"team": "research", "floor": 3}
        assert jane["roles"] == ["user"]
        assert jane["status"] == "active"
        assert jane["email_verified"] is False
        assert jane["last_login_at"] is not None
        assert jane["locale"] is None

    @pytest.mark.parametrize(
        ("query", "usernames"),
        [
            ("", USERNAMES),
            ("role=admin", {"john"}),
            ("status=suspended", {"grace", "dorothy"}),
            ("status=active", USERNAMES - {"grace", "dorothy"}),
            ("username=elizabeth", {"elizabeth"}),
            ("username=betty", set()),
            ("email=JANE@example.com", {"jane"}),
        ],
    )
    def test_list(self, call: Call, query: str, usernames: set[str]):
        """The indexes of 0.4.1 serve every list: all, by role, by status, by name."""
        page = call("GET", f"/v1/users?{query}", SESSIONS["john"]).json
        created = [user["created_at"] for user in page["items"]]

        assert {user["username"] for user in page["items"]} == usernames
        assert created == sorted(created, reverse=True)

    def test_update(self, call: Call):
        """A change is written over the version that 0.4.1 has stored."""
        etag = call("GET", "/v1/users/me", SESSIONS["jane"]).headers["ETag"]
        body = {"full_name": "Jane", "locale": "de", "metadata": {"floor": None, "room": 7}}
        changed = call(
            "PATCH", "/v1/users/me", SESSIONS["jane"], json=body, headers={"If-Match": etag}
        )

        assert changed.status_code == 200
        assert changed.json["metadata"] == {"team": "research", "room": 7}
        assert changed.json["locale"] == "de"
        assert changed.headers["ETag"] != etag

    def test_names_stay_reserved(self, client: FlaskClient):
        """Usernames and emails of 0.4.1 are taken; those of deleted and renamed users are free."""

        def register(username: str, email: str) -> int:
            body = {"username": username, "email": email, "password": NEW_PASSWORD}
            return client.post("/v1/users", json=body).status_code

        assert register("jane", "other@example.com") == 409
        assert register("other", "jane@example.com") == 409
        assert register("linus", "linus@example.com") == 201
        assert register("betty", "other@example.com") == 201

    def test_last_admin(self, call: Call, admin: str, user_id: Callable[[str], str]):
        """The admins that 0.4.1 has counted are counted: the last one stays."""
        rejected = call("PATCH", f"/v1/users/{user_id('john')}", admin, json={"roles": ["user"]})

        assert problem(rejected) == (409, "last-admin")

    def test_reactivate(self, call: Call, sign_in: Call, admin: str, user_id: Callable[[str], str]):
        """A suspended user is active again; sessions from before the suspension stay ended."""
        path = f"/v1/users/{user_id('dorothy')}"
        assert call("PATCH", path, admin, json={"status": "active"}).status_code == 200

        assert call("GET", "/v1/users/me", SESSIONS["dorothy"]).status_code == 401
        assert sign_in("dorothy").status_code == 201

    def test_delete(self, call: Call, app: Flask, admin: str, user_id: Callable[[str], str]):
        """A user of 0.4.1 with rows in all tables is deleted with all of them."""
        id = user_id("john")
        promoted = call("PATCH", f"/v1/users/{user_id('jane')}", admin, json={"roles": ["admin"]})
        deleted = call("DELETE", f"/v1/users/{id}", admin)

        assert (promoted.status_code, deleted.status_code) == (200, 204)
        with app.app_context():
            assert "john" not in {user.username for user in audited_users()}
        for token in (SESSIONS["john"], API_KEYS["john"], admin):
            assert call("GET", "/v1/users/me", token).status_code == 401


class TestMigrations:
    def test_search(self, app: Flask, call: Call):
        """The users of 0.4.1 are found once they are migrated, and not before."""
        before = call("GET", "/v1/users?q=jane", SESSIONS["john"]).json["items"]
        with app.app_context():
            changed = {status.id: status.changed for status in db.migrate()}
            audited_users()
        after = call("GET", "/v1/users?q=q.+doe", SESSIONS["john"]).json["items"]

        assert changed == {SEARCH_TERMS: len(USERNAMES), OLD_SEARCH_TERMS: 0}
        assert (before, [user["username"] for user in after]) == ([], ["jane"])


class TestSignIn:
    @pytest.mark.parametrize("login", ["jane", "JANE", "jane@example.com", "elizabeth"])
    def test_password(self, sign_in: Call, login: str):
        """Hashes of 0.4.1 verify, by username and by email, also after a change of either."""
        password = NEW_PASSWORD if login == "elizabeth" else PASSWORD

        assert sign_in(login, password).status_code == 201
        assert sign_in(login, "not the password at all").status_code == 401

    def test_imported_hash(self, sign_in: Call, app: Flask):
        """A bcrypt hash that was imported verifies and is replaced by argon2id."""
        assert sign_in("katherine").status_code == 201

        with app.app_context():
            [user] = [user for user in audited_users() if user.username == "katherine"]
        assert user.password_hash.startswith("$argon2id$")
        assert sign_in("katherine").status_code == 201

    @pytest.mark.parametrize("login", ["mary", "betty", "linus", "hedy", "unknown"])
    def test_no_password(self, sign_in: Call, login: str):
        """No sign-in without a password, under an old name, or for a deleted user."""
        assert problem(sign_in(login)) == (401, "invalid-credentials")

    @pytest.mark.parametrize("login", ["grace", "dorothy"])
    def test_suspended(self, sign_in: Call, login: str):
        """Suspended users stay suspended; the response is that of a wrong password."""
        assert problem(sign_in(login)) == (401, "invalid-credentials")


class TestLockout:
    @pytest.mark.parametrize(
        ("login", "left"),
        [
            ("margaret", FREE_ATTEMPTS - 3),
            # The key of their digests is another one since 0.7.
            ("unknown", FREE_ATTEMPTS),
        ],
    )
    def test_count_continues(self, sign_in: Call, login: str, left: int):
        """Three failed attempts of a user are stored; those of an unknown login start over."""
        statuses = [sign_in(login, "not the password at all").status_code for _ in range(left + 1)]

        assert Counter(statuses) == {401: left, 429: 1}
        assert statuses[-1] == 429

    def test_unlock(self, sign_in: Call, call: Call, admin: str, user_id: Callable[[str], str]):
        """A locked account stays locked until an admin unlocks it."""
        locked = sign_in("radia").status_code
        unlocked = call("DELETE", f"/v1/users/{user_id('radia')}/lock", admin).status_code

        assert (locked, unlocked) == (429, 204)
        assert sign_in("radia").status_code == 201


class TestSessions:
    @pytest.mark.parametrize("username", ["john", "jane", "ada", "elizabeth"])
    def test_stay(self, call: Call, username: str):
        """Sessions that 0.4.1 has created authenticate, and are listed as the current ones."""
        user = call("GET", "/v1/users/me", SESSIONS[username])
        sessions = call("GET", "/v1/sessions", SESSIONS[username]).json["items"]

        assert (user.status_code, user.json["username"]) == (200, username)
        assert [session["ip"] for session in sessions if session["current"]] == ["192.0.2.1"]

    @pytest.mark.parametrize("username", ["grace", "dorothy", "hedy"])
    def test_stay_ended(self, call: Call, username: str):
        """Ended sessions are ended, whether or not their rows have been removed."""
        assert call("GET", "/v1/users/me", SESSIONS[username]).status_code == 401

    def test_end(self, call: Call):
        """A session of 0.4.1 can be ended."""
        assert call("DELETE", "/v1/sessions/current", SESSIONS["jane"]).status_code == 204
        assert call("GET", "/v1/users/me", SESSIONS["jane"]).status_code == 401

    def test_reauthenticate(self, call: Call):
        """A session of 0.4.1 is continued with the password."""
        body = {"password": PASSWORD}
        renewed = call("POST", "/v1/sessions/current/reauthenticate", SESSIONS["jane"], json=body)

        assert renewed.status_code == 201
        assert call("GET", "/v1/users/me", renewed.json["token"]).status_code == 200


class TestSecondFactor:
    def test_totp(self, sign_in: Call):
        """The encrypted TOTP secret is readable: a current code signs in, none does not."""
        code = Authenticator(STORE.secrets["totp"], time.time).code()

        assert problem(sign_in("ada")) == (401, "second-factor-required")
        assert sign_in("ada", otp=code).status_code == 201
        assert sign_in("ada", otp=code).status_code == 401

    def test_replaced_key(self, app: Flask, config_of: Callable[..., Config]):
        """M3: after a rekey with a new key in front, the secret key of 0.4.1 can be removed."""
        new = "the key that replaces it"
        both = create_app(config_of(new, STORE.secrets["secret_key"]))
        with both.app_context():
            outcome = both.extensions["roster"].key_rotation.rekey()
        after = create_app(config_of(new))
        code = Authenticator(STORE.secrets["totp"], time.time).code()
        body = {"login": "ada", "password": PASSWORD, "otp": code}

        assert (outcome.resealed, outcome.unreadable) == (2, [])
        assert after.test_client().post("/v1/sessions", json=body).status_code == 201
        with after.app_context():
            [use] = after.extensions["roster"].key_rotation.status()
        assert (use.state, use.second_factors) == ("current", 2)

    def test_recovery_codes(self, sign_in: Call, call: Call):
        """Recovery codes work once; the number of unused ones is stored."""
        [code, *_] = codes = STORE.secrets["recovery_codes"]
        status = call("GET", "/v1/users/me/second-factor", SESSIONS["ada"]).json

        assert (status["enabled"], status["recovery_codes_left"]) == (True, len(codes))
        assert sign_in("ada", otp=code).status_code == 201
        assert sign_in("ada", otp=code).status_code == 401

    def test_pending(self, sign_in: Call, call: Call):
        """A second factor that 0.4.1 has enrolled is too old to be confirmed: it is replaced."""
        token = sign_in("joan").json["token"]
        factor = "/v1/users/me/second-factor"
        old = {"otp": Authenticator(STORE.secrets["pending_totp"], time.time).code()}
        confirmed_old = call("POST", f"{factor}/confirm", token, json=old)
        secret = call("POST", factor, token).json["secret"]
        new = {"otp": Authenticator(secret, time.time).code()}
        confirmed = call("POST", f"{factor}/confirm", token, json=new)

        assert problem(confirmed_old) == (404, "second-factor-not-found")
        assert confirmed.status_code == 200
        assert problem(sign_in("joan")) == (401, "second-factor-required")


class TestApiKeys:
    def test_authenticates_and_is_revoked(self, call: Call, admin: str):
        """An API key of 0.4.1 has its roles, is listed, and can be revoked."""
        users = call("GET", "/v1/users?role=admin", API_KEYS["john"])
        [key] = call("GET", "/v1/users/me/api-keys", admin).json["items"]
        revoked = call("DELETE", f"/v1/users/me/api-keys/{key['id']}", admin)

        assert users.status_code == 200
        assert (key["name"], key["roles"]) == ("nightly report", ["admin"])
        assert revoked.status_code == 204
        assert call("GET", "/v1/users/me", API_KEYS["john"]).status_code == 401

    def test_of_deleted_user(self, call: Call):
        """The key of a deleted user does not authenticate, although its row is left."""
        assert call("GET", "/v1/users/me", API_KEYS["hedy"]).status_code == 401


class TestEvents:
    def test_are_listed(self, call: Call):
        """Audit events of 0.4.1 are listed newest first, with changed fields and client."""
        events = call("GET", "/v1/users/me/events", SESSIONS["jane"]).json["items"]
        types = [event["type"] for event in events]

        assert types == [
            "password-reset.requested",
            "user.updated",
            "user.updated",
            "session.opened",
            "user.registered",
        ]
        assert [event["members"] for event in events[1:3]] == [["pending_email"], ["full_name"]]
        assert events[0]["ip"] == "192.0.2.1"
        assert events[-1]["user_agent"] is None

    def test_filter(self, call: Call, admin: str, user_id: Callable[[str], str]):
        """The reason of a failed sign-in is stored."""
        path = f"/v1/users/{user_id('margaret')}/events?type=sign-in.failed"
        events = call("GET", path, admin).json["items"]

        assert [event["reason"] for event in events] == ["wrong-password"] * 3

    def test_of_deleted_user(self, call: Call, admin: str):
        """M8: the events of a user deleted by 0.4.1 are listed."""
        id = user_id_of("rst_", SESSIONS["hedy"])
        events = call("GET", f"/v1/events?user={id}", admin).json["items"]

        assert events[0]["type"] == "user.deleted"
        assert {event["user_id"] for event in events} == {id}

    def test_by_actor(self, call: Call, admin: str, user_id: Callable[[str], str]):
        """Of an actor's events of 0.4.1, those on its own account are listed by actor."""
        john = user_id("john")
        by_john = call("GET", f"/v1/events?actor={john}", admin).json["items"]
        own = call("GET", f"/v1/events?actor={john}&user={john}", admin).json["items"]

        assert len(by_john) > 1
        assert by_john == own


class TestOneTimeTokens:
    def test_email_change(self, client: FlaskClient, call: Call, sign_in: Call):
        """The token of a pending email change confirms it; repeating the request has no effect."""
        body = {"token": ONE_TIME_TOKENS["email-change"], "password": PASSWORD}
        first, second = (client.post("/v1/email-verifications/confirm", json=body) for _ in "12")
        jane = call("GET", "/v1/users/me", SESSIONS["jane"]).json

        assert (first.status_code, second.status_code) == (204, 204)
        assert (jane["email"], jane["email_verified"]) == ("jane.doe@example.org", True)
        assert sign_in("jane.doe@example.org").status_code == 201
        assert sign_in("jane@example.com").status_code == 401

    def test_password_reset(self, client: FlaskClient, call: Call, sign_in: Call):
        """The token of a password reset sets a password, once, and ends the sessions."""
        body = {"token": ONE_TIME_TOKENS["password-reset"], "new_password": NEW_PASSWORD}
        first, second = (client.post("/v1/password-resets/confirm", json=body) for _ in "12")

        assert (first.status_code, second.status_code) == (204, 422)
        assert call("GET", "/v1/users/me", SESSIONS["jane"]).status_code == 401
        assert sign_in("jane").status_code == 401
        assert sign_in("jane", NEW_PASSWORD).status_code == 201


class TestCleanup:
    def test_is_resumed(self, app: Flask):
        """Unfinished cleanups of 0.4.1 are finished: one of a suspension, one of a deletion."""
        with app.app_context():
            users = {user.id for user in audited_users()}
            finished, again = resume_cleanup(), resume_cleanup()
            left = {
                model.Meta.base_table_name: {row.user_id for row in model.scan()}
                for model in db.models
                if model.Meta.base_table_name in ("sessions", "api_keys", "one_time_tokens")
            }

        assert (finished, again) == (2, 0)
        # The rows of john, jane, ada and elizabeth are left; of dorothy and hedy, none.
        assert len(left["sessions"]) == 4
        assert all(owners <= users for owners in left.values())
