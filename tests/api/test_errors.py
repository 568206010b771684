"""Every error there is, as problem+json, and what every response carries."""

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
    def test_members(self, anybody):
        """A problem has the contract's members; `errors` only where members are at fault."""
        response = anybody.get("/v1/nothing")

        assert outcome(response) == (404, "not-found", [])
        assert set(response.json) == {"type", "title", "status", "detail", "request_id"}
        assert response.json["title"] == PROBLEMS["not-found"].title

    def test_errors(self, anybody):
        """Each entry of `errors` is a JSON pointer and a sentence."""
        response = anybody.post("/v1/sessions", json={"login": 1, "password": 2})

        assert outcome(response) == (422, "invalid-request", ["/login", "/password"])
        assert [set(entry) for entry in response.json["errors"]] == [{"pointer", "detail"}] * 2

    @pytest.mark.parametrize(
        "member, pointer", [("a/b", "/a~1b"), ("a~b", "/a~0b"), ("", "/"), ("\n", "/\n")]
    )
    def test_pointers_are_escaped(self, anybody, member, pointer):
        """A pointer names its member as RFC 6901 writes it."""
        body = {"login": "jane", "password": "x", member: 1}

        response = anybody.post("/v1/sessions", json=body)

        assert outcome(response) == (422, "invalid-request", [pointer])

    @pytest.mark.parametrize(
        "raw",
        [
            '{"metadata": {"%s": ["\\u0000", "\\u0000"]}}',
            '{"metadata": {"%s": 1, "%s": 2}}',
            '{"%s": 1, "login": "jane", "password": "x"}',
        ],
    )
    def test_long_names_are_not_repeated(self, anybody, raw):
        """A name as long as a body is not told back for each fault inside it (ASVS 15.2.2)."""
        body = raw.replace("%s", "n" * 30_000)

        response = anybody.post("/v1/sessions", data=body, content_type=JSON)

        assert response.status_code in (400, 422)
        assert len(response.data) < 8192

    def test_pointer_leads_to_the_nearest_short_name(self, anybody):
        """What has too long a name is said of what holds it."""
        body = {"metadata": {"team": {"n" * 2000: "\0"}}}

        response = anybody.post("/v1/sessions", json=body)

        assert outcome(response) == (422, "invalid-request", ["/metadata/team"])

    def test_media_type_is_not_repeated_at_length(self, anybody):
        """A `Content-Type` of any length gets a short answer."""
        response = anybody.post("/v1/sessions", data="{}", content_type="a/" + "b" * 9000)

        assert outcome(response) == (415, "unsupported-media-type", [])
        assert len(response.data) < 1024

    @pytest.mark.parametrize(
        "path", ["/nothing", "/v1", "/v1/", "/v1/nothing", "/v1/users/", "/v1/users/a/b", "/%FF"]
    )
    def test_unknown_url(self, anybody, path):
        """An URL that leads nowhere is a 404."""
        assert outcome(anybody.get(path)) == (404, "not-found", [])

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
    def test_method_is_not_allowed(self, anybody, method, path, allowed):
        """A 405 lists the methods that the URL takes."""
        response = anybody.open(path, method=method)

        assert outcome(response) == (405, "method-not-allowed", [])
        assert set(response.headers["Allow"].split(", ")) == allowed

    def test_body_is_too_large(self, anybody):
        """One byte over 64 KB is a 413."""
        response = anybody.post("/v1/sessions", data="x" * 65_537, content_type=JSON)

        assert outcome(response) == (413, "payload-too-large", [])

    def test_body_is_just_small_enough(self, anybody):
        """64 KB are read; here they are no JSON."""
        response = anybody.post("/v1/sessions", data="x" * 65_536, content_type=JSON)

        assert outcome(response) == (400, "malformed-json", [])

    @pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_media_type(self, anybody, media_type):
        """A body that does not say that it is JSON is a 415: no HTML form can send one."""
        response = anybody.post("/v1/sessions", data="{}", content_type=media_type)

        assert outcome(response) == (415, "unsupported-media-type", [])

    @pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", ""])
    def test_json_whatever_is_accepted(self, anybody, accept):
        """Errors are problem+json, also to a browser."""
        response = anybody.get("/v1/users", headers={"Accept": accept})

        assert outcome(response) == (401, "unauthenticated", [])


class TestFailure:
    @pytest.mark.parametrize("path", ["/boom", "/v1/boom"])
    def test_a_view_raises(self, make_app, caplog, path):
        """A fault of ours is a 500 with the request's id; the details are in the log only."""
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
        """Whatever the framework aborts with becomes a problem of our registry."""
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
    def test_store_is_out_of_reach(self, nowhere, method, path, body):
        """Without its store the service says so, when to try again, and nothing of the inside."""
        response = nowhere.open(path, method=method, json=body)

        assert outcome(response) == (503, "store-unavailable", [])
        assert int(response.headers["Retry-After"]) > 0
        assert "127.0.0.1" not in response.text

    def test_token_while_the_store_is_out_of_reach(self, nowhere, jane):
        """A good token is no 401 while nobody can look it up."""
        response = replace(jane, client=nowhere).get("/v1/users/me")

        assert outcome(response) == (503, "store-unavailable", [])


class TestProblems:
    @pytest.mark.parametrize("slug, status", CONTRACT)
    def test_contract(self, slug, status):
        """Every type of the contract is in the registry with its status."""
        assert PROBLEMS[slug].status == status

    @pytest.mark.parametrize("slug", sorted(PROBLEMS))
    def test_type_resolves(self, anybody, slug):
        """The `type` of a problem leads to its explanation."""
        response = anybody.get(f"/problems/{slug}")

        assert response.status_code == 200
        assert response.json == {
            "type": f"/problems/{slug}",
            "status": PROBLEMS[slug].status,
            "title": PROBLEMS[slug].title,
            "meaning": PROBLEMS[slug].meaning,
        }

    @pytest.mark.parametrize("slug", ["nothing", "Forbidden", "__class__", "%00", "é"])
    def test_no_such_problem(self, anybody, slug):
        """Any other name is a 404, itself a problem."""
        assert outcome(anybody.get(f"/problems/{slug}")) == (404, "not-found", [])
