"""What leaves a trace: log lines and audit events of rejected requests (M8, ASVS 16.3)."""

import logging
import time
from dataclasses import replace

import pytest

from api import rate_limits
from models import EmailKind, SecondFactorRule
from models.services.account_emails import EMAIL_QUOTA
from models.tables.login_attempts import FREE_ATTEMPTS
from tests.support.api_keys import with_key
from tests.support.authenticator import Authenticator
from tests.support.events import merged
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID, outcome

LOGIN = {"login": "jane", "password": "not her password"}
OTHER_KEY = "0" * 64


@pytest.fixture
def lines(caplog):
    """Return the messages of the security log, once something was logged."""
    caplog.set_level(logging.INFO, "roster.security")

    def read():
        return [
            record.getMessage() for record in caplog.records if record.name == "roster.security"
        ]

    return read


@pytest.fixture
def locked(jane):
    """Return jane, locked out for half a minute."""
    for _ in range(FREE_ATTEMPTS):
        jane.client.post("/v1/sessions", json=LOGIN)
    return jane


class TestObjectsOfOthers:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/v1/users/{john}"),
            ("PATCH", "/v1/users/{john}"),
            ("DELETE", "/v1/users/{john}"),
            ("GET", "/v1/users/{john}/events"),
            ("GET", "/v1/users/{john}/api-keys"),
            ("GET", "/v1/users/{john}/second-factor"),
            ("PUT", "/v1/users/{john}/password"),
        ],
    )
    def test_line(self, john, jane, lines, method, path):
        """M8: each request for another user's data is a line with both IDs (ASVS 16.3.2)."""
        new = {"current_password": PASSWORD, "new_password": "seven lanterns on the pier"}
        bodies = {"PATCH": {"full_name": "John"}, "PUT": new}
        response = jane.request(method, path.format(john=john.id), json=bodies.get(method))

        assert outcome(response)[:2] == (404, "user-not-found")
        assert lines() == [
            f"rejected status=404 problem=user-not-found user={jane.id} key=- object={john.id}"
        ]

    def test_one_event(self, app, john, jane):
        """M8: probes of IDs are one event of the prober, with their number."""
        for _ in range(7):
            jane.get(john.path)

        assert merged(app, john, user=jane.id) == [("access.denied", "user-not-found", 7)]
        assert merged(app, john, user=john.id) == []

    def test_by_actor(self, app, john, jane, eve):
        """The probes of a user are found by actor, those of an API key by the key."""
        key = with_key(jane)
        jane.get(john.path)
        for _ in range(2):
            key.get(eve.path)

        assert merged(app, john, actor=key.session_id) == [("access.denied", "user-not-found", 2)]
        assert merged(app, john, actor=jane.id) == [
            ("access.denied", "user-not-found", 1),
            ("access.denied", "user-not-found", 2),
        ]

    def test_sessions_and_keys(self, app, john, jane):
        """IDs of sessions and API keys that are not the caller's are recorded, too."""
        jane.delete(f"/v1/sessions/{OTHER_KEY}")
        jane.delete(f"/v1/users/me/api-keys/{OTHER_KEY}")

        assert merged(app, john, user=jane.id) == [
            ("access.denied", "api-key-not-found", 1),
            ("access.denied", "session-not-found", 1),
        ]

    def test_unknown_user(self, app, john, jane, lines):
        """Whether the other user exists makes no difference."""
        jane.get(john.path)
        jane.get(f"/v1/users/{ABSENT_ID}")
        known, unknown = lines()

        assert known.replace(john.id, ABSENT_ID) == unknown
        assert merged(app, john, user=jane.id) == [("access.denied", "user-not-found", 2)]

    def test_admin(self, app, john, lines):
        """An unknown ID is no rejection for an admin."""
        assert outcome(john.get(f"/v1/users/{ABSENT_ID}"))[0] == 404

        assert lines() == []
        assert merged(app, john, user=john.id) == []


class TestForbidden:
    def test_role(self, app, john, jane, lines):
        """A request that only admins may make is a line, without text of the request."""
        response = jane.get("/v1/users?username=<script>")

        assert outcome(response)[0] == 403
        assert lines() == [f"rejected status=403 problem=forbidden user={jane.id} key=- object=-"]
        assert merged(app, john, user=jane.id) == [("access.denied", "forbidden", 1)]

    def test_api_key(self, app, john, jane, lines):
        """The line of an API key has the ID of the key."""
        key = with_key(jane)
        key.delete("/v1/sessions")

        assert lines() == [
            f"rejected status=403 problem=forbidden user={jane.id} key={key.session_id} object=-"
        ]

    def test_second_factor(self, make_app, john, lines):
        """The rejection of an admin without the required second factor is a line."""
        other = make_app(second_factor=SecondFactorRule.ADMINS)
        replace(john, client=other.test_client()).get("/v1/users")

        assert "problem=second-factor-missing" in lines()[0]

    def test_allowed(self, app, john, jane, lines):
        """A request that is allowed leaves neither line nor event."""
        jane.get("/v1/users/me")

        assert lines() == []
        assert merged(app, john, user=jane.id) == []


class TestAuthentication:
    def test_signed_in(self, client, jane, lines):
        """A sign-in is a line with the verified factors (ASVS 16.3.1)."""
        client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD})

        assert lines() == [
            f"signed in event=session.opened subject={jane.id} amr=pwd second_factor=-"
        ]

    def test_failed(self, client, jane, lines):
        """A failed sign-in is a line with the user's ID, and not with the login."""
        client.post("/v1/sessions", json=LOGIN)

        assert lines() == [
            "rejected status=401 problem=invalid-credentials user=- key=- object=-"
            f" subject={jane.id}"
        ]

    def test_unknown_login(self, client, lines):
        """A login may be a password in the wrong field: the line has a keyed digest of it."""
        client.post("/v1/sessions", json={"login": "hunter2 hunter2", "password": "x"})
        [line] = lines()

        assert " subject=login#" in line
        assert "hunter2" not in line

    def test_invalid_token(self, client, lines, caplog):
        """A token that is none is a warning; a request without one is expected."""
        client.get("/v1/users/me", headers={"Authorization": "Bearer rst_none"})
        client.get("/v1/users/me")

        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
        assert ["problem=unauthenticated" in line for line in lines()] == [True, True]


class TestLockout:
    def test_one_event(self, app, john, locked):
        """M8, ASVS 16.3.3: attempts during a lockout are one event, with their number."""
        statuses = {locked.client.post("/v1/sessions", json=LOGIN).status_code for _ in range(10)}

        assert statuses == {429}
        assert merged(app, john, user=locked.id) == [("sign-in.rejected", "locked-out", 10)]

    def test_line(self, locked, lines):
        """Each attempt during a lockout is a line with the user's ID."""
        locked.client.post("/v1/sessions", json=LOGIN)

        assert lines()[-1] == (
            "rejected status=429 problem=too-many-requests user=- key=- object=-"
            f" subject={locked.id}"
        )

    def test_in_a_session(self, app, john, locked):
        """Attempts of a signed-in user have an actor."""
        locked.post("/v1/sessions/current/reauthenticate", json={"password": PASSWORD})

        assert merged(app, john, actor=locked.id) == [("sign-in.rejected", "locked-out", 1)]

    def test_every_batch_counts(self, app, john, locked):
        """Attempts that the background thread writes at different times are one event."""
        for _ in range(3):
            locked.client.post("/v1/sessions", json=LOGIN)
            assert app.extensions["roster"].background.drain(10)

        assert merged(app, john, user=locked.id) == [("sign-in.rejected", "locked-out", 3)]

    def test_no_further_call(self, locked, database_calls):
        """A rejected attempt makes no database call for its event."""
        with database_calls() as calls:
            locked.client.post("/v1/sessions", json=LOGIN)

        assert calls == ["UpdateItem", "GetItem", "UpdateItem", "GetItem"]


class TestQuotas:
    @pytest.fixture
    def spent(self, make_app, monkeypatch):
        """Return an app whose quotas are spent, which it remembers."""
        app = make_app()
        for policy in (rate_limits.PASSWORDS, rate_limits.SIGN_INS):
            monkeypatch.setitem(vars(policy), "quota", 0)
        return app

    def test_signed_in(self, spent, john, jane, lines):
        """M8: requests over a quota are one event of the user, and a line each."""
        jane = replace(jane, client=spent.test_client())
        for _ in range(3):
            jane.post("/v1/sessions/current/reauthenticate", json={"password": PASSWORD})

        assert merged(spent, john, user=jane.id) == [("quota.exceeded", "passwords", 3)]
        assert (
            lines()
            == [
                "rejected status=429 problem=too-many-requests"
                f" user={jane.id} key=- object=- quota=passwords"
            ]
            * 3
        )

    def test_anonymous(self, app, spent, run_roster):
        """Quotas of anonymous clients are recorded by address, for the operator."""
        for _ in range(2):
            spent.test_client().post("/v1/sessions", json=LOGIN)
        assert spent.extensions["roster"].background.drain(10)

        result = run_roster("events", "list", "--client", "127.0.0.1")

        _, row = [line.split("\t") for line in result.stdout.splitlines()]
        assert row[1:3] == ["quota.exceeded", "client#127.0.0.1"]
        assert row[-1] == "2"

    @pytest.mark.parametrize("address", ["jane@example.com", "flooded@example.com"])
    def test_emails(self, email_app, john, jane, lines, address):
        """Emails over the quota of an account are recorded, also for unknown addresses."""
        for _ in range(EMAIL_QUOTA.quota + 2):
            email_app.test_client().post("/v1/email-verifications", json={"email": address})

        assert len([line for line in lines() if "quota=mails" in line]) == 2
        expected = [("quota.exceeded", "mails", 2)] if address.startswith("jane") else []
        assert merged(email_app, john, user=jane.id) == expected


class TestEmails:
    def test_wrong_code(self, email_app, jane, edit_row, sent_emails):
        """M8: the owner learns of a correct password with a wrong code, the client does not."""
        edit_row(jane, email_verified=True)
        jane.client = email_app.test_client()
        secret = jane.post("/v1/users/me/second-factor").json["secret"]
        code = Authenticator(secret, time.time).code()
        jane.post("/v1/users/me/second-factor/confirm", json={"otp": code})
        right = {"login": "jane", "password": PASSWORD}
        first = jane.client.post("/v1/sessions", json={**right, "otp": code})
        again = jane.client.post("/v1/sessions", json={**right, "otp": code})

        assert email_app.extensions["roster"].background.drain(10)
        kinds = [email.kind for email in sent_emails()]
        assert kinds.count(EmailKind.WRONG_CODE) == 1
        assert outcome(first) == outcome(again) == (401, "second-factor-required", [])
        assert first.json["detail"] == again.json["detail"]

    def test_deleted_by_an_admin(self, email_app, john, jane, edit_row, sent_emails):
        """M8: the owner is notified of a deletion by an admin."""
        edit_row(jane, email_verified=True)
        john.client = email_app.test_client()
        john.delete(jane.path)

        assert [(email.kind, email.to) for email in sent_emails()] == [
            (EmailKind.ACCOUNT_DELETED, "jane@example.com")
        ]


class TestSecrets:
    def test_nothing_personal(self, app, client, john, jane, lines):
        """Lines have no names, addresses, passwords or tokens (ASVS 16.2.5)."""
        client.post("/v1/sessions", json=LOGIN)
        client.post("/v1/sessions", json={"login": "jane@example.com", "password": PASSWORD})
        jane.get("/v1/users")
        john.get(f"/v1/users/{ABSENT_ID}")
        client.get("/v1/users/me", headers={"Authorization": f"Bearer {jane.token}x"})

        text = "\n".join(lines())
        for secret in ("jane", "john", "example.com", PASSWORD, jane.token, jane.session_id):
            assert secret not in text
