"""The rules of metadata: their size and the operator's schema."""

import json

import pytest

from models.errors import InvalidField
from models.services.metadata import MetadataRules, validate_size
from models.services.metadata_schema import compile_schema

SCHEMA = {
    "properties": {
        "metadata": {
            "properties": {
                "theme": {"enum": ["light", "dark"]},
                "code": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
                "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
                "a/b~c": {"type": "integer"},
            },
            "additionalProperties": False,
        },
        "app_metadata": {"required": ["plan"], "properties": {"plan": {"type": "string"}}},
    },
    "$defs": {"tag": {"type": "string", "maxLength": 3}},
}


@pytest.fixture
def rules():
    return MetadataRules(compile_schema(json.dumps(SCHEMA).encode()))


def faults(rules, field, value):
    """Return the paths and the sentences of what is wrong with an object."""
    return [(list(fault.path), str(fault)) for fault in rules.faults_of({field: value})]


class TestSize:
    def test_four_kilobytes(self):
        """4096 bytes of JSON are allowed."""
        value = {"a": "x" * 4088}

        assert MetadataRules().validate("metadata", value) == value

    @pytest.mark.parametrize("field", ["metadata", "app_metadata"])
    def test_one_byte_more(self, field):
        """4097 bytes are not."""
        with pytest.raises(InvalidField, match=f"The {field} has 4097 bytes") as caught:
            validate_size(field, {"a": "x" * 4089})

        assert caught.value.field == field

    def test_bytes_count(self):
        """A character counts with all its bytes in UTF-8."""
        with pytest.raises(InvalidField):
            validate_size("metadata", {"a": "é" * 2045})


class TestSchema:
    def test_match(self, rules):
        """An object that matches the schema is accepted."""
        value = {"theme": "dark", "tags": ["a", "bc"]}

        assert rules.validate("metadata", value) == value

    @pytest.mark.parametrize(
        ("value", "path", "sentence"),
        [
            ({"theme": "s3cret"}, ["theme"], 'It is not one of "light" or "dark".'),
            ({"code": "S3CRET"}, ["code"], 'It does not match "^[a-z]+$".'),
            ({"code": "secretsecret"}, ["code"], "It is longer than 5 characters."),
            ({"code": 5}, ["code"], 'It is not of type "string".'),
            ({"tags": ["ok", "s3cret"]}, ["tags", "1"], "It is longer than 3 characters."),
            ({"a/b~c": "s3cret"}, ["a/b~c"], 'It is not of type "integer".'),
            ({"other": "s3cret"}, ["other"], "It is unknown here."),
        ],
    )
    def test_mismatch(self, rules, value, path, sentence):
        """What does not match is named by its path; the sentence never repeats the value."""
        assert (path, sentence) in faults(rules, "metadata", value)
        assert "s3cret" not in str(faults(rules, "metadata", value)).lower()

    def test_missing(self, rules):
        """A missing field is named like one that is there."""
        assert faults(rules, "app_metadata", {"seats": 5}) == [(["plan"], "It is missing.")]

    @pytest.mark.parametrize("field", ["metadata", "app_metadata"])
    def test_empty(self, rules, field):
        """An empty object is accepted, whatever is required: pages of sign-up have no metadata."""
        assert rules.validate(field, {}) == {}

    def test_both(self, rules):
        """The faults of both objects are found together."""
        found = rules.faults_of({"metadata": {"theme": 1}, "app_metadata": {"plan": 1}})

        assert [fault.field for fault in found] == ["metadata", "app_metadata"]

    def test_many_faults(self, rules):
        """An object that is wrong everywhere has a bounded number of faults."""
        assert len(faults(rules, "metadata", {"tags": ["long"] * 100})) == 20
        assert len(faults(rules, "metadata", {f"k{at}": 1 for at in range(100)})) == 20

    def test_slow(self):
        """Where finding all faults could take long, the first one is named."""
        alternatives = [{"type": "string", "maxLength": at} for at in range(200)]
        schema = {"properties": {"metadata": {"properties": {"x": {"anyOf": alternatives}}}}}
        schema["properties"]["metadata"]["additionalProperties"] = {"anyOf": alternatives}
        rules = MetadataRules(compile_schema(json.dumps(schema).encode()))

        [(path, sentence)] = faults(rules, "metadata", {f"k{at}": at for at in range(300)})
        assert path == ["k0"]
        assert sentence.startswith("It is not valid under any of the schemas")

    def test_long_sentence(self):
        """A sentence about a long pattern is bounded."""
        schema = {"properties": {"metadata": {"properties": {"x": {"pattern": "a" * 2_000}}}}}
        rules = MetadataRules(compile_schema(json.dumps(schema).encode()))

        [(_, sentence)] = faults(rules, "metadata", {"x": "b"})
        assert len(sentence) <= 301


class TestChanges:
    def test_unchanged_misfit(self, rules):
        """An object that no longer matches stays, as long as it does not change."""
        stored = {"theme": "blue"}
        new = rules.validating({"metadata": lambda current: dict(current)})

        assert new["metadata"](stored) == stored

    def test_changed_misfit(self, rules):
        """Its next change has to match."""
        new = rules.validating({"metadata": lambda current: {**current, "code": "a"}})

        with pytest.raises(InvalidField):
            new["metadata"]({"theme": "blue"})

    def test_other_fields(self, rules):
        """Changes of other fields are left alone."""
        assert rules.validating({"full_name": "Ada"}) == {"full_name": "Ada"}
