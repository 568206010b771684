"""What must not be told, in words or by work, and what must not be believed (ASVS 5.0)."""

import logging

import pytest

from models import CHEAPEST_PROFILE, OWASP_PROFILE, Passwords, User, db
from models.tables import login_attempts
from roster.app import create_app
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID, ADA, NEW_PASSWORD, names, outcome

ENGINE = "ValidationException"


class TestEnumeration:
    """ASVS 6.3.8: what is not told in words is not told by work either."""

    @pytest.fixture
    def cost(self, eve, jane, john, alter, enrol, make_app, hashes, store_calls):
        """Status, hashes and store calls of a sign-in where addresses have to be confirmed.

        eve is suspended, amy has no password, zoe has not confirmed her address.
        """
        for person in (jane, eve, amy := enrol("amy"), enrol("zoe")):
            alter(person, email_verified=person.username != "zoe")
        alter(amy, password_hash=None)
        john.patch(eve.path, json={"status": "suspended"})
        client = make_app(require_verified_email=True).test_client()

        def attempt(login, password):
            hashes.clear()
            with store_calls() as calls:
                answer = client.post("/v1/sessions", json={"login": login, "password": password})
            return answer.status_code, [*hashes], calls

        return attempt

    @pytest.mark.parametrize(
        "login, password",
        [
            ("nobody", PASSWORD),
            ("nobody@example.com", PASSWORD),
            ("jane", "not the password at all"),
            ("jane@example.com", "not the password at all"),
            ("jane", ""),
            ("eve", PASSWORD),
            ("eve@example.com", PASSWORD),
            ("eve", "not the password at all"),
            ("amy", PASSWORD),
            ("amy", "nobody has this password"),
            ("zoe", PASSWORD),
            ("zoe", "not the password at all"),
            ("nobody", "nobody has this password"),
            ("no login at all", PASSWORD),
            ("@", PASSWORD),
            ("", ""),
        ],
    )
    def test_equal_work(self, cost, login, password):
        """CVE-2022-21659, CVE-2024-39329: each failed sign-in costs one hash and the same calls.

        The calls count the request, look the login up, reserve a try, and record the failure.
        """
        calls = ["UpdateItem", "GetItem", "UpdateItem", "PutItem"]

        assert cost(login, password) == (401, ["verify_secret"], calls)

    @pytest.mark.parametrize("login", ["nobody", "nobody@example.com", "jane", "eve", "amy", "zoe"])
    def test_equal_work_when_locked(self, cost, login):
        """A lock costs no hash, and is the same for a login that nobody has."""
        for _ in range(login_attempts.FREE_ATTEMPTS):
            cost(login, "not the password at all")

        calls = ["UpdateItem", "GetItem", "UpdateItem", "GetItem"]

        assert cost(login, PASSWORD) == (429, [], calls)

    def test_long_passwords_cost_the_same(self, cost):
        """A password of any length the route takes is hashed for known and unknown alike."""
        assert cost("nobody", "x" * 1024) == cost("jane", "x" * 1024)

    def test_reading_costs_the_same(self, jane, eve, store_calls):
        """Whether an id exists cannot be told from the calls that a 404 takes."""
        with store_calls() as foreign:
            jane.get(eve.path)
        with store_calls() as absent:
            jane.get(f"/v1/users/{ABSENT_ID}")

        assert foreign == absent == ["BatchGetItem"]


class TestSecrets:
    def test_never_in_answers_or_logs(self, app, caplog, client, john, jane):
        """ASVS 16.2.5: neither passwords nor hashes nor tokens are answered or logged."""
        caplog.set_level(logging.INFO)
        caplog.set_level(logging.DEBUG, logger="roster")
        passwords = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

        answers = [
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

        told = caplog.text + "".join(answer.text + str(answer.headers) for answer in answers)
        secrets = [PASSWORD, NEW_PASSWORD, "tiny secret", "wrong secret", "$argon2", jane.token]
        assert [secret for secret in secrets if secret in told] == []

    def test_default_cost_of_a_hash(self):
        """ASVS 11.4.2: argon2id with 19 MiB, two passes, one lane, and a salt of its own."""
        passwords = Passwords()

        first, second = passwords.hash(PASSWORD), passwords.hash(PASSWORD)

        assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert first.split("$")[-2] != second.split("$")[-2]

    def test_an_app_hashes_at_full_cost(self, config):
        """ASVS 11.4.2: an app is as strong as the default unless a test says otherwise."""
        app = create_app(config)

        made = app.extensions["roster"].accounts.passwords.hash(PASSWORD)

        assert (
            f"m={OWASP_PROFILE.memory_kib},t={OWASP_PROFILE.rounds},p={OWASP_PROFILE.parallelism}"
            in made
        )

    def test_stored_password(self, app, jane):
        """The table holds a hash and never the password."""
        with app.app_context():
            row = str(User.get(jane.id).serialize())

        assert "$argon2id$" in row
        assert PASSWORD not in row

    def test_engine_error(self, config, caplog):
        """CVE-2023-34110: what the engine says goes to the log, not to the client."""
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
        """CVE-2022-31177: nobody finds out a hash by filtering or sorting by it."""
        assert outcome(john.get(f"/v1/users?{query}"))[:2] == (422, "invalid-request")


class TestInjection:
    @pytest.mark.parametrize(
        "text", ["jane' OR '1'='1", "#n0", ":0", "attribute_exists(id)", "jane\x1f", '{"S":"jane"}']
    )
    def test_names_are_data(self, john, jane, text):
        """ASVS 1.2.4: what a caller sends never becomes part of a query."""
        assert names(john.get("/v1/users", query_string={"username": text[:32]})) == []
        assert jane.patch("/v1/users/me", json={"metadata": {text: text}}).status_code in (200, 422)

    @pytest.mark.parametrize("mask", ["username", "{username}", "{", "*", "{id,{", "password_hash"])
    def test_no_pruning(self, jane, mask):
        """RESTX's `X-Fields` header neither prunes an answer nor breaks it."""
        plain = jane.get("/v1/users/me")

        response = jane.get("/v1/users/me", headers={"X-Fields": mask})

        assert response.data == plain.data

    @pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Forwarded-Prefix"])
    def test_location_is_not_poisoned(self, client, header):
        """CVE-2023-49097: no header of the request decides where `Location` leads."""
        response = client.post("/v1/users", json=ADA, headers={header: "evil.example"})

        assert response.headers["Location"] == f"/v1/users/{response.json['id']}"
