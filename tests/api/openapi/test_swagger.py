"""The Swagger 2.0 description."""

import re

import pytest

from api import openapi

# What every URL takes and no description lists.
IMPLIED = {"HEAD", "OPTIONS"}
DESCRIBED = ("/v1/", "/health/", "/problems/")
WITH_BODY = {
    "create_user",
    "update_user",
    "change_password",
    "sign_in",
    "reauthenticate",
    "confirm_second_factor",
    "create_api_key",
    "request_password_reset",
    "confirm_password_reset",
    "request_email_verification",
    "confirm_email",
}


@pytest.fixture(scope="module")
def document(bare):
    return openapi.document(bare, "swagger")


@pytest.fixture
def operations(document):
    """Every operation as (method, path, what is said about it)."""
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


@pytest.fixture
def guarded(operations):
    """The operations that need a session."""
    return [each for each in operations if each[2].get("security") == [{"bearerAuth": []}]]


class TestDocument:
    def test_served(self, anybody, document):
        """/swagger.json serves this document."""
        response = anybody.get("/swagger.json")

        assert response.status_code == 200
        assert response.mimetype == "application/json"
        assert response.json == document

    def test_every_route_and_no_other(self, bare, operations):
        """Each route is described with each of its methods, and nothing that is no route."""
        routes = {
            (method, re.sub("<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule))
            for rule in bare.url_map.iter_rules()
            if rule.rule.startswith(DESCRIBED)
            for method in rule.methods - IMPLIED
        }

        assert {(method, path) for method, path, _ in operations} == routes

    def test_who_needs_a_session(self, guarded):
        """Exactly the routes of signed-in users ask for a token."""
        assert {(method, path) for method, path, _ in guarded} == {
            ("GET", "/v1/users"),
            ("GET", "/v1/users/{id}"),
            ("PATCH", "/v1/users/{id}"),
            ("DELETE", "/v1/users/{id}"),
            ("PUT", "/v1/users/{id}/password"),
            ("GET", "/v1/users/{id}/sessions"),
            ("DELETE", "/v1/users/{id}/sessions"),
            ("POST", "/v1/users/{id}/password-reset"),
            ("DELETE", "/v1/users/{id}/lock"),
            ("GET", "/v1/users/{id}/events"),
            ("GET", "/v1/users/{id}/api-keys"),
            ("POST", "/v1/users/{id}/api-keys"),
            ("DELETE", "/v1/users/{id}/api-keys/{key_id}"),
            ("GET", "/v1/users/{id}/second-factor"),
            ("POST", "/v1/users/{id}/second-factor"),
            ("DELETE", "/v1/users/{id}/second-factor"),
            ("POST", "/v1/users/{id}/second-factor/confirm"),
            ("POST", "/v1/users/{id}/second-factor/recovery-codes"),
            ("POST", "/v1/sessions/current/reauthenticate"),
            ("GET", "/v1/sessions"),
            ("DELETE", "/v1/sessions"),
            ("DELETE", "/v1/sessions/current"),
            ("DELETE", "/v1/sessions/{id}"),
        }

    def test_guarded_routes_say_so(self, anybody, guarded):
        """Each route with a token in its description answers 401 without one, as described."""
        answers = [
            anybody.open(path.replace("{id}", "me"), method=method) for method, path, _ in guarded
        ]

        assert {answer.status_code for answer in answers} == {401}
        assert all("401" in operation["responses"] for _, _, operation in guarded)

    def test_sign_up_takes_a_token_or_none(self, document):
        """Registering works with and without a token."""
        security = document["paths"]["/v1/users"]["post"]["security"]

        assert security == [{"bearerAuth": []}, {}]

    def test_bodies_are_described(self, operations):
        """Each operation with a body says which media types it takes and what it refuses."""
        taking = [
            said
            for _, _, said in operations
            if any(parameter["in"] == "body" for parameter in said.get("parameters", ()))
        ]

        assert {said["operationId"] for said in taking} == WITH_BODY
        assert all(said["consumes"] for said in taking)
        assert all({"400", "413", "415", "422"} <= said["responses"].keys() for said in taking)

    def test_errors_are_problems(self, operations):
        """Every described error has the schema of a problem."""
        errors = [
            answer["schema"]
            for _, _, said in operations
            for status, answer in said["responses"].items()
            if status >= "400"
        ]

        assert errors == [{"$ref": "#/definitions/Problem"}] * len(errors)

    def test_operation_ids_are_unique(self, operations):
        """Generated clients name their functions after the operation ids."""
        ids = [said["operationId"] for _, _, said in operations]

        assert len(set(ids)) == len(ids)

    def test_every_operation_has_a_summary(self, operations):
        """Each operation says in one line what it does."""
        assert all(said["summary"] for _, _, said in operations)

    def test_references_lead_somewhere(self, bare, document):
        """Every `$ref` names a definition, and every definition is used."""
        used = set(re.findall(r'"#/definitions/([^"]+)"', openapi.render(bare, "swagger")))

        assert used == set(document["definitions"])

    def test_nothing_secret_is_shown(self, document):
        """No answer has a member for a password or a hash."""
        assert "password" not in str(document["definitions"]["User"])
        assert "hash" not in str(document["definitions"])

    def test_no_notes(self, bare):
        """What decorators note for OpenAPI 3.1 is not shown here."""
        notes = re.findall(r'"x-(?!nullable|rule|example)[^"]*"', openapi.render(bare, "swagger"))

        assert notes == []

    def test_no_pruning(self, bare):
        """RESTX's `X-Fields` header is neither described nor known."""
        assert "X-Fields" not in openapi.render(bare, "swagger")
