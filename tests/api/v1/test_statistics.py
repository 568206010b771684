"""GET /v1/statistics: what counts as a sign-up, a sign-in and a failed sign-in."""

import time
from datetime import UTC, datetime

import pytest

from roster.email.file_backend import FileBackend, link_of
from tests.support.authenticator import Authenticator
from tests.support.person import NEW_PASSWORD, PASSWORD
from tests.support.responses import ADA

PATH = "/v1/statistics"


@pytest.fixture
def today(app, john):
    """Return a function that returns the counts of today without those of the preconditions."""

    def read():
        assert app.extensions["roster"].background.drain(10)
        day = john.get(PATH).json["days"][0]
        return {name: number for name, number in day.items() if name != "date"}

    before = read()
    return lambda: {name: number - before[name] for name, number in read().items()}


class TestGet:
    def test_body(self, john, jane):
        """The response has the number of users, and 30 days, today first."""
        body = john.get(PATH).json

        assert body["users"] == 2
        assert len(body["days"]) == 30
        assert body["days"][0].keys() == {"date", "sign_ups", "sign_ins", "failed_sign_ins"}
        assert body["days"][0]["date"] == datetime.now(UTC).date().isoformat()

    @pytest.mark.parametrize("days", [1, 7, 400])
    def test_days(self, john, days):
        """`days` is the number of days."""
        assert len(john.get(PATH, query_string={"days": days}).json["days"]) == days

    @pytest.mark.parametrize("days", ["0", "401", "-1", "x", "", "1.5", "9" * 400])
    def test_invalid_days(self, john, days):
        """Another number is rejected by name, before the database is asked for anything."""
        response = john.get(PATH, query_string={"days": days})

        assert response.status_code == 422
        assert [each["pointer"] for each in response.json["errors"]] == ["/days"]


class TestSignUps:
    def test_by_anyone(self, client, today):
        """A sign-up is counted once."""
        assert client.post("/v1/users", json=ADA).status_code == 201
        assert client.post("/v1/users", json=ADA).status_code == 409
        assert today() == {"sign_ups": 1, "sign_ins": 0, "failed_sign_ins": 0}

    def test_by_an_admin(self, john, today):
        """A user that an admin creates is a sign-up, too."""
        john.post("/v1/users", json=ADA)

        assert today()["sign_ups"] == 1

    def test_repeat(self, client, today):
        """A repeated request with an idempotency key is not counted again."""
        headers = {"Idempotency-Key": "5f0d3a17-91c2-4e05-8a35-9d2f0c8b71aa"}
        for _ in range(2):
            assert client.post("/v1/users", json=ADA, headers=headers).status_code == 201

        assert today()["sign_ups"] == 1


class TestSignIns:
    def test_password(self, jane, today):
        """A sign-in is counted, and a reauthentication is not."""
        jane.sign_in()
        jane.post("/v1/sessions/current/reauthenticate", json={"password": PASSWORD})

        assert today() == {"sign_ups": 0, "sign_ins": 1, "failed_sign_ins": 0}

    @pytest.mark.parametrize("login", ["jane", "nobody"])
    def test_wrong(self, jane, today, login):
        """A wrong password and an unknown login are failed sign-ins."""
        body = {"login": login, "password": "not the password"}
        assert jane.client.post("/v1/sessions", json=body).status_code == 401
        assert today() == {"sign_ups": 0, "sign_ins": 0, "failed_sign_ins": 1}

    def test_code(self, jane, today):
        """The first of two steps is no failed sign-in, and a wrong code is one."""
        secret = jane.post(f"{jane.path}/second-factor").json["secret"]
        authenticator = Authenticator(secret, time.time)
        confirmation = {"otp": authenticator.code()}
        jane.post(f"{jane.path}/second-factor/confirm", json=confirmation)
        body = {"login": "jane", "password": PASSWORD}
        statuses = [
            jane.client.post("/v1/sessions", json=body | more).status_code
            for more in ({}, {"otp": "000000"}, {"otp": authenticator.code(1)})
        ]

        assert statuses == [401, 401, 201]
        assert today() == {"sign_ups": 0, "sign_ins": 1, "failed_sign_ins": 1}

    def test_after_a_reset(self, email_app, email_folder, jane, today):
        """A password reset that signs in is a sign-in."""
        jane.client = email_app.test_client()
        services = email_app.extensions["roster"]
        jane.client.post("/v1/password-resets", json={"email": "jane@example.com"})
        assert services.second_factors.mailer.drain(10)
        folder = FileBackend(email_folder)
        [link] = filter(None, (link_of(folder.find(id)) for id in folder.ids()))
        token = link.partition("#token=")[2]
        body = {"token": token, "new_password": NEW_PASSWORD, "sign_in": True}
        response = jane.client.post("/v1/password-resets/confirm", json=body)
        assert services.background.drain(10)

        assert response.status_code == 201
        assert today()["sign_ins"] == 1
