"""Every error as problem+json, and the headers of every response."""

from dataclasses import replace

import pytest
from flask import abort

from api.problems import PROBLEMS
from tests.support.responses import ADA, outcome

CONTRACT = [
    ("malformed-json", 400),
    ("invalid-cursor", 400),
    ("unauthenticated", 401),
    ("invalid-credentials", 401),
    ("forbidden", 403),
    ("not-found", 404),
    ("user-not-found", 404),
    ("session-not-found", 404),
    ("method-not-allowed", 405),
    ("payload-too-large", 413),
    ("unsupported-media-type", 415),
    ("username-taken", 409),
    ("email-taken", 409),
    ("last-admin", 409),
    ("version-mismatch", 412),
    ("invalid-request", 422),
    ("too-many-requests", 429),
    ("internal-error", 500),
    ("store-unavailable", 503),
]
JSON = "application/json"
SECRET = "engine said: table users at 10.0.0.7"


def fail():
    raise RuntimeError(SECRET)


class TestShape:
    def test_fields(self, tableless_client):
        """A problem has the contract's fields; `errors` is present only for invalid fields."""
        response = tableless_client.get("/v1/nothing")

        assert outcome(response) == (404, "not-found", [])
        assert set(response.json) == {"type", "title", "status", "detail", "request_id"}
        assert response.json["title"] == PROBLEMS["not-found"].title

    def test_errors(self, tableless_client):
        """Each entry of `errors` is a JSON pointer and a sentence."""
        response = tableless_client.post("/v1/sessions", json={"login": 1, "password": 2})

        assert outcome(response) == (422, "invalid-request", ["/login", "/password"])
        assert [set(entry) for entry in response.json["errors"]] == [{"pointer", "detail"}] * 2

    @pytest.mark.parametrize(
        "field, pointer", [("a/b", "/a~1b"), ("a~b", "/a~0b"), ("", "/"), ("\n", "/\n")]
    )
    def test_pointers_are_escaped(self, tableless_client, field, pointer):
        """A pointer escapes its field's name as in RFC 6901."""
        body = {"login": "jane", "password": "x", field: 1}

        response = tableless_client.post("/v1/sessions", json=body)

        assert outcome(response) == (422, "invalid-request", [pointer])

    @pytest.mark.parametrize(
        "raw",
        [
            '{"metadata": {"%s": ["\\u0000", "\\u0000"]}}',
            '{"metadata": {"%s": 1, "%s": 2}}',
            '{"%s": 1, "login": "jane", "password": "x"}',
        ],
    )
    def test_long_names_are_not_repeated(self, tableless_client, raw):
        """A name as long as a body is not repeated for each error inside it (ASVS 15.2.2)."""
        body = raw.replace("%s", "n" * 30_000)

        response = tableless_client.post("/v1/sessions", data=body, content_type=JSON)

        assert response.status_code in (400, 422)
        assert len(response.data) < 8192

    def test_pointer_stops_at_a_long_name(self, tableless_client):
        """An error in a field with a very long name points at the parent of the field."""
        body = {"metadata": {"team": {"n" * 2000: "\0"}}}

        response = tableless_client.post("/v1/sessions", json=body)

        assert outcome(response) == (422, "invalid-request", ["/metadata/team"])

    def test_long_media_type_is_not_repeated(self, tableless_client):
        """A `Content-Type` of any length gets a short response."""
        response = tableless_client.post("/v1/sessions", data="{}", content_type="a/" + "b" * 9000)

        assert outcome(response) == (415, "unsupported-media-type", [])
        assert len(response.data) < 1024

    @pytest.mark.parametrize(
        "path", ["/nothing", "/v1", "/v1/", "/v1/nothing", "/v1/users/", "/v1/users/a/b", "/%FF"]
    )
    def test_unknown_url(self, tableless_client, path):
        """An unknown URL is a 404."""
        assert outcome(tableless_client.get(path)) == (404, "not-found", [])

    @pytest.mark.parametrize(
        "method, path, allowed",
        [
            ("PUT", "/v1/users", {"GET", "HEAD", "POST", "OPTIONS"}),
            ("POST", "/v1/users/me", {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}),
            ("GET", "/v1/users/me/password", {"PUT", "OPTIONS"}),
            ("PATCH", "/v1/sessions", {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}),
            ("GET", "/v1/sessions/current", {"DELETE", "OPTIONS"}),
            ("POST", "/health/ready", {"GET", "HEAD", "OPTIONS"}),
            ("DELETE", "/problems/not-found", {"GET", "HEAD", "OPTIONS"}),
            ("TRACE", "/v1/users", {"GET", "HEAD", "POST", "OPTIONS"}),
            ("BREW", "/v1/users", {"GET", "HEAD", "POST", "OPTIONS"}),
        ],
    )
    def test_method_is_not_allowed(self, tableless_client, method, path, allowed):
        """A 405 lists the methods of the URL."""
        response = tableless_client.open(path, method=method)

        assert outcome(response) == (405, "method-not-allowed", [])
        assert set(response.headers["Allow"].split(", ")) == allowed

    def test_body_is_too_large(self, tableless_client):
        """A body one byte over 64 KB is a 413."""
        response = tableless_client.post("/v1/sessions", data="x" * 65_537, content_type=JSON)

        assert outcome(response) == (413, "payload-too-large", [])

    def test_largest_body(self, tableless_client):
        """A body of 64 KB is read; here it is a 400, since it is not JSON."""
        response = tableless_client.post("/v1/sessions", data="x" * 65_536, content_type=JSON)

        assert outcome(response) == (400, "malformed-json", [])

    @pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_media_type(self, tableless_client, media_type):
        """A body without a JSON media type is a 415, so that no HTML form can send one."""
        response = tableless_client.post("/v1/sessions", data="{}", content_type=media_type)

        assert outcome(response) == (415, "unsupported-media-type", [])

    @pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", ""])
    def test_accept_is_ignored(self, tableless_client, accept):
        """Errors are problem+json, to a browser too."""
        response = tableless_client.get("/v1/users", headers={"Accept": accept})

        assert outcome(response) == (401, "unauthenticated", [])


class TestInternalError:
    @pytest.mark.parametrize("path", ["/boom", "/v1/boom"])
    def test_view_raises(self, make_app, caplog, path):
        """An exception is a 500 with the request's id; its details are only in the log."""
        app = make_app()
        app.add_url_rule(path, view_func=fail)

        response = app.test_client().get(path, headers={"X-Request-Id": "known"})

        assert outcome(response) == (500, "internal-error", [])
        assert SECRET not in response.text
        assert "Traceback" not in response.text
        assert "known" in caplog.text
        assert SECRET in caplog.text

    @pytest.mark.parametrize("status", [400, 402, 406, 408, 411, 418, 431, 500, 501, 502])
    def test_any_status_is_a_problem(self, make_app, status):
        """Every status of the framework becomes a problem of the registry."""
        app = make_app()
        app.add_url_rule("/abort", view_func=lambda: abort(status), endpoint="abort")

        response = app.test_client().get("/abort")

        assert outcome(response)[1] in PROBLEMS

    @pytest.mark.parametrize(
        "method, path, body",
        [
            ("POST", "/v1/users", ADA),
            ("POST", "/v1/sessions", {"login": "jane", "password": "x"}),
        ],
    )
    def test_database_unavailable(self, no_database_client, method, path, body):
        """Without a database the response is a 503 with `Retry-After` and no internal detail."""
        response = no_database_client.open(path, method=method, json=body)

        assert outcome(response) == (503, "store-unavailable", [])
        assert int(response.headers["Retry-After"]) > 0
        assert "127.0.0.1" not in response.text

    def test_token_while_the_database_is_unavailable(self, no_database_client, jane):
        """A valid token gets no 401 while it cannot be looked up."""
        response = replace(jane, client=no_database_client).get("/v1/users/me")

        assert outcome(response) == (503, "store-unavailable", [])


class TestProblems:
    @pytest.mark.parametrize("slug, status", CONTRACT)
    def test_contract(self, slug, status):
        """Every type of the contract is in the registry with its status."""
        assert PROBLEMS[slug].status == status

    @pytest.mark.parametrize("slug", sorted(PROBLEMS))
    def test_type_resolves(self, tableless_client, slug):
        """The `type` of a problem resolves to its explanation."""
        response = tableless_client.get(f"/problems/{slug}")

        assert response.status_code == 200
        assert response.json == {
            "type": f"/problems/{slug}",
            "status": PROBLEMS[slug].status,
            "title": PROBLEMS[slug].title,
            "meaning": PROBLEMS[slug].meaning,
        }

    @pytest.mark.parametrize("slug", ["nothing", "Forbidden", "__class__", "%00", "é"])
    def test_no_such_problem(self, tableless_client, slug):
        """An unknown name is a 404, itself a problem."""
        assert outcome(tableless_client.get(f"/problems/{slug}")) == (404, "not-found", [])


class TestPublicUrl:
    @pytest.fixture
    def client(self, make_app, config):
        """Return a client of a service with a public URL."""
        email = replace(config.email, base_url="https://a.example/b", has_public_url=True)
        return make_app(email=email).test_client()

    def test_errors(self, client):
        """RFC 9457, 3.1.1: the type of an error is an absolute URL."""
        response = client.get("/v1/users/me")

        assert response.status_code == 401
        assert response.json["type"] == "https://a.example/b/problems/unauthenticated"

    def test_explanations(self, client):
        """An explanation has the type of the error."""
        url = "https://a.example/b/problems/email-taken"

        assert client.get("/problems/email-taken").json["type"] == url
        assert url in [each["type"] for each in client.get("/problems").json["items"]]

    def test_request_is_ignored(self, client):
        """Neither `Host` nor a header of a proxy changes the type."""
        headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        response = client.get("/v1/users/me", headers=headers)

        assert response.json["type"] == "https://a.example/b/problems/unauthenticated"

    def test_default(self, make_app, config):
        """The default of the setting is no public URL: types are paths."""
        email = replace(config.email, base_url="https://a.example")
        response = make_app(email=email).test_client().get("/v1/users/me")

        assert response.json["type"] == "/problems/unauthenticated"
