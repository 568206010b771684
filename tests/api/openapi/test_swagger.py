"""The Swagger 2.0 description."""

import re

import pytest

from api import openapi
from tests.support.responses import ABSENT_ID

# Parameters of every URL that no description lists.
IMPLIED = {"HEAD", "OPTIONS"}
DESCRIBED = ("/v1/", "/oauth/", "/health/", "/problems")
WITH_BODY = {
    "create_user",
    "update_user",
    "move_names",
    "change_password",
    "sign_in",
    "reauthenticate",
    "confirm_second_factor",
    "create_api_key",
    "create_access_token",
    "create_invitation",
    "accept_invitation",
    "create_client",
    "update_client",
    "request_password_reset",
    "confirm_password_reset",
    "request_email_verification",
    "confirm_email",
}


@pytest.fixture(scope="module")
def document(app_without_tables):
    return openapi.document(app_without_tables, "swagger")


@pytest.fixture
def operations(document):
    """Return each operation as (method, path, operation object)."""
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


@pytest.fixture
def guarded(operations):
    """Return the operations that need a session, or the secret of a client."""
    return [
        each
        for each in operations
        if {"bearerAuth": []} in each[2]["security"] and {} not in each[2]["security"]
    ]


class TestDocument:
    def test_served(self, tableless_client, document):
        """/swagger.json serves this document."""
        response = tableless_client.get("/swagger.json")

        assert response.status_code == 200
        assert response.mimetype == "application/json"
        assert response.json == document

    def test_every_route_and_no_other(self, app_without_tables, operations):
        """Each route is described with each of its methods, and no other."""
        routes = {
            (method, re.sub("<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule))
            for rule in app_without_tables.url_map.iter_rules()
            # The same view on every path below is described by its text.
            if rule.rule.startswith(DESCRIBED) and rule.endpoint != "verify-path"
            for method in rule.methods - IMPLIED
        }

        assert {(method, path) for method, path, _ in operations} == routes

    def test_operations_that_need_a_session(self, guarded):
        """Exactly the routes of signed-in users require a token."""
        assert {(method, path) for method, path, _ in guarded} == {
            ("GET", "/v1/users"),
            ("GET", "/v1/users/{id}"),
            ("PATCH", "/v1/users/{id}"),
            ("DELETE", "/v1/users/{id}"),
            ("PUT", "/v1/users/{id}/password"),
            ("GET", "/v1/users/{id}/sessions"),
            ("DELETE", "/v1/users/{id}/sessions"),
            ("POST", "/v1/users/{id}/moves"),
            ("POST", "/v1/users/{id}/password-reset"),
            ("DELETE", "/v1/users/{id}/lock"),
            ("GET", "/v1/users/{id}/events"),
            ("GET", "/v1/events"),
            ("GET", "/v1/statistics"),
            ("GET", "/v1/users/{id}/api-keys"),
            ("POST", "/v1/users/{id}/api-keys"),
            ("DELETE", "/v1/users/{id}/api-keys"),
            ("DELETE", "/v1/users/{id}/api-keys/{key_id}"),
            ("POST", "/v1/tokens"),
            ("GET", "/v1/verify"),
            ("GET", "/v1/invitations"),
            ("POST", "/v1/invitations"),
            ("GET", "/v1/invitations/{invitation_id}"),
            ("DELETE", "/v1/invitations/{invitation_id}"),
            ("POST", "/v1/invitations/{invitation_id}/resend"),
            ("GET", "/v1/clients"),
            ("POST", "/v1/clients"),
            ("GET", "/v1/clients/{client_id}"),
            ("PATCH", "/v1/clients/{client_id}"),
            ("DELETE", "/v1/clients/{client_id}"),
            ("POST", "/v1/clients/{client_id}/secrets"),
            ("DELETE", "/v1/clients/{client_id}/secrets/{secret_id}"),
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

    def test_guarded_routes_reject_anonymous_clients(self, tableless_client, guarded):
        """Each route that requires a token returns the documented 401 without one."""
        responses = [
            tableless_client.open(
                path.replace("{id}", "me").replace("{invitation_id}", ABSENT_ID), method=method
            )
            for method, path, _ in guarded
        ]

        assert {response.status_code for response in responses} == {401}
        assert all("401" in operation["responses"] for _, _, operation in guarded)

    def test_sign_up_token_is_optional(self, document):
        """Registering works with and without a token."""
        security = document["paths"]["/v1/users"]["post"]["security"]

        assert security == [{"bearerAuth": []}, {"clientSecret": []}, {}]

    def test_bodies_are_described(self, operations):
        """Each operation with a body lists its media types and its errors."""
        taking = [
            operation
            for _, _, operation in operations
            if any(parameter["in"] == "body" for parameter in operation.get("parameters", ()))
        ]

        assert {operation["operationId"] for operation in taking} == WITH_BODY
        assert all(operation["consumes"] for operation in taking)
        assert all(
            {"400", "413", "415", "422"} <= operation["responses"].keys() for operation in taking
        )

    def test_errors_are_problems(self, operations):
        """Every documented error has the schema of a problem, or that of OAuth."""
        errors = [
            (path.startswith("/oauth/"), response["schema"]["$ref"])
            for _, path, operation in operations
            for status, response in operation["responses"].items()
            if status >= "400"
        ]

        assert set(errors) == {
            (False, "#/definitions/Problem"),
            (True, "#/definitions/OAuthError"),
        }

    def test_operation_ids_are_unique(self, operations):
        """Operation ids are unique, since generated clients name their functions after them."""
        ids = [operation["operationId"] for _, _, operation in operations]

        assert len(set(ids)) == len(ids)

    def test_every_operation_has_a_summary(self, operations):
        """Each operation has a summary."""
        assert all(operation["summary"] for _, _, operation in operations)

    def test_references_resolve(self, app_without_tables, document):
        """Every `$ref` names a definition, and every definition is used."""
        used = set(
            re.findall(r'"#/definitions/([^"]+)"', openapi.render(app_without_tables, "swagger"))
        )

        assert used == set(document["definitions"])

    def test_no_secrets(self, document):
        """No response has a field for a password or a hash."""
        assert "password" not in str(document["definitions"]["User"])
        assert "hash" not in str(document["definitions"])

    def test_no_internal_notes(self, app_without_tables):
        """Annotations for OpenAPI 3.1 are not part of this document."""
        notes = re.findall(
            r'"x-(?!nullable|rule|example)[^"]*"', openapi.render(app_without_tables, "swagger")
        )

        assert notes == []

    def test_no_pruning(self, app_without_tables):
        """RESTX's `X-Fields` header is neither documented nor supported."""
        assert "X-Fields" not in openapi.render(app_without_tables, "swagger")
