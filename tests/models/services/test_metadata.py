"""Metadata: the merge patch of RFC 7396 and the bound on size."""

import pytest

from models.errors import InvalidField
from models.services.metadata import checked, merged


class TestMerged:
    @pytest.mark.parametrize(
        ("target", "patch", "result"),
        [
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b"}, {"a": None}, {}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
            ({"a": "foo"}, None, None),
        ],
    )
    def test_appendix_a(self, target, patch, result):
        """The test cases of RFC 7396, appendix A, that can occur here."""
        assert merged(target, patch) == result

    def test_target_is_not_changed(self):
        """A patch makes a new object, however deep it reaches."""
        target = {"a": {"b": 1}}

        merged(target, {"a": {"b": 2}})

        assert target == {"a": {"b": 1}}


class TestChecked:
    def test_four_kilobytes(self):
        """4096 bytes of JSON are allowed."""
        assert checked({"a": "x" * 4088})

    def test_one_byte_more(self):
        """4097 bytes are not."""
        with pytest.raises(InvalidField, match="4097 bytes"):
            checked({"a": "x" * 4089})

    def test_bytes_count(self):
        """A character counts with all its bytes in UTF-8."""
        with pytest.raises(InvalidField):
            checked({"a": "é" * 2045})
