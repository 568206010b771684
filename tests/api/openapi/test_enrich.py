"""The OpenAPI 3.1 description: content and quality."""

import re

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from api import openapi
from api.oauth_errors import STATUSES
from api.openapi.swagger import operations
from api.problems import MEDIA_TYPE, PROBLEMS
from api.v1.api_keys.schemas import new_api_key
from api.v1.clients.schemas import client_patch, new_client
from api.v1.email_verifications.schemas import verification, verification_request
from api.v1.invitations.schemas import acceptance, new_invitation
from api.v1.password_resets.schemas import reset, reset_request
from api.v1.second_factors.schemas import confirmation as first_code
from api.v1.sessions.schemas import credentials, reauthentication
from api.v1.users.schemas import new_user, password_change, user_patch
from api.validation import to_json_schema

BODIES = [
    new_user,
    user_patch,
    password_change,
    credentials,
    reauthentication,
    first_code,
    new_api_key,
    new_client,
    client_patch,
    new_invitation,
    acceptance,
    reset_request,
    reset,
    verification_request,
    verification,
]
ANNOTATIONS = {"description", "example", "examples", "x-rule"}
# A name that generated clients can use as a method name in any language, unchanged.
METHOD_NAME = re.compile("[a-z]+(_[a-z]+)*")
# Problems of no operation: of unknown URLs and methods, and of layers below HTTP.
OF_NO_OPERATION = {"bad-request", "method-not-allowed"}
# Operations that compute a hash, send an email, or accept a secret that can be guessed.
WITH_QUOTA = {
    "accept_invitation",
    "create_user",
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
# Operations of OAuth, of which only failures to authenticate are limited.
OF_OAUTH = ("introspect_token", "create_oauth_token")
# Public operations: signing in, account recovery, and the health of the service.
FREE = {
    "accept_invitation",
    "sign_in",
    "request_password_reset",
    "confirm_password_reset",
    "request_email_verification",
    "check_live",
    "check_ready",
    "get_problem_type",
    "list_problem_types",
}


@pytest.fixture(scope="module")
def document(app_without_tables):
    return openapi.document(app_without_tables)


@pytest.fixture
def schemas(document):
    return document["components"]["schemas"]


@pytest.fixture
def operations_by_id(document):
    """Return the operations by id."""
    return {operation["operationId"]: operation for _, _, operation in operations(document)}


@pytest.fixture
def responses(operations_by_id):
    """Return each response as (operation id, status, response object)."""
    return [
        (name, status, response)
        for name, operation in operations_by_id.items()
        for status, response in operation["responses"].items()
    ]


def constraints(schema):
    """Return a schema without its annotations."""
    if isinstance(schema, dict):
        return {k: constraints(v) for k, v in schema.items() if k not in ANNOTATIONS}
    return schema


def names(response):
    return set(response["headers"])


class TestDocument:
    def test_is_valid(self, document):
        """A third-party validator accepts it as OpenAPI 3.1."""
        assert document["openapi"] == "3.1.0"
        assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []

    def test_describes_what_swagger_describes(self, app_without_tables, document):
        """Both descriptions have the same operations under the same ids."""
        old, new = (
            [(path, method, operation["operationId"], list(operation["responses"]))
             for path, method, operation in operations(each)]
            for each in (openapi.document(app_without_tables, "swagger"), document)
        )  # fmt: skip

        assert new == old

    def test_references_resolve(self, app_without_tables, document):
        """Every component is used, and every reference resolves."""
        used = re.findall(r'"#/components/(\w+)/([^"]+)"', openapi.render(app_without_tables))
        parts = document["components"].items()
        there = {(kind, name) for kind, part in parts for name in part}

        named = {("securitySchemes", name) for name in document["components"]["securitySchemes"]}
        assert set(used) == there - named

    def test_no_swagger_2_0_keywords(self, app_without_tables):
        """No keyword remains that exists only in Swagger 2.0."""
        words = {"definitions", "x-nullable", "consumes", "produces", "x-openapi", "x-example"}

        assert {
            word for word in words if f'"{word}":' in openapi.render(app_without_tables)
        } == set()


class TestOperations:
    def test_ids(self, operations_by_id):
        """Each operation id is a valid method name; the ids do not change."""
        assert [name for name in operations_by_id if not METHOD_NAME.fullmatch(name)] == []
        assert set(operations_by_id) == {
            "list_users",
            "create_user",
            "get_user",
            "update_user",
            "delete_user",
            "move_names",
            "change_password",
            "list_user_sessions",
            "end_user_sessions",
            "start_password_reset",
            "unlock_user",
            "list_user_events",
            "list_events",
            "get_statistics",
            "sign_in",
            "reauthenticate",
            "list_sessions",
            "sign_out_everywhere",
            "sign_out",
            "end_session",
            "get_second_factor",
            "enrol_second_factor",
            "confirm_second_factor",
            "renew_recovery_codes",
            "disable_second_factor",
            "create_api_key",
            "list_api_keys",
            "revoke_api_key",
            "revoke_api_keys",
            "create_invitation",
            "list_invitations",
            "get_invitation",
            "resend_invitation",
            "revoke_invitation",
            "accept_invitation",
            "create_client",
            "list_clients",
            "get_client",
            "update_client",
            "delete_client",
            "create_client_secret",
            "revoke_client_secret",
            "request_password_reset",
            "confirm_password_reset",
            "request_email_verification",
            "confirm_email",
            "create_access_token",
            "verify_request",
            "introspect_token",
            "create_oauth_token",
            "check_live",
            "check_ready",
            "get_problem_type",
            "list_problem_types",
        }

    def test_security(self, document, operations_by_id):
        """Tokens are bearer tokens, and each operation states whether it needs one."""
        scheme = document["components"]["securitySchemes"]["bearerAuth"]
        free = {name for name, operation in operations_by_id.items() if operation["security"] == []}

        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
        assert free == FREE
        assert operations_by_id["confirm_email"]["security"] == [{"bearerAuth": []}, {}]
        assert operations_by_id["delete_user"]["security"] == [{"bearerAuth": []}]

    def test_scopes_of_clients(self, document, operations_by_id):
        """Each operation that is open to clients names the scope that opens it."""
        scopes = {
            name: requirement["clientSecret"]
            for name, operation in operations_by_id.items()
            for requirement in operation["security"]
            if requirement.get("clientSecret")
        }

        assert scopes == {
            "list_users": ["users:read"],
            "get_user": ["users:read"],
            "create_user": ["users:write"],
            "update_user": ["users:write"],
            "list_events": ["events:read"],
            "list_user_events": ["events:read"],
        }
        assert operations_by_id["create_user"]["security"][-1] == {}
        assert operations_by_id["create_oauth_token"]["security"] == [
            {"clientBasic": []},
            {"clientSecret": []},
            {},
        ]

    def test_create_leads_to_read_update_and_delete(self, operations_by_id):
        """Creating a user links to the operations that accept its id."""
        links = operations_by_id["create_user"]["responses"]["201"]["links"]

        assert links.keys() == {"get_user", "update_user", "delete_user"}
        assert links["get_user"]["parameters"] == {"id": "$response.body#/id"}

    def test_links_name_operations(self, operations_by_id, responses):
        """Each link names an existing operation."""
        linked = {
            link["operationId"]
            for _, _, response in responses
            for link in response.get("links", {}).values()
        }

        assert linked < operations_by_id.keys()

    def test_everything_is_described(self, document, operations_by_id):
        """Operations, responses, parameters and tags have a description."""
        parameters = [
            each
            for item in document["paths"].values()
            for part in item.values()
            for each in (part if isinstance(part, list) else part.get("parameters", []))
        ]

        assert all(operation["summary"] for operation in operations_by_id.values())
        assert all(parameter["description"] for parameter in parameters)
        assert all(tag["description"] for tag in document["tags"])


class TestResponses:
    def test_errors_are_problems_with_examples(self, responses):
        """Each error is problem+json, with a named example of each possible type."""
        errors = [each for each in responses if each[1] >= "400" and each[0] not in OF_OAUTH]

        assert errors
        for name, status, response in errors:
            media = response["content"][MEDIA_TYPE]
            assert list(response["content"]) == [MEDIA_TYPE]
            assert media["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert media["examples"], (name, status)
            assert {PROBLEMS[slug].status for slug in media["examples"]} == {int(status)}

    def test_errors_of_oauth(self, responses):
        """RFC 6749, 5.2: the errors of OAuth endpoints are JSON, with an example of each."""
        errors = [each for each in responses if each[1] >= "400" and each[0] in OF_OAUTH]

        assert errors
        for name, status, response in errors:
            [(kind, media)] = response["content"].items()
            assert kind == "application/json"
            assert media["schema"] == {"$ref": "#/components/schemas/OAuthError"}
            assert {each["value"]["error"] for each in media["examples"].values()} == {
                error for error in media["examples"] if int(status) in STATUSES[error]
            }, name

    def test_forms_of_oauth(self, operations_by_id):
        """The bodies of OAuth endpoints are forms."""
        kinds = {name: list(operations_by_id[name]["requestBody"]["content"]) for name in OF_OAUTH}

        assert list(kinds.values()) == [["application/x-www-form-urlencoded"]] * len(OF_OAUTH)

    def test_successes_are_json(self, responses):
        """Each response with content is JSON of a named schema; 204 and 304 have none."""
        contents = {
            status: {kind for _, other, each in responses if other == status
                     for kind in each.get("content", ())}
            for _, status, _ in responses
            if status < "400"
        }  # fmt: skip

        assert contents == {
            "200": {"application/json"},
            "201": {"application/json"},
            # Of a pending change of an address; emails are requested without content.
            "202": {"application/json"},
            "204": set(),
            "304": set(),
        }

    def test_headers(self, operations_by_id):
        """Headers are declared where the contract has them."""
        created = operations_by_id["create_user"]["responses"]["201"]

        assert {"Location", "ETag", "X-Request-Id", "Cache-Control"} <= names(created)
        assert "Idempotency-Replayed" in names(created)
        assert "Link" in names(operations_by_id["list_users"]["responses"]["200"])
        assert "ETag" in names(operations_by_id["get_user"]["responses"]["304"])
        assert "WWW-Authenticate" in names(operations_by_id["sign_in"]["responses"]["401"])
        assert "Retry-After" in names(operations_by_id["check_ready"]["responses"]["503"])

    def test_rate_limit_headers(self, operations_by_id, responses):
        """Successful and 429 responses have the remaining quota where requests are limited."""
        telling = {
            (name, status)
            for name, status, response in responses
            if {"RateLimit", "RateLimit-Policy"} <= names(response)
        }

        assert telling == {
            (name, status)
            for name in WITH_QUOTA
            for status in operations_by_id[name]["responses"]
            if status < "400" or status == "429"
        } | {(name, "429") for name in OF_OAUTH}

    def test_common_headers(self, responses):
        """Each response has a request id and forbids MIME sniffing."""
        always = {"X-Request-Id", "X-Content-Type-Options"}
        always |= {"Content-Security-Policy", "Referrer-Policy"}

        assert [each for each in responses if not always <= names(each[2])] == []

    def test_every_problem_is_used(self, document):
        """Each problem of the registry is a response of some operation, with few exceptions."""
        assert document["components"]["examples"].keys() == PROBLEMS.keys() - OF_NO_OPERATION

    @pytest.mark.parametrize("slug", sorted(PROBLEMS.keys() - OF_NO_OPERATION))
    def test_problem_example(self, document, schemas, slug):
        """An example has the registry's values in the form of the schema."""
        example = document["components"]["examples"][slug]["value"]
        schema = {"components": {"schemas": schemas}, **schemas["Problem"]}

        assert (example["type"], example["status"]) == (PROBLEMS[slug].type, PROBLEMS[slug].status)
        assert list(Draft202012Validator(schema).iter_errors(example)) == []


class TestSchemas:
    @pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
    def test_body_schemas_are_enforced(self, schemas, body):
        """The published schema of a body is the one that its validator was compiled from."""
        published, checked = schemas[body.name], to_json_schema(body.__schema__)

        assert constraints(published) == constraints(checked)
        assert published["additionalProperties"] is False

    def test_examples_are_valid(self, schemas):
        """Each schema and each field has an example that the schema accepts."""
        whole = {"components": {"schemas": schemas}}
        parts = [*schemas.values()]
        parts += [
            part for schema in schemas.values() for part in schema.get("properties", {}).values()
        ]

        for schema in parts:
            if "$ref" not in schema:
                validator = Draft202012Validator(
                    {**whole, **schema}, format_checker=FormatChecker()
                )
                assert [list(validator.iter_errors(each)) for each in schema["examples"]] == [[]]

    def test_fields_are_described(self, schemas):
        """Each field or its schema has a description."""
        assert [
            (name, key)
            for name, schema in schemas.items()
            for key, field in schema.get("properties", {}).items()
            if not field.keys() & {"description", "$ref"}
        ] == []

    @pytest.mark.parametrize("name", ["Problem", "ProblemType"])
    def test_types_of_problems(self, schemas, name):
        """Generated clients know every type as a path, and accept it as an absolute URL."""
        path, url = schemas[name]["properties"]["type"]["anyOf"]

        assert path == {"$ref": "#/components/schemas/ProblemTypePath"}
        assert schemas["ProblemTypePath"]["enum"] == [each.type for each in PROBLEMS.values()]
        assert re.search(url["pattern"], "https://a.example/b/problems/email-taken")
        assert not re.search(url["pattern"], "/problems/email-taken")

    def test_null_is_a_type(self, schemas):
        """A nullable field includes null in its type, as in JSON Schema."""
        assert schemas["User"]["properties"]["full_name"]["type"] == ["string", "null"]
        assert schemas["UserPatch"]["properties"]["metadata"]["type"] == ["object", "null"]
