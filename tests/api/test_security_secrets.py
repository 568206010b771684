"""Information that responses, timing and logs must not reveal (ASVS 5.0)."""

import logging

import pytest

from models import CHEAPEST_PROFILE, OWASP_PROFILE, PasswordHasher, User, db
from models.tables import login_attempts
from roster.app import create_app
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID, ADA, NEW_PASSWORD, names, outcome

ENGINE = "ValidationException"


class TestEnumeration:
    """ASVS 6.3.8: neither texts nor amount of work reveal whether an account exists."""

    @pytest.fixture
    def cost(self, eve, jane, john, edit_row, create_user, make_app, hashes, database_calls):
        """Return status, hashes and database calls of a sign-in that requires a verified email.

        eve is suspended, amy has no password, zoe has not verified her email.
        """
        for person in (jane, eve, amy := create_user("amy"), create_user("zoe")):
            edit_row(person, email_verified=person.username != "zoe")
        edit_row(amy, password_hash=None)
        john.patch(eve.path, json={"status": "suspended"})
        client = make_app(require_verified_email=True).test_client()

        def attempt(login, password):
            hashes.clear()
            with database_calls() as calls:
                response = client.post("/v1/sessions", json={"login": login, "password": password})
            return response.status_code, [*hashes], calls

        return attempt

    @pytest.mark.parametrize(
        "login, password",
        [
            ("unknown", PASSWORD),
            ("unknown@example.com", PASSWORD),
            ("jane", "not the password at all"),
            ("jane@example.com", "not the password at all"),
            ("jane", ""),
            ("eve", PASSWORD),
            ("eve@example.com", PASSWORD),
            ("eve", "not the password at all"),
            ("amy", PASSWORD),
            ("amy", "a password of no account"),
            ("zoe", PASSWORD),
            ("zoe", "not the password at all"),
            ("unknown", "a password of no account"),
            ("no login at all", PASSWORD),
            ("@", PASSWORD),
            ("", ""),
        ],
    )
    def test_equal_work(self, cost, login, password):
        """CVE-2022-21659, CVE-2024-39329: each failed sign-in costs one hash and the same calls.

        The calls count the request, look up the login, reserve an attempt, and record the failure.
        """
        calls = ["UpdateItem", "GetItem", "UpdateItem", "PutItem"]

        assert cost(login, password) == (401, ["verify_secret"], calls)

    @pytest.mark.parametrize(
        "login", ["unknown", "unknown@example.com", "jane", "eve", "amy", "zoe"]
    )
    def test_equal_work_when_locked(self, cost, login):
        """A lockout costs no hash, and is the same for an unknown login."""
        for _ in range(login_attempts.FREE_ATTEMPTS):
            cost(login, "not the password at all")

        calls = ["UpdateItem", "GetItem", "UpdateItem", "GetItem"]

        assert cost(login, PASSWORD) == (429, [], calls)

    def test_long_passwords_cost_the_same(self, cost):
        """A password of any accepted length is hashed for known and unknown logins."""
        assert cost("unknown", "x" * 1024) == cost("jane", "x" * 1024)

    def test_reading_unknown_ids_costs_the_same(self, jane, eve, database_calls):
        """The calls behind a 404 do not show whether the id exists."""
        with database_calls() as foreign:
            jane.get(eve.path)
        with database_calls() as absent:
            jane.get(f"/v1/users/{ABSENT_ID}")

        assert foreign == absent == ["BatchGetItem"]


class TestSecrets:
    def test_never_returned_or_logged(self, app, caplog, client, john, jane):
        """ASVS 16.2.5: passwords, hashes and tokens are neither returned nor logged."""
        caplog.set_level(logging.INFO)
        caplog.set_level(logging.DEBUG, logger="roster")
        passwords = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

        responses = [
            client.post("/v1/users", json=ADA),
            client.post("/v1/users", json={**ADA, "password": "tiny secret"}),
            client.post("/v1/sessions", json={"login": "jane", "password": "wrong secret"}),
            jane.put("/v1/users/me/password", json=passwords),
            jane.put("/v1/users/me/password", json=passwords),
            jane.put("/v1/users/me/password", json={**passwords, "new_password": ["x"]}),
            jane.patch("/v1/users/me", json={"password": PASSWORD}),
            jane.get("/v1/users/me"),
            jane.get("/v1/sessions"),
            john.get("/v1/users"),
            john.get(f"{jane.path}/sessions"),
            john.patch(jane.path, json={"status": "suspended"}),
            john.delete(jane.path),
        ]

        output = caplog.text + "".join(
            response.text + str(response.headers) for response in responses
        )
        secrets = [PASSWORD, NEW_PASSWORD, "tiny secret", "wrong secret", "$argon2", jane.token]
        assert [secret for secret in secrets if secret in output] == []

    def test_default_cost_of_a_hash(self):
        """ASVS 11.4.2: argon2id with 19 MiB, two passes, one lane, and a salt per hash."""
        passwords = PasswordHasher()

        first, second = passwords.hash(PASSWORD), passwords.hash(PASSWORD)

        assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert first.split("$")[-2] != second.split("$")[-2]

    def test_an_app_hashes_at_full_cost(self, config):
        """ASVS 11.4.2: an app hashes at full cost unless a test sets a cheaper profile."""
        app = create_app(config)

        created = app.extensions["roster"].accounts.hasher.hash(PASSWORD)

        assert (
            f"m={OWASP_PROFILE.memory_kib},t={OWASP_PROFILE.rounds},p={OWASP_PROFILE.parallelism}"
            in created
        )

    def test_stored_password(self, app, jane):
        """The table has a hash and never the password."""
        with app.app_context():
            row = str(User.get(jane.id).serialize())

        assert "$argon2id$" in row
        assert PASSWORD not in row

    def test_database_error(self, config, caplog):
        """CVE-2023-34110: errors of the database go to the log, not to the client."""
        app = create_app(config, profile=CHEAPEST_PROFILE)
        with app.app_context():
            db.create_all()
            request = {"TableName": User.Meta.table_name, "Key": {"nope": {"S": "x"}}}
        app.add_url_rule("/v1/wrong", "wrong", lambda: db.connection.dispatch("GetItem", request))

        response = app.test_client().get("/v1/wrong")

        assert outcome(response) == (500, "internal-error", [])
        assert ENGINE not in response.text
        assert ENGINE in caplog.text

    @pytest.mark.parametrize(
        "query",
        ["password_hash=x", "sort=password_hash", "session_epoch=1", "filter=x", "username[]=x"],
    )
    def test_filters_are_a_closed_list(self, john, query):
        """CVE-2022-31177: no filter or sort order reveals a hash."""
        assert outcome(john.get(f"/v1/users?{query}"))[:2] == (422, "invalid-request")


class TestInjection:
    @pytest.mark.parametrize(
        "text", ["jane' OR '1'='1", "#n0", ":0", "attribute_exists(id)", "jane\x1f", '{"S":"jane"}']
    )
    def test_input_is_data(self, john, jane, text):
        """ASVS 1.2.4: input never becomes part of a query."""
        for name in (text[:32], f"{text}@example.com"):
            field = "email" if "@" in name else "username"
            response = john.get("/v1/users", query_string={field: name})
            assert response.status_code == 422 or names(response) == []
        assert jane.patch("/v1/users/me", json={"metadata": {text: text}}).status_code in (200, 422)

    @pytest.mark.parametrize("mask", ["username", "{username}", "{", "*", "{id,{", "password_hash"])
    def test_no_pruning(self, jane, mask):
        """RESTX's `X-Fields` header neither prunes nor breaks a response."""
        plain = jane.get("/v1/users/me")

        response = jane.get("/v1/users/me", headers={"X-Fields": mask})

        assert response.data == plain.data

    @pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Forwarded-Prefix"])
    def test_location_is_not_poisoned(self, client, header):
        """CVE-2023-49097: no request header changes the target of `Location`."""
        response = client.post("/v1/users", json=ADA, headers={header: "evil.example"})

        assert response.headers["Location"] == f"/v1/users/{response.json['id']}"
