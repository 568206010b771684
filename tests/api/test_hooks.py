"""The effects of an operator's functions on responses of the API, and their limits."""

from dataclasses import replace

import pytest

from tests.support.api_keys import with_key
from tests.support.failing_hooks import SECRET
from tests.support.person import NEW_PASSWORD, PASSWORD
from tests.support.responses import ADA

REFUSE = """
def before_registration(registration):
    raise Refusal("Use your work address.", field="email", others=[Refusal("<b>No.</b>")])

def before_update(update):
    raise Refusal("Names are fixed.", field="full_name")

def before_sign_in(sign_in):
    raise Refusal("Closed until Monday.")
"""
ADD = """
def before_registration(registration):
    return Additions(app_metadata={"by": registration.caller.user_id, "plan": "trial"})
"""
COUNT = """
calls = []
def before_registration(registration):
    calls.append(registration)
    return Additions(app_metadata={"calls": len(calls)})
"""
STRANGE = """
from werkzeug.exceptions import Forbidden
from models.errors import InvalidCredentials

def before_registration(registration):
    raise Forbidden("a text for the log only")

def before_sign_in(sign_in):
    raise InvalidCredentials("a text for the log only")

def before_update(update):
    exit("a text for the log only")
"""
CREDENTIALS = {"login": "jane", "password": PASSWORD}


class TestRefusal:
    def test_registration(self, make_hooked_client, client, snapshot):
        """A refusal is a 422 in the form of every validation error, and nothing is stored."""
        before = snapshot()
        answer = make_hooked_client(REFUSE).post("/v1/users", json=ADA)

        assert answer.status_code == 422
        assert answer.json["type"] == "/problems/invalid-request"
        assert answer.json["detail"] == "Check /email, the request."
        assert answer.json["errors"] == [
            {"pointer": "/email", "detail": "Use your work address."},
            {"pointer": "", "detail": "<b>No.</b>"},
        ]
        assert snapshot() == before

    def test_admin(self, make_hooked_client, john):
        """An admin is refused like everyone."""
        answer = replace(john, client=make_hooked_client(REFUSE)).post("/v1/users", json=ADA)

        assert answer.status_code == 422

    def test_update(self, make_hooked_client, jane, snapshot):
        """A refused update names its field, and changes nothing."""
        before = snapshot()
        jane = replace(jane, client=make_hooked_client(REFUSE))
        answer = jane.patch("/v1/users/me", json={"full_name": "Jane"})

        assert answer.status_code == 422
        assert answer.json["errors"] == [{"pointer": "/full_name", "detail": "Names are fixed."}]
        assert snapshot() == before

    def test_sign_in(self, make_hooked_client, jane):
        """A refused sign-in has the reason as its detail."""
        answer = make_hooked_client(REFUSE).post("/v1/sessions", json=CREDENTIALS)

        assert answer.status_code == 422
        assert answer.json["detail"] == "Closed until Monday."
        assert answer.json["errors"] == [{"pointer": "", "detail": "Closed until Monday."}]

    @pytest.mark.parametrize("login", ["jane", "nobody"])
    def test_wrong_password(self, make_hooked_client, jane, login):
        """With a wrong password the answer reveals no refusal and no account."""
        wrong = {"login": login, "password": "not the password at all"}
        answer = make_hooked_client(REFUSE).post("/v1/sessions", json=wrong)

        assert answer.status_code == 401
        assert answer.json["type"] == "/problems/invalid-credentials"

    def test_present_sessions(self, make_hooked_client, jane):
        """Sessions and API keys from before are not affected."""
        client = make_hooked_client(REFUSE)

        assert replace(jane, client=client).get("/v1/users/me").status_code == 200
        assert replace(with_key(jane), client=client).get("/v1/users/me").status_code == 200


class TestAddition:
    def test_registration(self, make_hooked_client, john):
        """The response shows what was added."""
        client = make_hooked_client(ADD)
        anonymous = client.post("/v1/users", json=ADA).json
        other = {**ADA, "username": "eve", "email": "eve@example.com"}
        by_admin = replace(john, client=client).post("/v1/users", json=other).json

        assert anonymous["app_metadata"] == {"by": None, "plan": "trial"}
        assert by_admin["app_metadata"] == {"by": john.id, "plan": "trial"}

    def test_repeat(self, make_hooked_client):
        """A repeated request is answered like the first one, without another call."""
        client = make_hooked_client(COUNT)
        keyed = {"Idempotency-Key": "a-key-of-a-client"}
        first = client.post("/v1/users", json=ADA, headers=keyed)
        second = client.post("/v1/users", json=ADA, headers=keyed)
        other = {**ADA, "username": "eve", "email": "eve@example.com"}
        third = client.post("/v1/users", json=other)

        assert second.json == first.json
        assert second.headers["Idempotency-Replayed"] == "true"
        assert third.json["app_metadata"] == {"calls": 2}


class TestFailure:
    @pytest.mark.parametrize("module", ["tests.support.failing_hooks", None])
    def test_response(self, make_app, hook_module, jane, caplog, snapshot, module):
        """Whatever a function raises, the client gets a 503 without any of it."""
        client = make_app(hooks=module or hook_module(STRANGE)).test_client()
        jane, before = replace(jane, client=client), snapshot()
        answers = [
            client.post("/v1/users", json=ADA),
            client.post("/v1/sessions", json=CREDENTIALS),
            jane.patch("/v1/users/me", json={"full_name": "Jane"}),
        ]

        assert {answer.status_code for answer in answers} == {503}
        assert {answer.json["type"] for answer in answers} == {"/problems/hook-failed"}
        assert {answer.headers["Retry-After"] for answer in answers} == {"2"}
        assert not any(SECRET in answer.text for answer in answers)
        assert not any("for the log only" in answer.text for answer in answers)
        assert len([record for record in caplog.records if record.name == "roster.hooks"]) == 3
        assert snapshot() == before

    def test_no_secret(self, make_hooked_client, jane, capfd):
        """No function can read a password or a token: its argument has none."""
        client = make_hooked_client(
            """
def show(argument):
    print(argument.__class__.__name__, [getattr(argument.user, name) for name in (
        "password", "password_hash", "token") if hasattr(argument.user, name)], argument)

before_registration = before_sign_in = after_sign_in = after_registration = show
"""
        )
        client.post("/v1/users", json={**ADA, "password": NEW_PASSWORD})
        token = client.post("/v1/sessions", json=CREDENTIALS).json["token"]
        shown = capfd.readouterr().out

        assert shown.count("[]") == 4
        assert not any(secret in shown for secret in (PASSWORD, NEW_PASSWORD, token))

    def test_no_request(self, make_hooked_client):
        """A function has no access to the request, which has the password."""
        client = make_hooked_client(
            """
from flask import has_app_context, has_request_context

def before_registration(registration):
    return Additions(app_metadata={"context": has_request_context() or has_app_context()})
"""
        )

        answer = client.post("/v1/users", json=ADA)
        assert answer.json["app_metadata"] == {"context": False}
