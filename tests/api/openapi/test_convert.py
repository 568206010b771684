"""Convert Swagger 2.0 to OpenAPI 3.1, for everything that a Flask-RESTX project can declare."""

import pytest
from flask import Flask
from flask_restx import Api, Resource, fields, reqparse
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.openapi.convert import convert
from api.openapi.schema import convert_schema

BASE = {"swagger": "2.0", "info": {"title": "T", "version": "1"}, "paths": {}}


def operation(**declared):
    """Convert an operation."""
    described = {"responses": {"200": {"description": "Fine"}}, **declared}
    return convert({**BASE, "paths": {"/": {"post": described}}})["paths"]["/"]["post"]


def parameter(**declared):
    """Convert a query parameter."""
    [converted] = operation(parameters=[{"name": "p", "in": "query", **declared}])["parameters"]
    return converted


def response(**declared):
    """Convert a response."""
    return operation(responses={"200": {"description": "Fine", **declared}})["responses"]["200"]


class TestSchema:
    @pytest.mark.parametrize(
        "old, new",
        [
            ({"$ref": "#/definitions/User"}, {"$ref": "#/components/schemas/User"}),
            ({"$ref": "other.json#/User"}, {"$ref": "other.json#/User"}),
            ({"type": "string", "example": "a"}, {"type": "string", "examples": ["a"]}),
            ({"type": "string", "x-nullable": True}, {"type": ["string", "null"]}),
            ({"type": "string", "x-nullable": False}, {"type": "string"}),
            (
                {"type": "string", "enum": ["a"], "x-nullable": True},
                {"type": ["string", "null"], "enum": ["a", None]},
            ),
            (
                {"$ref": "#/definitions/A", "x-nullable": True},
                {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]},
            ),
            ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
            ({"maximum": 9, "exclusiveMaximum": False}, {"maximum": 9}),
            ({"discriminator": "kind"}, {"discriminator": {"propertyName": "kind"}}),
            (
                {"type": "string", "format": "byte"},
                {"type": "string", "contentEncoding": "base64"},
            ),
            ({"type": "file"}, {"type": "string", "contentMediaType": "application/octet-stream"}),
            (
                {"items": {"type": "string", "x-nullable": True}},
                {"items": {"type": ["string", "null"]}},
            ),
            ({"additionalProperties": {"example": 1}}, {"additionalProperties": {"examples": [1]}}),
            ({"additionalProperties": False}, {"additionalProperties": False}),
            ({"allOf": [{"example": 1}]}, {"allOf": [{"examples": [1]}]}),
            ({"type": "string", "x-openapi": {"const": "a", "type": None}}, {"const": "a"}),
        ],
    )
    def test_keyword(self, old, new):
        """Each keyword becomes its equivalent in JSON Schema 2020-12."""
        assert convert_schema(old) == new

    def test_fields_named_like_keywords(self):
        """A field of an object may have the name of a keyword."""
        schema = {"properties": {"example": {"type": "file"}, "type": {"example": 1}}}

        assert convert_schema(schema)["properties"] == {
            "example": {"type": "string", "contentMediaType": "application/octet-stream"},
            "type": {"examples": [1]},
        }


class TestParameter:
    def test_schema_is_separate(self):
        """Constraints on the value move into a schema; the parameter's own keywords stay."""
        declared = {"type": "integer", "minimum": 1, "description": "How many", "required": True}

        assert parameter(**declared) == {
            "name": "p",
            "in": "query",
            "description": "How many",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
        }

    @pytest.mark.parametrize(
        "old, new",
        [
            ("csv", {"explode": False}),
            ("multi", {"explode": True}),
            ("ssv", {"style": "spaceDelimited", "explode": False}),
            ("pipes", {"style": "pipeDelimited", "explode": False}),
        ],
    )
    def test_list(self, old, new):
        """The style of a list in a query has a new name."""
        items = {"type": "array", "items": {"type": "string"}}

        converted = parameter(**items, collectionFormat=old)

        assert converted == {"name": "p", "in": "query", "schema": items, **new}

    def test_example(self):
        """An example is kept where Swagger 2.0 has no standard place for it."""
        assert parameter(**{"type": "string", "x-example": "a"})["example"] == "a"


class TestBody:
    def test_media_types(self):
        """A body has its schema under each accepted media type."""
        body = {"name": "payload", "in": "body", "required": True, "schema": {"type": "object"}}

        converted = operation(parameters=[body], consumes=["application/json", "text/json"])

        assert "parameters" not in converted
        assert converted["requestBody"] == {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/json": {"schema": {"type": "object"}},
            },
        }

    def test_body_of_a_path(self):
        """A body declared beside a path's parameters belongs to each of its operations."""
        body = {"name": "payload", "in": "body", "schema": {"type": "object"}}
        declared = {"responses": {"200": {"description": "Fine"}}}

        path = convert({**BASE, "paths": {"/": {"parameters": [body], "post": declared}}})["paths"][
            "/"
        ]

        assert "parameters" not in path
        assert path["post"]["requestBody"]["content"]["application/json"]["schema"]

    def test_form(self):
        """Form parameters become fields of an object."""
        field = {"name": "a", "in": "formData", "type": "string", "required": True}

        body = operation(parameters=[field])["requestBody"]

        schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
        assert body["required"] is True
        assert body["content"] == {"application/x-www-form-urlencoded": {"schema": schema}}

    def test_file(self):
        """A form with a file is sent as multipart/form-data."""
        field = {"name": "a", "in": "formData", "type": "file", "description": "A picture"}

        body = operation(parameters=[field])["requestBody"]

        fields = body["content"]["multipart/form-data"]["schema"]["properties"]
        assert fields["a"]["contentMediaType"] == "application/octet-stream"
        assert fields["a"]["description"] == "A picture"


class TestResponse:
    def test_content(self):
        """A response has its schema and example under its media type."""
        declared = {"schema": {"type": "string"}, "examples": {"application/json": "a"}}

        assert response(**declared)["content"] == {
            "application/json": {"schema": {"type": "string"}, "example": "a"}
        }

    def test_media_types_of_one_response(self):
        """A response can have media types that other responses do not have."""
        declared = {"schema": {"type": "string"}, "x-produces": ["application/problem+json"]}

        assert list(response(**declared)["content"]) == ["application/problem+json"]

    def test_headers(self):
        """Headers have schemas."""
        header = {"type": "string", "description": "Where it is"}

        assert response(headers={"Location": header})["headers"] == {
            "Location": {"description": "Where it is", "schema": {"type": "string"}}
        }

    def test_patch(self):
        """Details that Swagger 2.0 cannot express are patched in at any level."""
        links = {"get": {"operationId": "get"}}

        assert response(**{"x-openapi": {"links": links}})["links"] == links


class TestSecurity:
    @pytest.mark.parametrize(
        "old, new",
        [
            ({"type": "basic"}, {"type": "http", "scheme": "basic"}),
            (
                {"type": "apiKey", "in": "header", "name": "X-Key"},
                {"type": "apiKey", "in": "header", "name": "X-Key"},
            ),
            (
                {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "x-openapi": {"type": "http", "scheme": "bearer", "in": None, "name": None},
                },
                {"type": "http", "scheme": "bearer"},
            ),
            (
                {
                    "type": "oauth2",
                    "flow": "accessCode",
                    "authorizationUrl": "/a",
                    "tokenUrl": "/t",
                    "scopes": {"read": "Reading"},
                },
                {
                    "type": "oauth2",
                    "flows": {
                        "authorizationCode": {
                            "scopes": {"read": "Reading"},
                            "authorizationUrl": "/a",
                            "tokenUrl": "/t",
                        }
                    },
                },
            ),
        ],
    )
    def test_scheme(self, old, new):
        """Each security scheme becomes its equivalent."""
        document = convert({**BASE, "securityDefinitions": {"s": old}})

        assert document["components"]["securitySchemes"]["s"] == new

    def test_no_security(self):
        """An operation that needs no authentication keeps its empty security list."""
        assert operation(security=[])["security"] == []


class TestServers:
    @pytest.mark.parametrize(
        "declared, urls",
        [
            ({}, ["/"]),
            ({"basePath": "/v1"}, ["/v1"]),
            ({"host": "a.example", "basePath": "/v1"}, ["https://a.example/v1"]),
            (
                {"host": "a.example", "basePath": "/", "schemes": ["http", "https"]},
                ["http://a.example/", "https://a.example/"],
            ),
        ],
    )
    def test_urls(self, declared, urls):
        """Host, base path and schemes become server URLs."""
        assert [server["url"] for server in convert({**BASE, **declared})["servers"]] == urls


class TestProject:
    def test_foreign_project(self):
        """RESTX output for a project with parsers, parents and forms is valid OpenAPI 3.1."""
        app = Flask(__name__)
        api = Api(app, authorizations={"basic": {"type": "basic"}}, security="basic")
        parent = api.model("Animal", {"kind": fields.String(discriminator=True)})
        cat = api.inherit("Cat", parent, {"lives": fields.Integer(min=0, example=9)})
        parser = reqparse.RequestParser()
        parser.add_argument("tag", action="append", help="Tags")
        parser.add_argument("picture", location="files", type=bytes)

        @api.route("/cats/<int:id>")
        class Cat(Resource):
            @api.expect(parser)
            @api.response(200, "A cat", cat, headers={"X-Cat": "Its name"})
            def post(self, id):
                """Paint a cat"""

            @api.expect([cat])
            @api.marshal_list_with(cat)
            def put(self, id):
                """Replace cats"""

        with app.test_request_context():
            document = convert(api.__schema__)

        assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
        assert document["components"]["schemas"].keys() == {"Animal", "Cat"}
