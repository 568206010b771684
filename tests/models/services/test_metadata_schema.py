"""Which schemas of metadata are accepted: those that are safe to run on each request."""

import json

import pytest

from models.services.metadata_schema import InvalidSchema, compile_schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
BACKTRACKING = [r"(?=a)b", r"(?<!a)b", r"(a)\1", r"(?>a+)b"]


def compiled(metadata, **root):
    """Compile a schema of `metadata`."""
    return compile_schema(json.dumps({"properties": {"metadata": metadata}, **root}).encode())


def doubling(levels):
    """Return definitions of which each tries the one before twice."""
    definitions = {"d0": {"type": "string"}}
    for level in range(1, levels):
        before = {"$ref": f"#/$defs/d{level - 1}"}
        definitions[f"d{level}"] = {"anyOf": [before, before]}
    return definitions


class TestAccepted:
    @pytest.mark.parametrize("schema", [True, False, {}, {"type": "object"}])
    def test_simple(self, schema):
        """Every schema of an object is accepted."""
        assert compiled(schema).is_valid({"other": 1})

    def test_keywords(self):
        """Annotations and definitions may stand beside the properties."""
        root = {"$schema": DRAFT, "title": "t", "description": "d", "type": "object"}

        assert compiled({"$ref": "#/$defs/x"}, **root, **{"$defs": {"x": {}}})

    def test_escaped_reference(self):
        """Pointers follow RFC 6901, through lists, too."""
        definitions = {"a/b~c": {"allOf": [{}, {"type": "string"}]}}
        metadata = {"properties": {"x": {"$ref": "#/$defs/a~1b~0c/allOf/1"}}}
        validator = compiled(metadata, **{"$defs": definitions})

        assert not validator.is_valid({"metadata": {"x": 1}})

    def test_formats(self):
        """Formats are asserted."""
        validator = compiled({"properties": {"since": {"format": "date"}}})

        assert not validator.is_valid({"metadata": {"since": "yesterday"}})

    def test_repeated_reference(self):
        """The same definition may be used in many places."""
        metadata = {"properties": {f"p{at}": {"$ref": "#/$defs/x"} for at in range(200)}}

        assert compiled(metadata, **{"$defs": {"x": {"type": "string"}}})


class TestRejected:
    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"{} {}"])
    def test_no_object(self, content):
        """What is no JSON object is rejected."""
        with pytest.raises(InvalidSchema, match="it is no"):
            compile_schema(content)

    def test_large(self):
        """A schema has at most 64 KB."""
        with pytest.raises(InvalidSchema, match="more than 64 KB"):
            compile_schema(b" " * (64 * 1024 + 1))

    @pytest.mark.parametrize("opening", [b"[", b'{"not":'])
    def test_deep(self, opening):
        """A schema that would exhaust the stack of its reader is rejected."""
        with pytest.raises(InvalidSchema):
            compile_schema(opening * 9_000)

    def test_nested(self):
        """Fifty levels are enough for an object of 4 KB."""
        schema = {}
        for _ in range(60):
            schema = {"items": schema}

        with pytest.raises(InvalidSchema, match="nested more than 50 levels"):
            compiled(schema)

    @pytest.mark.parametrize(
        ("root", "reason"),
        [
            ({"$schema": "http://json-schema.org/draft-07/schema#"}, r"its \$schema must be"),
            ({"required": ["metadata"]}, "required is not supported outside"),
            ({"type": "array"}, "its type must be object"),
            ({"properties": {}}, "its properties must be"),
            ({"properties": {"metadata": {}, "roles": {}}}, "its properties must be"),
            ({"properties": ["metadata"]}, "its properties must be"),
        ],
    )
    def test_root(self, root, reason):
        """The root describes the two objects and nothing else."""
        with pytest.raises(InvalidSchema, match=reason):
            compiled({}, **root)

    @pytest.mark.parametrize(
        "metadata",
        [
            {"type": "objekt"},
            {"properties": ["theme"]},
            {"maxLength": -1},
            {"items": 5},
            {"allOf": {}},
            {"properties": {"x": {"pattern": "["}}},
            {"properties": {"x": {"pattern": "(a{1000}){1000}"}}},
        ],
    )
    def test_no_schema(self, metadata):
        """What breaks the meta-schema, or is no regular expression, is rejected."""
        with pytest.raises(InvalidSchema):
            compiled(metadata)

    @pytest.mark.parametrize("pattern", BACKTRACKING)
    @pytest.mark.parametrize("keyword", ["pattern", "patternProperties"])
    def test_backtracking(self, keyword, pattern):
        """A pattern that needs backtracking is rejected, so that none can take long."""
        value = pattern if keyword == "pattern" else {pattern: {}}

        with pytest.raises(InvalidSchema):
            compiled({keyword: value})

    @pytest.mark.parametrize(
        "reference",
        [
            "https://example.com/schema.json",
            "http://127.0.0.1:1/x",
            "file:///etc/passwd",
            "other.json#/x",
            "#",
            "#name",
            "#/$defs/absent",
            "#/properties/metadata/allOf/7",
            5,
        ],
    )
    def test_reference(self, reference):
        """References stay within the document, and name something."""
        with pytest.raises(InvalidSchema, match=r"\$ref"):
            compiled({"allOf": [{"$ref": reference}]})

    @pytest.mark.parametrize("keyword", ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor"])
    def test_unsupported(self, keyword):
        """Other ways to name schemas are not supported, in definitions either."""
        with pytest.raises(InvalidSchema, match="is not supported"):
            compiled({}, **{"$defs": {"x": {keyword: "x"}}})

    @pytest.mark.parametrize(
        "definition",
        [
            {"$ref": "#/$defs/x"},
            {"properties": {"child": {"$ref": "#/$defs/x"}}},
            {"anyOf": [{"type": "string"}, {"items": {"$ref": "#/properties/metadata"}}]},
        ],
    )
    def test_recursive(self, definition):
        """A recursive schema is rejected: its cost grows with the depth of the object."""
        with pytest.raises(InvalidSchema, match="recursive"):
            compiled({"$ref": "#/$defs/x"}, **{"$defs": {"x": definition}})

    @pytest.mark.parametrize("levels", [12, 40])
    def test_exponential(self, levels):
        """References that double the work at each level are rejected, and found at once."""
        metadata = {"properties": {"x": {"$ref": f"#/$defs/d{levels - 1}"}}}

        with pytest.raises(InvalidSchema, match="more than 1000 subschemas"):
            compiled(metadata, **{"$defs": doubling(levels)})
