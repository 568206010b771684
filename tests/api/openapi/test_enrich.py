"""The OpenAPI 3.1 description: what it says of Roster, and that it is well made."""

import re

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from api import openapi
from api.openapi.swagger import operations
from api.problems import MEDIA_TYPE, PROBLEMS
from api.v1.api_keys.routes import new_api_key
from api.v1.email_verifications.routes import verification, verification_request
from api.v1.password_resets.routes import reset, reset_request
from api.v1.second_factors.routes import first_code
from api.v1.sessions.routes import credentials, reauthentication
from api.v1.users.schemas import new_user, password_change, user_patch
from api.validation import strict

BODIES = [
    new_user,
    user_patch,
    password_change,
    credentials,
    reauthentication,
    first_code,
    new_api_key,
    reset_request,
    reset,
    verification_request,
    verification,
]
ANNOTATIONS = {"description", "example", "examples", "x-rule"}
# What a method name of a generated client can be without being changed, in any language.
METHOD_NAME = re.compile("[a-z]+(_[a-z]+)*")
# Problems that belong to no operation, but to URLs and methods that there are not, and to what is
# below HTTP.
OF_NO_OPERATION = {"bad-request", "method-not-allowed"}
# Whatever computes a hash, sends a mail, or takes a guess.
WITH_QUOTA = {
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
# For everybody: what signs in, what helps those who cannot, and what says how the service is.
FREE = {
    "sign_in",
    "request_password_reset",
    "confirm_password_reset",
    "request_email_verification",
    "confirm_email",
    "check_live",
    "check_ready",
    "get_problem_type",
}


@pytest.fixture(scope="module")
def document(bare):
    return openapi.document(bare)


@pytest.fixture
def schemas(document):
    return document["components"]["schemas"]


@pytest.fixture
def said(document):
    """What is said about each operation, by its id."""
    return {operation["operationId"]: operation for _, _, operation in operations(document)}


@pytest.fixture
def answers(said):
    """Every answer as (operation id, status, what is said about it)."""
    return [
        (name, status, response)
        for name, operation in said.items()
        for status, response in operation["responses"].items()
    ]


def constraints(schema):
    """A schema without what only people read."""
    if isinstance(schema, dict):
        return {k: constraints(v) for k, v in schema.items() if k not in ANNOTATIONS}
    return schema


def names(response):
    return set(response["headers"])


class TestDocument:
    def test_is_valid(self, document):
        """A validator of others accepts it as OpenAPI 3.1."""
        assert document["openapi"] == "3.1.0"
        assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []

    def test_describes_what_swagger_describes(self, bare, document):
        """Both descriptions have the same operations under the same names."""
        old, new = (
            [(path, method, said["operationId"], list(said["responses"]))
             for path, method, said in operations(each)]
            for each in (openapi.document(bare, "swagger"), document)
        )  # fmt: skip

        assert new == old

    def test_references_lead_somewhere(self, bare, document):
        """Every component is used, and everything that is used is there."""
        used = re.findall(r'"#/components/(\w+)/([^"]+)"', openapi.render(bare))
        parts = document["components"].items()
        there = {(kind, name) for kind, part in parts for name in part}

        assert set(used) == there - {("securitySchemes", "bearerAuth")}

    def test_nothing_is_left_of_2_0(self, bare):
        """No word of Swagger 2.0 survives that 3.1 does not know."""
        words = {"definitions", "x-nullable", "consumes", "produces", "x-openapi", "x-example"}

        assert {word for word in words if f'"{word}":' in openapi.render(bare)} == set()


class TestOperations:
    def test_ids(self, said):
        """Each operation's id is good as the name of a method; they are stable for ever."""
        assert [name for name in said if not METHOD_NAME.fullmatch(name)] == []
        assert set(said) == {
            "list_users",
            "create_user",
            "get_user",
            "update_user",
            "delete_user",
            "change_password",
            "list_user_sessions",
            "end_user_sessions",
            "start_password_reset",
            "unlock_user",
            "list_user_events",
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
            "request_password_reset",
            "confirm_password_reset",
            "request_email_verification",
            "confirm_email",
            "check_live",
            "check_ready",
            "get_problem_type",
        }

    def test_security(self, document, said):
        """Tokens are bearer tokens, and each operation says whether it needs one."""
        scheme = document["components"]["securitySchemes"]["bearerAuth"]
        free = {name for name, operation in said.items() if operation["security"] == []}

        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
        assert free == FREE
        assert said["create_user"]["security"] == [{"bearerAuth": []}, {}]
        assert said["get_user"]["security"] == [{"bearerAuth": []}]

    def test_create_leads_to_read_update_and_delete(self, said):
        """A client that has made a user is told what it can do with the id."""
        links = said["create_user"]["responses"]["201"]["links"]

        assert links.keys() == {"get_user", "update_user", "delete_user"}
        assert links["get_user"]["parameters"] == {"id": "$response.body#/id"}

    def test_links_lead_to_operations(self, said, answers):
        """Each link names an operation that there is."""
        linked = {
            link["operationId"]
            for _, _, response in answers
            for link in response.get("links", {}).values()
        }

        assert linked < said.keys()

    def test_everything_is_told(self, document, said):
        """Operations, answers, parameters and tags have words for a reader."""
        parameters = [
            each
            for item in document["paths"].values()
            for part in item.values()
            for each in (part if isinstance(part, list) else part.get("parameters", []))
        ]

        assert all(operation["summary"] for operation in said.values())
        assert all(parameter["description"] for parameter in parameters)
        assert all(tag["description"] for tag in document["tags"])


class TestAnswers:
    def test_errors_are_problems_with_examples(self, answers):
        """Each error is problem+json, with a named example of each type that it can have."""
        errors = [each for each in answers if each[1] >= "400"]

        assert errors
        for name, status, response in errors:
            media = response["content"][MEDIA_TYPE]
            assert list(response["content"]) == [MEDIA_TYPE]
            assert media["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert media["examples"], (name, status)
            assert {PROBLEMS[slug].status for slug in media["examples"]} == {int(status)}

    def test_successes_are_json(self, answers):
        """Each answer with content is JSON of a named schema; 202, 204 and 304 have none."""
        contents = {
            status: {kind for _, other, each in answers if other == status
                     for kind in each.get("content", ())}
            for _, status, _ in answers
            if status < "400"
        }  # fmt: skip

        assert contents == {
            "200": {"application/json"},
            "201": {"application/json"},
            "202": set(),
            "204": set(),
            "304": set(),
        }

    def test_headers(self, said):
        """Headers stand where the contract has them."""
        created = said["create_user"]["responses"]["201"]

        assert {"Location", "ETag", "X-Request-Id", "Cache-Control"} <= names(created)
        assert "Link" in names(said["list_users"]["responses"]["200"])
        assert "ETag" in names(said["get_user"]["responses"]["304"])
        assert "WWW-Authenticate" in names(said["sign_in"]["responses"]["401"])
        assert "Retry-After" in names(said["check_ready"]["responses"]["503"])

    def test_limits_are_told(self, said, answers):
        """What is granted and 429 tell what is left of a quota, where there is one."""
        telling = {
            (name, status)
            for name, status, response in answers
            if {"RateLimit", "RateLimit-Policy"} <= names(response)
        }

        assert telling == {
            (name, status)
            for name in WITH_QUOTA
            for status in said[name]["responses"]
            if status < "400" or status == "429"
        }

    def test_every_answer_is_named(self, answers):
        """Each answer has a request id and forbids guessing its type."""
        always = {"X-Request-Id", "X-Content-Type-Options"}

        assert [each for each in answers if not always <= names(each[2])] == []

    def test_every_problem_is_somebodys(self, document):
        """Each problem of the registry is an answer of some operation, but for those few."""
        assert document["components"]["examples"].keys() == PROBLEMS.keys() - OF_NO_OPERATION

    @pytest.mark.parametrize("slug", sorted(PROBLEMS.keys() - OF_NO_OPERATION))
    def test_example_of_a_problem(self, document, schemas, slug):
        """An example is what the registry says, in the form of the schema."""
        example = document["components"]["examples"][slug]["value"]
        schema = {"components": {"schemas": schemas}, **schemas["Problem"]}

        assert (example["type"], example["status"]) == (PROBLEMS[slug].type, PROBLEMS[slug].status)
        assert list(Draft202012Validator(schema).iter_errors(example)) == []


class TestSchemas:
    @pytest.mark.parametrize("body", BODIES, ids=lambda body: body.name)
    def test_bodies_are_what_is_checked(self, schemas, body):
        """The published schema of a body is the one that its validator was compiled from."""
        published, checked = schemas[body.name], strict(body.__schema__)

        assert constraints(published) == constraints(checked)
        assert published["additionalProperties"] is False

    def test_examples_are_examples(self, schemas):
        """Each schema and each member of one has an example, which it accepts."""
        whole = {"components": {"schemas": schemas}}
        parts = [*schemas.values()]
        parts += [part for schema in schemas.values() for part in schema["properties"].values()]

        for schema in parts:
            if "$ref" not in schema:
                validator = Draft202012Validator(
                    {**whole, **schema}, format_checker=FormatChecker()
                )
                assert [list(validator.iter_errors(each)) for each in schema["examples"]] == [[]]

    def test_members_are_told(self, schemas):
        """Each member has words for a reader, or a schema that has."""
        assert [
            (name, member)
            for name, schema in schemas.items()
            for member, said in schema["properties"].items()
            if not said.keys() & {"description", "$ref"}
        ] == []

    def test_null_is_a_type(self, schemas):
        """What can be null says so as JSON Schema does."""
        assert schemas["User"]["properties"]["full_name"]["type"] == ["string", "null"]
        assert schemas["UserPatch"]["properties"]["metadata"]["type"] == ["object", "null"]
