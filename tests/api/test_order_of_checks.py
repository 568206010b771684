"""404 route, 405, 401, 403, 415/400/422 body, database: each request breaks two rules."""

from dataclasses import replace

import pytest

from models import SignUp
from tests.support.responses import outcome

JSON = "application/json"


class TestOrderOfChecks:
    @pytest.mark.parametrize(
        "method, path, options, expected",
        [
            ("BREW", "/v1/nothing", {}, 404),
            ("DELETE", "/v1/nothing", {"headers": {"Authorization": "x"}}, 404),
            ("PUT", "/v1/users", {"headers": {"Authorization": "x"}}, 405),
            ("PUT", "/v1/sessions", {"data": "{", "content_type": JSON}, 405),
            ("GET", "/v1/users?limit=0", {}, 401),
            ("PATCH", "/v1/users/me", {"data": "x" * 70_000}, 401),
            ("PATCH", "/v1/users/me", {"data": "{", "content_type": JSON}, 401),
            ("PATCH", "/v1/users/me", {"json": {"roles": ["admin"]}}, 401),
            ("PUT", "/v1/users/me/password", {"json": {}}, 401),
            ("POST", "/v1/sessions", {"data": "{", "content_type": "text/plain"}, 415),
            ("POST", "/v1/sessions", {"data": "x" * 70_000, "content_type": "text/plain"}, 415),
            ("POST", "/v1/sessions", {"data": '{"a":1,"a":2}', "content_type": JSON}, 400),
        ],
    )
    def test_anonymous(self, tableless_client, method, path, options, expected):
        """The first rule that an anonymous request breaks decides."""
        assert outcome(tableless_client.open(path, method=method, **options))[0] == expected

    @pytest.mark.parametrize(
        "method, path, options, expected",
        [
            ("GET", "/v1/users?limit=0&nope=1", {}, 403),
            ("PATCH", "/v1/users/me", {"json": {"roles": [5], "nope": 1}}, 403),
            ("POST", "/v1/users", {"json": {"status": 5}}, 403),
            ("PATCH", "/v1/users/me", {"data": "{", "content_type": "text/plain"}, 415),
            ("PATCH", "/v1/users/me", {"json": {"nope": 1}, "headers": {"If-Match": '"9"'}}, 422),
            ("PATCH", "/v1/users/me", {"json": {"username": "eve", "nope": 1}}, 422),
            ("PUT", "/v1/users/me/password", {"json": {"current_password": "x"}}, 422),
        ],
    )
    def test_user(self, jane, eve, method, path, options, expected):
        """The first rule that a user's request breaks decides."""
        assert outcome(jane.request(method, path, **options))[0] == expected

    @pytest.mark.parametrize("body", ["{", "{}", '{"nope": 1}'])
    def test_permission_before_body(self, john, jane, body):
        """An admin may not set another user's password, whatever the body contains."""
        response = john.put(f"{jane.path}/password", data=body, content_type=JSON)

        assert outcome(response) == (403, "forbidden", [])

    def test_sign_up_closed_before_body(self, make_app, jane):
        """With sign-up closed, a user is rejected before the body is read."""
        other = replace(jane, client=make_app(signup=SignUp.CLOSED).test_client())

        response = other.post("/v1/users", data="{", content_type=JSON)

        assert outcome(response) == (403, "forbidden", [])

    @pytest.mark.parametrize("path", ["/v1/users", "/v1/sessions"])
    def test_body_before_database(self, no_database_client, path):
        """An invalid body is rejected without a call to the database."""
        assert outcome(no_database_client.post(path, json={}))[0] == 422
